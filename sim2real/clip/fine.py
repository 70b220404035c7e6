"""Finer pictures of a clip, in a folder within it: what footage is made from before it is reduced to the clip's size."""

from __future__ import annotations

import functools

import numpy as np
from jaxtyping import Float32, UInt8

from ..errors import BadValueError, UnreadableFileError
from ..scene.colors import linear_from_srgb, srgb_from_linear
from .folder import Clip, read_clip

FINE = "fine"
"""The folder, beside those of the cameras."""
MOST = 4
"""As many times as wide and high as the clip's."""


def check_fine(fine: int) -> None:
    """Refuse pictures that are finer by a factor that no clip holds.

    Raises:
        BadValueError: it is not from 1 to ``MOST``.
    """
    if not 1 <= fine <= MOST:
        raise BadValueError("--fine", fine, right=f"from 1 to {MOST}")


def finer(clip: Clip) -> tuple[Clip, int]:
    """The finer pictures of a clip, and how many times as wide and high they are; itself and 1 where it has none.

    Raises:
        UnreadableFileError: they are of another rollout, or not a whole number of times as large.
    """
    folder = clip.path / FINE
    if FINE in clip.cameras or not folder.is_dir():
        return clip, 1
    found = read_clip(folder)
    factor = found.record.size[0] // clip.record.size[0]
    same = (found.cameras, found.frames, found.record.size) == (
        clip.cameras,
        clip.frames,
        (factor * clip.record.size[0], factor * clip.record.size[1]),
    )
    if not same or found.record.scene.sha256 != clip.record.scene.sha256:
        why = "its scene, cameras, frames or size do not go with those of the clip"
        fix = f"render the clip again, or delete the folder {FINE}: footage is then made from the clip's own pictures"
        raise UnreadableFileError(folder, what="the finer pictures", why=why, fix=fix)
    return found, factor


def reduced(picture: UInt8[np.ndarray, "fine_height fine_width 3"], factor: int) -> UInt8[np.ndarray, "height width 3"]:
    """The mean of ``factor`` x ``factor`` pixels, in linear light, as a sensor with larger pixels sees it.

    Raises:
        BadValueError: a side is not a multiple of the factor.
    """
    if factor == 1:
        return picture
    height, width = picture.shape[:2]
    if height % factor or width % factor:
        raise BadValueError("the picture", f"{height}x{width}", right=f"of sides that are multiples of {factor}")
    total = np.zeros((height // factor, width // factor, 3), np.float32)
    for y in range(factor):
        for x in range(factor):  # in this order, however the picture lies in memory
            total += _linear()[picture[y::factor, x::factor]]
    return np.rint(255 * srgb_from_linear(total / np.float32(factor * factor))).astype(np.uint8)


@functools.cache
def _linear() -> Float32[np.ndarray, "256"]:
    return linear_from_srgb(np.arange(256) / 255).astype(np.float32)
