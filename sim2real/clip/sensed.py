"""What a sensor saw, inside a clip: ``<camera>/sensed/`` with ``rgb/``, ``depth/`` and ``sensor.json``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from ..text_files import read_json
from .folder import Clip
from .images import read_depth, read_png


@dataclass(frozen=True)
class Sensed:
    """Pictures and depth of one camera, read when asked for."""

    folder: Path

    def facts(self) -> dict[str, Any]:
        """What ``sensor.json`` says."""
        return read_json(self.folder / "sensor.json", what="what a sensor saw", fix="run sim2real sense again")

    @property
    def name(self) -> str:
        """What the sensor is called."""
        return str(self.facts().get("sensor", {}).get("name", "a sensor"))

    def rgb(self, frame: int) -> UInt8[np.ndarray, "height width 3"]:
        """One picture, from the sensor's JPEG or a lossless file."""
        lossless = self.folder / "rgb" / f"{frame:06d}.png"
        if lossless.is_file():
            return read_png(lossless)
        with Image.open(lossless.with_suffix(".jpg")) as opened:
            return np.array(opened.convert("RGB"))

    @property
    def has_depth(self) -> bool:
        """Whether the sensor measures depth."""
        return (self.folder / "depth").is_dir()

    def depth(self, frame: int) -> Float32[np.ndarray, "height width"]:
        """Meters, 0 where nothing was measured."""
        return read_depth(self.folder / "depth" / f"{frame:06d}.exr")


def sensed_of(clip: Clip, camera: str) -> Sensed | None:
    """What a sensor saw of a camera; ``None`` where none did."""
    folder = clip.folder(camera) / "sensed"
    return Sensed(folder) if (folder / "rgb").is_dir() else None
