"""Footage in a clip folder: frames, a video and the settings that made them, whole or absent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ..errors import MissingFileError
from .folder import Clip
from .images import read_png, write_png
from .video import VideoWriter
from .whole_files import new_folder, readable_write_errors

FrameOf = Callable[[int], UInt8[np.ndarray, "height width 3"]]
"""Gives the frame of an index."""


def generated_frames(folder: Path) -> Frames:
    """Reader of the frames that ``generate`` wrote.

    Raises:
        MissingFileError: a frame is not there.
    """

    def read(index: int) -> UInt8[np.ndarray, "height width 3"]:
        path = folder / "frames" / f"{index:06d}.png"
        if not path.is_file():
            raise MissingFileError(path, what="frame of the footage", fix="generate it again with: sim2real generate CLIP")
        return read_png(path)

    return read


def write_footage(
    clip: Clip, folder: Path, frames: Iterator[UInt8[np.ndarray, "height width 3"]], settings: Mapping[str, Any]
) -> None:
    """Write frames as they come, a video, and the settings with the time that it took; older footage is replaced.

    Args:
        clip: whose footage it is.
        folder: ``<camera>/generated/<name>``.
        frames: as many as the clip has.
        settings: JSON types.

    Raises:
        UnwritableFileError: the disk is full, or the folder cannot be written.
    """
    start = time.monotonic()
    with readable_write_errors(folder), new_folder(folder, overwrite=folder.exists()) as work:
        (work / "frames").mkdir()
        with VideoWriter(work / "video.mp4", clip.record.fps) as video:
            for index, frame in enumerate(frames):
                write_png(work / "frames" / f"{index:06d}.png", frame)
                video.write(frame)
        seconds = time.monotonic() - start
        told = {**settings, "seconds": round(seconds, 2), "seconds_per_frame": round(seconds / clip.frames, 3)}
        (work / "settings.json").write_text(json.dumps(told, indent=2) + "\n")
