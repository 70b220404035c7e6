"""Streams a video through its map: motion before it and noise after it in a pool of threads, the map itself in order."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch

from ..conditions.picture_edges import picture_edges
from ..devices import frame_pool
from ..flow import Flow
from ..noise import Places, VideoNoise, mix, seed_of_draw
from ..render.frame import Frame
from ..render.plan import Plan
from ..render.writer import CameraWriter, Shots
from .depth import DepthFiles
from .labels import MaskFiles
from .motion import MotionSource, Step
from .pictures import Picture, Pictures
from .track import Track

Progress = Callable[[str, int, int], None]

CAMERA = "video"
"""The name of a video's camera, where there is one alone."""


@dataclass(frozen=True, eq=False)
class Source:
    """One camera's video, and what is known of it beside its pictures; see ``Known``."""

    camera: str
    pictures: Pictures
    motion: MotionSource | None
    depth: DepthFiles | None = None
    labels: MaskFiles | None = None

    def seed(self, seed: int) -> int:
        """The seed of the camera's noise: noise of one clip's cameras is independent, for nobody knows what they share."""
        if self.camera == CAMERA:
            return seed
        return int.from_bytes(hashlib.blake2b(f"video/{seed}/{self.camera}".encode(), digest_size=8).digest(), "little")


@dataclass(frozen=True)
class Seen:
    """What is known of a frame before its place in the reference domain is."""

    frame: int
    picture: Picture
    step: Step | None
    key: int
    direct: Flow | None


class Work:
    """The parts of the work that need no order, for a pool of threads."""

    def __init__(self, source: Source, plan: Plan, beta: float) -> None:
        """Share what all frames need; ``beta`` is the share of the noise that moves."""
        self.source, self.pictures, self.plan, self.beta, self.motion = source, source.pictures, plan, beta, source.motion
        seed = source.seed(plan.seed)
        self.noise = VideoNoise(plan.layout, seed=seed, device=plan.device) if "noise" in plan.kinds else None
        self.noisy = frozenset(plan.latent_frames)

    def see(self, frame: int, before: Picture, picture: Picture, key: int, key_picture: Picture) -> Seen:
        """Find a frame's motion."""
        step, direct = None, None
        if frame > 0 and self.motion is not None:
            step = self.motion.step(frame - 1, frame, (before, picture))
            direct = self.direct(frame, picture, key, key_picture)
        return Seen(frame, picture, step, key, direct)

    def direct(self, frame: int, picture: Picture, key: int, key_picture: Picture) -> Flow | None:
        """Motion to the key frame, where the source knows it and it is not the frame before."""
        if self.motion is None or not self.motion.direct or frame - key < 2 or self.noise is None:
            return None
        return self.motion.step(key, frame, (key_picture, picture)).back

    def draw(self, seen: Seen, places: Places | None, following: Step | None, writer: CameraWriter) -> Shots:
        """Draw a frame's noise and write its files."""
        kinds, frame = self.plan.kinds, seen.frame
        shown: dict[str, Any] = {}
        if "rgb" in kinds:
            shown["rgb"] = seen.picture
        if "edges" in kinds:
            shown["edges"] = picture_edges(seen.picture)
        if "depth" in kinds and self.source.depth is not None:
            shown["depth"] = self.source.depth.frame(frame)
        if "instances" in kinds and self.source.labels is not None:
            shown["instances"] = self.source.labels.frame(frame)
        if "flow" in kinds:
            forth = _no_motion(self.plan.size) if following is None else following.forth
            shown["flow"] = forth.forward.numpy(), forth.visible.numpy()
        noise, draws = None, []
        if self.noise is not None and places is not None and frame in self.noisy:
            plan, where = self.plan, {"camera": self.source.camera, "frame": frame}
            drawn = enumerate(self.noise.draws(places, plan.draws))
            mixed = [mix(one, self.beta, seed=seed_of_draw(plan.seed, k), **where) for k, one in drawn]
            noise, *draws = [one.cpu().numpy() for one in mixed]
        return writer.save(frame, Frame(noise, shown, draws))


def stream(work: Work, writer: CameraWriter, progress: Progress) -> None:
    """Frames in order through the map; motion before it and noise after it in a pool. Thread count changes no bit."""
    plan, frames = work.plan, work.pictures.frames
    what = "warping" if work.source.camera == CAMERA else f"warping {work.source.camera}"
    progress(what, 0, frames)
    track = Track(plan.size, device=plan.device) if work.noise is not None else None
    drawing: deque[Future[Shots]] = deque()
    done = 0
    with frame_pool(plan.threads) as pool:
        held: tuple[Seen, Places | None] | None = None
        for seen in _seen(work, pool, track):
            places = _placed(work, track, seen)
            if held is not None:
                drawing.append(pool.submit(work.draw, held[0], held[1], seen.step, writer))
            held = seen, places
            while len(drawing) > 2 * plan.threads:
                writer.show(drawing.popleft().result())
                done += 1
                progress(what, done, frames)
        if held is not None:
            drawing.append(pool.submit(work.draw, held[0], held[1], None, writer))
        while drawing:
            writer.show(drawing.popleft().result())
            done += 1
            progress(what, done, frames)


def _seen(work: Work, pool: ThreadPoolExecutor, track: Track | None) -> Iterator[Seen]:
    """The frames with their motion, a few ahead; what was compared with a key frame that a cut has replaced is done again."""
    waiting: deque[Future[Seen]] = deque()
    keys: dict[int, Picture] = {}
    before: Picture | None = None

    def ready() -> Seen:
        seen = waiting.popleft().result()
        key = 0 if track is None else track.key
        if key != seen.key and seen.frame - 1 > key:
            return Seen(seen.frame, seen.picture, seen.step, key, work.direct(seen.frame, seen.picture, key, keys[key]))
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


def _placed(work: Work, track: Track | None, seen: Seen) -> Places | None:
    """A frame's places, once all earlier ones are known."""
    if track is None:
        return None
    if seen.step is not None:
        track.advance(seen.frame, seen.step.back)
        if seen.direct is not None and seen.key == track.key:
            track.recall(seen.direct)
    return track.places


def _no_motion(size: tuple[int, int]) -> Flow:
    return Flow(torch.zeros((*size, 2)), torch.zeros(size, dtype=torch.bool))
