"""The light of random scenes: environment maps turned about, suns through windows, and the plain lights of a simulator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Float32

from ...scene.light.environment import Environment
from ...scene.light.plain import lighting_of
from ...scene.light.sky import panorama
from ...scene.records import Lighting
from ..assets.library import Assets
from .shapes import Number
from .walls import Enclosure, Hole, Wall

_LUMA = np.array([0.2126, 0.7152, 0.0722])
_STRONGEST_SUN = 3.4
"""Luminance that nobody's plain light exceeds: a sun near the horizon would be given more, to light what lies flat."""


def daylight(rng: np.random.Generator) -> Lighting:
    """Daylight, most often from the upper left in front; now and then from elsewhere, or overcast."""
    azimuth = np.deg2rad(rng.normal(-45, 25) if rng.random() < 0.8 else rng.uniform(-120, 120))
    elevation = np.deg2rad(rng.uniform(35, 68))
    direction = (np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation))
    warm = rng.uniform(0.0, 1.0)
    strength = rng.uniform(0.2, 0.6) if rng.random() < 0.2 else rng.uniform(0.9, 2.1)
    return Lighting(
        sun_direction=_three(np.array(direction)),
        sun=_three(strength * np.array([1.0, 0.95 - 0.07 * warm, 0.87 - 0.17 * warm])),
        sky=_three(rng.uniform(0.62, 0.9) * np.array([0.97 - 0.05 * (1 - warm), 0.985, 1.0])),
        ground=_three(rng.uniform(0.3, 0.45) * np.array([1.0, 0.95, 0.88])),
    )


def _three(values: np.ndarray) -> tuple[float, float, float]:
    r, g, b = (float(v) for v in values)
    return (r, g, b)


def map_light(rng: np.random.Generator, assets: Assets | None) -> tuple[Environment, Lighting]:
    """Light from all around: a photographed panorama, turned so that its brightest side is mostly not behind the wall."""
    if assets is None or not assets.indoor:
        lighting = daylight(rng)
        sky = panorama(lighting, sun_radius_deg=float(rng.uniform(2.0, 9.0))).astype(np.float32)
        return Environment("sky", sky), lighting
    pool = assets.indoor if rng.random() < 0.8 or not assets.outdoor else assets.outdoor
    name = pool[rng.integers(len(pool))]
    pixels = assets.map(name)
    wish = rng.normal(0, 65) if rng.random() < 0.85 else rng.uniform(-180, 180)
    pixels = _turned(pixels, wish)
    environment = Environment(name, pixels)
    fitted = lighting_of(environment, brightness=float(np.exp(rng.normal(0, 0.18))))
    usual, fill = Lighting(), rng.uniform(0.3, 0.6)
    sun, sky, ground = (
        (1 - fill) * np.array(own) + fill * np.array(plain)
        for own, plain in ((fitted.sun, usual.sun), (fitted.sky, usual.sky), (fitted.ground, usual.ground))
    )
    sun = sun * min(1.0, _STRONGEST_SUN / max(float(sun @ _LUMA), 1e-6))
    return environment, replace(fitted, sun=_three(sun), sky=_three(sky), ground=_three(ground))


