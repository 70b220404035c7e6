"""The pictures of a clip as files of a dataset: lossless ones are copied, never encoded again."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt16
from PIL import Image

from ..clip.images import write_png
from ..errors import BadValueError, MissingFileError
from .clips import DatasetClip

FARTHEST_M = 65.535
"""What a 16-bit picture in millimetres can hold."""


def frame_name(frame: int, suffix: str = ".png") -> str:
    """The file name of a frame, as in a clip folder."""
    return f"{frame:06d}{suffix}"


def write_pictures(clip: DatasetClip, camera: str, folder: Path) -> None:
    """Write the pictures to train on as ``000000.png`` and so on.

    Args:
        clip: whose.
        camera: of the clip.
        folder: to make.

    Raises:
        MissingFileError: a picture is not there.
        BadValueError: footage has another length or size than the clip, so that labels do not fit it.
    """
    folder.mkdir(parents=True)
    files = clip.lossless(camera)
    if files is None:
        for frame, picture in enumerate(clip.pictures(camera)):
            _check_size(clip, camera, picture.shape[:2])
            write_png(folder / frame_name(frame), picture)
        return
    for frame, file in enumerate(files):
        copy_file(file, folder / frame_name(frame), of=clip)
        with Image.open(file) as picture:
            _check_size(clip, camera, picture.size[::-1])


def copy_kind(clip: DatasetClip, camera: str, kind: str, folder: Path) -> None:
    """Copy the files of a kind of picture (``instances``, ``depth``, ...) of a camera into a folder to make."""
    folder.mkdir(parents=True)
    for frame in range(clip.clip.frames):
        file = clip.clip.frame_path(camera, kind, frame)
        copy_file(file, folder / file.name, of=clip)


def copy_file(source: Path, target: Path, *, of: DatasetClip) -> None:
    """Copy the content of a file of a clip.

    Raises:
        MissingFileError: it is not there.
    """
    if not source.is_file():
        raise MissingFileError(source, what=f"picture of clip {of.clip_id}", fix="render the clip again")
    shutil.copyfile(source, target)


def millimetres(depth_m: Float[np.ndarray, "height width"]) -> UInt16[np.ndarray, "height width"]:
    """Depth in whole millimetres; 0 where there is no surface, or none within 65.535 m."""
    return np.rint(np.where(depth_m <= FARTHEST_M, depth_m, 0) * 1000).astype(np.uint16)


def _check_size(clip: DatasetClip, camera: str, size: tuple[int, ...]) -> None:
    """Refuse pictures that labels do not fit."""
    right = clip.clip.record.size
    if tuple(size) != tuple(right):
        received, where = f"{size[0]}x{size[1]}", f"clip {clip.clip_id}, camera {camera}"
        raise BadValueError("the pictures' size", received, right=f"{right[0]}x{right[1]}, that of the labels", where=where)
