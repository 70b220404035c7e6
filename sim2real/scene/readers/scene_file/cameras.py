"""The cameras of a scene file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ....camera.lens import Projection
from ....camera.paths import intrinsics_of, intrinsics_of_fov, orbit, turned
from ....camera.view import Camera
from ....errors import BadValueError, UnknownNameError
from ....transforms import OPENCV_FROM_OPENGL, look_at, rigid
from . import trajectories as motion
from .objects import Files, rotation_of
from .schema import CameraEntry
from .tables import Table
from .track_entry import tracked_camera

DEFAULT_FOV_DEG = 45.0

Ways = Mapping[str, Float[np.ndarray, "frames 4 4"]]
"""``world_from_object`` of everything that a camera can look at or ride on, by name."""


def cameras_of(
    entries: Sequence[CameraEntry],
    ways: Ways,
    given: Sequence[Camera],
    frames: int,
    fps: float,
    files: Files,
    size: tuple[int, int],
    override: tuple[int, int] | None,
) -> tuple[Camera, ...]:
    """Build the cameras of a scene file.

    Args:
        entries: what the scene file says; a camera may ride on those before it.
        ways: the scene's objects.
        given: cameras of the rollout, on which cameras may ride too.
        frames: how many.
        fps: frames per second.
        files: where tables are read from.
        size: (height, width) of the scene's cameras.
        override: size that the user asks for instead; a vertical field of view is kept, intrinsics are scaled.
    """
    made: dict[str, Camera] = {}
    for entry in entries:
        if entry.track is not None:
            made[entry.name] = _zoomed_camera(tracked_camera(entry, frames, fps, files, override or entry.size), entry.zoom)
            continue
        carriers = {camera.name: camera for camera in given} | made
        carrier = None if entry.attached_to in ways else carriers.get(entry.attached_to or "")
        way, k = _placed(
            entry, carrier, {name: c.world_from_camera for name, c in carriers.items()} | dict(ways), frames, fps, files
        )
        made[entry.name] = _camera(entry, carrier, way, k, size, override)
    return tuple(made.values())


def _zoomed_camera(camera: Camera, factors: tuple[float, ...] | None) -> Camera:
    return replace(camera, intrinsics=_zoomed(camera.intrinsics, factors))


def _placed(
    entry: CameraEntry, carrier: Camera | None, ways: Ways, frames: int, fps: float, files: Files
) -> tuple[np.ndarray, np.ndarray | None]:
    """Where a camera is, and the intrinsics of its table if it has some."""
    if entry.table is None:
        return _way(entry, ways, carrier is not None, frames, fps, files.source), None
    table, path = files.table(entry.table, frames)
    k = None if table.intrinsics is None else intrinsics_of(table.intrinsics[:frames])
    return _from_table(table, entry, path)[:frames], k


def _camera(
    entry: CameraEntry,
    carrier: Camera | None,
    way: np.ndarray,
    k: np.ndarray | None,
    size: tuple[int, int],
    override: tuple[int, int] | None,
) -> Camera:
    """A camera's picture; what the entry leaves out is as in the carrier."""
    said = entry.model_fields_set
    final = override or entry.size or (carrier.size if carrier else size)
    projection = carrier.projection if carrier and "projection" not in said else entry.projection
    distortion = None if entry.distortion is None else np.array(entry.distortion)
    if carrier and not said & {"projection", "distortion"}:
        distortion = carrier.distortion
    if projection == "fisheye" and distortion is None:
        distortion = np.zeros(4)
    near = carrier.near if carrier and "near" not in said else entry.near
    if entry.intrinsics is not None:
        k = np.repeat(intrinsics_of(entry.intrinsics)[None], len(way), axis=0)
    if k is not None:
        own = entry.size or (size if carrier is None or override else carrier.size)
        scaled = Camera(entry.name, own, k, way).resized(final).intrinsics
    elif carrier and not said & {"fov_deg", "height_m", "projection"}:
        scaled = carrier.resized(final).intrinsics
    else:
        scaled = np.repeat(_intrinsics(entry, projection, final)[None], len(way), axis=0)
    return Camera(entry.name, final, _zoomed(scaled, entry.zoom), way, near, distortion, projection)


