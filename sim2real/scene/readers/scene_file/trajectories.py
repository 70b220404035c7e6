"""How things move: along ways, round and round. Times and distances in, transforms out."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ....transforms import rigid, rotation_about

_SAMPLES_PER_SPAN = 64
_SHORTEST_M = 1e-9


def way(
    waypoints: Float[np.ndarray, "points 3"], *, smooth: bool, loop: bool
) -> tuple[Float[np.ndarray, "samples"], Float[np.ndarray, "samples 3"]]:
    """A way through points, as distances along it and positions there.

    Reference: Catmull and Rom, A class of local interpolating splines, 1974 (for ``smooth``).
    """
    p = np.asarray(waypoints, np.float64)
    p = p[np.r_[True, (np.diff(p, axis=0) != 0).any(axis=1)]]
    if loop and len(p) > 1 and (p[0] == p[-1]).all():
        p = p[:-1]
    if len(p) < 2:
        return np.zeros(1), p[:1]
    if smooth:
        points = _catmull_rom(p, loop)
    else:
        points = np.concatenate([p, p[:1]]) if loop else p
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)]), points


def _catmull_rom(p: np.ndarray, loop: bool) -> np.ndarray:
    if loop:
        ring = np.concatenate([p[-1:], p, p[:2]])
    else:
        ring = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    a, b, c, d = (ring[k : len(ring) - 3 + k, None] for k in range(4))
    u = (np.arange(_SAMPLES_PER_SPAN) / _SAMPLES_PER_SPAN)[None, :, None]
    spans = b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))
    return np.concatenate([spans.reshape(-1, 3), c[-1]])


def along(
    waypoints: Float[np.ndarray, "points 3"], frames: int, fps: float, *, speed: float | None, smooth: bool, loop: bool
) -> tuple[Float[np.ndarray, "frames 3"], Float[np.ndarray, "frames 3"]]:
    """Positions and unit directions of what travels a way at a steady speed.

    Args:
        waypoints: metres.
        frames: how many.
        fps: frames per second.
        speed: metres per second; ``None``: once over the clip.
        smooth: round the corners.
        loop: return to the first point, for ever; otherwise stay at the last.
    """
    distance, points = way(waypoints, smooth=smooth, loop=loop)
    length = distance[-1]
    if length < _SHORTEST_M:
        return np.repeat(points[:1], frames, axis=0), np.tile([1.0, 0, 0], (frames, 1))
    if speed is None:
        traveled = np.arange(frames) * length / (frames if loop else max(frames - 1, 1))
    else:
        traveled = np.arange(frames) * speed / fps
    traveled = traveled % length if loop else np.minimum(traveled, length)
    step = np.clip(np.searchsorted(distance, traveled, side="right") - 1, 0, len(points) - 2)
    direction = np.diff(points, axis=0)[step]
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-300)
    position = np.stack([np.interp(traveled, distance, points[:, k]) for k in range(3)], axis=1)
    return position, direction


def headings(direction: Float[np.ndarray, "frames 3"]) -> Float[np.ndarray, "frames 3 3"]:
    """Turns about z that bring x to directions, seen from above."""
    return rotation_about(np.array([0.0, 0, 1]), np.arctan2(direction[:, 1], direction[:, 0]))


def spun(axis: tuple[float, ...], deg_per_s: float, frames: int, fps: float) -> Float[np.ndarray, "frames 4 4"]:
    """A steady turn about an axis through the origin."""
    turn = rotation_about(np.array(axis), np.deg2rad(deg_per_s) * np.arange(frames) / fps)
    return rigid(turn, np.zeros(3))
