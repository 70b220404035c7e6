"""Arrays of pictures in the forms that pipelines accept without a remark: tensors of a batch, and PIL pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, UInt8


def independent_latents(
    shape: Sequence[int], count: int, seed: int, draw: int = 0
) -> Float32[np.ndarray, "count channels h w"]:
    """Independent noise for latents that no frame of the clip stands for, of (channels, h, w) each.

    Args:
        shape: of one.
        count: how many.
        seed: of the footage.
        draw: of the clip's noise beside them.
    """
    generator = np.random.Generator(np.random.Philox(key=draw << 96 | seed << 32 | 0x5EED))
    return generator.standard_normal((count, *shape), np.float32)


def video_tensor(pipeline: Any, video: Float32[np.ndarray, "frames channels height width"]) -> Any:
    """A batch of one (1, frames, channels, height, width) in [0, 1], where the pipeline works.

    Tensors without the batch, and numpy arrays, are refused or misread by some pipelines.
    """
    import torch

    gray = video.strides[1] == 0  # one channel that stands for all is not copied for each
    values = torch.from_numpy(np.array(video[:, :1] if gray else video))
    return values.expand(video.shape)[None].to(pipeline._execution_device)


def pil_pictures(pictures: Sequence[UInt8[np.ndarray, "height width 3"]]) -> list[Any]:
    """One PIL picture each."""
    from PIL import Image

    return [Image.fromarray(np.ascontiguousarray(picture)) for picture in pictures]


def pil_video(video: Float32[np.ndarray, "frames 3 height width"]) -> list[Any]:
    """A control video in [0, 1] as PIL pictures of 8 bits."""
    return pil_pictures(list(np.rint(255 * np.clip(video, 0, 1)).astype(np.uint8).transpose(0, 2, 3, 1)))


def eight_bits(video: Float[np.ndarray, "frames height width channels"]) -> UInt8[np.ndarray, "frames height width channels"]:
    """From [0, 1] to 0 to 255, a frame at a time: copies of the whole video would cost more than the rounding."""
    pictures = np.empty(video.shape, np.uint8)
    for picture, values in zip(pictures, video, strict=True):
        levels = np.multiply(values, 255, dtype=np.float32)
        np.rint(levels, out=levels)
        picture[...] = np.clip(levels, 0, 255, out=levels)
    return pictures
