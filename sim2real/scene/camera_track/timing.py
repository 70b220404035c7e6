"""Poses between those of a track."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ...transforms import rigid

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
    turn = np.swapaxes(a[:, :3, :3], 1, 2) @ b[:, :3, :3]
    rotation = a[:, :3, :3] @ _turned(_rotation_vector(turn) * share[:, None])
    exact = share[:, None, None] == np.round(share)[:, None, None]
    rotation = np.where(exact, np.where(share[:, None, None] > 0.5, b[:, :3, :3], a[:, :3, :3]), rotation)
    return rigid(rotation, (1 - share[:, None]) * a[:, :3, 3] + share[:, None] * b[:, :3, 3])


def places_at(seconds: Float[np.ndarray, "poses"], wanted: Float[np.ndarray, "frames"]) -> Float[np.ndarray, "frames"]:
    """Where along a track some times are, for ``between``."""
    return np.interp(wanted, seconds, np.arange(len(seconds)))


def _rotation_vector(rotation: Float[np.ndarray, "batch 3 3"]) -> Float[np.ndarray, "batch 3"]:
    """Axis times angle (radians), by the quaternion with the largest of its four possible divisors."""
    r = rotation
    trace = np.trace(r, axis1=1, axis2=2)
    squares = np.stack([1 + trace, *(1 + 2 * r[:, k, k] - trace for k in range(3))], axis=1)  # four times w^2, x^2, y^2, z^2
    sums = np.empty((len(r), 4, 4))
    sums[:, 0] = np.stack([squares[:, 0], r[:, 2, 1] - r[:, 1, 2], r[:, 0, 2] - r[:, 2, 0], r[:, 1, 0] - r[:, 0, 1]], axis=1)
    for k, (i, j) in enumerate(((1, 2), (2, 0), (0, 1))):
        sums[:, k + 1, 0] = sums[:, 0, k + 1]
        sums[:, k + 1, k + 1] = squares[:, k + 1]
        sums[:, k + 1, i + 1] = r[:, k, i] + r[:, i, k]
        sums[:, k + 1, j + 1] = r[:, k, j] + r[:, j, k]
    q = sums[np.arange(len(r)), squares.argmax(axis=1)]
    q = q / np.linalg.norm(q, axis=1, keepdims=True)
    q = np.where(q[:, :1] < 0, -q, q)
    sine = np.linalg.norm(q[:, 1:], axis=1, keepdims=True)
    angle = 2 * np.arctan2(sine, q[:, :1])
    return np.where(sine > 1e-12, q[:, 1:] / np.where(sine > 1e-12, sine, 1) * angle, 2 * q[:, 1:])


def _turned(vector: Float[np.ndarray, "batch 3"]) -> Float[np.ndarray, "batch 3 3"]:
    """Rotations from axes times angles (Rodrigues)."""
    angle = np.linalg.norm(vector, axis=1)[:, None, None]
    x, y, z = (vector / np.where(angle[:, 0] > 0, angle[:, 0], 1)).T
    nothing = np.zeros_like(x)
    cross = np.stack([nothing, -z, y, z, nothing, -x, -y, x, nothing], axis=1).reshape(-1, 3, 3)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
