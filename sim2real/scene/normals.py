"""Shading normals for meshes that bring none."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from .triangles import face_normals

CREASE_DEG = 40.0
"""Faces that meet at a larger angle keep a sharp edge."""
_PAIRS_AT_ONCE = 1_000_000
_FACES_AT_ONCE = 500_000


def welded(vertices: Float[np.ndarray, "vertices 3"]) -> Int[np.ndarray, "vertices"]:
    """For every vertex the number of its position: equal for vertices at exactly the same place."""
    order = np.lexsort(vertices.T)
    ordered = vertices[order]
    new = np.ones(len(order), bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    place = np.empty(len(order), np.int64)
    place[order] = np.cumsum(new) - 1
    return place


def crease_normals(
    vertices: Float[np.ndarray, "vertices 3"],
    faces: Int[np.ndarray, "faces 3"],
    crease_deg: float = CREASE_DEG,
    *,
    dtype: type[np.floating] = np.float64,
) -> Float[np.ndarray, "faces 3 3"]:
    """Smooth corner normals, except across sharp edges.

    A corner's normal is the mean of the normals of the faces around its position that turn less than ``crease_deg`` away
    from the corner's own face, weighted by their angles there. Vertices need not be shared: positions count.

    Args:
        vertices: metres (any unit serves).
        faces: without degenerate ones.
        crease_deg: 0 gives flat shading, 180 smooths everything.
        dtype: of the result; single precision takes half the memory.
    """
    angle = corner_angles(vertices, faces).ravel()
    normal = face_normals(vertices, faces)
    corner = welded(vertices).astype(faces.dtype)[faces].ravel()
    order = np.argsort(corner, kind="stable").astype(np.int32 if len(corner) < 2**31 else np.int64)
    counts = np.bincount(corner)
    del corner
    smooth = np.empty((len(order), 3), dtype)
    ends, pairs = np.cumsum(counts), np.cumsum(counts * counts)
    first = begin = 0
    while begin < len(order):  # corners around some places, those of one place together
        before = int(pairs[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(pairs, before + _PAIRS_AT_ONCE, side="right")))
        end = int(ends[last - 1])
        around = order[begin:end]
        own = normal[around // 3]
        total = _summed(own, own * angle[around, None], counts[first:last], crease_deg)
        length = np.linalg.norm(total, axis=1, keepdims=True)
        smooth[around] = np.where(length > 1e-12, total / np.where(length > 1e-12, length, 1), own)
        first, begin = last, end
    return smooth.reshape(-1, 3, 3)


def _summed(
    own: Float[np.ndarray, "corners 3"],
    weighted: Float[np.ndarray, "corners 3"],
    counts: Int[np.ndarray, "places"],
    crease_deg: float,
) -> Float[np.ndarray, "corners 3"]:
    """For every corner the sum over those at its place that turn little from it; corners lie place by place.

    Where all faces of a place are within half the angle of their mean, all count for all, and one sum serves.
    """
    place = np.repeat(np.arange(len(counts)), counts)
    sums = np.stack([np.bincount(place, weighted[:, axis], minlength=len(counts)) for axis in range(3)], axis=1)
    mean = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    far = np.einsum("ci,ci->c", own, mean[place]) < np.cos(np.deg2rad(crease_deg) / 2) + 1e-9
    bent = np.bincount(place, far, minlength=len(counts)) > 0
    total = sums[place]
    rows = np.flatnonzero(bent[place])
    if len(rows):
        total[rows] = _summed_in_pairs(own[rows], weighted[rows], counts[bent], np.cos(np.deg2rad(crease_deg)) - 1e-9)
    return total


def _summed_in_pairs(own: np.ndarray, weighted: np.ndarray, counts: np.ndarray, limit: float) -> np.ndarray:
    """The same, by looking at each with each."""
    count = np.repeat(counts, counts)
    start = np.repeat(np.cumsum(counts) - counts, counts)
    left = np.repeat(np.arange(len(own)), count)
    right = np.arange(len(left)) + np.repeat(start - (np.cumsum(count) - count), count)
    near = np.einsum("pi,pi->p", own[left], own[right]) >= limit
    left, right = left[near], right[near]
    return np.stack([np.bincount(left, weighted[right, axis], minlength=len(own)) for axis in range(3)], axis=1)


def corner_angles(vertices: np.ndarray, faces: np.ndarray) -> Float[np.ndarray, "faces 3"]:
    """The angle of every face at every corner, radians."""
    angles = np.empty(faces.shape)
    for start in range(0, len(faces), _FACES_AT_ONCE):
        p = vertices[faces[start : start + _FACES_AT_ONCE]].astype(np.float64)
        forth = np.roll(p, -1, axis=1) - p
        back = np.roll(p, 1, axis=1) - p
        cross = np.linalg.norm(np.cross(forth, back), axis=-1)
        angles[start : start + len(p)] = np.arctan2(cross, np.einsum("fki,fki->fk", forth, back))
    return angles
