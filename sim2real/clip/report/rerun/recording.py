"""Writes a recording: cameras and meshes in the world, pictures below the camera that saw them, frame after frame."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ....errors import Sim2RealError, UnwritableOutputError
from ....optional import require
from ....scene import Scene
from ...folder import Clip, disk_is_full, readable_write_errors
from ...scene import scene_of
from ...whole_files import Written, whole_file
from ..onlooker import onlooker
from ..sheet import seen_depths
from .meshes import Meshes, moves
from .pictures import Track, annotation, tracks_of
from .views import NOTES, CameraViews, WorldView, layout

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""
_WORLD = "/world"
_FRAMES_AT_ONCE = 16
"""After so many frames, all that was logged is on disk: memory does not grow with the clip."""
_PLANE = 0.15
"""Cameras are drawn so long, as a share of the nearest depth that they see."""
_PATIENCE_S = 120.0
"""A disk that takes no data for so long is taken for full."""


def write_recording(clip: Clip, path: Path | None = None, *, progress: Progress | None = None) -> Written:
    """Write a clip folder as a recording for Rerun's viewer.

    Timelines are ``frame`` and ``time`` (seconds from the first frame). Below ``world``, metres with z up, are the instances
    with their meshes and the cameras (x right, y down, z forward), and below each camera what it has pictures of. Pictures
    are JPEG, but for edges and noise (PNG); depth has 16 bits, millimetres where it reaches no farther than 65 m.

    Clips of real videos have pictures only. Where the scene cannot be read again, meshes are left out, and a note says why.

    Args:
        clip: the clip folder.
        path: where to write it; default ``clip.rrd`` in the clip folder. An older file is replaced at the end.
        progress: called as the work goes on.

    Returns:
        The file written, and notes: what is left out, and why.

    Raises:
        MissingPackageError: Rerun is not installed.
        UnreadableFileError: a picture of the clip is damaged.
        UnwritableOutputError: the disk is full, or the place cannot be written.
    """
    rr = require("rerun", "view")
    path = clip.path / "clip.rrd" if path is None else Path(path)
    recording = _Recording(rr, clip, path)
    with readable_write_errors(path), whole_file(path) as partial:
        partial.touch()  # a place that cannot be written says so here
        log = rr.RecordingStream("sim2real", recording_id=uuid.uuid4())
        log.set_log_time_enabled(False)
        log.save(partial, default_blueprint=recording.blueprint())
        try:
            recording.write(log, progress or _silent)
        finally:
            log.disconnect()
        if disk_is_full(path):
            raise UnwritableOutputError(path, why="the disk is full", fix="free some space or choose another disk")
    return Written(path, tuple(recording.notes))


class _Recording:
    """What is logged of a clip, and where."""

    def __init__(self, rr: Any, clip: Clip, path: Path) -> None:
        """Read the scene again; look through the clip's folders."""
        self.rr, self.clip, self.path = rr, clip, path
        self.notes: list[str] = []
        self.scene = self._scene()
        self.base = {name: self._base(name) for name in clip.cameras}
        self.tracks: dict[str, list[Track]] = {name: tracks_of(rr, clip, name) for name in clip.cameras}
        self.places = _unique([rr.new_entity_path(["world", "instances", one.name]) for one in clip.record.instances])
        self.poses = self._poses()
        self.pinholes = {name: clip.camera(name) for name, base in self.base.items() if base.startswith(f"{_WORLD}/")}
        self.moving = {place for place, matrices in self.poses.items() if moves(matrices)}
        self.zooming = {name for name, camera in self.pinholes.items() if moves(camera.intrinsics)}

    def _scene(self) -> Scene | None:
        if self.clip.of_video:
            return None
        try:
            return scene_of(self.clip, fix="render the clip again")
        except Sim2RealError as error:
            self.notes.append(f"meshes are left out: {error}")
            return None

    def _base(self, name: str) -> str:
        """The entity that a camera's pictures are below: in the world where it is a pinhole, which is all that Rerun knows."""
        camera = self.clip.camera(name)
        if self.clip.of_video:
            return self.rr.new_entity_path(["cameras", name])
        if camera.projection == "perspective":
            if any(camera.distortion):
                self.notes.append(f"camera {name} is shown without its distortion, which Rerun does not know")
            return self.rr.new_entity_path(["world", "cameras", name])
        self.notes.append(f"camera {name} is {camera.projection}, which Rerun does not know: its pictures are not in the world")
        return self.rr.new_entity_path(["cameras", name])

    def _picture(self, camera: str, track: Track) -> str:
        return self.base[camera] + self.rr.new_entity_path(track.name.split("/"))

    def blueprint(self) -> Any:
        """How the viewer lays it out."""
        seen = ("rgb",) if self.scene is not None else ("rgb", "depth")
        views = {}
        for camera, tracks in self.tracks.items():
            shown, more = ({t.name: self._picture(camera, t) for t in tracks if t.usual is usual} for usual in (True, False))
            views[camera] = CameraViews(shown, more, [path for name, path in shown.items() if name in seen])
        world = None if self.clip.of_video else WorldView(_WORLD, *onlooker(self.clip))
        return layout(views, fps=self.clip.record.fps, world=world)

    def write(self, log: Any, progress: Progress) -> None:
        """Log everything."""
        clip, rr = self.clip, self.rr
        what = "recording"
        progress(what, 0, clip.frames)
        log.log(NOTES, rr.TextDocument(self._about(), media_type="text/markdown"), static=True)
        if clip.record.instances:
            log.log("/", annotation(rr, clip), static=True)
        if not clip.of_video:
            log.log(_WORLD, rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
        meshes = Meshes(rr, self.scene, self.places) if self.scene is not None else None
        self._log_what_rests(log, meshes)
        for frame in range(clip.frames):
            log.set_time("frame", sequence=frame)
            log.set_time("time", duration=frame / clip.record.fps)
            self._log_frame(log, meshes, frame)
            if frame % _FRAMES_AT_ONCE == _FRAMES_AT_ONCE - 1:
                self._flush(log)
            progress(what, frame + 1, clip.frames)
        self._flush(log)

    def _flush(self, log: Any) -> None:
        """Wait until all that was logged is on disk."""
        try:
            log.flush(timeout_sec=_PATIENCE_S)
        except RuntimeError as error:
            why = "the disk is full" if disk_is_full(self.path) else f"it takes no more data ({error})"
            raise UnwritableOutputError(self.path, why=why, fix="free some space or choose another disk") from error

    def _log_what_rests(self, log: Any, meshes: Meshes | None) -> None:
        """What is the same in all frames."""
        if meshes is not None:
            meshes.log_still(log)
        for place in self.poses.keys() - self.moving:
            log.log(place, _pose(self.rr, self.poses[place][0]), static=True)
        for name in self.pinholes.keys() - self.zooming:
            log.log(self.base[name], self._pinhole(name, 0), static=True)

    def _log_frame(self, log: Any, meshes: Meshes | None, frame: int) -> None:
        """What is of one frame."""
        if meshes is not None:
            meshes.log_frame(log, frame)
        for place in self.moving:
            log.log(place, _pose(self.rr, self.poses[place][frame]))
        for name in self.zooming:
            log.log(self.base[name], self._pinhole(name, frame))
        for camera, tracks in self.tracks.items():
            for track in tracks:
                if (picture := next(track.pictures, None)) is not None:
                    log.log(self._picture(camera, track), picture)

    def _poses(self) -> dict[str, Float[np.ndarray, "frames 4 4"]]:
        """Where instances and cameras are, by entity."""
        if self.clip.of_video:
            return {}
        instances = zip(self.places, self.clip.record.instances, strict=True)
        found = {place: instance.world_from_instance for place, instance in instances}
        for name in self.clip.cameras:
            place = self.rr.new_entity_path(["world", "cameras", name])
            found[place] = self.clip.camera(name).world_from_camera
        return found

    def _pinhole(self, camera: str, frame: int) -> Any:
        height, width = self.clip.record.size
        return self.rr.Pinhole(
            image_from_camera=self.pinholes[camera].intrinsics[frame],
            resolution=[width, height],
            camera_xyz=self.rr.ViewCoordinates.RDF,
            image_plane_distance=_PLANE * seen_depths(self.clip, camera)[0],
        )

    def _about(self) -> str:
        """What the recording is of, for people."""
        record = self.clip.record
        facts = [
            f"{record.frames} frames of {record.size[0]} x {record.size[1]} px at {record.fps:g} fps",
            f"from `{record.scene.path}`, sha256 `{record.scene.sha256[:16]}…`, seed {record.seed}",
            *self.notes,
        ]
        return "\n".join([f"# {Path(record.scene.path).name}", *(f"- {fact}" for fact in facts)])


def _pose(rr: Any, matrix: Float[np.ndarray, "4 4"]) -> Any:
    return rr.Transform3D(translation=matrix[:3, 3], mat3x3=matrix[:3, :3])


def _unique(paths: list[str]) -> list[str]:
    """Paths with a number where several are the same."""
    seen: dict[str, None] = {}
    for place, path in enumerate(paths):
        while path in seen:
            path = f"{path}_{place + 1}"
        seen[path] = None
    return list(seen)


def _silent(what: str, done: int, total: int) -> None:
    """Report nothing."""
