"""Pictures to 4:2:0 video frames and back: BT.709, limited range, rounded to the nearest, which swscale does only if told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

if TYPE_CHECKING:
    import av

_BT709 = 1


def video_frame(picture: UInt8[np.ndarray, "height width 3"]) -> av.VideoFrame:
    """A picture as yuv420p; odd sizes are made even by repeating the last row or column, as 4:2:0 color needs it.

    Args:
        picture: sRGB.
    """
    import av

    even = np.ascontiguousarray(evened(picture))
    shot = av.VideoFrame.from_ndarray(even, format="rgb24")
    flags = _exactly("BICUBIC")
    return shot.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG", interpolation=flags)


def evened(picture: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "_ _ 3"]:
    """A picture of even height and width; the last row or column is there twice where it was odd."""
    height, width = picture.shape[:2]
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def rgb_picture(
    frame: av.VideoFrame, colors: str | None = "ITU709", *, width: int | None = None
) -> UInt8[np.ndarray, "height width 3"]:
    """What a frame shows.

    Args:
        frame: of a decoder.
        colors: the space that it is in; ``None``: as the frame itself says.
        width: pixels of the picture where the frame's are not square.
    """
    width = width or frame.width
    flags = _exactly("BICUBIC" if width == frame.width else "LANCZOS")
    return frame.reformat(width, format="rgb24", src_colorspace=colors, interpolation=flags).to_ndarray()


def tag(context: av.VideoCodecContext) -> None:
    """Say in a stream what ``video_frame`` makes, so that players undo exactly that."""
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    context.color_range = 1


def _exactly(kind: str) -> int:
    """How swscale resamples, without its shortcuts: with them, pictures come back 1.2 of 255 too dark."""
    from av.video.reformatter import Interpolation

    return Interpolation[kind] | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
