"""Meshes made from meshes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim2real.scene.mesh_ops import distinct_corners, mapped
from sim2real.scene.primitives import box
from sim2real.scene.records import Mirror


def test_corners_are_split_exactly_where_their_values_differ():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 3, (300, 2)).astype(np.float32)
    values[values == 0] *= np.where(rng.random((values == 0).sum()) < 0.5, -1, 1)  # -0 is 0
    first, faces = distinct_corners(values)
    assert len(first) == 9 and faces.shape == (100, 3)
    assert np.array_equal(values[first][faces].reshape(-1, 2), values)


def test_a_normal_that_is_none_stays_none_when_it_is_mapped():
    mesh = box((0.1, 0.2, 0.3))
    assert mesh.normals is not None
    normals = mesh.normals.copy()
    normals[0] = 0
    turned = mapped(replace(mesh, normals=normals), np.diag([2.0, 1.0, 1.0]))
    assert turned.normals is not None and not turned.normals[0].any()
    assert np.allclose(np.linalg.norm(turned.normals[1:], axis=-1), 1)


@pytest.mark.parametrize("turned", [1.0, -1.0], ids=["as it is", "mirror image"])
def test_the_plane_that_mirrors_goes_with_the_mesh(turned):
    rng = np.random.default_rng(3)
    linear, shift = rng.normal(size=(3, 3)), rng.normal(size=3)
    linear[0] *= turned * np.sign(np.linalg.det(linear))
    mesh = replace(box(np.ones(3)), mirror=Mirror(0.5, (0.0, 0.0, 1.0)))
    image = mapped(mesh, linear, shift)
    assert image.mirror is not None and np.linalg.norm(image.mirror.normal) == pytest.approx(1)
    height = (image.vertices - image.mirror.point) @ image.mirror.normal
    top = mesh.vertices[:, 2] == mesh.vertices[:, 2].max()
    assert np.abs(height[top]).max() < 1e-9 and (height[~top] < -1e-3).all()
