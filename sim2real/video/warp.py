"""From a video to a clip folder: noise that moves with what is seen, and what control models ask for."""

from __future__ import annotations

import importlib.metadata
import platform
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
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
from ..conditions.picture_edges import picture_edges
from ..errors import BadValueError, UnknownNameError
from ..flow import DisFlow, Flow
from ..noise import NoiseLayout, Places, VideoNoise, mix
from ..render.frame import Frame
from ..render.plan import Plan, planned
from ..render.writer import CameraWriter, Shots
from ..scene import Camera, Scene
from .depth import DepthFiles, camera_matrix
from .motion import EstimatedMotion, MotionSource, Step
from .pictures import Picture, Pictures
from .track import Track

Progress = Callable[[str, int, int], None]

KINDS = ("noise", "rgb", "depth", "edges", "flow")
"""What a clip of a video can hold."""
CAMERA = "video"
"""The name of its camera."""


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
    work = _Work(pictures, plan, motion, depth)
    with new_folder(output, overwrite=overwrite) as folder:
        with CameraWriter(folder / CAMERA, plan, depth_range) as writer:
            _stream(work, writer, tell)
        write_record(folder / "clip.json", _record(plan, pictures, depth_range, options or {}))
        tell("contact sheet and report", 0, 1)
        clip = read_clip(folder)
        write_sheet(clip)
        write_report(clip)
        tell("contact sheet and report", 1, 1)
    return read_clip(output)


@dataclass(frozen=True)
class _Seen:
    """What is known of a frame before its place in the reference domain is."""

    frame: int
    picture: Picture
    step: Step | None
    key: int
    direct: Flow | None


class _Work:
    """The parts of the work that need no order, for a pool of threads."""

    def __init__(self, pictures: Pictures, plan: Plan, motion: MotionSource | None, depth: DepthFiles | None) -> None:
        self.pictures, self.plan, self.motion, self.depth = pictures, plan, motion, depth
        self.noise = VideoNoise(plan.layout, seed=plan.seed, device=plan.device) if "noise" in plan.kinds else None
        self.noisy = frozenset(plan.latent_frames)

    def see(self, frame: int, before: Picture, picture: Picture, key: int, key_picture: Picture) -> _Seen:
        """Find a frame's motion."""
        step, direct = None, None
        if frame > 0 and self.motion is not None:
            step = self.motion.step(frame - 1, frame, (before, picture))
            direct = self.direct(frame, picture, key, key_picture)
        return _Seen(frame, picture, step, key, direct)

    def direct(self, frame: int, picture: Picture, key: int, key_picture: Picture) -> Flow | None:
        """Motion to the key frame, where the source knows it and it is not the frame before."""
        if self.motion is None or not self.motion.direct or frame - key < 2 or self.noise is None:
            return None
        return self.motion.step(key, frame, (key_picture, picture)).back

    def draw(self, seen: _Seen, places: Places | None, following: Step | None, writer: CameraWriter) -> Shots:
        """Draw a frame's noise and write its files."""
        kinds, frame = self.plan.kinds, seen.frame
        shown: dict[str, Any] = {}
        if "rgb" in kinds:
            shown["rgb"] = seen.picture
        if "edges" in kinds:
            shown["edges"] = picture_edges(seen.picture)
        if "depth" in kinds and self.depth is not None:
            shown["depth"] = self.depth.frame(frame)
        if "flow" in kinds:
            forth = _no_motion(self.plan.size) if following is None else following.forth
            shown["flow"], shown["visible"] = forth.forward.numpy(), forth.visible.numpy()
        if self.noise is not None and places is not None and frame in self.noisy:
            drawn = self.noise.frame(places)
            mixed = mix(drawn, self.beta, seed=self.plan.seed, camera=CAMERA, frame=frame)
            shown["noise"] = mixed.cpu().numpy()
        return writer.save(frame, Frame(**shown))

    @property
    def beta(self) -> float:
        """Share of the noise that moves."""
        return float(self.plan.id_beta[0])


def _stream(work: _Work, writer: CameraWriter, progress: Progress) -> None:
    """Frames in order through the map; motion before it and noise after it in a pool. Thread count changes no bit."""
    plan, frames = work.plan, work.pictures.frames
    progress("warping", 0, frames)
    track = Track(plan.size, device=plan.device) if work.noise is not None else None
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(plan.threads, "frame", initializer=torch.set_num_threads, initargs=(1,))
    drawing: deque[Future[Shots]] = deque()
    done = 0
    try:
        held: tuple[_Seen, Places | None] | None = None
        for seen in _seen(work, pool, track):
            places = _placed(work, track, seen)
            if held is not None:
                drawing.append(pool.submit(work.draw, held[0], held[1], seen.step, writer))
            held = seen, places
            while len(drawing) > 2 * plan.threads:
                writer.show(drawing.popleft().result())
                done += 1
                progress("warping", done, frames)
        if held is not None:
            drawing.append(pool.submit(work.draw, held[0], held[1], None, writer))
        while drawing:
            writer.show(drawing.popleft().result())
            done += 1
            progress("warping", done, frames)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(before)


def _seen(work: _Work, pool: ThreadPoolExecutor, track: Track | None) -> Iterator[_Seen]:
    """The frames with their motion, a few ahead; what was compared with a key frame that a cut has replaced is done again."""
    waiting: deque[Future[_Seen]] = deque()
    keys: dict[int, Picture] = {}
    before: Picture | None = None

    def ready() -> _Seen:
        seen = waiting.popleft().result()
        key = 0 if track is None else track.key
        if key != seen.key and seen.frame - 1 > key:
            return _Seen(seen.frame, seen.picture, seen.step, key, work.direct(seen.frame, seen.picture, key, keys[key]))
        return seen

    for frame, picture in enumerate(work.pictures):
        keys[frame] = picture
        key = 0 if track is None else track.key
        for old in [k for k in keys if k != key and k < frame - 2 * work.plan.threads - 2]:
            del keys[old]
        waiting.append(pool.submit(work.see, frame, picture if before is None else before, picture, key, keys[key]))
        before = picture
        while len(waiting) > 2 * work.plan.threads:
            yield ready()
    while waiting:
        yield ready()


def _placed(work: _Work, track: Track | None, seen: _Seen) -> Places | None:
    """A frame's places, once all earlier ones are known."""
    if track is None:
        return None
    if seen.step is not None:
        track.advance(seen.frame, seen.step.back)
        if seen.direct is not None and seen.key == track.key:
            track.recall(seen.direct)
    return track.places


def _kinds(only: Collection[str] | None, has_depth: bool) -> frozenset[str]:
    if only is None:
        return frozenset(KINDS) - {"flow"} - (set() if has_depth else {"depth"})
    for kind in only:
        if kind not in KINDS:
            raise UnknownNameError(kind, KINDS, what="kind of picture")
    if "depth" in only and not has_depth:
        raise BadValueError("depth", "asked for", right="supplied", mend="pass --depth FOLDER, one file per frame")
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


def _no_motion(size: tuple[int, int]) -> Flow:
    return Flow(torch.zeros((*size, 2)), torch.zeros(size, dtype=torch.bool))


def _record(plan: Plan, pictures: Pictures, depth_range: DepthRange | None, options: Mapping[str, Any]) -> ClipRecord:
    camera = plan.cameras[0]
    noise = None
    if "noise" in plan.kinds:
        layout = plan.layout
        noise = NoiseRecord(
            factor=layout.factor,
            channels=layout.channels,
            beta=float(plan.id_beta[0]),
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
