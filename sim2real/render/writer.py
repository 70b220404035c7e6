"""Streams the frames of one camera to its folder: files from any thread, videos in order."""

from __future__ import annotations

from collections import Counter, deque
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from .. import kinds
from ..clip import images
from ..clip.folder import noise_name
from ..clip.formats import format_of
from ..clip.video import VideoWriter, noise_picture
from ..conditions import DepthRange
from ..noise.layout import latent_of
from .plan import Plan

if TYPE_CHECKING:
    from .frame import Frame

Shots = dict[str, UInt8[np.ndarray, "..."]]
"""What the videos show of one frame."""


class CameraWriter:
    """Writes what was rendered with one camera.

    ``save`` may be called from any thread and in any order, ``show`` in order of frames.

    Args:
        folder: of the camera; it is not there yet.
        plan: the job.
        depth_range: that of the videos of depth.
        videos: whether to write any.
    """

    def __init__(self, folder: Path, plan: Plan, depth_range: DepthRange | None, *, videos: bool = True) -> None:
        self._folder, self._plan, self._with_videos = folder, plan, videos
        self._depths = (0.1, 10.0) if depth_range is None else (depth_range.near, depth_range.far)
        self._kinds = [kind for kind in kinds.pictures() if kind.name in plan.kinds]
        self._stack = ExitStack()
        self._draws: list[images.NoiseWriter] = []
        self._videos: dict[str, VideoWriter] = {}
        shown = (latent_of(frame, plan.layout.temporal_factor) for frame in range(plan.scene.frames))
        self._shown_for = deque(count for _, count in sorted(Counter(shown).items()))

    def __enter__(self) -> CameraWriter:
        """Make the folders, reserve room for the noise, open the videos."""
        plan = self._plan
        self._folder.mkdir()
        with ExitStack() as stack:
            for kind in self._kinds:
                (self._folder / kind.name).mkdir()
            shown = [kind.name for kind in kinds.KINDS if kind.video and kind.name in plan.kinds]
            for name in shown if self._with_videos else ():
                self._videos[name] = stack.enter_context(VideoWriter(self._folder / f"{name}.mp4", plan.scene.fps))
            if "noise" in plan.kinds:
                height, width = plan.layout.latent_size(plan.size)
                shape = (len(plan.latent_frames), plan.layout.channels, height, width)
                files = [self._folder / noise_name(draw) for draw in range(plan.draws + 1)]
                self._draws = [stack.enter_context(images.NoiseWriter(file, shape)) for file in files]
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, trace)

    def save(self, frame: int, rendered: Frame) -> Shots:
        """Write the files of a frame.

        Returns:
            What the videos show of it, for ``show``.
        """
        shots: Shots = {}
        if rendered.noise is not None and self._draws:
            for latent in (k for k, f in enumerate(self._plan.latent_frames) if f == frame):
                for draw, noise in zip(self._draws, [rendered.noise, *rendered.draws], strict=True):
                    draw.write(latent, noise)
            if "noise" in self._videos:
                shots["noise"] = noise_picture(rendered.noise, self._plan.size)
        for kind in self._kinds:
            picture, form = rendered.pictures[kind.name], format_of(kind.name)
            form.write(self._folder / kind.name / f"{frame:06d}{form.suffix}", picture)
            if kind.name in self._videos:
                shots[kind.name] = form.show(picture, self._depths)
        return shots

    def show(self, shots: Shots) -> None:
        """Append a frame to the videos; the noise of a latent is shown for all frames that belong to the latent."""
        for kind, video in self._videos.items():
            if kind != "noise":
                video.write(shots[kind])
            elif (shot := shots.get("noise")) is not None:
                for _ in range(self._shown_for.popleft()):
                    video.write(shot)
