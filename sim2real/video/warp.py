"""From a video to a clip folder: noise that moves with what is seen, and what control models ask for."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from .. import __version__
from ..clip import (
    CameraRecord,
    Clip,
    ClipRecord,
    NoiseRecord,
    SceneRecord,
    check_output,
    new_folder,
    read_clip,
    write_record,
    write_report,
    write_sheet,
)
from ..conditions import DepthRange, DepthRangeEstimate
from ..errors import BadValueError, UnknownNameError
from ..flow import DisFlow
from ..noise import NoiseLayout
from ..render.plan import Plan, planned
from ..render.writer import CameraWriter
from ..scene import Camera, Scene
from .depth import DepthFiles, camera_matrix
from .motion import EstimatedMotion, MotionSource
from .pictures import Pictures
from .stream import CAMERA, Progress, Work, stream

KINDS = ("noise", "rgb", "depth", "edges", "flow")
"""What a clip of a video can hold."""


def warp_video(
    pictures: Pictures,
    output: Path,
    *,
    motion: MotionSource | None = None,
    layout: NoiseLayout | None = None,
    seed: int = 0,
    beta: float = 1.0,
    depth: DepthFiles | None = None,
    intrinsics: tuple[float, float, float, float] | None = None,
    world_from_camera: Float[np.ndarray, "frames 4 4"] | None = None,
    device: str = "cpu",
    only: Collection[str] | None = None,
    overwrite: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
    options: Mapping[str, Any] | None = None,
) -> Clip:
    """Make a clip folder from a video, without any mesh.

    Every frame's noise is the integral of white noise on one reference domain over what the frame's latents see of it. The
    domain is the first frame, continued beyond its border, and a place of its own for everything that is revealed later.

    Args:
        pictures: the video, ``open_pictures(path)``.
        output: the clip folder to make; it appears whole at the end, or not at all.
        motion: where motion comes from; estimated by ``DisFlow`` by default.
        layout: how the noise is laid out; noise of the picture's size with 3 channels by default.
        seed: of the noise.
        beta: share of the noise that moves; 1 is all of it.
        depth: metric depth, to be written as the clip's own.
        intrinsics: fx, fy, cx, cy in pixels of ``pictures.size``; a nominal camera by default.
        world_from_camera: of every frame, OpenCV axes, metres; a camera that stands still by default.
        device: ``cpu`` or ``cuda``, for the noise.
        only: some of ``KINDS``; all but ``flow``, and ``depth`` where it is supplied, by default.
        overwrite: replace an existing clip folder.
        threads: frames at once; one per core by default.
        progress: called as the work goes on.
        options: how the video was read, for ``clip.json``.

    Returns:
        The clip, its noise by method ``video``.

    Raises:
        OutputExistsError: the output exists and ``overwrite`` is false.
        BadValueError: the size does not fit the layout, or another value is out of its range.
        UnknownNameError: a kind does not exist.
        UnreadableFileError: the video, or a file of motion or depth, is damaged.
        MissingPackageError: OpenCV is needed and not installed.
    """
    check_output(Path(output), overwrite=overwrite)
    kinds = _kinds(only, depth is not None)
    layout = NoiseLayout(factor=1, channels=3) if layout is None else layout
    scene = _scene(pictures, camera_matrix(intrinsics, pictures.size), world_from_camera)
    plan = planned(
        scene,
        cameras=None,
        size=pictures.size,
        layout=layout,
        seed=seed,
        beta=beta,
        device=device,
        only=kinds,
        threads=threads,
    )
    if not kinds & {"noise", "flow"}:
        motion = None
    elif motion is None:
        motion = EstimatedMotion(DisFlow())
    tell = progress or _silent
    depth_range = _depth_range(depth, pictures.frames) if depth is not None and "depth" in kinds else None
    work = Work(pictures, plan, beta, motion, depth)
    with new_folder(output, overwrite=overwrite) as folder:
        with CameraWriter(folder / CAMERA, plan, depth_range) as writer:
            stream(work, writer, tell)
        write_record(folder / "clip.json", _record(plan, beta, pictures, depth_range, options or {}))
        tell("contact sheet and report", 0, 1)
        clip = read_clip(folder)
        write_sheet(clip)
        write_report(clip)
        tell("contact sheet and report", 1, 1)
    return read_clip(output)


def _kinds(only: Collection[str] | None, has_depth: bool) -> frozenset[str]:
    if only is None:
        return frozenset(KINDS) - {"flow"} - (set() if has_depth else {"depth"})
    for kind in only:
        if kind not in KINDS:
            raise UnknownNameError(kind, KINDS, what="kind of picture")
    if "depth" in only and not has_depth:
        raise BadValueError("depth", "asked for", right="supplied", fix="pass --depth FOLDER, one file per frame")
    return frozenset(only)


def _scene(pictures: Pictures, matrix: np.ndarray, world_from_camera: np.ndarray | None) -> Scene:
    """A video as a scene: nothing in it but a camera."""
    frames = pictures.frames
    world = np.tile(np.eye(4), (frames, 1, 1)) if world_from_camera is None else world_from_camera
    return Scene(
        source=pictures.source,
        sha256=pictures.sha256,
        meshes=(),
        parts=(),
        instances=(),
        world_from_instance=np.zeros((frames, 0, 4, 4)),
        visible=np.zeros((frames, 0), bool),
        cameras=(Camera(CAMERA, pictures.size, np.tile(matrix, (frames, 1, 1)), world),),
        fps=pictures.fps,
    )


def _depth_range(depth: DepthFiles, frames: int, most: int = 12) -> DepthRange:
    estimate = DepthRangeEstimate()
    for frame in np.unique(np.linspace(0, frames - 1, min(frames, most)).round().astype(int)):
        estimate.add(depth.frame(int(frame)), CAMERA)
    return estimate.result()


def _record(
    plan: Plan, beta: float, pictures: Pictures, depth_range: DepthRange | None, options: Mapping[str, Any]
) -> ClipRecord:
    camera = plan.cameras[0]
    noise = None
    if "noise" in plan.kinds:
        layout = plan.layout
        noise = NoiseRecord(
            factor=layout.factor,
            channels=layout.channels,
            beta=beta,
            latent_frames=list(plan.latent_frames),
            method="video",
        )
    versions = {name: importlib.metadata.version(name) for name in ("torch", "warp-lang", "numpy")}
    return ClipRecord(
        scene=SceneRecord(path=str(pictures.source), sha256=pictures.sha256, options={"reader": "video", **options}),
        seed=plan.seed,
        fps=pictures.fps,
        frames=pictures.frames,
        size=plan.size,
        cameras={camera.name: CameraRecord(intrinsics=camera.intrinsics, world_from_camera=camera.world_from_camera)},
        noise=noise,
        depth_range_m=None if depth_range is None else (depth_range.near, depth_range.far),
        versions={"sim2real": __version__, "python": platform.python_version(), **versions},
    )


def _silent(what: str, done: int, total: int) -> None:
    """Report nothing."""
