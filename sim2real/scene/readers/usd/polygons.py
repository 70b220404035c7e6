"""Polygons of any size as triangles, and what belongs to their corners."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Int

MOST_CORNERS = 1000
"""Of a polygon that is cut into ears; one that has more gets a fan whatever its shape, for time's sake."""


def triangulated(
    counts: Int[np.ndarray, "polygons"],
    indices: Int[np.ndarray, "corners"],
    points: Float[np.ndarray, "points 3"],
) -> tuple[Int[np.ndarray, "triangles 3"], Int[np.ndarray, "triangles"]]:
    """Triangles that fill polygons: a fan where a polygon is convex, ears that are cut off where it is not.

    Args:
        counts: corners of every polygon; those with fewer than three are left out.
        indices: the points of all corners, polygon after polygon.
        points: where they are; decides which corners are reflex.

    Returns:
        The corners (places in ``indices``) of every triangle, in the order of their polygon, and which polygon it is of.
    """
    starts = np.cumsum(counts) - counts
    corners, owners = [np.zeros((0, 3), np.int64)], [np.zeros(0, np.int64)]
    for size in np.unique(counts[counts >= 3]):
        which = np.flatnonzero(counts == size)
        ring = starts[which][:, None] + np.arange(size)
        places = points[indices[ring]].astype(np.float64)
        reflex = _reflex(places)
        convex = ~reflex.any(axis=1) | (size > MOST_CORNERS)
        fan = np.stack([np.zeros(size - 2, np.int64), np.arange(1, size - 1), np.arange(2, size)], axis=1)
        corners.append(ring[convex][:, fan].reshape(-1, 3))
        owners.append(np.repeat(which[convex], size - 2))
        for k in np.flatnonzero(~convex):
            ears = _ears(places[k])
            corners.append(ring[k][ears])
            owners.append(np.full(len(ears), which[k]))
    triangles, owner = np.concatenate(corners), np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return triangles[order], owner[order]


def _normals(places: Float[np.ndarray, "polygons size 3"]) -> Float[np.ndarray, "polygons 3"]:
    """Newell's normals, which serve polygons that are not flat."""
    return np.cross(places, np.roll(places, -1, axis=1)).sum(axis=1)


def _reflex(places: Float[np.ndarray, "polygons size 3"]) -> np.ndarray:
    """Which corners turn the other way than their polygon does."""
    if places.shape[1] == 3:
        return np.zeros(places.shape[:2], bool)
    places = places - places[:, :1]
    normal = _normals(places)
    turn = np.cross(places - np.roll(places, 1, axis=1), np.roll(places, -1, axis=1) - places)
    return np.einsum("psk,pk->ps", turn, normal) < -1e-9 * (normal**2).sum(axis=1, keepdims=True)


def _ears(ring: Float[np.ndarray, "size 3"]) -> Int[np.ndarray, "ears 3"]:
    """Triangles of one polygon by cutting off ears, in its own plane; a ring that crosses itself gets a fan for its rest."""
    normal = _normals(ring[None] - ring[0])[0]
    axis = int(np.argmax(np.abs(normal)))
    flat = np.delete(ring - ring[0], axis, axis=1)
    if (normal[axis] > 0) == (axis == 1):  # the plane (x, z) is seen from behind
        flat = flat[:, ::-1]
    left, ears = list(range(len(ring))), []
    while len(left) > 3:
        ear = next((k for k in range(len(left)) if _is_ear(flat, left, k)), 0)
        before, after = left[ear - 1], left[(ear + 1) % len(left)]
        ears.append((before, left[ear], after))
        del left[ear]
    return np.array([*ears, tuple(left)])


def _is_ear(flat: Float[np.ndarray, "size 2"], left: list[int], k: int) -> bool:
    a, b, c = flat[left[k - 1]], flat[left[k]], flat[left[(k + 1) % len(left)]]
    if _area(a, b, c) <= 0:
        return False
    others = [p for p in left if p not in (left[k - 1], left[k], left[(k + 1) % len(left)])]
    p = flat[others]
    inside = (_area(a, b, p) >= 0) & (_area(b, c, p) >= 0) & (_area(c, a, p) >= 0)
    at_corner = ((p == a) | (p == b) | (p == c)).all(axis=1) if len(p) else inside
    return not (inside & ~at_corner).any()


def _area(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> Any:
    """Twice the signed area of triangles."""
    return (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
