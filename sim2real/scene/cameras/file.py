"""Cameras in files of their own (JSON): what calibration writes, what ``--camera-file`` reads, and anybody can write.

A camera, or a list of them. OpenCV axes, metres, pixels, pixel centers at 0.5::

    {"name": "front", "size": [480, 640], "K": [[600, 0, 320], [0, 600, 240], [0, 0, 1]], "world_from_camera": [[...], ...]}

- ``K`` and ``world_from_camera``: one matrix, or one per frame.
- ``attached_to`` and ``link_from_camera`` in place of ``world_from_camera``: the camera rides on an instance of the scene, or
  on one of its cameras.
- ``projection`` and ``distortion`` as in scene files; ``near`` in metres. All three may be left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ...arrays import first_not_rigid
from ...camera.lens import PROJECTIONS, Lens
from ...camera.view import Camera
from ...errors import MissingFileError, Sim2RealError, UnknownNameError, UnreadableFileError
from ...text_files import read_text
from ..records import Scene

KEYS = ("name", "size", "K", "world_from_camera", "attached_to", "link_from_camera", "near", "projection", "distortion")
WHAT, FIX = "camera file", "write it as docs/cameras.md says"
MOST_PX = 16384


def with_camera_file(scene: Scene, path: Path, size: tuple[int, int] | None = None) -> Scene:
    """The scene with the cameras of a file; one of the same name takes the place of the scene's own.

    Args:
        scene: on whose instances and cameras they may ride.
        path: the file.
        size: (height, width) instead of the file's; the view stays.

    Raises:
        MissingFileError: there is no such file.
        UnreadableFileError: it is no JSON, or says something of a camera that cannot be.
        UnknownNameError: a camera rides on what the scene does not have.
    """
    cameras = {camera.name: camera for camera in scene.cameras}
    for entry in _entries(path):
        camera = _camera(entry, scene, path)
        cameras[camera.name] = camera if size is None else camera.resized(size)
    return replace(scene, cameras=tuple(cameras.values()))


def carrier_way(scene: Scene, name: str, where: object = "") -> Float[np.ndarray, "frames 4 4"]:
    """``world_from_carrier`` in every frame, of an instance or camera.

    Raises:
        UnknownNameError: the scene has neither of that name; the message lists both.
    """
    for k, instance in enumerate(scene.instances):
        if instance.name == name:
            return scene.world_from_instance[:, k]
    for camera in scene.cameras:
        if name in (camera.name, camera.source_name):
            return camera.world_from_camera
    known = [thing.name for thing in (*scene.instances, *scene.cameras)]
    raise UnknownNameError(name, known, what="link or camera to be attached to", where=where)


def camera_entry(
    camera: Camera, carrier_from_camera: Float[np.ndarray, "4 4"], attached_to: str | None = None
) -> dict[str, Any]:
    """A resting camera as files hold it.

    Args:
        camera: its name, size, lens, near distance and first intrinsics count.
        carrier_from_camera: where it is in the world, or on what it is attached to.
        attached_to: name of an instance, or camera.
    """
    entry: dict[str, Any] = {"name": camera.name, "size": list(camera.size), "K": camera.intrinsics[0].tolist()}
    if attached_to is None:
        entry["world_from_camera"] = carrier_from_camera.tolist()
    else:
        entry |= {"attached_to": attached_to, "link_from_camera": carrier_from_camera.tolist()}
    entry["near"] = float(camera.near)
    if camera.projection != "perspective":
        entry["projection"] = camera.projection
    if camera.distortion is not None and camera.lens.bent:
        entry["distortion"] = [float(c) for c in camera.distortion]
    return entry


def _entries(path: Path) -> list[Mapping[str, Any]]:
    if not path.is_file():
        raise MissingFileError(path, what=WHAT)
    try:
        data = json.loads(read_text(path))
    except RecursionError as error:
        raise UnreadableFileError(path, what=WHAT, why="it is nested too deeply", fix=FIX) from error
    except (ValueError, OSError) as error:
        raise UnreadableFileError(path, what=WHAT, why=f"not JSON ({error})", fix=FIX) from error
    entries = data if isinstance(data, list) else [data]
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        raise UnreadableFileError(path, what=WHAT, why="it holds neither a camera nor a list of cameras", fix=FIX)
    return entries


def _camera(entry: Mapping[str, Any], scene: Scene, path: Path) -> Camera:
    unknown = [key for key in entry if key not in KEYS]
    if unknown:
        raise _error(path, f"it has the key {unknown[0]!r}, the keys are {', '.join(KEYS)}")
    name = entry.get("name", "camera")
    if not isinstance(name, str) or not name:
        raise _error(path, "the name of a camera is no text")
    size = entry.get("size")
    if not (isinstance(size, list) and len(size) == 2 and all(type(v) is int and 1 <= v <= MOST_PX for v in size)):
        raise _error(path, f"size of camera {name} is {str(size)[:40]}, must be [height, width]")
    k = _matrices(entry, "K", 3, scene.frames, path)
    if not (k[:, [0, 1], [0, 1]] > 0).all() or k[:, 1, 0].any() or (k[:, 2] != [0, 0, 1]).any():
        raise _error(path, f"K of camera {name} is not [[fx, skew, cx], [0, fy, cy], [0, 0, 1]] with positive focal lengths")
    near = entry.get("near", 0.01)
    if isinstance(near, bool) or not isinstance(near, (int, float)) or not 0 < near < 1e9:
        raise _error(path, f"near of camera {name} is {str(near)[:40]}, must be a positive number of metres")
    lens = _lens(entry, name, path)
    bend = np.array(lens.distortion) if lens.distortion else None
    return Camera(name, (size[0], size[1]), k, _way(entry, name, scene, path), float(near), bend, lens.projection)


def _way(entry: Mapping[str, Any], name: str, scene: Scene, path: Path) -> Float[np.ndarray, "frames 4 4"]:
    """``world_from_camera`` in every frame."""
    rides = "attached_to" in entry or "link_from_camera" in entry
    if rides == ("world_from_camera" in entry):
        raise _error(path, f"camera {name} must have either world_from_camera, or attached_to and link_from_camera")
    key = "link_from_camera" if rides else "world_from_camera"
    way = _matrices(entry, key, 4, scene.frames, path)
    if (frame := first_not_rigid(way)) is not None:
        raise _error(path, f"{key} of camera {name} is no rotation with a translation (matrix {frame})")
    return carrier_way(scene, str(entry.get("attached_to")), path) @ way if rides else way


def _lens(entry: Mapping[str, Any], name: str, path: Path) -> Lens:
    projection, distortion = entry.get("projection", "perspective"), entry.get("distortion")
    if projection not in PROJECTIONS:
        raise _error(path, f"projection of camera {name} is {str(projection)[:40]}, must be {' or '.join(PROJECTIONS)}")
    bend = _numbers((0.0,) * 4 if distortion is None and projection == "fisheye" else distortion or ())
    if bend is None or bend.ndim != 1:
        raise _error(path, f"distortion of camera {name} is no list of numbers")
    try:
        return Lens(projection, tuple(bend.tolist()))
    except Sim2RealError as error:
        raise _error(path, str(error)) from error


def _error(path: Path, why: str) -> UnreadableFileError:
    return UnreadableFileError(path, what=WHAT, why=why, fix=FIX)


def _numbers(value: Any) -> np.ndarray | None:
    """An array of finite numbers, or ``None``."""
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            return None
        array = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return array if (np.abs(array) <= 1e12).all() else None


def _matrices(entry: Mapping[str, Any], key: str, side: int, frames: int, path: Path) -> Float[np.ndarray, "frames side side"]:
    """One matrix per frame, from one or as many."""
    of = f"{key} of camera {entry.get('name', 'camera')}"
    array = _numbers(entry.get(key))
    if array is None:
        raise _error(path, f"{of} {'is no matrix of finite numbers' if key in entry else 'is missing'}")
    if array.shape == (side, side):
        return np.repeat(array[None], frames, axis=0)
    if array.shape != (frames, side, side):
        right = f"({side}, {side}), or ({frames}, {side}, {side}) for the {frames} frames"
        raise _error(path, f"{of} has the shape {array.shape}, must be {right}")
    return array
