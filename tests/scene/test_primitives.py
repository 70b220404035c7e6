"""Tessellated solids and surfaces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.errors import BadValueError
from sim2real.scene import primitives
from sim2real.scene.records import Mesh
from sim2real.scene.triangles import face_normals

LENGTHS = st.floats(0.01, 3.0)


def solids(a: float, b: float, c: float) -> list[tuple[Mesh, float, float]]:
    """Each solid with its exact volume and the share of it that tessellation may miss."""
    wave = np.sin(np.arange(30.0)).reshape(5, 6) * 0.1 * c
    return [
        (primitives.box([a, b, c]), 8 * a * b * c, 1e-9),
        (primitives.sphere(a), 4 / 3 * np.pi * a**3, 0.03),
        (primitives.ellipsoid([a, b, c]), 4 / 3 * np.pi * a * b * c, 0.03),
        (primitives.cylinder(a, c), 2 * np.pi * a * a * c, 0.01),
        (primitives.capsule(a, c), np.pi * a * a * (2 * c + 4 / 3 * a), 0.03),
        (primitives.cone(a, c), np.pi * a * a * 2 * c / 3, 0.01),
        (primitives.torus(a + b, a), 2 * np.pi**2 * (a + b) * a * a, 0.03),
        (primitives.heightfield(wave, [a, b], base=-c), 4 * a * b * c, 0.1),
    ]


def signed_volume(mesh: Mesh) -> float:
    p, q, r = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    return float(np.einsum("fi,fi->", p, np.cross(q, r)) / 6)


def directed_edges(mesh: Mesh) -> np.ndarray:
    return np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]])


@pytest.mark.slow
@settings(deadline=None, max_examples=8)
@given(LENGTHS, LENGTHS, LENGTHS)
def test_solids_are_closed_and_wound_outward_and_have_their_volume(a: float, b: float, c: float) -> None:
    for mesh, volume, slack in solids(a, b, c):
        edges = directed_edges(mesh)
        forth, back = ({tuple(e) for e in pairs} for pairs in (edges, edges[:, ::-1]))
        assert forth == back and len(forth) == len(edges), mesh.name
        assert signed_volume(mesh) == pytest.approx(volume, rel=slack), mesh.name


@settings(deadline=None, max_examples=8)
@given(LENGTHS, LENGTHS, LENGTHS)
def test_corner_normals_are_unit_and_agree_with_the_winding(a: float, b: float, c: float) -> None:
    for mesh, _, _ in solids(a, b, c)[:-1]:
        assert mesh.normals is not None
        np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=-1), 1, atol=1e-9)
        assert (np.einsum("fi,fki->fk", face_normals(mesh.vertices, mesh.faces), mesh.normals) > 0).all(), mesh.name


def test_sphere_normals_point_away_from_the_center() -> None:
    mesh = primitives.sphere(0.3)
    np.testing.assert_allclose(mesh.normals, mesh.vertices[mesh.faces] / 0.3, atol=1e-9)


@settings(deadline=None, max_examples=8)
@given(LENGTHS, LENGTHS, LENGTHS)
def test_uv_stay_in_the_unit_square_and_are_never_mirrored(a: float, b: float, c: float) -> None:
    for mesh, _, _ in solids(a, b, c):
        assert mesh.uv is not None
        assert mesh.uv.min() >= -1e-12 and mesh.uv.max() <= 1 + 1e-12, mesh.name
        p, q, r = (mesh.uv[:, k] for k in range(3))
        area = (q - p)[:, 0] * (r - p)[:, 1] - (q - p)[:, 1] * (r - p)[:, 0]
        assert (area > 0).all(), mesh.name


def test_textures_stand_upright_on_the_sides_of_a_box() -> None:
    mesh = primitives.box([1.0, 2.0, 3.0])
    assert mesh.uv is not None
    sides = np.abs(face_normals(mesh.vertices, mesh.faces)[:, 2]) < 0.5
    np.testing.assert_allclose(mesh.uv[sides, :, 1], (mesh.vertices[mesh.faces][sides, :, 2] + 3) / 6)


def test_a_plane_has_two_triangles_unless_more_are_asked_for() -> None:
    assert len(primitives.plane([1.0, 1.0]).faces) == 2
    fine = primitives.plane([1.0, 2.0], cells=(4, 3))
    assert len(fine.faces) == 24
    assert np.ptp(fine.vertices, axis=0).tolist() == [2, 4, 0]
    np.testing.assert_allclose(face_normals(fine.vertices, fine.faces), np.tile([0.0, 0, 1], (24, 1)))


def test_a_height_field_keeps_its_grid_rows_along_y() -> None:
    heights = np.arange(12.0).reshape(3, 4)
    mesh = primitives.heightfield(heights, [3.0, 1.0])
    grid = mesh.vertices.reshape(3, 4, 3)
    assert grid[0, 0].tolist() == [-3, -1, 0] and grid[0, 3].tolist() == [3, -1, 3] and grid[2, 0].tolist() == [-3, 1, 8]
    slope = np.array([-0.5, -4.0, 1.0])
    np.testing.assert_allclose(mesh.normals[0, 0], slope / np.linalg.norm(slope))


@pytest.mark.parametrize(
    "make",
    [
        lambda: primitives.box([1.0, 0.0, 1.0]),
        lambda: primitives.box([1.0, 1.0]),
        lambda: primitives.sphere(-1.0),
        lambda: primitives.torus(0.1, 0.2),
        lambda: primitives.cylinder(float("nan"), 1.0),
        lambda: primitives.heightfield(np.zeros((3, 3)), [1.0, 1.0], base=0.5),
        lambda: primitives.heightfield(np.full((3, 3), np.nan), [1.0, 1.0]),
    ],
)
def test_impossible_sizes_are_refused_in_one_line(make) -> None:
    with pytest.raises(BadValueError, match="must be") as error:
        make()
    assert "\n" not in str(error.value)
