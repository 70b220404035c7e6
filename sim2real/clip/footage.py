"""Generated footage inside a clip: ``generated/<model>-<seed>/`` with frames, ``video.mp4`` and ``settings.json``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from ..errors import BadValueError, MissingFileError, UnreadableFileError
from ..file_order import in_order
from ..text_files import read_json
from .folder import Clip, new_folder, readable_write_errors
from .images import PictureWriter, read_png
from .video import VideoWriter, read_video

FrameOf = Callable[[int], UInt8[np.ndarray, "height width 3"]]
"""Gives the frame of an index."""


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


def generated_frames(folder: Path) -> FrameOf:
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
        UnwritableOutputError: the disk is full, or the folder cannot be written.
    """
    start = time.monotonic()
    with readable_write_errors(folder), new_folder(folder, overwrite=folder.exists()) as work:
        (work / "frames").mkdir()
        with VideoWriter(work / "video.mp4", clip.record.fps) as video, PictureWriter() as pictures:
            for index, frame in enumerate(frames):
                pictures.write(work / "frames" / f"{index:06d}.png", frame)
                video.write(frame)
        seconds = time.monotonic() - start
        told = {**settings, "seconds": round(seconds, 2), "seconds_per_frame": round(seconds / clip.frames, 3)}
        (work / "settings.json").write_text(json.dumps(told, indent=2) + "\n")
