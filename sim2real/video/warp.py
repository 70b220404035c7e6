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
from .labels import MaskFiles, instances_of
from .motion import EstimatedMotion, MotionSource
from .pictures import Pictures
from .stream import CAMERA, Progress, Source, Work, stream


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of a video beside its pictures.

    - ``motion``: where motion comes from; estimated by ``DisFlow`` by default.
    - ``depth``: metric depth, to be written as the clip's own.
    - ``intrinsics``: fx, fy, cx, cy in pixels of the pictures' size; a nominal camera by default.
    - ``world_from_camera``: of every frame, OpenCV axes, metres; a camera that stands still by default.
    - ``labels``: instance masks, to be written as the clip's own; all cameras of a clip have them, or none.
    """

    motion: MotionSource | None = None
    depth: DepthFiles | None = None
    intrinsics: tuple[float, float, float, float] | None = None
    world_from_camera: Float[np.ndarray, "frames 4 4"] | None = None
    labels: MaskFiles | None = None


Video = tuple[Pictures, Known]
"""A camera's pictures, and what is known of them."""


@dataclass(frozen=True)
class WarpOptions:
    """How a video becomes a clip folder.

    - ``layout``: how the noise is laid out; noise of the picture's size with 3 channels by default.
    - ``seed``: of the noise.
    - ``draws``: further draws of the noise, independent values with the same motion, for samplers that add noise at every step.
    - ``beta``: share of the noise that moves; 1 is all of it.
    - ``device``: ``cpu`` or ``cuda``, for the noise.
    - ``only``: some of the kinds that real videos have (``sim2real.kinds``); all but ``flow``, and ``depth`` where it is
      supplied, by default.
    - ``overwrite``: replace an existing clip folder.
    - ``threads``: frames at once; one per core by default.
    - ``video_options``: how the video was read, for ``clip.json``.
    - ``names``: of instances, by the ids that masks have; see ``labels.instances_of``.
    - ``pages``: write the contact sheet and the report; a caller that adds more to the clip writes them afterwards.

    Raises:
        UnknownNameError: a kind that does not exist, or that real videos do not have.
    """

    layout: NoiseLayout = NoiseLayout(factor=1, channels=3)
    seed: int = 0
    draws: int = 0
    beta: float = 1.0
    device: str = "cpu"
    only: Collection[str] | None = None
    overwrite: bool = False
    threads: int | None = None
    video_options: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    pages: bool = True

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
    whole = SceneRecord(path=str(pictures.source), sha256=pictures.sha256)
    return warp_videos({CAMERA: (pictures, known or Known())}, output, whole, options, progress=progress)


def warp_videos(
    videos: Mapping[str, Video],
    output: Path,
    whole: SceneRecord,
    options: WarpOptions | None = None,
    *,
    progress: Progress | None = None,
) -> Clip:
    """Make one clip folder from the videos of several cameras that saw the same; see ``warp_video``.

    Each camera's noise is warped along its own motion and independent of the others'. A camera's noise does not depend on
    which other cameras there are.

    Args:
        videos: pictures, and what is known of them, by the camera's name; all of one size, length and rate.
        output: the clip folder to make; it appears whole at the end, or not at all.
        whole: what the videos are parts of, for ``clip.json``.
        options: which pictures are written, and how the noise is made.
        progress: called as the work goes on.

    Raises:
        BadValueError: the videos differ in size, length or rate; or as ``warp_video``.
        Sim2RealError: as ``warp_video``.
    """
    options = options or WarpOptions()
    check_output(Path(output), overwrite=options.overwrite)
    scene = _scene(videos, whole)
    plan = planned(scene, _render_options(options, videos))
    tell, depth_range = progress or _silent, _depth_range(videos) if "depth" in plan.kinds else None
    with new_folder(output, overwrite=options.overwrite) as folder:
        for name, (pictures, known) in videos.items():
            motion = None
            if plan.kinds & {"noise", "flow"}:
                motion = EstimatedMotion(DisFlow()) if known.motion is None else known.motion
            work = Work(Source(name, pictures, motion, known.depth, known.labels), plan, options.beta)
            with CameraWriter(folder / name, plan, depth_range) as writer:
                stream(work, writer, tell)
        write_record(folder / "clip.json", _record(plan, videos, depth_range, options))
        if options.pages:
            tell("contact sheet and report", 0, 1)
            write_pages(read_clip(folder))
            tell("contact sheet and report", 1, 1)
    return read_clip(output)


