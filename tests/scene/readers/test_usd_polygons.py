"""Polygons become triangles that fill them, whatever their shape."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim2real.scene.readers.usd.polygons import MOST_CORNERS, triangulated

NOTCHED = np.array([[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]], float)


def area_vector(points: np.ndarray) -> np.ndarray:
    return 0.5 * np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0)


def lifted(flat: np.ndarray, turn: np.ndarray) -> np.ndarray:
    return np.c_[flat, np.zeros(len(flat))] @ turn.T


def rotations(rng: np.random.Generator) -> np.ndarray:
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q *= np.sign(np.diag(r))
    return q * np.sign(np.linalg.det(q))


@given(st.integers(3, 12), st.integers(0, 2**32 - 1))
def test_a_star_shaped_polygon_is_filled_by_triangles_that_face_as_it_does(size, seed):
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, size)) * 0.2 + np.linspace(0, 2 * np.pi, size, endpoint=False) * 0.8
    flat = np.stack([np.cos(angle), np.sin(angle)], axis=1) * rng.uniform(0.3, 1, size)[:, None]
    points = lifted(flat, rotations(rng)) + rng.normal(size=3)
    corners, owner = triangulated(np.array([size]), np.arange(size), points)
    assert corners.shape == (size - 2, 3) and (owner == 0).all()
    normal = area_vector(points - points[0])
    areas = np.array([area_vector(points[triangle] - points[0]) for triangle in corners])
    facing = areas @ normal / np.linalg.norm(normal)
    assert (facing > -1e-9).all()  # none is turned over, so none lies outside
    np.testing.assert_allclose(areas.sum(axis=0), normal, atol=1e-12)


@given(st.permutations(range(5)), st.integers(0, 2**32 - 1))
def test_a_notch_stays_open_wherever_the_polygon_begins(order, seed):
    flat = np.roll(NOTCHED, order[0], axis=0)
    points = lifted(flat, rotations(np.random.default_rng(seed)))
    corners, _ = triangulated(np.array([5]), np.arange(5), points)
    total = sum(np.linalg.norm(area_vector(points[t] - points[0])) for t in corners)
    np.testing.assert_allclose(total, 10.0)  # a fan from the wrong corner would cover the notch, and more


def test_polygons_of_many_sizes_keep_their_order_and_those_of_two_corners_go():
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0.5, 2, 0]], float)
    counts, indices = np.array([3, 2, 4, 0, 5]), np.array([0, 1, 2, 0, 1, 0, 1, 2, 3, 0, 1, 2, 4, 3])
    corners, owner = triangulated(counts, indices, points)
    assert owner.tolist() == [0, 2, 2, 4, 4, 4]
    assert set(corners[owner == 2].ravel()) == {5, 6, 7, 8}
    np.testing.assert_array_equal(indices[corners[0]], [0, 1, 2])


def test_a_polygon_of_very_many_corners_takes_no_time():
    size = 50 * MOST_CORNERS
    points = np.random.default_rng(0).normal(size=(size, 3))
    corners, _ = triangulated(np.array([size]), np.arange(size), points)
    assert len(corners) == size - 2
