"""Cameras of scene files that follow a recorded path."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from ....camera.paths import intrinsics_of, intrinsics_of_fov
from ....camera.view import Camera
from ....errors import BadValueError, UnknownNameError
from ...camera_track.cameras import DEFAULT_FOV_DEG, PlacedTrack, TrackOptions, placed_track
from .values import Positive
from .yaml import Entry, error, shown

if TYPE_CHECKING:
    from .objects import Files
    from .schema import CameraEntry

USUAL_SIZE = (480, 640)
_NUMBERS = (12, 16)


def _world(value: Any) -> str | tuple[float, ...]:
    if isinstance(value, str):
        return value
    rows = value if isinstance(value, list) and value and isinstance(value[0], list) else [value]
    flat = [number for row in rows if isinstance(row, list) for number in row]
    if len(flat) not in _NUMBERS or any(isinstance(n, bool) or not isinstance(n, (int, float)) for n in flat):
        raise error(f"is {shown(value)}, must be z-up, y-up, y-down, a file, or 12 or 16 numbers, row by row")
    return tuple(float(number) for number in flat)


class TrackEntry(Entry):
    """A recorded path of cameras: a file of TUM, KITTI, nerfstudio or COLMAP, relative to the scene file.

    - ``camera``: which of its cameras, by name; left out: the first.
    - ``format``: left out, it is found by what is in the file. ``scale``: metres per unit of the track.
    - ``world``: the track's world in the scene's: ``z-up`` (the same), ``y-up``, ``y-down``, a 4x4 matrix, or a file with one.
    """

    path: Annotated[str, Field(min_length=1)]
    camera: str | None = None
    format: Literal["tum", "kitti", "nerfstudio", "colmap"] | None = None
    scale: Positive = 1.0
    world: Annotated[str | tuple[float, ...], BeforeValidator(_world)] = "z-up"


TrackOrPath = Annotated[TrackEntry, BeforeValidator(lambda value: {"path": value} if isinstance(value, str) else value)]


def track_of(entry: CameraEntry, files: Files) -> PlacedTrack:
    """The track of a camera, read once."""
    assert entry.track is not None
    told, path = entry.track, files.path(entry.track.path)
    key = f"{told} {entry.fov_deg}"
    if key not in files.tracks:
        fov_deg = entry.fov_deg or DEFAULT_FOV_DEG
        options = TrackOptions(path, told.format, told.scale, told.world, fov_deg)
        found = placed_track(options, entry.size or USUAL_SIZE, files.source.parent)
        files.tracks[key] = found
        files.read += found.file.files
        if isinstance(told.world, str) and (world := files.path(told.world)).is_file():
            files.read.append(world)
        files.notes += found.notes(intrinsics_given=entry.intrinsics is not None or entry.fov_deg is not None)
    return files.tracks[key]


def tracked_camera(entry: CameraEntry, frames: int, fps: float, files: Files, size: tuple[int, int] | None) -> Camera:
    """A camera on a track; lens, size and near are the file's unless the entry says otherwise.

    Args:
        entry: with a ``track``.
        frames: of the scene; with times in the track they are taken at the scene's, else one pose after the other.
        fps: frames per second.
        files: where it is read from.
        size: (height, width) if not the track's.

    Raises:
        UnknownNameError: the track has no such camera.
        BadValueError: it is shorter than the scene.
        Sim2RealError: whatever is wrong with the file.
    """
    assert entry.track is not None
    track, where = track_of(entry, files), files.path(entry.track.path)
    names = [one.name for one in track.file.tracks]
    if entry.track.camera is not None and entry.track.camera not in names:
        raise UnknownNameError(entry.track.camera, names, what="camera of the track", where=where)
    one = track.file.tracks[names.index(entry.track.camera or names[0])]
    if track.frames_at(fps) < frames:
        right = f"at least the {frames} frames of the scene"
        raise BadValueError("the number of frames of the track", track.frames_at(fps), right=right, where=where)
    made = track.camera(one, track.places(frames, fps), size, USUAL_SIZE)
    if entry.fov_deg is not None and one.intrinsics is not None:
        k = intrinsics_of_fov(entry.fov_deg, made.size)
        made = replace(made, intrinsics=np.repeat(k[None], frames, axis=0))
    if entry.intrinsics is not None:
        own = Camera(
            entry.name,
            entry.size or made.size,
            np.repeat(intrinsics_of(entry.intrinsics)[None], frames, axis=0),
            made.world_from_camera,
        )
        made = replace(made, intrinsics=own.resized(made.size).intrinsics)
    said = entry.model_fields_set
    if "distortion" in said:
        made = replace(made, distortion=None if entry.distortion is None else np.array(entry.distortion))
    return replace(made, name=entry.name, near=entry.near)
