"""The videos of one camera: episodes one after the other in mp4 files of limited size."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from jaxtyping import UInt8

from ....yuv import tag, video_frame
from ...lerobot_layout import VIDEO, FilePlace, FileSeries

_ENCODER = {"crf": "18", "preset": "veryfast", "g": "2", "bf": "0", "threads": "1"}
"""Every second frame is a key frame, as in LeRobot's own videos: any is quickly found. One thread: always the same bytes."""


@dataclass(frozen=True)
class VideoPlace:
    """Where an episode's pictures are: the file, and the first frame in it."""

    file: FilePlace
    first_frame: int


class CameraVideos:
    """Writes a camera's episodes, in order, each as it comes.

    - h264, yuv420p, tagged BT.709; odd sizes are made even by repeating the last row or column.
    - A file that would grow beyond the limit is closed and the next one begun.
    """

    def __init__(self, folder: Path, key: str, rate: Fraction, limit_bytes: int) -> None:
        self._folder, self._key, self._rate, self._series = folder, key, rate, FileSeries(limit_bytes)
        self._place: FilePlace | None = None
        self._frames = 0
        self._file: Any = None
        self._stream: Any = None

    def add(self, pictures: Iterator[UInt8[np.ndarray, "height width 3"]]) -> VideoPlace:
        """Append one episode."""
        episode = _encoded(pictures, self._rate)
        place = self._series.take(len(episode))
        with av.open(io.BytesIO(episode), "r") as source:
            video = source.streams.video[0]
            self._begin(place, video)
            first, time_base = self._frames, Fraction(video.time_base or 1)
            offset = int(first / self._rate / time_base)
            for packet in source.demux(video):
                if packet.dts is None or packet.pts is None:  # the end
                    continue
                packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                packet.stream = self._stream
                self._file.mux(packet)
                self._frames += 1
        return VideoPlace(place, first)

    def _begin(self, place: FilePlace, like: av.VideoStream) -> None:
        """Open the file of a place, unless it is the one that is open."""
        if place == self._place:
            return
        self.close()
        path = self._folder / place.path(VIDEO, video_key=self._key)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._place, self._frames = place, 0
        self._file = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._stream = self._file.add_stream_from_template(like)
        self._stream.time_base = like.time_base

    def close(self) -> None:
        """Finish the current file."""
        if self._file is not None:
            self._file.close()
        self._file = self._stream = None


def _encoded(pictures: Iterator[UInt8[np.ndarray, "height width 3"]], rate: Fraction) -> bytes:
    """One episode as an mp4 of its own."""
    with io.BytesIO() as file:
        with av.open(file, "w", format="mp4") as container:
            stream = None
            for picture in pictures:
                frame = video_frame(picture)
                stream = stream or _opened(container, rate, (frame.height, frame.width))
                for packet in stream.encode(frame):
                    container.mux(packet)
            for packet in stream.encode(None) if stream else ():
                container.mux(packet)
        return file.getvalue()


def _opened(container: Any, rate: Fraction, shape: tuple[int, int]) -> Any:
    stream = container.add_stream("libx264", rate=rate, options=_ENCODER)
    stream.height, stream.width, stream.pix_fmt = *shape, "yuv420p"
    tag(stream.codec_context)
    return stream
