"""Rigid transforms as 4x4 matrices ``a_from_b`` (float64), quaternions (w, x, y, z), and other people's camera axes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

OPENCV_FROM_OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])
"""Camera axes: OpenGL looks along -z with y up, OpenCV along +z with y down. It is its own inverse."""


_HUGE = 1e100


def rotation_from_quaternion(wxyz: Float[np.ndarray, "*batch 4"]) -> Float[np.ndarray, "*batch 3 3"]:
    """Rotation matrices of (not necessarily unit) quaternions."""
    q = np.asarray(wxyz, np.float64)
    largest = np.abs(q).max(axis=-1, keepdims=True, initial=0)
    q = q / np.where((largest > _HUGE) | ((largest > 0) & (largest < 1 / _HUGE)), largest, 1)  # whose squares are not numbers
    q = q / np.linalg.norm(q, axis=-1, keepdims=True)
    w, x, y, z = np.moveaxis(q, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def quaternion_from_rotation(rotation: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "4"]:
    """The unit quaternion of a rotation, w >= 0; stable for all of them.

    Reference: Bar-Itzhack, New method for extracting the quaternion from a rotation matrix, 2000.
    """
    r = rotation
    upper = np.array(
        [
            [r[0, 0] + r[1, 1] + r[2, 2], r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]],
            [0, r[0, 0] - r[1, 1] - r[2, 2], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0]],
            [0, 0, r[1, 1] - r[0, 0] - r[2, 2], r[1, 2] + r[2, 1]],
            [0, 0, 0, r[2, 2] - r[0, 0] - r[1, 1]],
        ]
    )
    _, vectors = np.linalg.eigh(upper + np.triu(upper, 1).T)
    return vectors[:, -1] * (1 if vectors[0, -1] >= 0 else -1)


def rotation_about(axis: Float[np.ndarray, "3"], angle_rad: Float[np.ndarray, "*batch"]) -> Float[np.ndarray, "*batch 3 3"]:
    """Rotations by angles about one axis (right-handed)."""
    n = np.asarray(axis, np.float64)
    n = n / np.linalg.norm(n)
    half = np.asarray(angle_rad, np.float64)[..., None] / 2
    return rotation_from_quaternion(np.concatenate([np.cos(half), np.sin(half) * n], axis=-1))


def rigid(
    rotation: Float[np.ndarray, "*#batch 3 3"], translation: Float[np.ndarray, "*#batch 3"]
) -> Float[np.ndarray, "*_ 4 4"]:
    """4x4 matrices from rotations (or any 3x3 linear maps) and translations."""
    r, t = np.asarray(rotation, np.float64), np.asarray(translation, np.float64)
    shape = np.broadcast_shapes(r.shape[:-2], t.shape[:-1])
    out = np.zeros((*shape, 4, 4))
    out[..., :3, :3] = r
    out[..., :3, 3] = t
    out[..., 3, 3] = 1
    return out


def inverse_rigid(a_from_b: Float[np.ndarray, "*batch 4 4"]) -> Float[np.ndarray, "*batch 4 4"]:
    """``b_from_a`` of rigid transforms, exact up to rounding (no general inverse)."""
    r = np.swapaxes(a_from_b[..., :3, :3], -1, -2)
    return rigid(r, -(r @ a_from_b[..., :3, 3:])[..., 0])


def look_at(
    eye: Float[np.ndarray, "*#batch 3"], target: Float[np.ndarray, "*#batch 3"], up: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "*_ 4 4"]:
    """``world_from_camera`` of cameras at ``eye`` that look at ``target``, OpenCV axes.

    A view along ``up`` is resolved towards the next axis, so that the result is always a rotation.
    """
    eye, target = np.broadcast_arrays(np.asarray(eye, np.float64), np.asarray(target, np.float64))
    z = target - eye
    z = z / np.linalg.norm(z, axis=-1, keepdims=True)
    x = np.cross(z, np.asarray(up, np.float64))
    flat = np.linalg.norm(x, axis=-1, keepdims=True) < 1e-9
    x = np.where(flat, np.cross(z, np.roll(np.asarray(up, np.float64), 1)), x)
    x = x / np.linalg.norm(x, axis=-1, keepdims=True)
    return rigid(np.stack([x, np.cross(z, x), z], axis=-1), eye)


def slerp(
    a: Float[np.ndarray, "*#batch 4"], b: Float[np.ndarray, "*#batch 4"], t: Float[np.ndarray, "*#batch"]
) -> Float[np.ndarray, "*_ 4"]:
    """Quaternions on the shorter arcs from ``a`` (t = 0) to ``b`` (t = 1), whatever the order of their numbers."""
    a, b, t = (np.asarray(values, np.float64) for values in (a, b, t))
    a, b = (q / np.linalg.norm(q, axis=-1, keepdims=True) for q in (a, b))
    cosine = (a * b).sum(axis=-1, keepdims=True)
    b, cosine, t = np.where(cosine < 0, -b, b), np.abs(cosine), t[..., None]
    angle = np.arccos(np.clip(cosine, -1, 1))
    near = angle < 1e-6
    sine = np.where(near, 1, np.sin(angle))
    q = np.where(near, 1 - t, np.sin((1 - t) * angle) / sine) * a + np.where(near, t, np.sin(t * angle) / sine) * b
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def rotations_between(
    start: Float[np.ndarray, "batch 3 3"], end: Float[np.ndarray, "batch 3 3"], share: Float[np.ndarray, "batch"]
) -> Float[np.ndarray, "batch 3 3"]:
    """Rotations on the shortest arcs from ``start`` (0) to ``end`` (1): slerp of matrices, stable for every angle."""
    return start @ _rotation_of_vector(_rotation_vector(np.swapaxes(start, 1, 2) @ end) * share[:, None])


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


def _rotation_of_vector(vector: Float[np.ndarray, "batch 3"]) -> Float[np.ndarray, "batch 3 3"]:
    """Rotations from axes times angles (Rodrigues)."""
    angle = np.linalg.norm(vector, axis=1)[:, None, None]
    x, y, z = (vector / np.where(angle[:, 0] > 0, angle[:, 0], 1)).T
    nothing = np.zeros_like(x)
    cross = np.stack([nothing, -z, y, z, nothing, -x, -y, x, nothing], axis=1).reshape(-1, 3, 3)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
