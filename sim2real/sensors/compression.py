"""Compression by real encoders: JPEG frame by frame, H.264 in closed groups of frames."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ..yuv import rgb_picture, tag, video_frame
from .records import Compression

_FULL_COLOR = 90
"""JPEG qualities from here on keep colors at full size."""


def jpeg(picture: UInt8[np.ndarray, "height width 3"], quality: int) -> bytes:
    """A JPEG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, subsampling=0 if quality >= _FULL_COLOR else 2)
    return file.getvalue()


def decoded(file: bytes) -> UInt8[np.ndarray, "height width 3"]:
    """The picture that a JPEG file shows."""
    with Image.open(io.BytesIO(file)) as opened:
        return np.array(opened.convert("RGB"))


class VideoCodec:
    """x264 and its decoder back to back, frame by frame; a new pair with every group, so that groups share nothing.

    There are no frames that look ahead: a frame depends on those before it in its group, and comes out at once.
    """

    def __init__(self, compression: Compression, fps: float) -> None:
        self._crf, self._group = compression.h264_crf, compression.group
        self._rate = Fraction(fps).limit_denominator(1001)
        self._encoder: av.VideoCodecContext | None = None
        self._decoder: av.VideoCodecContext | None = None

    def passed(self, picture: UInt8[np.ndarray, "height width 3"], frame: int) -> UInt8[np.ndarray, "height width 3"]:
        """A picture after compression.

        Args:
            picture: the next frame of the clip.
            frame: its number; the first one that is passed begins a group.
        """
        height, width = picture.shape[:2]
        if frame % self._group == 0 or self._encoder is None or self._decoder is None:
            self._open(width + width % 2, height + height % 2)
        assert self._encoder is not None and self._decoder is not None
        shot = video_frame(picture)
        shot.pts = frame % self._group
        shown = [out for packet in self._encoder.encode(shot) for out in self._decoder.decode(packet)]
        assert len(shown) == 1, "the codec holds frames back"
        return rgb_picture(shown[0])[:height, :width]

    def _open(self, width: int, height: int) -> None:
        encoder = av.CodecContext.create("libx264", "w")
        assert isinstance(encoder, av.VideoCodecContext)
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
        encoder.framerate, encoder.time_base = self._rate, 1 / self._rate
        tag(encoder)
        encoder.options = {"crf": str(self._crf), "preset": "veryfast", "tune": "zerolatency", "threads": "1"}
        decoder = av.CodecContext.create("h264", "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.thread_count = 1
        self._encoder, self._decoder = encoder, decoder
