"""Random manipulation scenes to train on; they share nothing with the examples but the laws of furniture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ...scene.colors import linear_from_srgb
from ...scene.light.environment import Environment
from ...scene.light.sky import panorama as panorama_of
from ...scene.records import Lighting, Scene
from ...transforms import rigid, rotation_about
from ..assets.library import Assets
from .arms import add_arm
from .borrowed import borrowed_thing, place_furniture
from .builder import Stage, at, turn
from .cameras import random_camera
from .lights import daylight, let_sun_in, map_light, open_windows, room_lighting
from .materials import Look, Looks
from .objects import Thing, graspable, thing
from .rooms import Ground, Room, furnish
from .tall_things import stand_along
from .views import camera_is_free, score
from .wall_things import cable, decorate
from .walls import Enclosure, Wall, build_wall, ceiling, enclosure, glaze, walls_of

FPS = 12.0
_CAMERAS = 14
"""Cameras to choose from."""


@dataclass(frozen=True, eq=False)
class RandomScene:
    """A scene and the light that falls on it from outside; lamps and windows are meshes of the scene."""

    scene: Scene
    environment: Environment


def random_scene(
    seed: int, *, size: tuple[int, int] = (192, 256), frames: int = 4, assets: Assets | None = None
) -> RandomScene:
    """A scene made of nothing but its seed and the assets: a place, things, most often a robot arm, a camera, light.

    Odd seeds are lit by a panorama all around, even ones are closed rooms with windows, sun and lamps.

    Args:
        seed: any non-negative integer.
        size: of the camera's picture, pixels.
        frames: at 12 frames per second.
        assets: light, surfaces and models to borrow; ``None``: everything is procedural.

    Returns:
        A scene with one camera named ``camera``, which never runs into anything; the same arguments give the same scene, bit
        for bit.
    """
    attempt = 0
    while True:
        made = _Maker(seed, attempt, size, frames, assets).made()
        if made is not None:
            return made
        attempt += 1


class _Maker:
    """One attempt at a scene. Every topic has random numbers of its own."""

    def __init__(self, seed: int, attempt: int, size: tuple[int, int], frames: int, assets: Assets | None) -> None:
        self._key = [seed, 0x5CE7E, attempt]
        self._seed, self._size, self._assets = seed, size, assets
        self._times_s = np.arange(frames) / FPS
        self._looks = Looks(assets)
        self._stage = Stage(self._rng(0), frames)

    def _rng(self, topic: int) -> np.random.Generator:
        return np.random.default_rng([*self._key, topic])

    def made(self) -> RandomScene | None:
        """The scene, or ``None`` where no camera fits."""
        rng, stage = self._rng(1), self._stage
        room = furnish(rng, self._looks, stage, self._times_s)
        placed = _Scatter(self._rng(2), self._looks, stage, self._assets).fill(room, self._times_s)
        points = [point for point, _ in placed]
        points += self._arm(room)
        space = enclosure(self._rng(3), room)
        closed = self._seed % 2 == 0
        environment, lighting = self._closed(room, space) if closed else self._open(room, space)
        self._furniture(space)
        motion = stage.world_from_instance()
        scene = Scene(
            source=Path(f"random:{self._seed}"),
            sha256="",
            meshes=tuple(stage.meshes),
            parts=tuple(stage.parts),
            instances=tuple(stage.instances),
            world_from_instance=motion,
            visible=np.ones(motion.shape[:2], bool),
            cameras=(),
            fps=FPS,
            lighting=lighting,
        )
        seen = self._seen(scene, room, np.array([*points, np.array(room.grounds[0].center)]), space)
        return None if seen is None else RandomScene(seen, environment)

    def _arm(self, room: Room) -> list[np.ndarray]:
        rng, ground = self._rng(4), room.grounds[0]
        if rng.random() > 0.75:
            return []
        base, pedestal = room.bases[0] if rng.random() < 0.5 else room.bases[rng.integers(len(room.bases))]
        reach_to = np.array(ground.center) + [*(rng.normal(0, 0.12, 2)), rng.uniform(0.06, 0.3)]
        links = add_arm(
            rng,
            self._looks,
            self._stage,
            base,
            self._times_s,
            floor_z=ground.center[2],
            reach_to=reach_to,
            base_height_m=pedestal,
        )
        if rng.random() < 0.4:
            held = graspable(rng, self._looks)
            grip = links[-1] @ at(z=0.4 * held.height_m) @ turn("x", 180)
            self._stage.add(held.class_name, held.class_name, held.pieces, grip)
        if ground.center[2] > 0.3:
            back = base[:3, 3] - 0.08 * base[:3, 0] + [0, 0, 0.03]
            end = np.array([rng.uniform(-1.2, 1.2), room.wall_y - 0.01, rng.uniform(0.25, 0.35)])
            if not room.fitted:
                cable(rng, self._looks, self._stage, back, end, 0.08)
        return [link[0, :3, 3] for link in links] + [links[-1][0, :3, 3]] * 2

    def _closed(self, room: Room, space: Enclosure) -> tuple[Environment, Lighting]:
        rng, looks, stage = self._rng(5), self._looks, self._stage
        walls = walls_of(space, fitted=room.fitted)
        open_windows(rng, walls, space, back_is_free=not room.fitted)
        sun = let_sun_in(rng, walls, np.array(room.grounds[0].center)) if rng.random() < 0.6 else None
        outdoor = self._assets.outdoor if self._assets is not None else ()
        outside = str(outdoor[rng.integers(len(outdoor))]) if outdoor else "sky"
        paint = looks.plaster(rng)
        trim = looks.trim(rng)
        for wall in walls.values():
            other = looks.plaster(rng) if rng.random() < 0.25 else paint
            build_wall(rng, looks, stage, wall, other, trim)
            glaze(rng, looks, stage, wall, self._assets, outside)
            self._hang(rng, wall, room)
        ceiling(rng, looks, stage, space, lamps=0.8 if any(hole.pane for w in walls.values() for hole in w.holes) else 1.0)
        environment = Environment(f"room, {outside}", None)
        if sun is not None:
            panorama = panorama_of(daylight(rng), sun_radius_deg=20.0).astype(np.float32)
            if self._assets is not None and outdoor:
                panorama = np.minimum(self._assets.map(outside), 4.0) * np.float32(0.5)
            direction, color = (tuple(float(c) for c in value) for value in sun)
            environment = Environment(f"sunny room, {outside}", panorama, direction, color)  # pyright: ignore[reportArgumentType]
        return environment, room_lighting(rng, environment, walls, _mean_color(paint))

    def _open(self, room: Room, space: Enclosure) -> tuple[Environment, Lighting]:
        """A wall behind, sometimes one at a side, and the panorama for the rest."""
        rng, looks, stage = self._rng(6), self._looks, self._stage
        walls = walls_of(space, fitted=room.fitted)
        paint, trim = looks.plaster(rng), looks.trim(rng)
        chosen = ["back"] + ([str(rng.choice(["left", "right"]))] if rng.random() < 0.5 else [])
        for name in chosen:
            other = looks.plaster(rng) if rng.random() < 0.25 else paint
            build_wall(rng, looks, stage, walls[name], other, trim)
            self._hang(rng, walls[name], room)
        return map_light(rng, self._assets)

    def _hang(self, rng: np.random.Generator, wall: Wall, room: Room) -> None:
        if wall.name == "back" and room.fitted:
            wall.taken.append((-1.6, 1.6, 0.0, 2.0))
        if wall.name != "front":
            gap = room.wall_y - room.grounds[0].center[1] - room.grounds[0].half[1] if wall.name == "back" else 1.0
            stand_along(rng, self._looks, self._stage, wall, depth_m=gap)
            decorate(rng, self._looks, self._stage, wall, self._assets)

    def _furniture(self, space: Enclosure) -> None:
        rng = self._rng(7)
        if self._assets is None:
            return
        clear = np.array([[0.0, -0.4 - 0.1 * k, 0.2 + 0.1 * j] for k in range(24) for j in range(14)])
        (x0, x1), (y0, y1) = space.x, space.y
        inside = ((x0 + 0.02, x1 - 0.02), (max(y0, -2.2), y1))
        place_furniture(rng, self._assets, self._stage, inside=inside, clear=clear, pieces=int(rng.integers(3, 10)))

    def _seen(self, scene: Scene, room: Room, points: np.ndarray, space: Enclosure) -> Scene | None:
        """The scene with the best of some cameras."""
        rng, center = self._rng(8), np.array(room.grounds[0].center)
        best, best_score = None, 0.0
        for _ in range(_CAMERAS):
            camera = random_camera(rng, points, center, self._times_s, self._size)
            eye = camera.world_from_camera[:, :3, 3]
            low = np.array([space.x[0] + 0.15, space.y[0] + 0.15, 0.15])
            high = np.array([space.x[1] - 0.15, space.y[1] - 0.15, space.top - 0.12])
            if (eye < low).any() or (eye > high).any() or not camera_is_free(scene, camera):
                continue
            worth = score(scene, camera)
            if worth > best_score:
                best, best_score = camera, worth
            if best_score > 0.75:
                break
        return None if best is None else replace(scene, cameras=(best,))


def _mean_color(look: Look) -> Float[np.ndarray, "3"]:
    texture = look.material.texture
    if texture is None:
        return np.array(look.material.base_color[:3])
    return linear_from_srgb(texture[::8, ::8, :3] / 255).mean(axis=(0, 1))


class _Scatter:
    """Puts things on the grounds; a few of them move."""

    def __init__(self, rng: np.random.Generator, looks: Looks, stage: Stage, assets: Assets | None) -> None:
        self._rng, self._looks, self._stage, self._assets = rng, looks, stage, assets

    def fill(self, room: Room, times_s: np.ndarray) -> list[tuple[np.ndarray, float]]:
        """Things and clutter: (middle, radius) of each."""
        rng = self._rng
        taken: list[tuple[np.ndarray, float]] = [(b[:3, 3], 0.14) for b, height in room.bases[:1] if height == 0]
        placed: list[tuple[np.ndarray, float]] = []
        for k, ground in enumerate(room.grounds):
            for _ in range(int(rng.integers(8, 19)) if k == 0 else int(rng.integers(3, 9))):
                largest = min(ground.half) * (1.0 if k == 0 else 0.98) + (0.05 if k == 0 else 0.0)
                made = self._thing(largest)
                point = _free_place(rng, ground, made, taken)
                if point is None:
                    continue
                start = at(*point) @ turn("z", rng.normal(0, 12) if made.radius_m > 0.15 else rng.uniform(0, 360))
                moves = k == 0 and rng.random() < 0.22 and made.radius_m < 0.15
                motion = _sliding(rng, start, times_s) if moves else start
                self._stage.add(made.class_name, made.class_name, made.pieces, motion)
                taken.append((point, made.radius_m))
                placed.append((point + [0, 0, made.height_m / 2], made.radius_m))
        return placed

    def _thing(self, largest_m: float) -> Thing:
        """One of ours, or most often a borrowed one."""
        rng = self._rng
        if self._assets is not None and rng.random() < 0.68:
            small = rng.random() < 0.6
            limit = min(0.1, largest_m) if small else largest_m
            found = borrowed_thing(rng, self._assets, self._stage, largest_m=limit)
            if found is not None:
                return found
        return thing(rng, self._looks, largest_m=largest_m)


def _sliding(rng: np.random.Generator, start: np.ndarray, times_s: np.ndarray) -> Float[np.ndarray, "frames 4 4"]:
    """A thing that is pushed along, turns, or is lifted and put down."""
    direction = rng.uniform(0, 2 * np.pi)
    drift = 0.12 * rng.uniform(0.2, 1) * times_s[:, None] * [np.cos(direction), np.sin(direction), 0]
    lift = 0.07 * (1 - np.cos(rng.uniform(1.5, 3) * times_s)) * (rng.random() < 0.35)
    spin = rotation_about(np.array([0.0, 0.0, 1.0]), np.deg2rad(rng.uniform(-60, 60)) * times_s)
    return at(*start[:3, 3]) @ rigid(spin, drift + lift[:, None] * [0, 0, 1]) @ at(*-start[:3, 3]) @ start


def _free_place(
    rng: np.random.Generator, ground: Ground, made: Thing, taken: list[tuple[np.ndarray, float]]
) -> np.ndarray | None:
    """A place on the ground where the thing touches nothing and does not stand over the edge."""
    room = np.maximum(np.array(ground.half) - made.radius_m, 0.005)
    spread = np.minimum(room, [0.6, 0.45])
    for _ in range(30):
        xy = np.array(ground.center[:2]) + np.clip(rng.normal(0, 0.6, 2), -1, 1) * (spread if rng.random() < 0.7 else room)
        point = np.array([*xy, ground.center[2]])
        if all(np.linalg.norm((p - point)[:2]) > r + made.radius_m or abs(p[2] - point[2]) > 0.15 for p, r in taken):
            return point
    return None