def _intrinsics(entry: CameraEntry, projection: Projection, size: tuple[int, int]) -> Float[np.ndarray, "3 3"]:
    """From the field of view, or from the height that an orthographic camera shows."""
    if projection == "orthographic":
        per_metre = size[0] / (entry.height_m or 1.0)
        return intrinsics_of((per_metre, per_metre, size[1] / 2, size[0] / 2))
    fov_deg = entry.fov_deg or DEFAULT_FOV_DEG
    if projection == "fisheye":
        focal_px = size[0] / np.deg2rad(fov_deg)
        return intrinsics_of((focal_px, focal_px, size[1] / 2, size[0] / 2))
    return intrinsics_of_fov(fov_deg, size)


def _zoomed(k: Float[np.ndarray, "frames 3 3"], factors: tuple[float, ...] | None) -> Float[np.ndarray, "frames 3 3"]:
    """Focal lengths times factors that are spread evenly over the clip; between them the zoom's speed is steady."""
    if factors is None:
        return k
    at = np.linspace(0, len(factors) - 1, len(k))
    zoom = np.exp(np.interp(at, np.arange(len(factors)), np.log(factors)))
    return np.concatenate([np.concatenate([k[:, :2, :2] * zoom[:, None, None], k[:, :2, 2:]], axis=2), k[:, 2:]], axis=1)


def _from_table(table: Table, entry: CameraEntry, path: Path) -> Float[np.ndarray, "rows 4 4"]:
    if table.rotation is None:
        right = "at least 7 (position and quaternion) for a camera"
        raise BadValueError("the number of columns of the table", 3, right=right, where=path)
    way = table.matrices(np.eye(3))
    return way @ OPENCV_FROM_OPENGL if entry.axes == "opengl" else way


def _way(entry: CameraEntry, ways: Ways, rides: bool, frames: int, fps: float, source: Path) -> Float[np.ndarray, "frames 4 4"]:
    up = np.array(entry.up)
    if entry.orbit is not None:
        o = entry.orbit
        center = _points(o.center, ways, frames, entry, source)
        return orbit(center, o.radius, o.height, frames, degrees=o.degrees, start_deg=o.start_deg, up=up)
    if entry.path is not None:
        p = entry.path
        eye, _ = motion.along(np.array(p.waypoints), frames, fps, speed=p.speed, smooth=p.smooth, loop=p.loop)
        return _looking(eye, _points(p.target, ways, frames, entry, source), up, entry, source)
    way = _fixed(entry, ways, rides, frames, up, source)
    return way if entry.turn_deg is None else turned(way, entry.turn_deg, up)


def _fixed(entry: CameraEntry, ways: Ways, rides: bool, frames: int, up: np.ndarray, source: Path) -> np.ndarray:
    """A resting camera, or one that rides on an object or a camera; each may follow an object with its eyes."""
    position = np.array(entry.position)
    carrier = np.repeat(np.eye(4)[None], frames, axis=0)
    if entry.attached_to is not None:
        carrier = _object(entry.attached_to, ways, entry, "attached_to", source)
    rotation = rotation_of(entry)
    if rotation is not None:
        return carrier @ rigid(rotation, position)
    if entry.look_at is None:
        if not rides:
            what = f"the rotation of camera {entry.name}, attached to an object,"
            raise BadValueError(what, "left out", right="one of: look_at, quaternion, euler_deg", where=source)
        return carrier @ rigid(np.eye(3), position)
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
        what = "object or camera" if key == "attached_to" else "object"
        raise UnknownNameError(name, list(ways), what=what, where=f"{key} of camera {entry.name}, {source}")
    return ways[name]
