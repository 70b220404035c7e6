"""Random manipulation scenes to train on; they share nothing with the examples but the laws of furniture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float

from ...scene.records import Scene
from ...transforms import inverse_rigid, rigid, rotation_about
from .arms import add_arm
from .builder import Stage, at, turn
from .cameras import random_camera, random_lighting
from .objects import Thing, graspable, thing
from .rooms import Ground, Room, furnish

FPS = 12.0
_CLEARANCE_M = 0.04


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
    """A place on the ground where the thing touches nothing."""
    room = np.maximum(np.array(ground.half) - made.radius_m * 0.8, 0.01)
    spread = np.minimum(room, [0.6, 0.45])
    for _ in range(30):
        xy = np.array(ground.center[:2]) + np.clip(rng.normal(0, 0.6, 2), -1, 1) * (spread if rng.random() < 0.7 else room)
        point = np.array([*xy, ground.center[2]])
        if all(np.linalg.norm((p - point)[:2]) > r + made.radius_m or abs(p[2] - point[2]) > 0.15 for p, r in taken):
            return point
    return None


def _scatter(rng: np.random.Generator, stage: Stage, room: Room, times_s: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Put things on the grounds; a few of them move."""
    taken: list[tuple[np.ndarray, float]] = [(b[:3, 3], 0.12) for b, height in room.bases[:1] if height == 0]
    placed: list[tuple[np.ndarray, float]] = []
    for k, ground in enumerate(room.grounds):
        for _ in range(int(rng.integers(4, 11)) if k == 0 else int(rng.integers(2, 5))):
            made = thing(rng, largest_m=min(ground.half) + (0.02 if k else 0.1))
            point = _free_place(rng, ground, made, taken)
            if point is None:
                continue
            faces_front = made.class_name in ("microwave", "carton")
            angle = rng.normal(0, 8) if faces_front else rng.uniform(0, 360)
            if k == 0 and made.class_name == "microwave":
                point = point + [0, max(0.0, room.grounds[0].half[1] - made.radius_m * 0.9 - point[1] + ground.center[1]), 0]
            start = at(*point) @ turn("z", angle)
            moves = k == 0 and rng.random() < 0.25 and made.class_name != "microwave"
            stage.add(made.class_name, made.class_name, made.pieces, _sliding(rng, start, times_s) if moves else start)
            taken.append((point, made.radius_m))
            placed.append((point + [0, 0, made.height_m / 2], made.radius_m))
    return placed


def random_scene(seed: int, *, size: tuple[int, int] = (64, 64), frames: int = 16) -> Scene:
    """A scene made of nothing but its seed: a room, things, most often a robot arm, a camera, light.

    Args:
        seed: any non-negative integer.
        size: of the camera's picture, pixels; half of the scenes are seen through a window of a larger picture.
        frames: at 12 frames per second.

    Returns:
        A scene with one camera named ``camera``, which never runs into anything; the same arguments give the same scene, bit
        for bit.
    """
    attempt = 0
    while True:
        key = [seed, 0x5CE7E, attempt] if attempt else [seed, 0x5CE7E]
        scene = _scene(np.random.default_rng(key), seed, size, frames)
        if _camera_is_free(scene):
            return scene
        attempt += 1


def _camera_is_free(scene: Scene) -> bool:
    """Whether the eye stays out of the boxes around all meshes."""
    camera = scene.cameras[0]
    low = np.stack([scene.meshes[p.mesh].vertices.min(axis=0) for p in scene.parts]) - _CLEARANCE_M
    high = np.stack([scene.meshes[p.mesh].vertices.max(axis=0) for p in scene.parts]) + _CLEARANCE_M
    for frame in range(scene.frames):
        eye = inverse_rigid(scene.camera_from_part(camera, frame))[:, :3, 3]
        if ((eye > low) & (eye < high)).all(axis=1).any():
            return False
    return True


def _scene(rng: np.random.Generator, seed: int, size: tuple[int, int], frames: int) -> Scene:
    times_s = np.arange(frames) / FPS
    stage = Stage(rng, frames)
    room = furnish(rng, stage, times_s)
    placed = _scatter(rng, stage, room, times_s)
    ground = room.grounds[0]
    points = [p for p, _ in placed]
    if rng.random() < 0.8:
        base, pedestal = room.bases[0] if rng.random() < 0.5 else room.bases[rng.integers(len(room.bases))]
        reach_to = np.array(ground.center) + [*(rng.normal(0, 0.12, 2)), rng.uniform(0.06, 0.3)]
        links = add_arm(rng, stage, base, times_s, floor_z=ground.center[2], reach_to=reach_to, base_height_m=pedestal)
        if rng.random() < 0.4:
            held = graspable(rng)
            stage.add(held.class_name, held.class_name, held.pieces, links[-1] @ at(z=0.4 * held.height_m) @ turn("x", 180))
        points += [link[0, :3, 3] for link in links] + [links[-1][0, :3, 3]] * 2
    target = np.array(ground.center) + [0, 0, rng.uniform(0.0, 0.25)]
    camera = random_camera(rng, target, np.array([*points, target]), times_s, size)
    motion = stage.world_from_instance()
    return Scene(
        source=Path(f"random:{seed}"),
        sha256="",
        meshes=tuple(stage.meshes),
        parts=tuple(stage.parts),
        instances=tuple(stage.instances),
        world_from_instance=motion,
        visible=np.ones(motion.shape[:2], bool),
        cameras=(camera,),
        fps=FPS,
        lighting=random_lighting(rng),
    )