def _turned(pixels: Float32[np.ndarray, "height width 3"], azimuth_deg: Number) -> Float32[np.ndarray, "height width 3"]:
    """The panorama about the vertical, so that most of its light comes from an azimuth (0: from the front, -y)."""
    from ...scene.light.sky import axes_about, panorama_directions

    height = pixels.shape[0]
    directions = panorama_directions(height) @ axes_about((0.0, 0.0, 1.0)).T
    luma = np.minimum(pixels, 200.0) @ _LUMA * np.sin((np.arange(height) + 0.5) / height * np.pi)[:, None]
    column = int((luma * (directions[..., 2] > -0.2)).sum(axis=0).argmax())
    middle = directions[height // 2]
    wish = np.array([np.sin(np.deg2rad(azimuth_deg)), -np.cos(np.deg2rad(azimuth_deg))])
    target = int((middle[:, :2] @ wish).argmax())
    return np.ascontiguousarray(np.roll(pixels, target - column, axis=1))


def open_windows(rng: np.random.Generator, walls: dict[str, Wall], space: Enclosure, *, back_is_free: bool) -> None:
    """Cut one to three windows into the walls of a room; they do not overlap."""
    sides = ["left", "right", "front", "front"] + (["back"] if back_is_free else [])
    for side in rng.choice(sides, size=int(rng.integers(2, 4)), replace=False):
        wall = walls[str(side)]
        half_x, half_z = rng.uniform(0.4, 0.95), rng.uniform(0.45, 0.72)
        sill = rng.uniform(0.75, 1.05)
        reach = wall.width / 2 - half_x - 0.25
        x = rng.uniform(-reach, reach)
        if str(side) in ("left", "right"):  # near the work area, not behind the camera
            sign = 1.0 if str(side) == "left" else -1.0
            near = sign * (rng.uniform(-1.4, 0.1) - (space.y[0] + space.y[1]) / 2)
            x = float(np.clip(near, -reach, reach))
        top = min(sill + 2 * half_z, wall.height - 0.12)
        if wall.free(x, (sill + top) / 2, half_x + 0.12, (top - sill) / 2 + 0.05):
            wall.holes.append(Hole((x - half_x, x + half_x), (sill, top)))


def let_sun_in(
    rng: np.random.Generator, walls: dict[str, Wall], work: Float[np.ndarray, "3"]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Open one window and aim a sun through it at the work area.

    Returns:
        Direction from the scene to the sun and its irradiance, or ``None`` where no window allows it.
    """
    if sum(len(wall.holes) for wall in walls.values()) < 2:
        return None
    for side in rng.permutation(["left", "right", "front"]):
        wall = walls[str(side)]
        for k, hole in enumerate(wall.holes):
            local = np.array([np.mean(hole.x), 0.0, np.mean(hole.z), 1.0])
            middle = (wall.world_from_wall @ local)[:3]
            aim = work + [rng.normal(0, 0.3), rng.normal(0, 0.2), rng.uniform(-0.1, 0.1)]
            way = middle - aim
            flat = float(np.hypot(*way[:2]))
            way[2] = np.clip(way[2], 0.22 * flat, 0.9 * flat)
            wall.holes[k] = replace(hole, pane=False)
            warm = rng.uniform(0, 1)
            strength = rng.uniform(2.5, 9)
            return way / np.linalg.norm(way), strength * np.array([1.0, 0.93 - 0.06 * warm, 0.84 - 0.2 * warm])
    return None


def room_lighting(
    rng: np.random.Generator, environment: Environment, walls: dict[str, Wall], paint: Float[np.ndarray, "3"]
) -> Lighting:
    """What a simulator's user would set for a closed room: its sun if one comes in, and light of the walls' tint.

    Args:
        rng: of a mild factor.
        environment: of the room.
        walls: without a sun, its direction is that of the largest window.
        paint: mean color of the walls, linear RGB.
    """
    tint = (paint / max(float(paint @ _LUMA), 1e-3)) ** 0.5
    level = float(np.exp(rng.normal(0, 0.15)))
    if environment.sun_direction is not None:
        color = np.array(environment.sun) / max(float(np.array(environment.sun) @ _LUMA), 1e-6)
        sun = rng.uniform(1.6, 2.8) * color
        return Lighting(environment.sun_direction, _three(sun), _three(0.62 * level * tint), _three(0.4 * level * tint))
    holes = [(wall, hole) for wall in walls.values() for hole in wall.holes]
    direction = np.array([0.0, -0.3, 1.0])
    if holes:
        wall, hole = max(holes, key=lambda pair: np.ptp(pair[1].x) * np.ptp(pair[1].z))
        middle = (wall.world_from_wall @ np.array([np.mean(hole.x), 0.0, np.mean(hole.z), 1.0]))[:3]
        direction = middle - np.array([0.0, 0.0, 0.4])
    direction = direction / np.linalg.norm(direction)
    return Lighting(_three(direction), (0.4, 0.4, 0.4), _three(0.95 * level * tint), _three(0.6 * level * tint))
