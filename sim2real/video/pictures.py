"""The frames of a video file, or of a folder of pictures, at the clip's size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import BadValueError, MissingFileError, UnreadableFileError
from ..file_order import gap_note, in_order

Picture = UInt8[np.ndarray, "height width 3"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
"""Pictures that a folder may hold."""
FOLDER_FPS = 24.0
"""Frames per second of a folder of pictures, which does not say."""
HD_HEIGHT_PX = 720
"""Videos that do not name their colours use BT.709 from this height on, BT.601 below, as players assume."""


@dataclass(frozen=True)
class Pictures:
    """A video that can be read frame by frame, any number of times.

    - ``size``: (height, width) of the frames as they are read; ``source_size`` that of the file.
    - ``frames``: how many are read: every ``stride``-th.
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

    def __iter__(self) -> Iterator[Picture]:
        """Decode the frames in order."""
        for number, picture in enumerate(_decoded(self.source)):
            if number % self.stride == 0:
                yield _fitted(picture, self.size)
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

    Frames are scaled to cover ``size`` and cropped around their centre: nothing is distorted.

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
        UnreadableFileError: it is not a video.
        BadValueError: pictures of a folder differ in size.
    """
    source = Path(source)
    if not source.exists():
        raise MissingFileError(source, what="video")
    count, rate, source_size = 0, None if source.is_dir() else _rate(source), (0, 0)
    most = None if frames is None else (frames - 1) * stride + 1
    for picture in _decoded(source):
        if count and picture.shape[:2] != source_size:
            here = f"{picture.shape[0]}x{picture.shape[1]} in frame {count}"
            right = f"{source_size[0]}x{source_size[1]} as in frame 0"
            raise BadValueError("the picture size", here, right=right, where=source)
        source_size = (int(picture.shape[0]), int(picture.shape[1]))
        count += 1
        if count == most:
            break
    if count == 0:
        raise UnreadableFileError(source, what="the video", why="it has no frames", mend="pass a video file")
    return Pictures(
        source=source,
        sha256=_sha256(source),
        size=source_size if size is None else size,
        source_size=source_size,
        fps=(fps or rate or FOLDER_FPS) / stride,
        frames=-(-count // stride),
        stride=stride,
        notes=_notes(source, count),
    )


def _notes(source: Path, count: int) -> tuple[str, ...]:
    """What is odd about the first ``count`` frames."""
    gap = gap_note(picture_files(source)[:count]) if source.is_dir() else None
    return () if gap is None else (gap,)


def picture_files(folder: Path) -> list[Path]:
    """The pictures of a folder in the natural order of their names.

    Raises:
        MissingFileError: it has none.
    """
    files = in_order(f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith("."))
    if not files:
        raise MissingFileError(folder, what="pictures in the folder", mend=f"it must hold some of {', '.join(SUFFIXES)}")
    return files


def _decoded(source: Path) -> Iterator[Picture]:
    if source.is_dir():
        for file in picture_files(source):
            yield _picture(file)
        return
    try:
        with av.open(str(source)) as container:
            if not container.streams.video:
                raise UnreadableFileError(source, what="the video", why="it has no pictures", mend="pass a video file")
            container.streams.video[0].thread_type = "AUTO"
            for frame in container.decode(video=0):
                yield _rgb(frame)
    except (FFmpegError, ValueError) as fault:
        why = str(fault).split(": '")[0].split("] ")[-1]
        raise UnreadableFileError(
            source, what="the video", why=why, mend="pass a video file or a folder of pictures"
        ) from fault


def _rgb(frame: av.VideoFrame) -> Picture:
    """As players show it: colours by the file's tag, turned as the file says."""
    tagged = int(frame.colorspace) not in (0, 2)  # 0 is RGB, 2 is unspecified
    guess = "ITU709" if frame.height >= HD_HEIGHT_PX else "ITU601"
    picture = frame.reformat(format="rgb24", src_colorspace=None if tagged else guess).to_ndarray()
    return np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90)))


def _picture(file: Path) -> Picture:
    try:
        with Image.open(file) as picture:
            return np.array(ImageOps.exif_transpose(picture).convert("RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError) as fault:
        mend = "remove it from the folder"
        raise UnreadableFileError(file, what="the picture", why=str(fault).split(" '")[0], mend=mend) from fault


def _fitted(picture: Picture, size: tuple[int, int]) -> UInt8[np.ndarray, "fitted_height fitted_width 3"]:
    height, width = picture.shape[:2]
    if (height, width) == size:
        return picture
    image = Image.fromarray(picture)
    return np.array(image.resize((size[1], size[0]), Image.Resampling.LANCZOS, box=crop_box((height, width), size)))


def crop_box(source: tuple[int, int], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the centred part of a picture that has the aspect of ``size``, in its pixels."""
    scale = max(size[0] / source[0], size[1] / source[1])
    height, width = size[0] / scale, size[1] / scale
    top, left = (source[0] - height) / 2, (source[1] - width) / 2
    return max(left, 0.0), max(top, 0.0), min(left + width, float(source[1])), min(top + height, float(source[0]))


def _rate(source: Path) -> float | None:
    try:
        with av.open(str(source)) as container:
            streams = container.streams.video
            rate = (streams[0].average_rate or streams[0].guessed_rate) if streams else None
            return float(rate) if rate else None
    except (FFmpegError, ValueError):
        return None  # what is wrong with it is said when its frames are read


def _sha256(source: Path) -> str:
    total = hashlib.sha256()
    for file in picture_files(source) if source.is_dir() else [source]:
        if source.is_dir():
            total.update(f"{file.name}\0".encode())
        with file.open("rb") as opened:
            while block := opened.read(1 << 20):
                total.update(block)
    return total.hexdigest()
