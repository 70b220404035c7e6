"""Cameras and light for random scenes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ...scene.records import Camera, Lighting
from ...transforms import inverse_rigid, look_at, rigid, rotation_about
from .shapes import Number

UP = np.array([0.0, 0.0, 1.0])


def _sway(rng: np.random.Generator, times_s: np.ndarray, scale: Number) -> Float[np.ndarray, "frames 3"]:
    """Smooth wandering, like a hand that holds a camera."""
    rate, phase = rng.uniform(1.5, 5, (2, 3)), rng.uniform(0, 2 * np.pi, (2, 3))
    return scale * (np.sin(rate[0] * times_s[:, None] + phase[0]) + 0.5 * np.sin(rate[1] * times_s[:, None] + phase[1]))


def _eyes(
    rng: np.random.Generator, target: np.ndarray, distance: Number, times_s: np.ndarray
) -> tuple[Float[np.ndarray, "frames 3"], Float[np.ndarray, "frames 3"]]:
    """Where the camera is and what it looks at: an arc, a dolly, a pan, a hand, or a tripod."""
    azimuth, elevation = np.deg2rad(rng.normal(0, 32)), np.deg2rad(rng.uniform(8, 48))
    aim = np.broadcast_to(target, (len(times_s), 3)).copy()
    kind = rng.choice(5, p=[0.32, 0.15, 0.13, 0.2, 0.2])
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


def _window(rng: np.random.Generator, whole: Camera, size: tuple[int, int], points: Float[np.ndarray, "points 3"]) -> Camera:
    """A crop of the whole picture that sees some of the points: the fullest of four."""
    seen = points @ inverse_rigid(whole.world_from_camera[0])[:3, :3].T + inverse_rigid(whole.world_from_camera[0])[:3, 3]
    pixels = (seen @ whole.intrinsics[0].T)[seen[:, 2] > 0.1]
    pixels = pixels[:, :2] / pixels[:, 2:]
    inside = pixels[((pixels >= 0) & (pixels < whole.size[::-1])).all(axis=1)]
    centers = inside[rng.integers(len(inside), size=4)] if len(inside) else np.array(whole.size[::-1])[None] / 2
    centers = centers + rng.normal(0, 0.2, centers.shape) * size[::-1]
    near = (np.abs(inside[None] - centers[:, None]) < np.array(size[::-1]) / 2).all(axis=2)
    center = centers[near.sum(axis=1).argmax()]
    left, top = (int(np.clip(c - n / 2, 0, m - n)) for c, n, m in zip(center, size[::-1], whole.size[::-1], strict=True))
    return whole.cropped(top, left, size)


def random_camera(
    rng: np.random.Generator,
    target: Float[np.ndarray, "3"],
    points: Float[np.ndarray, "points 3"],
    times_s: Float[np.ndarray, "frames"],
    size: tuple[int, int],
) -> Camera:
    """A camera on the work area: half of them see all of it, half are windows of a larger picture.

    Args:
        rng: of everything.
        target: middle of the work area.
        points: things worth seeing.
        times_s: of the frames.
        size: of the picture.
    """
    whole = rng.random() < 0.5
    distance = rng.uniform(1.1, 2.2) if whole else rng.uniform(1.0, 2.4)
    eye, aim = _eyes(rng, target + rng.normal(0, 0.08, 3), distance, times_s)
    eye[:, 2] = np.maximum(eye[:, 2], 0.25)
    world_from_camera = look_at(eye, aim, UP)
    roll = rotation_about(np.array([0.0, 0.0, 1.0]), np.asarray(np.deg2rad(rng.normal(0, 2))))
    world_from_camera = world_from_camera @ rigid(roll, np.zeros(3))
    zoom = 1.0 if whole else rng.uniform(1.5, 3.2)
    full = tuple(round(zoom * n) for n in (size if whole else (size[0], int(1.3 * size[1]))))
    focal = full[0] / 2 / np.tan(np.deg2rad(rng.uniform(38, 56)) / 2)
    k = np.array([[focal, 0, full[1] / 2], [0, focal, full[0] / 2], [0, 0, 1]])
    camera = Camera("camera", (full[0], full[1]), np.broadcast_to(k, (len(times_s), 3, 3)).copy(), world_from_camera)
    return camera if whole else _window(rng, camera, size, points)


def random_lighting(rng: np.random.Generator) -> Lighting:
    """Daylight, most often from the upper left in front; now and then from elsewhere, or overcast."""
    azimuth = np.deg2rad(rng.normal(-45, 25) if rng.random() < 0.8 else rng.uniform(-120, 120))
    elevation = np.deg2rad(rng.uniform(35, 68))
    direction = (np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation))
    warm = rng.uniform(0.0, 1.0)
    strength = rng.uniform(0.2, 0.6) if rng.random() < 0.2 else rng.uniform(0.9, 2.1)
    sun = strength * np.array([1.0, 0.95 - 0.07 * warm, 0.87 - 0.17 * warm])
    sky = rng.uniform(0.62, 0.9) * np.array([0.97 - 0.05 * (1 - warm), 0.985, 1.0])
    ground = rng.uniform(0.3, 0.45) * np.array([1.0, 0.95, 0.88])
    return Lighting(
        sun_direction=(float(direction[0]), float(direction[1]), float(direction[2])),
        sun=(float(sun[0]), float(sun[1]), float(sun[2])),
        sky=(float(sky[0]), float(sky[1]), float(sky[2])),
        ground=(float(ground[0]), float(ground[1]), float(ground[2])),
    )
