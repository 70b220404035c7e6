"""One call for every kind of scene and rollout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..camera.paths import intrinsics_of
from ..camera.rays import check_lens
from ..errors import BadValueError
from .between import with_frames_between
from .cameras.file import with_camera_file
from .cameras.names import with_folder_names
from .cameras.orbit import fitting_orbit
from .inside import cameras_inside, check_cameras, seeing_out
from .readers.reading import Reading
from .readers.registry import read, reader_of
from .records import Scene

DEFAULT_SIZE = (480, 640)
MOST_BETWEEN = 1000
_MANY, _NAMED = 3, 3
"""How many notes of one sentence are said as one, and how many names it then has."""
SLOWEST_FPS, FASTEST_FPS = 1e-3, 1e6
"""What videos can be written with."""


@dataclass(frozen=True)
class LoadOptions:
    """How a scene is read, whatever it is read from.

    - ``orbit``: add the orbiting camera although the source has cameras.
    - ``frames``: how many; ``None``: all.
    - ``stride``: take every n-th frame; the frame rate follows, so that the clip keeps its pace.
    - ``size``: (height, width) of all cameras; ``None``: as the source says, else 480x640.
    - ``fps``: frames per second, against what the source says.
    - ``intrinsics``: (fx, fy, cx, cy) in pixels of the final size, for all cameras, against what the source says.
    - ``light``: a panorama's name or file (``light.panoramas.environment_of``); ``None``: the scene's own light;
      ``model``: that of its model, whatever a scene file has chosen for it.
    - ``camera_track``: a camera path of TUM, KITTI, nerfstudio or COLMAP (``camera_track.formats``), whose cameras take the
      place of the source's; ``track_format`` is one of these where it is not to be found by what is in the file.
    - ``track_scale``: metres per unit of the track; ``world_from_track``: its world in the scene's (``camera_track.placing``).
    - ``track_fov``: vertical field of view in degrees where the track has no intrinsics; ``None``: 45.
    - ``interpolate``: so many times the frames a second, with frames put between those that are read (``between``); ``frames``
      counts what comes out.
    - ``camera_file``: cameras that are added (``camera_file``); one replaces the source's camera of its name.

    Raises:
        BadValueError: a value is out of its range.
    """

    orbit: bool = False
    frames: int | None = None
    stride: int = 1
    size: tuple[int, int] | None = None
    fps: float | None = None
    intrinsics: tuple[float, float, float, float] | None = None
    light: str | None = None
    camera_track: Path | str | None = None
    track_format: str | None = None
    track_scale: float | None = None
    world_from_track: str | tuple[float, ...] | None = None
    track_fov: float | None = None
    interpolate: int = 1
    camera_file: Path | str | None = None

    def __post_init__(self) -> None:
        if self.frames is not None and self.frames < 1:
            raise BadValueError("the number of frames", self.frames, right="at least 1")
        if not 1 <= self.interpolate <= MOST_BETWEEN:
            raise BadValueError("--interpolate", self.interpolate, right=f"1 to {MOST_BETWEEN}")
        if self.stride < 1:
            raise BadValueError("the stride", self.stride, right="at least 1")
        if self.size is not None and min(self.size) < 1:
            raise BadValueError("the size", f"{self.size[0]}x{self.size[1]}", right="positive, as HEIGHTxWIDTH")
        if self.fps is not None and not (np.isfinite(self.fps) and self.fps > 0):
            raise BadValueError("fps", self.fps, right="positive")
        k = self.intrinsics
        if k is not None and not (np.isfinite(k).all() and min(k[:2]) > 0):
            raise BadValueError("the intrinsics", k, right="finite fx,fy,cx,cy with positive focal lengths")
        for name in ("track_format", "track_scale", "world_from_track", "track_fov"):
            if self.camera_track is None and (value := getattr(self, name)) is not None:
                said = f"--{name.replace('_', '-')}"
                raise BadValueError(said, value, right="left out without --camera-track", fix="it says how that file is read")

    @property
    def reading(self) -> Reading:
        """What the reader is asked for."""
        read = None if self.frames is None else -(-(self.frames - 1) // self.interpolate) + 1
        stop = None if read is None else read * self.stride
        return Reading(None if stop is None and self.stride == 1 else slice(0, stop, self.stride), self.size, self.fps)


def load(source: Path | str, options: LoadOptions | None = None, **own: Any) -> Scene:
    """Read a scene file, a rollout or a mesh.

    A scene without cameras gets one named ``orbit`` that circles it, and a note that says so.

    Args:
        source: scene file (.yaml), MuJoCo model (.xml), recording (.hdf5, .json, .mcap), robot (.urdf), USD stage (.usd),
            or mesh file; ``readers.registry``.
        options: how it is read.
        own: what its reader alone takes, such as ``states=`` of a model or ``demo=`` of a recording: the fields of the
            ``Options`` in the reader's module. ``None`` is the same as left out.

    Returns:
        The scene, checked: as many frames as asked for, at least one camera, no camera of a scene file inside a solid.

    Raises:
        BadValueError: more frames than there are, a lens that folds the picture, and other values that the source does not
            allow.
        Sim2RealError: whatever the reader finds wrong.
    """
    options = LoadOptions() if options is None else options
    path = Path(source)
    reader = reader_of(path)
    scene = read(path, options.reading, {name: value for name, value in own.items() if value is not None})
    if options.camera_track is not None:
        scene = _along_track(scene, options)
    if options.interpolate > 1:
        scene = with_frames_between(scene, options.interpolate)
        if options.frames is not None and scene.frames > options.frames:
            scene = scene.sliced(slice(options.frames))
    if options.frames is not None and scene.frames < options.frames:
        every = f" with a stride of {options.stride}" if options.stride > 1 else ""
        raise BadValueError("the number of frames", options.frames, right=f"1 to {scene.frames}{every}", where=path)
    scene = completed(scene, options)
    scene = scene if reader.authored else seeing_out(scene, at_rest=reader.robots)
    if options.intrinsics is not None:
        k = np.repeat(intrinsics_of(options.intrinsics)[None], scene.frames, axis=0)
        scene = replace(scene, cameras=tuple(replace(camera, intrinsics=k) for camera in scene.cameras))
    if not SLOWEST_FPS <= scene.fps <= FASTEST_FPS:
        right = f"{SLOWEST_FPS:g} to {FASTEST_FPS:g} frames per second"
        raise BadValueError("the frame rate", f"{scene.fps:g}", right=right, fix="pass --fps", where=path)
    for camera in scene.cameras:
        check_lens(camera, where=path)
    if reader.authored:
        check_cameras(scene)
    else:
        scene = replace(scene, notes=(*scene.notes, *_notes_of_cameras_inside(scene)))
    return replace(scene, notes=_joined(scene.notes))


def _joined(notes: tuple[str, ...]) -> tuple[str, ...]:
    """Notes that say one thing of many (``NAME: what is so``) as one, where the first of them is."""
    names: dict[str, list[str]] = {}
    for name, _, said in (note.partition(": ") for note in dict.fromkeys(notes)):
        names.setdefault(said, []).append(name)
    many = {said: those for said, those in names.items() if said and len(those) >= _MANY}
    kept: dict[str, None] = {}
    for note in notes:
        said = note.partition(": ")[2]
        those = many.get(said, [])
        more = f" and {len(those) - _NAMED} more" if len(those) > _NAMED else ""
        kept[f"{', '.join(those[:_NAMED])}{more}: {said}" if those else note] = None
    return tuple(kept)


def completed(scene: Scene, options: LoadOptions) -> Scene:
    """What a reader has read, with cameras of a file, a camera if it has none, names that can be folders', and the light."""
    if options.camera_file is not None:
        scene = with_camera_file(scene, Path(options.camera_file), options.size)
    return _lit(with_orbit(with_folder_names(scene), options.size, asked=options.orbit), options.light)


