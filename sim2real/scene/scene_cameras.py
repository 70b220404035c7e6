"""The cameras of a scene file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ..errors import BadValueError, UnknownNameError
from ..transforms import OPENCV_FROM_OPENGL, look_at, rigid
from . import motion
from .cameras import intrinsics_of, intrinsics_of_fov, orbit, turned
from .records import Camera
from .scene_objects import Files, rotation_of
from .schema import CameraEntry
from .tables import Table

DEFAULT_FOV_DEG = 45.0

Ways = Mapping[str, Float[np.ndarray, "frames 4 4"]]
"""``world_from_object`` of everything that a camera can look at or ride on, by name."""


def camera_of(
    entry: CameraEntry,
    ways: Ways,
    frames: int,
    fps: float,
    files: Files,
    size: tuple[int, int],
    override: tuple[int, int] | None,
) -> Camera:
    """Build one camera.

    Args:
        entry: what the scene file says.
        ways: the scene's objects.
        frames: how many.
        fps: frames per second.
        files: where tables are read from.
        size: (height, width) of the scene's cameras.
        override: size that the user asks for instead; a vertical field of view is kept, intrinsics are scaled.
    """
    own = entry.size or size
    if entry.table is not None:
        table, path = files.table(entry.table, frames)
        way = _from_table(table, entry, path)[:frames]
        k = None if table.intrinsics is None else intrinsics_of(table.intrinsics[:frames])
    else:
        way, k = _way(entry, ways, frames, fps, files.source), None
    if entry.intrinsics is not None:
        k = np.repeat(intrinsics_of(entry.intrinsics)[None], frames, axis=0)
    if k is not None:
        camera = Camera(entry.name, own, k, way, entry.near)
        return camera.resized(override) if override else camera
    final = override or own
    k = intrinsics_of_fov(entry.fov_deg or DEFAULT_FOV_DEG, final)
    return Camera(entry.name, final, np.repeat(k[None], frames, axis=0), way, entry.near)


def _from_table(table: Table, entry: CameraEntry, path: Path) -> Float[np.ndarray, "rows 4 4"]:
    if table.rotation is None:
        right = "at least 7 (position and quaternion) for a camera"
        raise BadValueError("the number of columns of the table", 3, right=right, where=path)
    way = table.matrices(np.eye(3))
    return way @ OPENCV_FROM_OPENGL if entry.axes == "opengl" else way


def _way(entry: CameraEntry, ways: Ways, frames: int, fps: float, source: Path) -> Float[np.ndarray, "frames 4 4"]:
    up = np.array(entry.up)
    if entry.orbit is not None:
        o = entry.orbit
        center = _points(o.center, ways, frames, entry, source)
        return orbit(center, o.radius, o.height, frames, degrees=o.degrees, start_deg=o.start_deg, up=up)
    if entry.path is not None:
        p = entry.path
        eye, _ = motion.along(np.array(p.waypoints), frames, fps, speed=p.speed, smooth=p.smooth, loop=p.loop)
        return _looking(eye, _points(p.target, ways, frames, entry, source), up, entry, source)
    way = _fixed(entry, ways, frames, up, source)
    return way if entry.turn_deg is None else turned(way, entry.turn_deg, up)


def _fixed(entry: CameraEntry, ways: Ways, frames: int, up: np.ndarray, source: Path) -> np.ndarray:
    """A resting camera, or one that rides on an object; both may follow another object with their eyes."""
    position = np.array(entry.position)
    carrier = np.repeat(np.eye(4)[None], frames, axis=0)
    if entry.attached_to is not None:
        carrier = _object(entry.attached_to, ways, entry, "attached_to", source)
    rotation = rotation_of(entry)
    if rotation is not None:
        return carrier @ rigid(rotation, position)
    if isinstance(entry.look_at, str):
        eye = (carrier @ np.append(position, 1.0))[:, :3]
        return _looking(eye, _points(entry.look_at, ways, frames, entry, source), up, entry, source)
    local = _looking(position[None], np.array(entry.look_at)[None], up, entry, source)
    return carrier @ local


def _looking(eye: np.ndarray, target: np.ndarray, up: np.ndarray, entry: CameraEntry, source: Path) -> np.ndarray:
    distance = np.linalg.norm(target - eye, axis=1)
    if (distance < 1e-9).any():
        frame = int(np.argmin(distance))
        what, right = f"the position of camera {entry.name} in frame {frame}", "away from the point that it looks at"
        raise BadValueError(what, eye[frame].tolist(), right=right, where=source)
    return look_at(eye, target, up)


def _points(where: tuple[float, ...] | str, ways: Ways, frames: int, entry: CameraEntry, source: Path) -> np.ndarray:
    if isinstance(where, str):
        return _object(where, ways, entry, "target", source)[:, :3, 3]
    return np.repeat(np.array(where)[None], frames, axis=0)


def _object(name: str, ways: Ways, entry: CameraEntry, key: str, source: Path) -> np.ndarray:
    if name not in ways:
        raise UnknownNameError(name, list(ways), what="object", where=f"{key} of camera {entry.name}, {source}")
    return ways[name]
