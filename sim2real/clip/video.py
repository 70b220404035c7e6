"""Videos that browsers play: h264, yuv420p, faststart; and how noise and single-channel pictures become pictures."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.error import FFmpegError
from jaxtyping import Float, UInt8

from ..errors import UnreadableFileError
from ..yuv import rgb_picture, tag, video_frame


class VideoWriter:
    """Encodes uint8 RGB (or gray) pictures in order.

    - Odd sizes are made even by repeating the last row or column, as 4:2:0 color needs it; ``read_video`` can cut it away.
    - Colors are tagged BT.709, so that players and ``read_video`` undo exactly what was done.
    """

    def __init__(self, path: Path, fps: float, *, crf: int = 18) -> None:
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._rate = Fraction(fps).limit_denominator(1001)
        self._crf = crf
        self._stream: av.VideoStream | None = None

    def write(self, picture: UInt8[np.ndarray, "height width ..."]) -> None:
        """Append one picture."""
        if picture.ndim == 2:
            picture = np.repeat(picture[..., None], 3, axis=2)
        frame = video_frame(picture)
        stream = self._stream = self._stream or self._opened(frame.width, frame.height)
        for packet in stream.encode(frame):
            self._container.mux(packet)

    def _opened(self, width: int, height: int) -> av.VideoStream:
        options = {"crf": str(self._crf), "preset": "veryfast", "threads": "1"}
        stream = self._container.add_stream("libx264", rate=self._rate, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        tag(stream.codec_context)
        return stream

    def close(self) -> None:
        """Finish the file."""
        if self._stream is not None:
            for packet in self._stream.encode(None):
                self._container.mux(packet)
        self._container.close()

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self.close()
        else:
            self._container.close()


def read_video(path: Path) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Decode the frames of a video as sRGB.

    Raises:
        UnreadableFileError: it is not a video, or it is damaged.
    """
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                yield rgb_picture(frame)
    except (FFmpegError, IndexError) as error:
        raise UnreadableFileError(path, what="the video", why=str(error), fix="render or generate it again") from error


def noise_picture(
    noise: Float[np.ndarray, "channels height width"], size: tuple[int, int] | None = None
) -> UInt8[np.ndarray, "_ _ 3"]:
    """Noise to look at: the first three channels as RGB, ``0.5 + noise / 6``, enlarged without smoothing.

    Args:
        noise: unit-variance noise.
        size: least (height, width) of the picture; the noise is enlarged by the whole factor that reaches it.
    """
    rgb = np.resize(noise[:3], (3, *noise.shape[1:])) if len(noise) < 3 else noise[:3]
    picture = (255 * np.clip(0.5 + np.asarray(rgb, np.float32) / 6, 0, 1) + 0.5).astype(np.uint8).transpose(1, 2, 0)
    if size is None:
        return np.ascontiguousarray(picture)
    factor = max(1, -(-size[0] // picture.shape[0]), -(-size[1] // picture.shape[1]))
    return np.repeat(np.repeat(picture, factor, axis=0), factor, axis=1)


def coarsened(noise: Float[np.ndarray, "channels height width"], k: int) -> Float[np.ndarray, "channels _ _"]:
    """Noise as a camera from farther away would see it: sums of k x k blocks over k, of unit variance again."""
    channels, height, width = noise.shape
    blocks = noise[:, : height // k * k, : width // k * k].reshape(channels, height // k, k, width // k, k)
    return blocks.sum(axis=(2, 4)) / k
