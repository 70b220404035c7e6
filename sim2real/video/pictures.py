"""The frames of a video file, or of a folder of pictures, at the clip's size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ..errors import BadValueError, MissingFileError, UnreadableFileError
from ..file_order import gap_note
from .picture_files import animation_fps, animation_pictures, picture_files, picture_of
from .video_file import Announced, Decoded, announced, decoded_video

Picture = UInt8[np.ndarray, "height width 3"]

FOLDER_FPS = 24.0
"""Frames per second of a folder of pictures, which does not say."""


@dataclass(frozen=True)
class Pictures:
    """A video that can be read frame by frame, any number of times.

    - ``size``: (height, width) of the frames as they are read; ``source_size`` that of the file.
    - ``frames``: how many are read: every ``stride``-th.
    - ``from_s``: where in the file they begin, seconds.
    - ``notes`` are sentences for the user about what is odd.
    """

    source: Path
    sha256: str
    size: tuple[int, int]
    source_size: tuple[int, int]
    fps: float
    frames: int
    stride: int
    notes: tuple[str, ...] = ()
    from_s: float = 0.0

    def __iter__(self) -> Iterator[Picture]:
        """Decode the frames in order."""
        for number, decoded in enumerate(_decoded(self.source, self.from_s)):
            if number % self.stride == 0:
                yield _fitted(decoded.picture, self.size)
            if number >= (self.frames - 1) * self.stride:
                return


def open_pictures(
    source: Path,
    *,
    size: tuple[int, int] | None = None,
    frames: int | None = None,
    stride: int = 1,
    fps: float | None = None,
) -> Pictures:
    """Open a video file, or a folder of pictures in the natural order of their names.

    Frames are scaled to cover ``size`` and cropped around their center: nothing is distorted.

    Args:
        source: the file or folder.
        size: (height, width) in pixels; the file's own by default.
        frames: read at most so many frames.
        stride: keep every so many-th frame.
        fps: frames per second before ``stride``; the file's own by default.

    Returns:
        What can be read.

    Raises:
        MissingFileError: there is no such file, or the folder has no pictures.
        UnreadableFileError: it is not a video, or less than half of it is left.
        BadValueError: pictures of a folder differ in size.
    """
    source = Path(source)
    if not source.exists():
        raise MissingFileError(source, what="video")
    told = Announced() if source.is_dir() else announced(source)
    most = None if frames is None else (frames - 1) * stride + 1
    source_size, damaged = _surveyed(source, most)
    notes = _notes(source, len(damaged), told, most, stride) + _damage(damaged)
    return Pictures(
        source=source,
        sha256=_sha256(source),
        size=source_size if size is None else size,
        source_size=source_size,
        fps=(fps or (None if source.is_dir() else animation_fps(source)) or told.fps or FOLDER_FPS) / stride,
        frames=-(-len(damaged) // stride),
        stride=stride,
        notes=notes,
    )


def open_part(
    source: Path, from_s: float, frames: int, *, fps: float, size: tuple[int, int] | None = None, stride: int = 1
) -> Pictures:
    """Open a part of a video file that holds several videos one after the other.

    Args:
        source: the file.
        from_s: the time of the part's first frame, seconds.
        frames: so many are read, every ``stride``-th of the file.
        fps: frames per second of the file.
        size: as in ``open_pictures``.
        stride: keep every so many-th frame.

    Returns:
        What can be read; without a ``sha256``, for the file has more than this.

    Raises:
        MissingFileError: there is no such file.
        UnreadableFileError: it is not a video, or ends before the part does.
        BadValueError: the pictures differ in size.
    """
    if not source.is_file():
        raise MissingFileError(source, what="video")
    most = (frames - 1) * stride + 1
    source_size, damaged = _surveyed(source, most, from_s)
    if len(damaged) < most:
        why = f"it ends early, {len(damaged)} of {most} frames from {from_s:g} s on could be read"
        raise UnreadableFileError(source, what="the video", why=why, fix="copy it again")
    fitted = source_size if size is None else size
    return Pictures(source, "", fitted, source_size, fps / stride, frames, stride, _damage(damaged), from_s)


def _surveyed(source: Path, most: int | None, from_s: float = 0.0) -> tuple[tuple[int, int], list[bool]]:
    """The size of all frames up to ``most``, and which of them are damaged."""
    size, damaged = (0, 0), list[bool]()
    for decoded in islice(_decoded(source, from_s), most):
        height, width = decoded.picture.shape[:2]
        if damaged and (height, width) != size:
            here, right = f"{height}x{width} in frame {len(damaged)}", f"{size[0]}x{size[1]} as in frame 0"
            raise BadValueError("the picture size", here, right=right, where=source)
        size = (int(height), int(width))
        damaged.append(decoded.damaged)
    if not damaged:
        raise UnreadableFileError(source, what="the video", why="it has no frames", fix="pass a video file")
    return size, damaged


def _notes(source: Path, count: int, told: Announced, most: int | None, stride: int) -> tuple[str, ...]:
    """What is odd about the number of frames; a video of which less than half is left is refused."""
    if source.is_dir():
        gap = gap_note(picture_files(source)[:count])
        return () if gap is None else (gap,)
    wanted = told.frames or 0 if most is None else min(told.frames or 0, most)
    if count >= wanted or (not told.exact and wanted - count <= max(2, wanted // 20)):
        return ()
    if 2 * count < wanted:
        why = f"it ends early, {count} of {told.frames} frames could be read"
        fix = f"copy it again, or pass --frames {-(-count // stride)}"
        raise UnreadableFileError(source, what="the video", why=why, fix=fix)
    return (f"the video ends early: {count} of {told.frames} frames could be read",)


def _damage(damaged: list[bool]) -> tuple[str, ...]:
    if not any(damaged):
        return ()
    return (f"{sum(damaged)} of {len(damaged)} frames of the video are damaged, the first is frame {damaged.index(True)}",)


def _decoded(source: Path, from_s: float = 0.0) -> Iterator[Decoded]:
    if source.is_dir():
        yield from (Decoded(picture_of(file)) for file in picture_files(source))
    elif animation_fps(source) is not None:
        yield from (Decoded(picture) for picture in animation_pictures(source))
    else:
        yield from decoded_video(source, from_s)


def _fitted(picture: Picture, size: tuple[int, int]) -> UInt8[np.ndarray, "fitted_height fitted_width 3"]:
    height, width = picture.shape[:2]
    if (height, width) == size:
        return picture
    image = Image.fromarray(picture)
    return np.array(image.resize((size[1], size[0]), Image.Resampling.LANCZOS, box=crop_box((height, width), size)))


def crop_box(source: tuple[int, int], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the centerd part of a picture that has the aspect of ``size``, in its pixels."""
    scale = max(size[0] / source[0], size[1] / source[1])
    height, width = size[0] / scale, size[1] / scale
    top, left = (source[0] - height) / 2, (source[1] - width) / 2
    return max(left, 0.0), max(top, 0.0), min(left + width, float(source[1])), min(top + height, float(source[0]))


def _sha256(source: Path) -> str:
    total = hashlib.sha256()
    for file in picture_files(source) if source.is_dir() else [source]:
        if source.is_dir():
            total.update(f"{file.name}\0".encode())
        with file.open("rb") as opened:
            while block := opened.read(1 << 20):
                total.update(block)
    return total.hexdigest()
