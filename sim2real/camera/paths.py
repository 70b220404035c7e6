"""Cameras that are made here: fields of view, orbits, turns."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ..transforms import look_at, rigid, rotation_about

UP = np.array([0.0, 0.0, 1.0])


def intrinsics_of_fov(fov_deg: float, size: tuple[int, int]) -> Float[np.ndarray, "3 3"]:
    """Square pixels and a centerd principal point, from a vertical field of view."""
    height, width = size
    focal_px = height / 2 / np.tan(np.deg2rad(fov_deg) / 2)
    return np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1.0]])


def intrinsics_of(fx_fy_cx_cy: tuple[float, ...] | Float[np.ndarray, "*frames 4"]) -> Float[np.ndarray, "*frames 3 3"]:
    """Matrices from focal lengths and principal points in pixels."""
    values = np.asarray(fx_fy_cx_cy, np.float64)
    k = np.zeros((*values.shape[:-1], 3, 3))
    k[..., 0, 0], k[..., 1, 1], k[..., 0, 2], k[..., 1, 2] = np.moveaxis(values, -1, 0)
    k[..., 2, 2] = 1
    return k


def circle(frames: int, degrees: float, start_deg: float = 0.0) -> Float[np.ndarray, "frames"]:
    """Angles over a clip, radians; whole turns end one step before their start, so that the clip loops."""
    steps = frames if degrees % 360 == 0 else max(frames - 1, 1)
    return np.deg2rad(start_deg + degrees * np.arange(frames) / steps)


def orbit(
    center: Float[np.ndarray, "*frames 3"],
    radius: float,
    height: float,
    frames: int,
    *,
    degrees: float = 360.0,
    start_deg: float = 0.0,
    up: Float[np.ndarray, "3"] = UP,
) -> Float[np.ndarray, "frames 4 4"]:
    """``world_from_camera`` on a circle about +z around a point (or one point per frame), looking at it.

    Args:
        center: metres.
        radius: of the circle, metres.
        height: of the circle above the center, metres.
        frames: how many.
        degrees: how much of the circle.
        start_deg: where it starts; 0 is towards +x.
        up: world direction that is up in the picture.
    """
    angle = circle(frames, degrees, start_deg)
    arm = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.full(frames, height)], axis=1)
    return look_at(np.asarray(center, np.float64) + arm, np.asarray(center, np.float64), up)


def turned(
    world_from_camera: Float[np.ndarray, "frames 4 4"], degrees: float, up: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "frames 4 4"]:
    """Cameras panned about ``up`` through their own centers, over the clip."""
    pan = rotation_about(up, circle(len(world_from_camera), degrees))
    return rigid(pan @ world_from_camera[:, :3, :3], world_from_camera[:, :3, 3])
