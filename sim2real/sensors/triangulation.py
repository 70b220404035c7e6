"""Depth by triangulation: disparity in steps, and the shadow of what the second camera or projector does not see."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32

from .records import Triangulation

_HIDES_PX = 1.0
"""A surface hides another from the second camera if it is nearer by this much disparity; less is the same surface."""


def measured(
    depth: Float32[np.ndarray, "height width"], error_m: Float32[np.ndarray, "height width"], by: Triangulation
) -> Float32[np.ndarray, "height width"]:
    """Depth as disparity tells it: ``f b / (step round(d / step))`` of ``d = f b / z`` with its error, 0 where d vanishes.

    Args:
        depth: metres, 0 where there is nothing.
        error_m: of depth, for small errors; disparity errs by ``f b / z^2`` times as much.
        by: the sensor.
    """
    scale = np.float32(by.focal_px * abs(by.baseline_m))
    if not scale:
        return depth + error_m
    z = np.where(depth > 0, depth, 1)
    disparity = scale / z - error_m * scale / (z * z)
    if by.step_px:
        disparity = np.float32(by.step_px) * np.rint(disparity / np.float32(by.step_px))
    good = (depth > 0) & (disparity > 0)
    return np.where(good, scale / np.where(good, disparity, 1), np.float32(0))


def shadow(
    depth: Float32[np.ndarray, "height width"], focal_px: float, baseline_m: float, *, band: bool = False
) -> Bool[np.ndarray, "height width"]:
    """What a second camera, beside the first one along its x axis, does not see.

    Every pixel is put where the second camera sees it, in its row; it is hidden where something nearer is there already.

    Args:
        depth: metres, 0 where there is nothing (which hides nothing and is not hidden).
        focal_px: of this picture.
        baseline_m: from the first to the second camera, positive to the right.
        band: whether what falls beside the second picture, of the same size, counts as not seen.
    """
    height, width = depth.shape
    seen = depth > 0
    disparity = np.divide(focal_px * baseline_m, depth, out=np.zeros(depth.shape), where=seen)
    place = np.arange(width) - disparity
    near = np.abs(disparity).astype(np.float32)
    row = np.broadcast_to(np.arange(height)[:, None], depth.shape)
    reach = width + 2  # as much of the second picture, beyond its border, as can be told apart from outside of it
    nearest = np.zeros((height, width + 2 * reach + 2), np.float32)
    low = np.clip(np.floor(place), -reach, width + reach).astype(np.int64) + reach
    for column in (low, low + 1):  # both, or slanted surfaces would have gaps
        np.maximum.at(nearest, (row[seen], column[seen]), near[seen])
    at = np.clip(np.rint(place), -reach, width + reach).astype(np.int64) + reach
    hidden = nearest[row, at] > near + np.float32(_HIDES_PX)
    if band:
        hidden |= (place < -0.5) | (place > width - 0.5)
    return hidden & seen
