"""How far a drawn outline is from a mask's, place by place, and how well whole masks agree."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32
from scipy import ndimage

from .views import Outline

FAR_FROM_SIGMAS = 4.685
"""Tukey's biweight: 95 % efficient where errors are Gaussian, blind to what is farther off than this."""
FINEST_PX = 0.2
"""Scatter of an outline is never taken to be less than this: masks are made of pixels."""


def outline_misses(outline: Outline, mask: Float32[np.ndarray, "height width"], reach_px: float) -> Float[np.ndarray, "n"]:
    """By how much every place of an outline would have to move along its normal to lie on the mask's, px.

    What the mask has more than the drawn robot, summed along the normal. So a slanted edge of whole pixels is measured
    without bias, and a far edge counts as ``reach_px`` in its direction. A line ends half way to where the robot begins or
    ends again, so that both sides of a thin finger are told apart.

    Args:
        outline: of the robot as drawn.
        mask: the share of every pixel that is robot.
        reach_px: how far to look to each side.
    """
    steps = np.arange(0.5, max(round(reach_px), 1))
    out = np.zeros(len(outline.pixels))
    for sign in (-1.0, 1.0):
        at = outline.pixels[:, None] + sign * steps[:, None] * outline.normals[:, None]
        where = np.moveaxis(at, -1, 0)[::-1] - 0.5
        drawn = ndimage.map_coordinates(outline.coverage, where, order=1, mode="nearest")
        there = ndimage.map_coordinates(mask, where, order=1, mode="nearest")
        other = drawn > 0.5 if sign > 0 else drawn < 0.5
        other[:, :2] = False  # the outline itself
        ends = np.where(other.any(axis=1), other.argmax(axis=1), 2 * len(steps)) / 2
        out += ((there - drawn) * (steps < ends[:, None])).sum(axis=1)
    return out


def robust_weights(misses: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
    """Tukey's biweight about zero, with the scatter that the median shows."""
    sigma = max(1.4826 * float(np.median(np.abs(misses))), FINEST_PX)
    return np.clip(1 - (misses / (FAR_FROM_SIGMAS * sigma)) ** 2, 0, None) ** 2


def agreement(drawn: Float32[np.ndarray, "*shape"], masks: Float32[np.ndarray, "*shape"]) -> float:
    """Intersection over union of masks whose pixels are shares; 0 where both are empty."""
    union = float(np.maximum(drawn, masks).sum())
    return float(np.minimum(drawn, masks).sum()) / union if union else 0.0
