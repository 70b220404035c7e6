"""Cameras for random scenes: most are held at eye level, some look down, some are close like one on a wrist."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ...camera.view import Camera
from ...transforms import look_at, rigid, rotation_about
from .shapes import Number

UP = np.array([0.0, 0.0, 1.0])


def _sway(rng: np.random.Generator, times_s: np.ndarray, scale: Number) -> Float[np.ndarray, "frames 3"]:
    """Smooth wandering, like a hand that holds a camera."""
    rate, phase = rng.uniform(1.5, 5, (2, 3)), rng.uniform(0, 2 * np.pi, (2, 3))
    return scale * (np.sin(rate[0] * times_s[:, None] + phase[0]) + 0.5 * np.sin(rate[1] * times_s[:, None] + phase[1]))


def _eyes(
    rng: np.random.Generator, target: np.ndarray, distance: Number, elevation: Number, times_s: np.ndarray
) -> tuple[Float[np.ndarray, "frames 3"], Float[np.ndarray, "frames 3"]]:
    """Where the camera is and what it looks at: an arc, a dolly, a pan, a hand, or a tripod."""
    azimuth = np.deg2rad(rng.normal(0, 30))
    aim = np.broadcast_to(target, (len(times_s), 3)).copy()
    kind = rng.choice(5, p=[0.3, 0.15, 0.13, 0.24, 0.18])
    speed = rng.choice([-1, 1]) * rng.uniform(0.4, 1.0)
    around = azimuth + np.deg2rad(14 * speed) * times_s * (kind == 0)
    above = elevation + np.deg2rad(rng.normal(0, 4)) * times_s * (kind == 0)
    away = distance * (1 + 0.14 * speed * times_s * (kind == 1))
    if kind == 2:
        aim[:, 0] += 0.12 * distance * speed * times_s
        aim[:, 2] += 0.04 * distance * rng.normal() * times_s
    way = np.stack([np.sin(around) * np.cos(above), -np.cos(around) * np.cos(above), np.sin(above)], axis=1)
    eye = target + away[:, None] * way
    if kind == 3:
        eye = eye + _sway(rng, times_s, 0.02 * distance)
        aim = aim + _sway(rng, times_s, 0.02 * distance)
    return eye, aim


def random_camera(
    rng: np.random.Generator,
    points: Float[np.ndarray, "points 3"],
    center: Float[np.ndarray, "3"],
    times_s: Float[np.ndarray, "frames"],
    size: tuple[int, int],
) -> Camera:
    """A camera that looks at the work area.

    Args:
        rng: of everything.
        points: things worth seeing; close cameras look at one of them.
        center: of the work area.
        times_s: of the frames.
        size: of the picture.
    """
    kind = rng.choice(4, p=[0.52, 0.22, 0.16, 0.1])  # level, from above, close, wide
    fov = rng.uniform(34, 58)
    target = center + rng.normal(0, [0.14, 0.1, 0.04])
    if kind == 0:
        distance, elevation = rng.uniform(0.8, 1.9), rng.uniform(3, 24)
        target = target + [0, 0, rng.uniform(0.05, 0.25)]
    elif kind == 1:
        distance, elevation = rng.uniform(0.8, 1.8), rng.uniform(24, 52)
    elif kind == 2:
        distance, elevation = rng.uniform(0.32, 0.75), rng.uniform(8, 55)
        target = points[rng.integers(len(points))] + rng.normal(0, 0.02, 3)
    else:
        distance, elevation, fov = rng.uniform(1.6, 2.6), rng.uniform(2, 22), rng.uniform(48, 66)
        target = target + [0, 0, rng.uniform(0, 0.25)]
    eye, aim = _eyes(rng, target, distance, np.deg2rad(elevation), times_s)
    eye[:, 2] = np.maximum(eye[:, 2], 0.2)
    world_from_camera = look_at(eye, aim, UP)
    roll = rotation_about(np.array([0.0, 0.0, 1.0]), np.asarray(np.deg2rad(rng.normal(0, 1.3))))
    world_from_camera = world_from_camera @ rigid(roll, np.zeros(3))
    focal = size[0] / 2 / np.tan(np.deg2rad(fov) / 2)
    shift = rng.normal(0, 0.01, 2) * size[::-1]
    k = np.array([[focal, 0, size[1] / 2 + shift[0]], [0, focal, size[0] / 2 + shift[1]], [0, 0, 1]])
    return Camera("camera", size, np.broadcast_to(k, (len(times_s), 3, 3)).copy(), world_from_camera)
