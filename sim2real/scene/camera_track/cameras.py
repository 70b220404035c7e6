"""A scene seen along a camera track."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ...camera.paths import intrinsics_of_fov
from ...camera.view import Camera
from ...errors import BadValueError
from ..readers.frame_count import check_frames
from ..readers.reading import rate_of
from ..records import Scene
from .formats import read_track
from .placing import Placement, placed, world_from_track
from .records import Track, TrackFile
from .timing import ROUNDED, between, places_at

DEFAULT_FOV_DEG = 45.0
_STILL = 1e-9


@dataclass(frozen=True)
class TrackOptions:
    """How a camera track is read.

    - ``path`` and ``format``: as for ``formats.read_track``.
    - ``scale``: metres per unit of the track.
    - ``world``: its world in the scene's (``placing.world_from_track``).
    - ``fov_deg``: vertical field of view where the file has no intrinsics.

    Raises:
        BadValueError: a value is out of its range.
    """

    path: Path
    format: str | None = None
    scale: float = 1.0
    world: Placement | None = None
    fov_deg: float = DEFAULT_FOV_DEG

    def __post_init__(self) -> None:
        if not 1e-9 <= self.scale <= 1e9:
            raise BadValueError("the track's scale", self.scale, right="positive, metres per unit of the track")
        if not 0 < self.fov_deg < 180:
            raise BadValueError("the track's field of view", self.fov_deg, right="between 0 and 180 degrees")


@dataclass(frozen=True, eq=False)
class PlacedTrack:
    """A track in a scene's world, of which frames can be taken."""

    file: TrackFile
    fov_deg: float

    def frames_at(self, fps: float) -> int:
        """How many frames there are, so many of them a second; the number of poses where there are no times."""
        seconds = self.file.seconds
        return self.file.poses if seconds is None else int((seconds[-1] - seconds[0]) * fps + ROUNDED) + 1

    def places(self, frames: int, fps: float, stride: int = 1) -> Float[np.ndarray, "frames"]:
        """Where along the poses frames are: by their times, else one pose after the other, every ``stride``-th."""
        seconds = self.file.seconds
        if seconds is None:
            return np.arange(frames) * float(stride)
        return places_at(seconds, seconds[0] + np.arange(frames) / fps)

    def camera(
        self, track: Track, at: Float[np.ndarray, "frames"], size: tuple[int, int] | None, usual: tuple[int, int]
    ) -> Camera:
        """A camera at places along a track; one that is shorter than others stays at its end.

        Args:
            track: one of the file's.
            at: its places.
            size: (height, width) of the pictures, if the user wants another than the file's.
            usual: that where nobody says any.
        """
        at = np.minimum(at, len(track.world_from_camera) - 1)
        way = between(track.world_from_camera, at)
        if track.intrinsics is None or track.size is None:
            k = np.repeat(intrinsics_of_fov(self.fov_deg, size or usual)[None], len(at), axis=0)
            return Camera(track.name, size or usual, k, way, recorded=True)
        low = np.clip(np.floor(at).astype(np.int64), 0, len(track.intrinsics) - 1)
        high, share = np.minimum(low + 1, len(track.intrinsics) - 1), (at - low)[:, None, None]
        k = track.intrinsics[low] + share * (track.intrinsics[high] - track.intrinsics[low])
        distortion = np.array(track.lens.distortion) if track.lens.distortion else None
        lens: dict[str, Any] = {"distortion": distortion, "projection": track.lens.projection}
        made = Camera(track.name, track.size, k, way, recorded=True, **lens)
        return made if size is None else made.resized(size)

    def notes(self, intrinsics_given: bool) -> list[str]:
        """What was read, for the user."""
        notes, tracks = list(self.file.notes), self.file.tracks
        lengths = sorted({len(track.world_from_camera) for track in tracks})
        if len(lengths) > 1:
            notes.append(f"cameras of the track have {lengths[0]} to {lengths[-1]} poses; short ones stay where they end")
        if any(track.intrinsics is None for track in tracks) and not intrinsics_given:
            said = f"its vertical field of view is {self.fov_deg:g} degrees here (--track-fov, --intrinsics)"
            notes.append(f"the camera track has no intrinsics: {said}")
        return notes


