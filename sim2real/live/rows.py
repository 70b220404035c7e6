"""The last states of a simulation as a scene of a few frames: state n is in row n modulo ``ROWS``, until it is overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float

from ..arrays import first_not_rigid
from ..camera.view import Camera
from ..errors import BadValueError, UnknownNameError
from ..scene import Scene

ROWS = 8
"""More than the frames of which anything is kept while later ones are rendered."""


@dataclass(frozen=True, eq=False)
class State:
    """Where everything is at one instant.

    - ``world_from_instance``: (instances, 4, 4), of every instance, in the order of the scene.
    - ``world_from_camera``: 4x4, of cameras that have moved, by name; the others stay where they were.
    - ``visible``: (instances,), which of them exist; ``None``: all.
    - ``world_from_lamp``: 4x4, of lamps that have moved by themselves (``Lamp.way``), by their places in
      ``scene.lights.lamps``; not a number where a lamp is off. The others stay as they were. Lamps on instances go with these.
    """

    # any array is taken: it is checked against the scene when it is seen
    world_from_instance: np.ndarray
    world_from_camera: Mapping[str, np.ndarray] = field(default_factory=dict)
    visible: np.ndarray | None = None
    world_from_lamp: Mapping[int, np.ndarray] = field(default_factory=dict)


def with_rows(scene: Scene) -> Scene:
    """A scene whose rows all hold its first frame, in arrays of their own."""
    cameras = tuple(
        replace(c, intrinsics=_rows(c.intrinsics), world_from_camera=_rows(c.world_from_camera)) for c in scene.cameras
    )
    poses, visible = _rows(scene.world_from_instance), _rows(scene.visible)
    lights = None if scene.lights is None else scene.lights.sliced(np.zeros(ROWS, np.int64))
    return replace(scene, world_from_instance=poses, visible=visible, lights=lights, cameras=cameras)


def _rows(array: np.ndarray) -> np.ndarray:
    return np.repeat(array[:1], ROWS, axis=0)


def put(scene: Scene, cameras: tuple[Camera, ...], number: int, state: State) -> int:
    """Write a state into its row; returns which.

    Args:
        scene: from ``with_rows``.
        cameras: those that are looked through, whose poses are written.
        number: of the state.
        state: what is written.

    Raises:
        BadValueError: poses are not one rigid matrix per instance, visibility is not one value per instance, or a lamp is moved
            that does not move by itself.
        UnknownNameError: it moves a camera that is not looked through.
    """
    row, before = number % ROWS, (number - 1) % ROWS
    count = len(scene.instances)
    poses = np.asarray(state.world_from_instance, np.float64)
    if poses.shape != (count, 4, 4):
        raise BadValueError("the shape of world_from_instance", poses.shape, right=f"({count}, 4, 4), a pose per instance")
    _check_rigid(poses, [instance.name for instance in scene.instances])
    visible = np.ones(count, bool) if state.visible is None else np.asarray(state.visible)
    if visible.shape != (count,) or visible.dtype != bool:
        raise BadValueError("visible", f"{visible.dtype} {visible.shape}", right=f"bool ({count},), a value per instance")
    moved = {name: np.asarray(pose, np.float64) for name, pose in state.world_from_camera.items()}
    names = [camera.name for camera in cameras]
    for name, pose in moved.items():
        if name not in names:
            raise UnknownNameError(name, names, what="camera", where=scene.source)
        if pose.shape != (4, 4):
            raise BadValueError(f"the shape of world_from_camera of {name}", pose.shape, right="(4, 4)")
    if moved:
        _check_rigid(np.stack(list(moved.values())), list(moved))
    ways = _ways(scene)
    lamps = {place: np.asarray(pose, np.float64) for place, pose in state.world_from_lamp.items()}
    for place, pose in lamps.items():
        if place not in ways:
            right = f"one of {', '.join(map(str, ways))}" if ways else "left out: no lamp moves by itself"
            raise BadValueError("a lamp of the state", place, right=right, where=scene.source)
        if pose.shape != (4, 4):
            raise BadValueError(f"the shape of world_from_lamp of {place}", pose.shape, right="(4, 4)")
        if not np.isnan(pose).all():
            _check_rigid(pose[None], [f"lamp {place}"])
    scene.world_from_instance[row], scene.visible[row] = poses, visible
    for place, way in ways.items():
        way[row] = lamps.get(place, way[before])
    for camera in cameras:
        camera.world_from_camera[row] = moved.get(camera.name, camera.world_from_camera[before])
    return row


def _ways(scene: Scene) -> dict[int, np.ndarray]:
    """Where the lamps that move by themselves are, by their places."""
    lamps = () if scene.lights is None else scene.lights.lamps
    return {place: lamp.way for place, lamp in enumerate(lamps) if lamp.way is not None}


def _check_rigid(poses: Float[np.ndarray, "n 4 4"], names: list[str]) -> None:
    finite = np.all(np.abs(poses) <= 1e30, axis=(1, 2), keepdims=True)
    if (broken := first_not_rigid(np.where(finite, poses, 0))) is not None:
        right = "a rotation with a translation, finite"
        raise BadValueError(f"the pose of {names[broken]}", poses[broken].tolist(), right=right)
