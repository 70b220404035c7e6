"""Poses between those of a track."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ...transforms import rigid, rotations_between

ROUNDED = 1e-3
"""Frames by which the last one may be late: times are stored with few digits."""


def between(poses: Float[np.ndarray, "poses 4 4"], at: Float[np.ndarray, "frames"]) -> Float[np.ndarray, "frames 4 4"]:
    """Poses at places along a track; 1.5 is half way between the second pose and the third.

    Positions go along straight lines, rotations along the shortest arcs, both steadily (slerp).

    Args:
        poses: rigid.
        at: from 0 to the number of poses minus 1.
    """
    first = np.clip(np.floor(at).astype(np.int64), 0, max(len(poses) - 2, 0))
    second = np.minimum(first + 1, len(poses) - 1)
    share = np.clip(at - first, 0, 1)
    a, b = poses[first], poses[second]
    rotation = rotations_between(a[:, :3, :3], b[:, :3, :3], share)
    exact = share[:, None, None] == np.round(share)[:, None, None]
    rotation = np.where(exact, np.where(share[:, None, None] > 0.5, b[:, :3, :3], a[:, :3, :3]), rotation)
    return rigid(rotation, (1 - share[:, None]) * a[:, :3, 3] + share[:, None] * b[:, :3, 3])


def places_at(seconds: Float[np.ndarray, "poses"], wanted: Float[np.ndarray, "frames"]) -> Float[np.ndarray, "frames"]:
    """Where along a track some times are, for ``between``."""
    return np.interp(wanted, seconds, np.arange(len(seconds)))
