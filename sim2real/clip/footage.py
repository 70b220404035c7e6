"""Generated footage inside a clip: ``generated/<model>-<seed>/`` with frames, ``video.mp4`` and ``settings.json``."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ..errors import BadValueError, UnreadableFileError
from ..file_order import in_order
from ..text_files import read_json
from .images import read_png
from .video import read_video


def footage_pictures(folder: Path) -> list[Path]:
    """The lossless frames of a footage folder, in order."""
    return in_order(folder.glob("frames/*.png")) or in_order(folder.glob("[0-9]*.png"))


def footage_length(folder: Path) -> int:
    """Number of frames of a footage folder; 0 where it holds none."""
    pictures = footage_pictures(folder)
    if pictures or not (folder / "video.mp4").is_file():
        return len(pictures)
    return sum(1 for _ in read_video(folder / "video.mp4"))


def footage_frame(folder: Path, frame: int) -> UInt8[np.ndarray, "height width 3"]:
    """One frame: from the lossless pictures where they exist, else from the video."""
    pictures = footage_pictures(folder)
    if pictures and 0 <= frame < len(pictures):
        picture = read_png(pictures[frame])
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            why = f"it is {picture.dtype} {picture.shape}, must be RGB of 8 bits"
            raise UnreadableFileError(pictures[frame], what="the picture", why=why, fix="generate the footage again")
        return picture
    for picture in islice(read_video(folder / "video.mp4"), frame, frame + 1):
        return picture
    raise BadValueError("the frame", frame, right=f"0 to {footage_length(folder) - 1}", where=folder)


def footage_settings(folder: Path) -> dict[str, Any]:
    """What ``settings.json`` says: model, prompt, steps, seed, figures, ..."""
    return read_json(folder / "settings.json", what="the settings", fix="generate again")
