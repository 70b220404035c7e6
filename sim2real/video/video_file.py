"""The frames of a video file as players show them: colors, aspect of pixels, turns and mirrors as the file says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError, InvalidDataError
from av.sidedata.sidedata import Type
from jaxtyping import Shaped, UInt8

from ..errors import UnreadableFileError
from ..yuv import rgb_picture

HD_HEIGHT_PX = 720
"""Videos that do not name their colors use BT.709 from this height on, BT.601 below, as players assume."""
_BOXES = (b"ftyp", b"styp", b"moov", b"mdat", b"wide", b"free", b"skip")


@dataclass(frozen=True)
class Announced:
    """What a video file says about itself: frames per second, and how many frames, ``exact`` where they were counted."""

    fps: float | None = None
    frames: int | None = None
    exact: bool = False


@dataclass(frozen=True, eq=False)
class Decoded:
    """A frame, and whether the decoder says that it is damaged."""

    picture: UInt8[np.ndarray, "height width 3"]
    damaged: bool = False


def announced(source: Path) -> Announced:
    """What a video file says about itself; nothing where it cannot be opened, which is said when its frames are read."""
    try:
        with av.open(str(source)) as container:
            if not container.streams.video:
                return Announced()
            stream = container.streams.video[0]
            rate = stream.average_rate or stream.guessed_rate
            lasting = container.duration * rate / 1_000_000 if container.duration and rate else None
            frames = stream.frames or None
            if frames and lasting and "mp4" in container.format.name:  # edit lists leave frames out
                frames = min(frames, round(lasting))
            told = frames or (None if lasting is None else round(lasting))
            return Announced(float(rate) if rate else None, told, frames is not None)
    except (FFmpegError, ValueError):
        return Announced()


def decoded_video(source: Path, from_s: float = 0.0) -> Iterator[Decoded]:
    """The frames of a video file in order.

    Args:
        source: the file.
        from_s: the time of the first frame that is wanted, seconds; no frame before it is returned.

    Raises:
        UnreadableFileError: it is no video, or damaged so that it cannot be decoded.
    """
    count, promised = 0, 0
    try:
        with av.open(str(source)) as container:
            if not container.streams.video:
                raise _unreadable(source, "it has no pictures")
            stream = container.streams.video[0]
            stream.thread_type, promised = "AUTO", stream.frames
            begin_s = from_s - 0.5 / float(stream.average_rate or 1000) if from_s > 0 else -math.inf
            if from_s > 0 and stream.time_base is not None:
                container.seek(int(begin_s / stream.time_base), stream=stream)
            for frame in container.decode(video=0):
                if from_s > 0 and (frame.time or 0.0) < begin_s:
                    continue
                picture = _rgb(frame, stream.sample_aspect_ratio)
                yield Decoded(_as_shown(picture, _display_matrix(frame), source), frame.is_corrupt)
                count += 1
    except (FFmpegError, ValueError) as error:
        if isinstance(error, InvalidDataError) and 0 < count < promised:
            return  # cut off within a picture: it ends early, which callers see by the count
        why = str(error).split(": '")[0].split("] ")[-1]
        raise _unreadable(source, f"{why} after {count} frames" if count else why) from error


def _unreadable(source: Path, why: str) -> UnreadableFileError:
    if _without_index(source):
        why, fix = "its index is missing, it was not copied or recorded whole", "copy it again"
    else:
        fix = "pass a video file or a folder of pictures"
    return UnreadableFileError(source, what="the video", why=why, fix=fix)


def _without_index(source: Path) -> bool:
    """Whether it is an MP4 or MOV file that ends before its index (box ``moov``) does."""
    size, at = source.stat().st_size, 0
    with source.open("rb") as file:
        while at + 8 <= size:
            file.seek(at)
            head = file.read(16)
            kind, long = head[4:8], int.from_bytes(head[:4], "big") == 1
            if at == 0 and kind not in _BOXES:
                return False
            length = int.from_bytes(head[8:16] if long else head[:4], "big") or size - at
            if kind == b"moov" or length < 8:
                return kind == b"moov" and at + length > size
            at += length
    return size > 0


def _rgb(frame: av.VideoFrame, aspect: Fraction | None) -> UInt8[np.ndarray, "height width 3"]:
    """Colors by the file's tag, pixels made square by their aspect."""
    tagged = int(frame.colorspace) not in (0, 2)  # 0 is RGB, 2 is unspecified
    guess = "ITU709" if frame.height >= HD_HEIGHT_PX else "ITU601"
    width = max(round(frame.width * (aspect or 1)), 1)
    return rgb_picture(frame, None if tagged else guess, width=width)


def _display_matrix(frame: av.VideoFrame) -> Shaped[np.ndarray, "9"] | None:
    held = frame.side_data.get(Type.DISPLAYMATRIX)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return None if held is None else np.frombuffer(held, np.int32).astype(np.float64)


def _as_shown(
    picture: UInt8[np.ndarray, "height width 3"], matrix: Shaped[np.ndarray, "9"] | None, source: Path
) -> UInt8[np.ndarray, "shown_height shown_width 3"]:
    """Turned and mirrored: pixel (x, y) is shown at (a x + c y, b x + d y)."""
    if matrix is None:
        return np.ascontiguousarray(picture)
    a, b, c, d = matrix[[0, 1, 3, 4]]
    straight, crossed = abs(a) + abs(d), abs(b) + abs(c)
    if min(straight, crossed) > 0.01 * max(straight, crossed) or straight == crossed:
        fix = "write it again without the turn"
        raise UnreadableFileError(source, what="the video", why="it is to be shown at a slant", fix=fix)
    along_x, along_y = (a, d) if straight > crossed else (c, b)
    upright = picture if straight > crossed else picture.transpose(1, 0, 2)
    return np.ascontiguousarray(upright[:: -1 if along_y < 0 else 1, :: -1 if along_x < 0 else 1])
