"""Shading normals for meshes that bring none."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from .triangles import face_normals

CREASE_DEG = 40.0
"""Faces that meet at a larger angle keep a sharp edge."""
_PAIRS_AT_ONCE = 2_000_000


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
    vertices: Float[np.ndarray, "vertices 3"], faces: Int[np.ndarray, "faces 3"], crease_deg: float = CREASE_DEG
) -> Float[np.ndarray, "faces 3 3"]:
    """Smooth corner normals, except across sharp edges.

    A corner's normal is the mean of the normals of the faces around its position that turn less than ``crease_deg`` away
    from the corner's own face, weighted by their angles there. Vertices need not be shared: positions count.

    Args:
        vertices: metres (any unit serves).
        faces: without degenerate ones.
        crease_deg: 0 gives flat shading, 180 smooths everything.
    """
    face = face_normals(vertices, faces)
    normal = np.repeat(face, 3, axis=0)
    weighted = normal * corner_angles(vertices, faces).reshape(-1, 1)
    corner = welded(vertices)[faces].ravel()
    order = np.argsort(corner, kind="stable")
    counts = np.bincount(corner)
    group_start = np.cumsum(counts) - counts
    start, count = group_start[corner[order]], counts[corner[order]]
    limit = np.cos(np.deg2rad(crease_deg)) - 1e-9
    total = np.empty_like(normal)
    pairs_before = np.cumsum(count) - count
    ends = np.searchsorted(pairs_before, np.arange(_PAIRS_AT_ONCE, pairs_before[-1] + _PAIRS_AT_ONCE, _PAIRS_AT_ONCE))
    for a, b in zip([0, *ends[:-1]], [*ends[:-1], len(order)], strict=True):
        if a == b:
            continue
        left = np.repeat(np.arange(a, b), count[a:b])
        right = np.arange(len(left)) + np.repeat(start[a:b] - (pairs_before[a:b] - pairs_before[a]), count[a:b])
        mine, other = order[left], order[right]
        near = np.einsum("pi,pi->p", normal[mine], normal[other]) >= limit
        for axis in range(3):
            total[order[a:b], axis] = np.bincount(left[near] - a, weighted[other[near], axis], minlength=b - a)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    unit = np.where(length > 1e-12, total / np.where(length > 1e-12, length, 1), normal)
    return unit.reshape(-1, 3, 3)


def corner_angles(vertices: np.ndarray, faces: np.ndarray) -> Float[np.ndarray, "faces 3"]:
    """The angle of every face at every corner, radians."""
    p = vertices[faces].astype(np.float64)
    forth = np.roll(p, -1, axis=1) - p
    back = np.roll(p, 1, axis=1) - p
    cross = np.linalg.norm(np.cross(forth, back), axis=-1)
    return np.arctan2(cross, np.einsum("fki,fki->fk", forth, back))
