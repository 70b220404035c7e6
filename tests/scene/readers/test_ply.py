"""PLY files of every dialect: the same surface, or one line that says why not."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh

from sim2real.errors import EmptySceneError, Sim2RealError, UnreadableFileError
from sim2real.scene import LoadOptions, load
from sim2real.scene.readers.mesh.files import read_mesh_file
from sim2real.scene.readers.mesh.ply import read_ply, triangulated

from ...mutations import check_scene, damaged, fuzzed, read_or_refused

POINTS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.5], [0.5, 2, 1]], np.float32)
POLYGONS = [[0, 1, 2], [0, 2, 3], [0, 1, 2, 3], [0, 1, 2, 4, 3], [2, 1, 0]]
COLORS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9], [200, 100, 50]], np.uint8)


def ply_of(order: str, polygons: list[list[int]], *, count: str = "uchar", flag: bool = False, extra: bool = False) -> bytes:
    """A file with colors; if asked for, a number beside each list and edges between vertices and faces."""
    name = {"": "ascii", "<": "binary_little_endian", ">": "binary_big_endian"}[order]
    lines = ["ply", f"format {name} 1.0", "comment made here", f"element vertex {len(POINTS)}"]
    lines += [f"property float {axis}" for axis in "xyz"] + [f"property uchar {color}" for color in ("red", "green", "blue")]
    lines += ["element edge 2", "property int vertex1", "property int vertex2"] if extra else []
    lines += [f"element face {len(polygons)}", *(["property short flags"] if flag else [])]
    lines += [f"property list {count} int vertex_indices", "end_header", ""]
    data = "\n".join(lines).encode()
    if not order:
        rows = [" ".join(map(str, (*p, *c))) for p, c in zip(POINTS.tolist(), COLORS.tolist(), strict=True)]
        rows += ["0 1", "1 2"] if extra else []
        rows += [" ".join(map(str, (*([7] if flag else []), len(p), *p))) for p in polygons]
        return data + "\n".join(rows).encode()
    for point, color in zip(POINTS, COLORS, strict=True):
        data += struct.pack(f"{order}3f3B", *point, *color)
    data += struct.pack(f"{order}4i", 0, 1, 1, 2) if extra else b""
    letter = {"uchar": "B", "int": "i", "ushort": "H"}[count]
    for polygon in polygons:
        data += struct.pack(f"{order}h", 7) if flag else b""
        data += struct.pack(f"{order}{letter}{len(polygon)}i", len(polygon), *polygon)
    return data


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("order", ["", "<", ">"])
@pytest.mark.parametrize("count", ["uchar", "int", "ushort"])
@pytest.mark.parametrize("more", [False, True])
def test_every_order_of_bytes_and_faces_of_any_size_give_the_same_surface(tmp_path, order, count, more):
    expected = [[0, 1, 2], [0, 2, 3], [2, 1, 0], [0, 1, 2], [2, 3, 0], [0, 1, 2], [0, 2, 4], [0, 4, 3]]
    found = read_ply(written(tmp_path / "a.ply", ply_of(order, POLYGONS, count=count, flag=more, extra=more)))
    assert found is not None and found.faces.tolist() == expected
    assert np.array_equal(found.vertices, POINTS) and np.array_equal(found.vertex_colors, COLORS)


@pytest.mark.parametrize("order", ["", "<", ">"])
@pytest.mark.parametrize("sides", [3, 4])
def test_what_trimesh_reads_is_the_same(tmp_path, order, sides):
    path = written(tmp_path / "a.ply", ply_of(order, [p for p in POLYGONS if len(p) == sides]))
    theirs, ours = trimesh.load_mesh(str(path), process=False), read_ply(path)
    assert ours is not None and np.array_equal(theirs.faces, ours.faces) and np.array_equal(theirs.vertices, ours.vertices)
    assert np.array_equal(theirs.visual.vertex_colors[:, :3], ours.vertex_colors)


def test_polygons_become_fans_of_which_the_polygon_is_known():
    faces, owner = triangulated(np.array([5, 6, 7, 1, 2, 3, 4, 9, 9]), np.array([3, 4, 2]))
    assert faces.tolist() == [[5, 6, 7], [1, 2, 3], [3, 4, 1]] and owner.tolist() == [0, 1, 1]


def test_colors_of_a_scan_are_those_of_its_mesh(tmp_path):
    (mesh,) = read_mesh_file(written(tmp_path / "a.ply", ply_of("<", POLYGONS[:1]))).meshes
    assert mesh.material.base_color[:3] == pytest.approx((1 / 3, 1 / 3, 1 / 3), abs=0.01)  # the mean of red, green and blue


def test_a_cloud_of_points_is_refused_with_what_to_do(tmp_path):
    for order in ("", "<"):
        with pytest.raises(EmptySceneError, match="cloud of 5 points.*Poisson"):
            read_mesh_file(written(tmp_path / "a.ply", ply_of(order, [])))


@pytest.mark.parametrize(
    "old, new, why",
    [
        (b"element vertex 5", b"element vertex 2000000000", "2000000000 rows of vertex"),
        (b"element face 5", b"element face 2000000000", "2000000000 rows of face"),
        (b"element face 5", b"element face 99999999999999", "99999999999999 rows"),
        (b"element face 5", b"element face -1", "-1 rows"),
        (b"element face 5", b"element face 6", "ends early"),
        (b"property float x", b"property floot x", "a line of its header"),
        (b"property float x", b"property float q", "no x, y and z"),
        (b"end_header", b"end_headre", "header"),
        (b"ply\n", b"plx\n", "does not begin"),
    ],
)
@pytest.mark.parametrize("order", ["", "<"])
def test_headers_that_lie_are_refused_before_anything_is_allocated(tmp_path, old, new, why, order):
    path = written(tmp_path / "a.ply", ply_of(order, POLYGONS).replace(old, new, 1))
    said = read_or_refused(lambda: read_mesh_file(path))
    assert said is not None and why in said


def test_a_face_that_names_no_vertex_is_refused(tmp_path):
    with pytest.raises(UnreadableFileError, match="none of its 5"):
        read_ply(written(tmp_path / "a.ply", ply_of("<", [[0, 1, 5]])))
    with pytest.raises(Sim2RealError, match="no faces that can be drawn"):
        read_ply(written(tmp_path / "a.ply", ply_of("<", [[0, 1]])))


@pytest.mark.parametrize("order", ["", "<", ">"])
@fuzzed(25)
def test_damaged_files(tmp_path_factory, order, rng):
    path = tmp_path_factory.getbasetemp() / f"fuzz{order == '<'}.ply"
    path.write_bytes(damaged(ply_of(order, POLYGONS, flag=rng.random() < 0.5), rng))
    read_or_refused(lambda: load(path, LoadOptions(frames=1, size=(24, 32))), check_scene)
