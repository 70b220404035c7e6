"""A finished clip of a dataset, as writers of other formats see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ..clip import Clip
from ..clip.footage import footage_length, footage_pictures
from ..clip.images import read_png
from ..clip.sensed import sensed_of
from ..clip.video import read_video
from ..errors import BadValueError


@dataclass(frozen=True, eq=False)
class DatasetClip:
    """One clip of a dataset.

    - ``clip_id``: its name in the dataset: letters, digits, ``-`` and ``_``.
    - ``clip``: the clip folder.
    - ``row``: what the plan says of it: source, seed, look and whatever else varies; JSON types.
    - ``episode``: what the recording carries beside pictures (``action``, ``state``, ``timestamp`` ...), one row per frame of
      the clip, in the recording's own dtype and bits.
    - ``task``: what the robot is told to do, in words; may be empty.
    """

    clip_id: str
    clip: Clip
    row: Mapping[str, Any] = field(default_factory=dict)
    episode: Mapping[str, np.ndarray] = field(default_factory=dict)
    task: str = ""

    def __post_init__(self) -> None:
        """Refuse arrays that do not have one row per frame."""
        for name, array in self.episode.items():
            if len(array) != self.clip.frames:
                right = f"{self.clip.frames}, one per frame of the clip"
                raise BadValueError(f"the number of rows of {name}", len(array), right=right, where=self.clip_id)

    @cached_property
    def footage(self) -> Mapping[str, Path]:
        """The folder of the newest footage by camera; cameras that have none are left out."""
        found = {camera: self.clip.generated(camera) for camera in self.clip.cameras}
        return {camera: folders[-1] for camera, folders in found.items() if folders}

    def lossless(self, camera: str) -> list[Path] | None:
        """The PNG files of ``pictures``; ``None`` where there are only files with losses.

        Raises:
            BadValueError: the footage has not one picture per frame.
        """
        sensed = sensed_of(self.clip, camera)
        if sensed is None:
            return self._ideal_files(camera)
        files = [sensed.folder / "rgb" / f"{frame:06d}.png" for frame in range(self.clip.frames)]
        return files if files[0].is_file() else None

    def pictures(self, camera: str) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
        """The pictures that a model is to be trained on: what a sensor saw, else the footage, else the render.

        Raises:
            BadValueError: the footage has not one picture per frame.
        """
        sensed = sensed_of(self.clip, camera)
        return self.ideal(camera) if sensed is None else map(sensed.rgb, range(self.clip.frames))

    def ideal(self, camera: str) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
        """The pictures as they were before a sensor saw them: the footage, else the render.

        Raises:
            BadValueError: the footage has not one picture per frame.
        """
        files = self._ideal_files(camera)
        return read_video(self.footage[camera] / "video.mp4") if files is None else map(read_png, files)

    def ideal_source(self, camera: str) -> str:
        """Where ``ideal`` pictures are, below the camera's folder."""
        folder = self.footage.get(camera)
        return "rgb" if folder is None else f"generated/{folder.name}"

    def _ideal_files(self, camera: str) -> list[Path] | None:
        folder = self.footage.get(camera)
        if folder is None:
            return [self.clip.frame_path(camera, "rgb", frame) for frame in range(self.clip.frames)]
        length = footage_length(folder)
        if length != self.clip.frames:
            raise BadValueError("the footage's length", length, right=f"{self.clip.frames} frames", where=folder)
        return footage_pictures(folder) or None
