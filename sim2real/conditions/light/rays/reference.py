"""What rays meet, in plain numpy, for a few rays and triangles."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

_EPS = 1e-9


def nearest_reference(
    points: Float[np.ndarray, "n 3"], ways: Float[np.ndarray, "n 3"], corners: Float[np.ndarray, "faces 3 3"]
) -> tuple[Float[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """The first triangles that rays meet, and after how many lengths of ``ways``; -1 and infinity where there is none.

    Möller and Trumbore 1997, "Fast, minimum storage ray/triangle intersection".
    """
    if not len(corners):
        return np.full(len(points), np.inf), np.full(len(points), -1)
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    p = np.cross(ways[:, None], two[None])
    det = (p * one).sum(-1)
    safe = np.where(np.abs(det) > _EPS, det, 1)
    off = points[:, None] - corners[None, :, 0]
    u = (off * p).sum(-1) / safe
    q = np.cross(off, one[None])
    v, t = (ways[:, None] * q).sum(-1) / safe, (two[None] * q).sum(-1) / safe
    hit = (np.abs(det) > _EPS) & (u >= 0) & (v >= 0) & (u + v <= 1) & (t > _EPS)
    distances = np.where(hit, t, np.inf)
    first = distances.argmin(axis=1)
    nearest = distances[np.arange(len(points)), first]
    return nearest, np.where(np.isfinite(nearest), first, -1)