def _render_options(options: WarpOptions, videos: Mapping[str, Video]) -> RenderOptions:
    """The same, as of a scene."""
    only, deep = options.only, all(known.depth is not None for _, known in videos.values())
    if only is None:
        only = usual_names().intersection(names_of_videos()) - (set() if deep else {"depth"})
    if "depth" in only and not deep:
        raise BadValueError("depth", "asked for", right="supplied", fix="pass --depth FOLDER, one file per frame")
    if all(known.labels is not None for _, known in videos.values()):
        only = {*only, "instances"}
    return RenderOptions(
        layout=options.layout,
        seed=options.seed,
        draws=options.draws,
        beta=options.beta,
        device=options.device,
        only=only,
        threads=options.threads,
    )


def _scene(videos: Mapping[str, Video], whole: SceneRecord) -> Scene:
    """Videos as a scene: nothing in it but cameras."""
    frames, fps = _alike(videos, "frames", whole), _alike(videos, "fps", whole)
    cameras = []
    for name, (pictures, known) in videos.items():
        world = np.tile(np.eye(4), (frames, 1, 1)) if known.world_from_camera is None else known.world_from_camera
        matrix = np.tile(camera_matrix(known.intrinsics, pictures.size), (frames, 1, 1))
        cameras.append(Camera(name, pictures.size, matrix, world))
    return Scene(
        source=Path(whole.path),
        sha256=whole.sha256,
        meshes=(),
        parts=(),
        instances=(),
        world_from_instance=np.zeros((frames, 0, 4, 4)),
        visible=np.zeros((frames, 0), bool),
        cameras=tuple(cameras),
        fps=fps,
    )


def _alike(videos: Mapping[str, Video], what: str, whole: SceneRecord) -> Any:
    """What all videos of a clip have in common."""
    found = {name: getattr(pictures, what) for name, (pictures, _) in videos.items()}
    if len(set(found.values())) > 1:
        received = ", ".join(f"{value:g} ({name})" for name, value in found.items())
        raise BadValueError(f"the {what} of the cameras", received, right="the same", where=whole.path)
    return next(iter(found.values()))


def _depth_range(videos: Mapping[str, Video], most: int = 12) -> DepthRange:
    estimate = DepthRangeEstimate()
    for name, (pictures, known) in videos.items():
        frames = pictures.frames
        for frame in np.unique(np.linspace(0, frames - 1, min(frames, most)).round().astype(int)):
            if known.depth is not None:
                estimate.add(known.depth.frame(int(frame)), name)
    return estimate.result()


def _record(plan: Plan, videos: Mapping[str, Video], depth_range: DepthRange | None, options: WarpOptions) -> ClipRecord:
    scene, noise = plan.scene, None
    ids = set().union(*(known.labels.seen for _, known in videos.values() if known.labels is not None))
    if "noise" in plan.kinds:
        layout = plan.layout
        noise = NoiseRecord(
            factor=layout.factor,
            channels=layout.channels,
            beta=options.beta,
            latent_frames=list(plan.latent_frames),
            method="video",
            temporal_factor=layout.temporal_factor,
            draws=plan.draws,
        )
    versions = {name: importlib.metadata.version(name) for name in ("torch", "warp-lang", "numpy")}
    return ClipRecord(
        scene=SceneRecord(path=str(scene.source), sha256=scene.sha256, options={"reader": "video", **options.video_options}),
        seed=plan.seed,
        fps=scene.fps,
        frames=scene.frames,
        size=plan.size,
        cameras={c.name: CameraRecord(intrinsics=c.intrinsics, world_from_camera=c.world_from_camera) for c in plan.cameras},
        instances=instances_of(sorted(ids), scene.frames, options.names),
        noise=noise,
        depth_range_m=None if depth_range is None else (depth_range.near, depth_range.far),
        versions={"sim2real": __version__, "python": platform.python_version(), **versions},
    )


def _silent(what: str, done: int, total: int) -> None:
    """Report nothing."""
