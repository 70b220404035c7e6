"""Pictures that show whether a camera is right: the robot's outline over what the real camera saw."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8
from scipy import ndimage

BEFORE, AFTER = (255, 150, 40), (255, 0, 255)
"""Colors of outlines, sRGB."""


def overlay(
    picture: UInt8[np.ndarray, "height width 3"],
    before: Float32[np.ndarray, "height width"],
    after: Float32[np.ndarray, "height width"],
) -> UInt8[np.ndarray, "height width 3"]:
    """A picture with the outline of the robot as the first guess sees it (orange), and as the result does (magenta).

    Args:
        picture: what the camera saw.
        before: the share of every pixel that is robot, at the start.
        after: the same at the end.
    """
    out = picture.astype(np.float32)
    width_px = max(2.0, picture.shape[0] / 240)
    for coverage, color, share in ((before, BEFORE, 0.8), (after, AFTER, 1.0)):
        line = share * _line(coverage, width_px)[..., None]
        out = (1 - line) * out + line * np.array(color, np.float32)
    return np.rint(out).astype(np.uint8)


def mask_picture(mask: Float32[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width 3"]:
    """A mask in gray, where there is no photograph."""
    return np.repeat(np.rint(40 + 120 * mask).astype(np.uint8)[..., None], 3, axis=2)


def _line(coverage: Float32[np.ndarray, "height width"], width_px: float) -> Float32[np.ndarray, "height width"]:
    """How much of every pixel is covered by the outline, drawn with a round pen."""
    inside = coverage > 0.5
    if inside.all() or not inside.any():
        return np.zeros_like(coverage)
    within, without = (np.asarray(ndimage.distance_transform_edt(side)) for side in (inside, ~inside))
    away = np.where(inside, within, without) - 0.5
    return np.clip(width_px / 2 + 0.5 - away, 0, 1).astype(np.float32)
