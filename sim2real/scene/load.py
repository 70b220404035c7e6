"""One call for every kind of scene and rollout."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..camera.paths import intrinsics_of
from ..camera.rays import check_lens
from ..errors import BadValueError
from .camera_names import with_folder_names
from .cameras import fitting_orbit
from .inside import cameras_inside, check_cameras
from .readers.registry import Options, read, reader_of
from .records import Scene

DEFAULT_SIZE = (480, 640)


def load(
    source: Path | str,
    *,
    states: Path | str | None = None,
    demo: str | None = None,
    orbit: bool = False,
    frames: int | None = None,
    stride: int = 1,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
    intrinsics: tuple[float, float, float, float] | None = None,
    asset_root: Path | str | None = None,
    groups: tuple[int, ...] | None = None,
    light: str | None = None,
) -> Scene:
    """Read a scene file, a rollout or a mesh.

    A scene without cameras gets one named ``orbit`` that circles it, and a note that says so.

    Args:
        source: scene file (.yaml), MuJoCo model (.xml), robomimic recording (.hdf5), or mesh file; ``readers.READERS``.
        states: recorded states of a model.
        demo: which demonstration of a recording.
        orbit: add the orbiting camera although the source has cameras.
        frames: how many; ``None``: all.
        stride: take every n-th frame; the frame rate follows, so that the clip keeps its pace.
        size: (height, width) of all cameras; ``None``: as the source says, else 480x640.
        fps: frames per second, against what the source says.
        intrinsics: (fx, fy, cx, cy) in pixels of the final size, for all cameras, against what the source says.
        asset_root: where to look for mesh files whose recorded paths belong to another machine.
        groups: MuJoCo's geom groups to show.
        light: a panorama's name or file (``light.panoramas.environment_of``); ``None`` and ``model``: the scene's own light.

    Returns:
        The scene, checked: as many frames as asked for, at least one camera, no camera of a scene file inside a solid.

    Raises:
        BadValueError: more frames than there are, a lens that folds the picture, and other values that the source does not
            allow.
        Sim2RealError: whatever the reader finds wrong.
    """
    path = Path(source)
    _check_numbers(frames, stride, size, fps, intrinsics)
    reader = reader_of(path)
    wanted = None if frames is None and stride == 1 else slice(0, None if frames is None else frames * stride, stride)
    options = Options(
        frames=wanted,
        size=size,
        fps=fps,
        states=None if states is None else Path(states),
        demo=demo,
        asset_root=None if asset_root is None else Path(asset_root),
        groups=groups,
    )
    scene = read(path, options)
    if frames is not None and scene.frames < frames:
        every = f" with a stride of {stride}" if stride > 1 else ""
        raise BadValueError("the number of frames", frames, right=f"1 to {scene.frames}{every}", where=path)
    scene = _lit(with_orbit(with_folder_names(scene), size, asked=orbit), light)
    if intrinsics is not None:
        k = np.repeat(intrinsics_of(intrinsics)[None], scene.frames, axis=0)
        scene = replace(scene, cameras=tuple(replace(camera, intrinsics=k) for camera in scene.cameras))
    for camera in scene.cameras:
        check_lens(camera, where=path)
    if reader.what in ("scene file", "mesh file"):
        check_cameras(scene)
        return scene
    return replace(scene, notes=(*scene.notes, *_notes_of_cameras_inside(scene)))


def _lit(scene: Scene, light: str | None) -> Scene:
    """The scene in another light."""
    if light is None or light == "model":
        return scene
    from .light.panoramas import environment_of
    from .light.plain import lighting_of

    environment = environment_of(light, scene.lighting.up)
    return replace(scene, environment=environment, lighting=lighting_of(environment, balanced=True))


def _notes_of_cameras_inside(scene: Scene) -> list[str]:
    """One per camera."""
    notes: dict[str, str] = {}
    for found in cameras_inside(scene):
        what = "and sees out of it, as in the simulator" if found.sees_out else "which hides everything"
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


def _check_numbers(
    frames: int | None,
    stride: int,
    size: tuple[int, int] | None,
    fps: float | None,
    intrinsics: tuple[float, float, float, float] | None,
) -> None:
    if frames is not None and frames < 1:
        raise BadValueError("the number of frames", frames, right="at least 1")
    if stride < 1:
        raise BadValueError("the stride", stride, right="at least 1")
    if size is not None and min(size) < 1:
        raise BadValueError("the size", f"{size[0]}x{size[1]}", right="positive, as HEIGHTxWIDTH")
    if fps is not None and not (np.isfinite(fps) and fps > 0):
        raise BadValueError("fps", fps, right="positive")
    if intrinsics is not None and not (np.isfinite(intrinsics).all() and min(intrinsics[:2]) > 0):
        raise BadValueError("the intrinsics", intrinsics, right="finite fx,fy,cx,cy with positive focal lengths")
