"""Frames between the frames of a scene: a rollout at a higher rate, of which every n-th frame is as it was, to the bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int

from ..camera.view import Camera
from ..transforms import rotations_between
from .light.lamps import Lights
from .moving_vertices import Deformed, MovingVertices
from .records import Scene

_RIGID = 1e-9


def with_frames_between(scene: Scene, times: int) -> Scene:
    """A scene in which ``times - 1`` frames were put between any two.

    Positions and vertices go along straight lines, rotations along the shortest arcs, both steadily, as does stretching. What
    is hidden at one end is hidden in between. A pose of something hidden is not taken for where it comes from.

    Args:
        scene: of any number of frames.
        times: as many frames a second as before; 1 leaves it as it is.

    Returns:
        The scene with ``(frames - 1) * times + 1`` frames; those that were there have the same bits.
    """
    if times == 1 or scene.frames == 1:
        return scene
    count = (scene.frames - 1) * times + 1
    before, share = np.arange(count) // times, (np.arange(count) % times) / times
    after = np.minimum(before + 1, scene.frames - 1)
    there = scene.visible[before] & (scene.visible[after] | (share == 0)[:, None])
    return replace(
        scene,
        meshes=tuple(
            m if m.deformed is None else replace(m, deformed=_deformed(m.deformed, before, share)) for m in scene.meshes
        ),
        world_from_instance=_ways(scene.world_from_instance, before, after, share, scene.visible),
        visible=there,
        cameras=tuple(_camera(camera, before, after, share) for camera in scene.cameras),
        **scene.lights_changed(lambda lights: _lights(lights, before, after, share)),
        fps=scene.fps * times,
    )


def _camera(camera: Camera, before: Int[np.ndarray, "n"], after: Int[np.ndarray, "n"], share: Float[np.ndarray, "n"]) -> Camera:
    k = camera.intrinsics
    way = _ways(camera.world_from_camera[:, None], before, after, share, np.ones((len(k), 1), np.bool_))[:, 0]
    between = k[before] + share[:, None, None] * (k[after] - k[before])
    return replace(camera, intrinsics=between, world_from_camera=way)


def _lights(lights: Lights, before: Int[np.ndarray, "n"], after: Int[np.ndarray, "n"], share: Float[np.ndarray, "n"]) -> Lights:
    """Lamps that move go as things do: one that is off at one end is off in between."""
    lamps = []
    for lamp in lights.lamps:
        if lamp.way is not None:
            on = np.asarray(np.isfinite(lamp.way).all(axis=(1, 2)))
            way = _ways(lamp.way[:, None], before, after, share, on[:, None])[:, 0]
            way[(share > 0) & ~on[after]] = np.nan
            lamp = replace(lamp, way=way)
        lamps.append(lamp)
    return replace(lights, lamps=tuple(lamps))


def _deformed(deformed: Deformed, before: Int[np.ndarray, "n"], share: Float[np.ndarray, "n"]) -> MovingVertices:
    """Made when asked for, whether there was a table or not."""

    def at(frame: int) -> np.ndarray:
        start = np.asarray(deformed[int(before[frame])])
        if not share[frame]:
            return start
        return start + np.float32(share[frame]) * (np.asarray(deformed[int(before[frame]) + 1]) - start)

    return MovingVertices(len(before), deformed.shape[1], at)


def _ways(
    ways: Float[np.ndarray, "frames things 4 4"],
    before: Int[np.ndarray, "n"],
    after: Int[np.ndarray, "n"],
    share: Float[np.ndarray, "n"],
    visible: Bool[np.ndarray, "frames things"],
) -> Float[np.ndarray, "n things 4 4"]:
    """Affine ways between those of frames; only what moves, and is visible on both sides, is computed."""
    out = ways[before].copy()
    moves = (ways[before] != ways[after]).any(axis=(2, 3)) & visible[before] & visible[after] & (share > 0)[:, None]
    frame, thing = np.nonzero(moves)
    if not len(frame):
        return out
    start, end, u = ways[before[frame], thing], ways[after[frame], thing], share[frame]
    out[frame, thing, :3, 3] += u[:, None] * (end[:, :3, 3] - start[:, :3, 3])
    (turn, stretch), (turn_end, stretch_end) = (_parted(way[:, :3, :3]) for way in (start, end))
    out[frame, thing, :3, :3] = rotations_between(turn, turn_end, u) @ (stretch + u[:, None, None] * (stretch_end - stretch))
    return out


def _parted(linear: Float[np.ndarray, "n 3 3"]) -> tuple[Float[np.ndarray, "n 3 3"], Float[np.ndarray, "n 3 3"]]:
    """Rotation and stretching (polar decomposition); a mirror image is a stretching by less than 0."""
    if np.abs(linear.swapaxes(1, 2) @ linear - np.eye(3)).max() < _RIGID and (np.linalg.det(linear) > 0).all():
        return linear, np.broadcast_to(np.eye(3), linear.shape)
    u, _, v = np.linalg.svd(linear)
    rotation = u @ v
    u[np.linalg.det(rotation) < 0, :, 2] *= -1
    rotation = u @ v
    return rotation, rotation.swapaxes(1, 2) @ linear