def placed_track(options: TrackOptions, usual: tuple[int, int], folder: Path | None = None) -> PlacedTrack:
    """Read a track and bring it into the scene's world.

    Args:
        options: the file, and how it is read.
        usual: (height, width) of pictures that only an angle of view is known of.
        folder: where the file of ``options.world`` is looked for.

    Raises:
        Sim2RealError: whatever is wrong with the file or the options.
    """
    world = world_from_track(options.world, folder)
    file = read_track(options.path, options.format, usual)
    tracks = [replace(t, world_from_camera=placed(t.world_from_camera, world, options.scale)) for t in file.tracks]
    return PlacedTrack(replace(file, tracks=tuple(tracks)), options.fov_deg)


def rests(scene: Scene) -> bool:
    """Whether nothing of a scene, lamps included, moves, deforms, appears or vanishes."""
    poses, visible = scene.world_from_instance, scene.visible
    ways = () if scene.lights is None else (lamp.way for lamp in scene.lights.lamps if lamp.way is not None)
    if not all(np.array_equal(way, np.broadcast_to(way[:1], way.shape), equal_nan=True) for way in ways):
        return False
    still = all(np.abs(poses[k] - poses[0]).max(initial=0) <= _STILL for k in range(1, len(poses)))
    return still and bool((visible == visible[:1]).all()) and all(mesh.deformed is None for mesh in scene.meshes)


def along_track(
    scene: Scene,
    track: PlacedTrack,
    *,
    size: tuple[int, int] | None,
    usual: tuple[int, int],
    fps: float | None,
    frames: int | None,
    stride: int,
) -> Scene:
    """A scene seen by the cameras of a track in place of its own.

    - A scene that rests lasts as long as the track. Where poses have times and ``fps`` is given, the track is sampled so many
      times a second; otherwise a frame is made of every pose.
    - A scene that moves keeps its own frames and their times, the track's first pose being that of its first frame. Where there
      are no times, every frame takes the next pose. It ends where the track ends.

    Args:
        scene: as its reader has read it, with ``frames``, ``stride`` and ``fps`` as here.
        track: the cameras.
        size: (height, width) of all cameras, if not the file's; ``usual`` where neither says any.
        usual: see ``size``.
        fps: frames per second, if not the scene's or the track's own.
        frames: how many of the track's frames; ``None``: all.
        stride: take every n-th.
    """
    seconds, notes = track.file.seconds, []
    if rests(scene):
        sampled = seconds is not None and fps is not None
        total = track.frames_at(fps) if sampled and fps is not None else track.file.poses
        check_frames(total, len(scene.instances) + len(track.file.tracks), track.file.files[0])
        chosen = np.arange(total)[: None if frames is None else frames * stride : stride]
        at = track.places(total, fps)[chosen] if sampled and fps is not None else chosen.astype(np.float64)
        rate = fps or (rate_of(seconds, scene.fps) if seconds is not None else scene.fps)
        count = len(chosen)
        scene = lasting(scene, count, rate if fps is not None and not sampled else rate / stride)
    else:
        at = track.places(scene.frames, scene.fps, stride)
        left = track.frames_at(scene.fps) if seconds is not None else -(-track.file.poses // stride)
        if left < scene.frames:
            notes.append(f"the camera track ends after {left} of {scene.frames} frames; so does the clip")
            scene, at = scene.sliced(slice(0, left)), at[:left]
    cameras = tuple(track.camera(one, at, size, usual) for one in track.file.tracks)
    return replace(scene, cameras=cameras, notes=(*scene.notes, *notes), sha256=_hash(scene, track.file))


def lasting(scene: Scene, frames: int, fps: float) -> Scene:
    """A scene that rests, for another number of frames."""
    poses = np.repeat(scene.world_from_instance[:1], frames, axis=0)
    lights = scene.lights_changed(lambda lights: lights.sliced(np.zeros(frames, np.int64)))
    visible = np.repeat(scene.visible[:1], frames, axis=0)
    return replace(scene, world_from_instance=poses, visible=visible, fps=fps, **lights)


def _hash(scene: Scene, file: TrackFile) -> str:
    """Of the scene's content and the track's."""
    state = hashlib.sha256(scene.sha256.encode())
    for track in file.tracks:
        state.update(np.ascontiguousarray(track.world_from_camera).tobytes())
    return state.hexdigest()
