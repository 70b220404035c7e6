"""From a scene, masks and a first guess of the camera to a problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Float32

from ..camera import Camera
from ..errors import BadValueError, UnknownNameError
from ..scene import Scene
from ..scene.cameras.file import carrier_way, with_camera_file
from ..transforms import inverse_rigid
from .problem import Estimate, Problem, angle_between

STILL_M, STILL_RAD = 1e-4, 1e-4
"""What has moved by less rests."""


@dataclass(frozen=True)
class CalibrationOptions:
    """What is asked of a calibration.

    - ``camera``: of the scene, or of ``start``, from which to start; ``None``: the only one.
    - ``start``: a camera file, instead of the scene's cameras.
    - ``frames``: of the scene, one per mask; ``None``: all of them.
    - ``mount``: the instance or camera on which the camera rides; ``None``: it stands still in the world.
    - ``robot``: classes or instances that the masks show, ``*`` stands for anything; ``None``: the classes that move.
    - ``fit_focal``: look for the focal length, too.
    """

    camera: str | None = None
    start: Path | None = None
    frames: tuple[int, ...] | None = None
    mount: str | None = None
    robot: tuple[str, ...] | None = None
    fit_focal: bool = False


def problem_of(
    scene: Scene, masks: Float32[np.ndarray, "masks height width"], options: CalibrationOptions
) -> tuple[Problem, Estimate]:
    """What is to be found, and where to start.

    Raises:
        BadValueError: numbers of masks and frames, or sizes of masks and camera, do not fit; the first guess moves; it is
            orthographic and its focal length is asked for.
        UnknownNameError: a camera, link, class or instance that is not there.
    """
    camera = start_camera(scene, options)
    if masks.shape[1:] != camera.size:
        received, right = (f"{height}x{width}" for height, width in (masks.shape[1:], camera.size))
        raise BadValueError("the size of the masks", received, right=f"{right}, as camera {camera.name}")
    if options.fit_focal and camera.lens.parallel:
        raise BadValueError("the focal length to look for", "an orthographic camera's", right="left out (--fit)")
    frames = chosen_frames(scene, len(masks), options.frames)
    still = np.repeat(np.eye(4)[None], scene.frames, axis=0)
    carrier = still if options.mount is None else carrier_way(scene, options.mount, scene.source)
    start = _start(camera, carrier, frames, options.mount)
    robot = robot_parts(scene, frames, options.robot)
    return Problem(scene, camera, frames, carrier[list(frames)], robot, masks), start


def start_camera(scene: Scene, options: CalibrationOptions) -> Camera:
    """The camera from which to start.

    Raises:
        UnknownNameError: there is no such camera.
        BadValueError: there are several and none is named, or none at all.
    """
    cameras = scene.cameras
    if options.start is not None:
        before = {id(camera) for camera in cameras}
        cameras = tuple(c for c in with_camera_file(scene, options.start).cameras if id(c) not in before)
    if options.camera is not None:
        return replace(scene, cameras=cameras).camera(options.camera)
    if len(cameras) != 1 or (options.start is None and any(f"camera {cameras[0].name} circles" in n for n in scene.notes)):
        names = ", ".join(camera.name for camera in cameras)
        right = f"one of {names}" if options.start is not None or len(cameras) > 1 else "that of a camera file (--start)"
        raise BadValueError("the camera to start from", "not named", right=right, fix="pass --camera, or --start camera.json")
    return cameras[0]


def chosen_frames(scene: Scene, masks: int, frames: Sequence[int] | None) -> tuple[int, ...]:
    """The frame of every mask.

    Raises:
        BadValueError: there are more or fewer masks than frames, or a frame that is not there.
    """
    if frames is None:
        if masks != scene.frames:
            right = f"{scene.frames}, one per frame of the scene"
            raise BadValueError("the number of masks", masks, right=right, fix="say with --frames which frames they show")
        return tuple(range(masks))
    if len(frames) != masks:
        raise BadValueError("the number of masks", masks, right=f"{len(frames)}, one per frame of --frames")
    for frame in frames:
        if not 0 <= frame < scene.frames:
            raise BadValueError("a frame of --frames", frame, right=f"0 to {scene.frames - 1}", where=scene.source)
    return tuple(frames)


def robot_parts(scene: Scene, frames: Sequence[int], names: Sequence[str] | None) -> Bool[np.ndarray, "parts"]:
    """Which parts the masks show: those named, or all of the classes of which something moves between the frames.

    Raises:
        UnknownNameError: a class or instance that is not there.
        BadValueError: nothing moves, and there are several classes.
    """
    classes = [instance.class_name for instance in scene.instances]
    if names is None:
        way = scene.world_from_instance[list(frames)]
        moves = (np.abs(way - way[0]) > 1e-6).any(axis=(0, 2, 3))
        chosen = {name for name, moving in zip(classes, moves, strict=True) if moving}
        if not chosen and len(set(classes)) > 1:
            right = f"some of {', '.join(dict.fromkeys(classes))}"
            raise BadValueError("the robot", "not named, and nothing moves between the frames", right=right, fix="pass --robot")
        mine = [not chosen or name in chosen for name in classes]
    else:
        known = [*dict.fromkeys(classes), *(instance.name for instance in scene.instances)]
        for name in names:
            if not any(fnmatchcase(one, name) for one in known):
                raise UnknownNameError(name, known, what="class or instance", where="--robot")
        mine = [any(fnmatchcase(i.name, n) or fnmatchcase(i.class_name, n) for n in names) for i in scene.instances]
    return np.array([mine[part.instance] for part in scene.parts], bool)


def _start(camera: Camera, carrier: np.ndarray, frames: Sequence[int], mount: str | None) -> Estimate:
    """Where the first guess is on its carrier."""
    there: Float[np.ndarray, "frames 4 4"] = inverse_rigid(carrier[list(frames)]) @ camera.world_from_camera[list(frames)]
    for matrix in there[1:]:
        away = np.linalg.norm(matrix[:3, 3] - there[0, :3, 3])
        if away > STILL_M or angle_between(matrix[:3, :3], there[0, :3, :3]) > STILL_RAD:
            what, on = f"camera {camera.name}, from which to start,", "in the world" if mount is None else f"on {mount}"
            fix = "pass the link that it rides on with --mount" if mount is None else "start from a camera attached to it"
            raise BadValueError(what, f"moving {on}", right=f"at rest {on}", fix=fix)
    return Estimate(inverse_rigid(there[0]))
