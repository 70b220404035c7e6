"""Meshes made from meshes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sim2real.scene.mesh_ops import distinct_corners, mapped
from sim2real.scene.primitives import box


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
