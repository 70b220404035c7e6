"""Normals of meshes that deform: turned with their faces, smooth where they were smooth, sharp where they were sharp."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.conditions.tables import deformed_normals
from sim2real.scene import Instance, Mesh, Part, Scene, Triangles, triangles_of
from sim2real.scene.primitives import box, plane, sphere
from sim2real.transforms import rotation_from_quaternion


def of(*meshes: Mesh) -> Triangles:
    parts = tuple(Part(k, k) for k in range(len(meshes)))
    things = tuple(Instance(f"thing_{k}", "thing") for k in range(len(meshes)))
    places = np.tile(np.eye(4), (1, len(meshes), 1, 1))
    return triangles_of(Scene(Path(), "", meshes, parts, things, places, np.ones((1, len(meshes)), bool), ()))


quaternions = st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 0.1)


@settings(deadline=None, max_examples=30)
@given(quaternion=quaternions, scale=st.floats(0.1, 10))
def test_normals_turn_with_a_mesh_that_turns_and_grows_as_a_whole(quaternion, scale):
    triangles = of(sphere(0.5), box([1.0, 2.0, 3.0]), plane([1.0, 1.0], cells=(3, 2)))
    turn = rotation_from_quaternion(np.array(quaternion))
    moved = (scale * triangles.vertices.astype(np.float64) @ turn.T + [1, 2, 3]).astype(np.float32)
    np.testing.assert_allclose(deformed_normals(triangles, moved), triangles.normals @ turn.T, atol=2e-3)


def test_a_flat_sheet_that_is_bent_stays_smooth():
    triangles = of(plane([1.0, 1.0], cells=(24, 1)))
    x, y, _ = triangles.vertices.T.astype(np.float64)
    bent = np.stack([np.sin(x), y, np.cos(x)], axis=1).astype(np.float32)  # onto a cylinder
    normals = deformed_normals(triangles, bent)
    expected = bent[triangles.faces] * [1, 0, 1]
    inner = np.abs(triangles.vertices[triangles.faces][..., 0]) < 0.99
    np.testing.assert_allclose(normals[inner], expected[inner], atol=1e-3)
    corner = np.unique(np.c_[triangles.faces.ravel(), np.round(normals.reshape(-1, 3), 4)], axis=0)
    assert len(corner) == len(triangles.vertices)  # one normal each


def test_sharp_edges_stay_sharp():
    triangles = of(box([1.0, 1.0, 1.0]))
    sheared = (triangles.vertices + 0.3 * triangles.vertices[:, [2, 0, 1]] * [1, 0, 0]).astype(np.float32)
    normals = deformed_normals(triangles, sheared)
    a, b, c = (sheared[triangles.faces[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    np.testing.assert_allclose(normals, np.repeat(flat[:, None], 3, axis=1), atol=1e-5)


def test_things_in_one_place_do_not_smooth_each_other():
    triangles = of(plane([1.0, 1.0]), plane([1.0, 1.0]))
    moved = triangles.vertices.copy()
    moved[triangles.vertex_part == 1, 2] += 0.5 * moved[triangles.vertex_part == 1, 0]
    normals = deformed_normals(triangles, moved)
    np.testing.assert_allclose(normals[triangles.face_part == 0], triangles.normals[triangles.face_part == 0], atol=1e-6)


@pytest.mark.parametrize("height", [0.0, -1.0])
def test_a_sheet_that_is_folded_onto_itself_keeps_finite_unit_normals(height):
    triangles = of(plane([1.0, 1.0], cells=(2, 1)))
    folded = np.abs(triangles.vertices) * [1, 1, 1] + [0, 0, height]
    folded[:, 1] = triangles.vertices[:, 1]
    length = np.linalg.norm(deformed_normals(triangles, folded.astype(np.float32)), axis=-1)
    np.testing.assert_allclose(length, 1, atol=1e-5)
