"""From a video to a clip folder: noise that moves with what is seen, and what control models ask for."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
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
    write_pages,
    write_record,
)
from ..conditions import DepthRange, DepthRangeEstimate
from ..errors import BadValueError, UnknownNameError
from ..flow import DisFlow
from ..kinds import names_of_videos, usual_names
from ..noise import NoiseLayout
from ..render.options import RenderOptions
from ..render.plan import Plan, planned
from ..render.writer import CameraWriter
from ..scene import Camera, Scene
from .depth import DepthFiles, camera_matrix
from .motion import EstimatedMotion, MotionSource
from .pictures import Pictures
from .stream import CAMERA, Progress, Work, stream


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of a video beside its pictures.

    - ``motion``: where motion comes from; estimated by ``DisFlow`` by default.
    - ``depth``: metric depth, to be written as the clip's own.
    - ``intrinsics``: fx, fy, cx, cy in pixels of the pictures' size; a nominal camera by default.
    - ``world_from_camera``: of every frame, OpenCV axes, metres; a camera that stands still by default.
    """

    motion: MotionSource | None = None
    depth: DepthFiles | None = None
    intrinsics: tuple[float, float, float, float] | None = None
    world_from_camera: Float[np.ndarray, "frames 4 4"] | None = None


@dataclass(frozen=True)
class WarpOptions:
    """How a video becomes a clip folder.

    - ``layout``: how the noise is laid out; noise of the picture's size with 3 channels by default.
    - ``seed``: of the noise.
    - ``beta``: share of the noise that moves; 1 is all of it.
    - ``device``: ``cpu`` or ``cuda``, for the noise.
    - ``only``: some of the kinds that real videos have (``sim2real.kinds``); all but ``flow``, and ``depth`` where it is
      supplied, by default.
    - ``overwrite``: replace an existing clip folder.
    - ``threads``: frames at once; one per core by default.
    - ``video_options``: how the video was read, for ``clip.json``.

    Raises:
        UnknownNameError: a kind that does not exist, or that real videos do not have.
    """

    layout: NoiseLayout = NoiseLayout(factor=1, channels=3)
    seed: int = 0
    beta: float = 1.0
    device: str = "cpu"
    only: Collection[str] | None = None
    overwrite: bool = False
    threads: int | None = None
    video_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind in self.only or ():
            if kind not in names_of_videos():
                raise UnknownNameError(kind, names_of_videos(), what="kind of picture")


def warp_video(
    pictures: Pictures,
    output: Path,
    options: WarpOptions | None = None,
    *,
    known: Known | None = None,
    progress: Progress | None = None,
) -> Clip:
    """Make a clip folder from a video, without any mesh.

    Every frame's noise is the integral of white noise on one reference domain over what the frame's latents see of it. The
    domain is the first frame, continued beyond its border, and a place of its own for everything that is revealed later.

    Args:
        pictures: the video, ``open_pictures(path)``.
        output: the clip folder to make; it appears whole at the end, or not at all.
        options: which pictures are written, and how the noise is made.
        known: motion, depth and camera, as far as they are known.
        progress: called as the work goes on.

    Returns:
        The clip, its noise by method ``video``.

    Raises:
        OutputExistsError: the output exists and is not to be overwritten.
        BadValueError: the size does not fit the layout, or another value is out of its range.
        UnreadableFileError: the video, or a file of motion or depth, is damaged.
        MissingPackageError: OpenCV is needed and not installed.
    """
    options, known = options or WarpOptions(), known or Known()
    check_output(Path(output), overwrite=options.overwrite)
    scene = _scene(pictures, camera_matrix(known.intrinsics, pictures.size), known.world_from_camera)
    plan = planned(scene, _render_options(options, pictures, known))
    motion, tell = known.motion, progress or _silent
    if not plan.kinds & {"noise", "flow"}:
        motion = None
    elif motion is None:
        motion = EstimatedMotion(DisFlow())
    depth_range = _depth_range(known.depth, pictures.frames) if known.depth is not None and "depth" in plan.kinds else None
    work = Work(pictures, plan, options.beta, motion, known.depth)
    with new_folder(output, overwrite=options.overwrite) as folder:
        with CameraWriter(folder / CAMERA, plan, depth_range) as writer:
            stream(work, writer, tell)
        write_record(folder / "clip.json", _record(plan, pictures, depth_range, options))
        tell("contact sheet and report", 0, 1)
        clip = read_clip(folder)
        write_pages(clip)
        tell("contact sheet and report", 1, 1)
    return read_clip(output)


def _render_options(options: WarpOptions, pictures: Pictures, known: Known) -> RenderOptions:
    """The same, as of a scene."""
    only = options.only
    if only is None:
        only = usual_names().intersection(names_of_videos()) - (set() if known.depth is not None else {"depth"})
    if "depth" in only and known.depth is None:
        raise BadValueError("depth", "asked for", right="supplied", fix="pass --depth FOLDER, one file per frame")
    return RenderOptions(
        size=pictures.size,
        layout=options.layout,
        seed=options.seed,
        beta=options.beta,
        device=options.device,
        only=only,
        threads=options.threads,
    )


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


def _record(plan: Plan, pictures: Pictures, depth_range: DepthRange | None, options: WarpOptions) -> ClipRecord:
    camera = plan.cameras[0]
    noise = None
    if "noise" in plan.kinds:
        layout = plan.layout
        noise = NoiseRecord(
            factor=layout.factor,
            channels=layout.channels,
            beta=options.beta,
            latent_frames=list(plan.latent_frames),
            method="video",
            temporal_factor=layout.temporal_factor,
        )
    versions = {name: importlib.metadata.version(name) for name in ("torch", "warp-lang", "numpy")}
    return ClipRecord(
        scene=SceneRecord(
            path=str(pictures.source), sha256=pictures.sha256, options={"reader": "video", **options.video_options}
        ),
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
