"""What the light kernels compute, in plain numpy, for a few points and triangles."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from .sources import FarLight, NearLight

_EPS = 1e-9


def meets(
    points: Float[np.ndarray, "n 3"], ends: Float[np.ndarray, "n 3"], corners: Float[np.ndarray, "faces 3 3"]
) -> Bool[np.ndarray, " n"]:
    """Whether anything is between two points (Möller and Trumbore 1997, "Fast, minimum storage ray/triangle intersection")."""
    way = ends - points
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    p = np.cross(way[:, None], two[None])
    det = (p * one).sum(-1)
    safe = np.where(np.abs(det) > _EPS, det, 1)
    off = points[:, None] - corners[None, :, 0]
    u = (off * p).sum(-1) / safe
    q = np.cross(off, one[None])
    v, t = (way[:, None] * q).sum(-1) / safe, (two[None] * q).sum(-1) / safe
    hit = (np.abs(det) > _EPS) & (u >= 0) & (v >= 0) & (u + v <= 1) & (t > _EPS) & (t < 1)
    return hit.any(axis=1)


def direct_light_reference(
    points: Float[np.ndarray, "n 3"],
    normals: Float[np.ndarray, "n 3"],
    corners: Float[np.ndarray, "faces 3 3"],
    far: FarLight,
    near: NearLight,
    *,
    reach: float,
    least_distance: float,
) -> Float[np.ndarray, "n 3"]:
    """``kernels.direct_light`` with every sample of sun, sky and lamps.

    Args:
        points: metres.
        normals: unit.
        corners: of all triangles that may be in the way.
        far: sun and sky.
        near: lamps.
        reach: metres beyond which nothing is in the way of sun and sky.
        least_distance: metres; lamps nearer than this light no more.
    """
    out = np.zeros((len(points), 3))
    for toward, light in zip(far.directions.astype(np.float64), far.light, strict=True):
        cosine = np.maximum(normals @ toward, 0)
        out += (cosine * ~meets(points, points + reach * toward, corners))[:, None] * light / len(far.light)
    for place, facing, light in zip(near.points.astype(np.float64), near.normals, near.light, strict=True):
        way = place - points
        distance = np.linalg.norm(way, axis=1)
        toward = way / distance[:, None]
        cosines = np.maximum((normals * toward).sum(axis=1), 0) * np.maximum(-(toward @ facing), 0)
        free = ~meets(points, points + way * 0.99, corners)
        out += (cosines * free / np.maximum(distance, least_distance) ** 2)[:, None] * light / len(near.light)
    return out
