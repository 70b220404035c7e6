"""One call for every kind of scene."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh

from sim2real.errors import (
    BadValueError,
    CameraInsideError,
    EmptySceneError,
    MissingFileError,
    UnknownNameError,
    UnreadableFileError,
)
from sim2real.scene import LoadOptions, check_cameras, describe, load, primitives
from sim2real.scene.cameras.orbit import bounds
from sim2real.scene.inside import is_closed, winding_number
from sim2real.scene.mesh_ops import inside_out
from sim2real.scene.records import Mesh

SCENES = Path(__file__).parents[2] / "scenes"
ASSETS = Path(__file__).parents[2] / "assets" / "tabletop"


@pytest.mark.parametrize("size", [(120, 160), (160, 90)])
def test_an_orbit_shows_the_whole_mesh_in_every_frame_from_all_around(size: tuple[int, int]) -> None:
    scene = load(ASSETS / "gear.stl", LoadOptions(frames=12, size=size))
    (camera,) = scene.cameras
    (part,) = scene.parts
    vertices = np.c_[scene.meshes[part.mesh].vertices, np.ones(len(scene.meshes[part.mesh].vertices))]
    reach = []
    for frame in range(12):
        p = scene.camera_from_part(camera, frame)[0] @ vertices.T
        uv = camera.intrinsics[frame] @ p[:3] / p[2]
        assert (p[2] > camera.near).all()
        assert uv[0].min() > 0 and uv[0].max() < size[1] and uv[1].min() > 0 and uv[1].max() < size[0]
        reach.append(max(np.ptp(uv[0]) / size[1], np.ptp(uv[1]) / size[0]))
    assert min(reach) > 0.6
    assert np.abs(camera.world_from_camera[:, :3, 3].mean(axis=0)[:2]).max() < 1e-6  # a full circle
    assert any("camera orbit" in note for note in scene.notes)


def test_an_orbit_is_added_when_asked_for_and_flat_floors_do_not_push_it_away() -> None:
    scene = load(SCENES / "tabletop.yaml", LoadOptions(orbit=True))
    assert [c.name for c in scene.cameras] == ["moving", "side", "orbit"]
    low, high = bounds(scene)
    assert (high - low).max() < 1.2
    assert len(load(SCENES / "empty.yaml").cameras) == 1


def test_frames_and_stride_choose_and_keep_the_pace() -> None:
    whole = load(SCENES / "tabletop.yaml")
    some = load(SCENES / "tabletop.yaml", LoadOptions(frames=5, stride=3))
    assert some.frames == 5 and some.fps == 4
    np.testing.assert_array_equal(some.world_from_instance, whole.world_from_instance[:15:3])
    np.testing.assert_array_equal(some.camera("moving").world_from_camera, whole.camera("moving").world_from_camera[:15:3])
    assert load(SCENES / "tabletop.yaml", LoadOptions(stride=3)).frames == 6
    assert load(SCENES / "tabletop.yaml", LoadOptions(fps=30.0)).fps == 30


def test_frames_beyond_the_end_name_what_there_is() -> None:
    with pytest.raises(BadValueError, match="the number of frames is 17, must be 1 to 16"):
        load(SCENES / "tabletop.yaml", LoadOptions(frames=17))
    with pytest.raises(BadValueError, match="the number of frames is 9, must be 1 to 8 with a stride of 2"):
        load(SCENES / "tabletop.yaml", LoadOptions(frames=9, stride=2))


def test_intrinsics_override_those_of_the_file() -> None:
    scene = load(SCENES / "tabletop.yaml", LoadOptions(intrinsics=(100.0, 110.0, 60.0, 50.0)))
    for camera in scene.cameras:
        np.testing.assert_array_equal(camera.intrinsics, np.tile([[100.0, 0, 60], [0, 110, 50], [0, 0, 1]], (16, 1, 1)))


def test_kinds_of_files_that_nobody_reads_list_those_that_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.blend").touch()
    with pytest.raises(UnknownNameError, match=r"'\.blend'.*\.yaml.*\.xml.*\.hdf5.*\.urdf.*\.usd.*in all"):
        load(tmp_path / "a.blend")
    for name in ("a.yaml", "a.obj", "a.xml", "a.hdf5", "nothing"):
        with pytest.raises(MissingFileError):
            load(tmp_path / name)


def test_options_that_a_file_cannot_heed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadValueError, match=r"--states is .*, must be left out for a mesh file, or used with: \.xml"):
        load(ASSETS / "gear.stl", states=tmp_path / "s.npy")
    with pytest.raises(BadValueError, match="--demo"):
        load(SCENES / "tabletop.yaml", demo="demo_0")
    for bad in ({"frames": 0}, {"stride": 0}, {"fps": 0.0}, {"size": (0, 4)}, {"intrinsics": (0.0, 1.0, 1.0, 1.0)}):
        with pytest.raises(BadValueError):
            load(SCENES / "tabletop.yaml", LoadOptions(**bad))


def test_a_scene_without_objects_is_a_sky_but_a_mesh_file_without_faces_is_an_error(tmp_path: Path) -> None:
    sky = load(SCENES / "empty.yaml")
    assert sky.frames == 16 and not sky.parts
    (tmp_path / "a.obj").write_text("v 0 0 0\n")
    with pytest.raises(EmptySceneError):
        load(tmp_path / "a.obj")


def test_winding_numbers_tell_inside_from_outside() -> None:
    rng = np.random.default_rng(0)
    solid = primitives.torus(0.5, 0.2)
    assert is_closed(solid)
    for point in rng.uniform(-0.8, 0.8, (60, 3)) * [1, 1, 0.4]:
        depth = np.hypot(np.hypot(*point[:2]) - 0.5, point[2])
        if abs(depth - 0.2) > 0.01:
            assert winding_number(solid.vertices, solid.faces, point) == pytest.approx(float(depth < 0.2), abs=1e-6)
    assert not is_closed(primitives.plane([1.0, 1.0]))
    soup = solid.vertices[solid.faces].reshape(-1, 3)
    assert is_closed(Mesh("soup", soup, np.arange(len(soup)).reshape(-1, 3)))


def test_a_camera_inside_a_solid_is_refused_but_not_inside_a_room(tmp_path: Path) -> None:
    path = tmp_path / "scene.yaml"
    text = (
        "frames: 10\nobjects: [{name: crate, primitive: box, half_size: [1, 1, 1]}]\n"
        "cameras: [{name: fly, path: {waypoints: [[-3, 0, 0.1], [3, 0, 0.1]], target: [9, 0, 0], smooth: false}}]\n"
    )
    path.write_text(text)
    with pytest.raises(CameraInsideError, match="camera fly is inside crate in frame 4, must be outside"):
        load(path)
    path.write_text(text.replace("[1, 1, 1]", "[1, 1, 1], room: true"))
    room = load(path)
    assert room.meshes[0].normals is not None
    assert winding_number(room.meshes[0].vertices, room.meshes[0].faces, np.zeros(3)) == pytest.approx(-1)
    inward = inside_out(primitives.box([1.0, 1.0, 1.0]))
    np.testing.assert_array_equal(inward.faces, room.meshes[0].faces)
    path.write_text(text.replace("[1, 1, 1]", "[1, 1, 1], visible: [0, 3]"))
    assert load(path).frames == 10
    check_cameras(load(SCENES / "tabletop.yaml"))


def test_an_open_mesh_around_a_camera_is_not_refused(tmp_path: Path) -> None:
    solid = primitives.box([1.0, 1.0, 1.0])
    trimesh.Trimesh(solid.vertices, solid.faces[2:], process=False).export(str(tmp_path / "open.ply"))
    text = "objects: [{name: a, mesh: open.ply}]\ncameras: [{name: c, position: [0, 0, 0], look_at: [1, 0, 0]}]\n"
    (tmp_path / "scene.yaml").write_text(text)
    assert load(tmp_path / "scene.yaml").cameras[0].name == "c"


def test_a_description_is_json_and_counts_what_is_there() -> None:
    scene = load(SCENES / "tabletop.yaml")
    told = json.loads(json.dumps(describe(scene)))
    assert told["triangles"] == sum(len(scene.meshes[p.mesh].faces) for p in scene.parts)
    assert told["frames"] == 16 and told["seconds"] == pytest.approx(16 / 12)
    by_name = {i["name"]: i for i in told["instances"]}
    assert by_name["ball"]["moves"] and not by_name["table"]["moves"] and by_name["gear"]["class"] == "part"
    assert [c["name"] for c in told["cameras"]] == ["moving", "side"]
    assert (
        told["cameras"][0]["fov_deg"] == pytest.approx(42) and told["cameras"][0]["moves"] and not told["cameras"][1]["moves"]
    )
    assert json.dumps(describe(load(SCENES / "empty.yaml")))


def test_the_scene_package_starts_without_readers_and_without_torch() -> None:
    heavy = "('torch', 'warp', 'trimesh', 'pydantic', 'mujoco', 'PIL')"
    code = f"import sys, sim2real.scene; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=SCENES.parent)
    assert done.stdout.strip() == "[]"


def test_more_frames_than_memory_holds_are_refused_before_they_are_made(tmp_path: Path) -> None:
    with pytest.raises(BadValueError, match="the number of frames is 2000000000, must be at most"):
        load(ASSETS / "gear.stl", LoadOptions(frames=2_000_000_000))
    (tmp_path / "long.yaml").write_text("frames: 2000000000\nobjects: [{name: b, primitive: sphere, radius: 1}]\n")
    with pytest.raises(BadValueError, match=r"the number of frames is 2000000000.*long\.yaml"):
        load(tmp_path / "long.yaml")


@pytest.mark.parametrize("name", ["x" * 300, "x" * 300 + ".yaml", "x" * 300 + ".glb"])
def test_a_name_that_the_system_refuses_is_said(name: str) -> None:
    with pytest.raises(UnreadableFileError, match="File name too long; check the path"):
        load(name)


def test_equal_shapes_of_a_scene_file_share_their_arrays(tmp_path: Path) -> None:
    rows = "".join(
        f"  - {{name: o{k}, primitive: box, half_size: [1, 1, {1 + k % 2}], position: [{k}, 0, 0]}}\n" for k in range(6)
    )
    (tmp_path / "many.yaml").write_text(f"frames: 1\nobjects:\n{rows}")
    meshes = load(tmp_path / "many.yaml").meshes
    assert [mesh.name for mesh in meshes] == [f"o{k}" for k in range(6)]
    assert len({id(mesh.vertices) for mesh in meshes}) == 2
