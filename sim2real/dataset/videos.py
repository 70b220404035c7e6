"""The videos of a clip as files of a dataset: copied where the clip has them, encoded where it has not."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from jaxtyping import UInt8

from ..clip import VideoWriter
from ..clip.footage import footage_length
from ..errors import BadValueError
from .clips import DatasetClip


def check_footage(clip: DatasetClip) -> None:
    """Refuse footage that has not one picture per frame.

    Raises:
        BadValueError: a camera's has another length; says which.
    """
    for folder in clip.footage.values():
        if (length := footage_length(folder)) != clip.clip.frames:
            raise BadValueError("the footage's length", length, right=f"{clip.clip.frames} frames", where=folder)


def write_video(
    clip: DatasetClip, ready: Path, pictures: Callable[[], Iterator[UInt8[np.ndarray, "height width ..."]]], target: Path
) -> None:
    """Copy a video of a clip, h264 as the clip has it; encode the pictures where it is not there, or has not all frames."""
    if _frames(ready) == clip.clip.frames:
        shutil.copyfile(ready, target)
        return
    with VideoWriter(target, clip.clip.record.fps) as video:
        for picture in pictures():
            video.write(picture)


def write_picture_video(clip: DatasetClip, camera: str, target: Path) -> None:
    """Write the pictures to train on, footage or else the render, as an h264 mp4."""
    folder = clip.footage.get(camera)
    ready = clip.clip.folder(camera) / "rgb.mp4" if folder is None else folder / "video.mp4"
    write_video(clip, ready, lambda: clip.pictures(camera), target)


def picture_video(clip: DatasetClip, camera: str) -> bytes:
    """The content of the file that ``write_picture_video`` writes."""
    with tempfile.TemporaryDirectory() as work:
        made = Path(work) / "video.mp4"
        write_picture_video(clip, camera, made)
        return made.read_bytes()


def _frames(video: Path) -> int:
    """How many frames a video says that it has; 0 where there is none."""
    if not video.is_file():
        return 0
    try:
        with av.open(str(video)) as container:
            return container.streams.video[0].frames
    except (FFmpegError, IndexError):  # damaged: it is made anew
        return 0
