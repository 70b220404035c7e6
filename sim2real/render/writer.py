"""Streams the frames of one camera to its folder: files from any thread, videos in order."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from ..clip import images
from ..clip.folder import SUFFIXES
from ..clip.report.colors import colorized
from ..clip.video import VideoWriter, noise_picture
from ..conditions import DepthRange, control_depth
from .plan import Plan

if TYPE_CHECKING:
    from .frame import Frame

VIDEOS = ("rgb", "depth", "edges", "instances")
Shots = dict[str, UInt8[np.ndarray, "..."]]
"""What the videos show of one frame."""


class CameraWriter:
    """Writes what was rendered with one camera.

    ``save`` may be called from any thread and in any order, ``show`` in order of frames.
    """

    def __init__(self, folder: Path, plan: Plan, depth_range: DepthRange | None) -> None:
        self._folder, self._plan, self._depth_range = folder, plan, depth_range
        self._stack = ExitStack()
        self._noise: images.NoiseWriter | None = None
        self._videos: dict[str, VideoWriter] = {}
        self._noise_shot: np.ndarray | None = None

    def __enter__(self) -> CameraWriter:
        """Make the folders, reserve room for the noise, open the videos."""
        plan = self._plan
        self._folder.mkdir()
        with ExitStack() as stack:
            for kind in sorted(plan.kinds & SUFFIXES.keys()):
                (self._folder / kind).mkdir()
            for kind in sorted(plan.kinds & {*VIDEOS, "noise"}):
                self._videos[kind] = stack.enter_context(VideoWriter(self._folder / f"{kind}.mp4", plan.scene.fps))
            if "noise" in plan.kinds:
                height, width = plan.layout.latent_size(plan.size)
                shape = (len(plan.latent_frames), plan.layout.channels, height, width)
                self._noise = stack.enter_context(images.NoiseWriter(self._folder / "noise.npy", shape))
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
        if rendered.noise is not None and self._noise is not None:
            for latent in (k for k, f in enumerate(self._plan.latent_frames) if f == frame):
                self._noise.write(latent, rendered.noise)
            shots["noise"] = noise_picture(rendered.noise, self._plan.size)
        for kind in ("rgb", "normals", "edges", "albedo", "material", "instances"):
            picture = getattr(rendered, kind)
            if picture is not None:
                images.write_png(self._path(kind, frame), picture)
                if kind in VIDEOS:
                    shots[kind] = colorized(picture) if kind == "instances" else picture
        for kind in ("light", "reflection"):
            light = getattr(rendered, kind)
            if light is not None:
                images.write_light(self._path(kind, frame), light)
        if rendered.depth is not None:
            images.write_depth(self._path("depth", frame), rendered.depth)
            if self._depth_range is not None:
                shots["depth"] = control_depth(rendered.depth, self._depth_range)
        if rendered.flow is not None and rendered.visible is not None:
            images.write_flow(self._path("flow", frame), rendered.flow, rendered.visible)
        return shots

    def show(self, shots: Shots) -> None:
        """Append a frame to the videos; where a latent stands for several frames, its noise stays until the next."""
        for kind, video in self._videos.items():
            if kind == "noise":
                self._noise_shot = shots.get("noise", self._noise_shot)
            shot = self._noise_shot if kind == "noise" else shots[kind]
            if shot is not None:
                video.write(shot)

    def _path(self, kind: str, frame: int) -> Path:
        return self._folder / kind / f"{frame:06d}{SUFFIXES[kind]}"
