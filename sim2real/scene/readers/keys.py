"""What lies between keys: numbers and rotations that are known at some times, at others."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float

from ...transforms import rotation_from_quaternion, slerp

Interpolation = Literal["smooth", "linear", "step"]


def interpolated(
    times: Float[np.ndarray, "keys"],
    values: Float[np.ndarray, "keys *shape"],
    at: Float[np.ndarray, "frames"],
    how: Interpolation,
) -> Float[np.ndarray, "frames *shape"]:
    """Values between keys; before the first and after the last key they stay.

    ``smooth`` is a cubic that starts and ends at rest and never leaves the range of the two keys around it.

    Reference: Fritsch and Butland, A method for constructing local monotone piecewise cubic interpolants, 1984.
    """
    if len(times) == 1:
        return np.repeat(values, len(at), axis=0)
    span = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(times) - 2)
    width = np.diff(times)
    u = np.clip((at - times[span]) / width[span], 0, 1).reshape(-1, *[1] * (values.ndim - 1))
    a, b = values[span], values[span + 1]
    if how == "step":
        return np.where(u >= 1, b, a)
    if how == "linear":
        return a + u * (b - a)
    wide = width.reshape(-1, *[1] * (values.ndim - 1))
    slope = np.diff(values, axis=0) / wide
    tangent = np.zeros_like(values, dtype=np.float64)
    left, right = slope[:-1], slope[1:]
    same = left * right > 0
    tangent[1:-1] = np.where(same, 2 * left * right / np.where(same, left + right, 1), 0)
    h = wide[span]
    return (
        (1 + 2 * u) * (1 - u) ** 2 * a
        + u * (1 - u) ** 2 * h * tangent[span]
        + u * u * (3 - 2 * u) * b
        + u * u * (u - 1) * h * tangent[span + 1]
    )


def interpolated_rotations(
    times: Float[np.ndarray, "keys"], wxyz: Float[np.ndarray, "keys 4"], at: Float[np.ndarray, "frames"], how: Interpolation
) -> Float[np.ndarray, "frames 3 3"]:
    """Rotations between keyed quaternions, along the shorter arcs; ``smooth`` rests at every key."""
    q = wxyz / np.linalg.norm(wxyz, axis=1, keepdims=True)
    if len(times) == 1:
        return np.repeat(rotation_from_quaternion(q), len(at), axis=0)
    span = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(times) - 2)
    u = np.clip((at - times[span]) / np.diff(times)[span], 0, 1)
    u = {"smooth": u * u * (3 - 2 * u), "linear": u, "step": np.floor(u)}[how]
    return rotation_from_quaternion(slerp(q[span], q[span + 1], u))