def _along_track(scene: Scene, options: LoadOptions) -> Scene:
    """The scene with the cameras of a track in place of its own."""
    from .camera_track.cameras import DEFAULT_FOV_DEG, TrackOptions, along_track, placed_track

    wanted = TrackOptions(
        path=Path(str(options.camera_track)),
        format=options.track_format,
        scale=1.0 if options.track_scale is None else options.track_scale,
        world=options.world_from_track,
        fov_deg=options.track_fov or DEFAULT_FOV_DEG,
    )
    track = placed_track(wanted, options.size or DEFAULT_SIZE)
    notes = track.notes(options.intrinsics is not None)
    scene = replace(scene, notes=(*scene.notes, *notes))
    return along_track(
        scene,
        track,
        size=options.size,
        usual=DEFAULT_SIZE,
        fps=options.fps,
        frames=options.frames,
        stride=options.stride,
    )


def load_as(source: Path | str, told: Mapping[str, Any]) -> Scene:
    """Read a scene as ``clip.json`` says that it was read.

    Args:
        source: as of :func:`load`.
        told: fields of ``LoadOptions`` and options of the reader, by name; lists are taken as tuples.

    Raises:
        Sim2RealError: whatever :func:`load` finds wrong.
    """
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    common = {name: value for name, value in values.items() if name in {f.name for f in fields(LoadOptions)}}
    return load(source, LoadOptions(**common), **{name: value for name, value in values.items() if name not in common})


def _lit(scene: Scene, light: str | None) -> Scene:
    """The scene in another light."""
    if light is None:
        return scene
    if light == "model":
        return scene.in_model_light()
    from .light.panoramas import environment_of
    from .light.plain import lighting_of

    environment = environment_of(light, scene.lighting.up)
    scene = scene.without_note_of_light()
    return replace(scene, environment=environment, lighting=lighting_of(environment, balanced=True), lights=None)


def _notes_of_cameras_inside(scene: Scene) -> list[str]:
    """One per camera."""
    notes: dict[str, str] = {}
    for found in cameras_inside(scene):
        what = "and sees out of it: its inner side is not drawn" if found.sees_out else "which hides everything"
        notes.setdefault(found.camera, f"camera {found.camera} is inside {found.instance} in frame {found.frame}, {what}")
    return list(notes.values())


def with_orbit(scene: Scene, size: tuple[int, int] | None = None, *, asked: bool = False) -> Scene:
    """The scene with an orbiting camera, if it has none or one is asked for; the note says which."""
    if scene.cameras and not asked:
        return scene
    names = {camera.name for camera in scene.cameras}
    name = next(n for n in ("orbit", *(f"orbit_{k}" for k in range(len(names) + 1))) if n not in names)
    size = size or (scene.cameras[0].size if scene.cameras else DEFAULT_SIZE)
    why = "asked for" if asked else "the source has no camera"
    note = f"camera {name} circles the scene ({why})"
    return replace(scene, cameras=(*scene.cameras, fitting_orbit(scene, size, name=name)), notes=(*scene.notes, note))
