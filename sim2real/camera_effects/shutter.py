"""What moves while the shutter is open is smeared along its way."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32

_MOST = 15
"""Most places along a way that are averaged."""
_SHORTEST_PX = 0.3


def smeared(
    light: Float32[np.ndarray, "3 height width"], motion: Float32[np.ndarray, "height width 2"], exposure_s: float
) -> Float32[np.ndarray, "3 height width"]:
    """Light averaged along each pixel's own motion, half of the time before and half after; edges stay where they are.

    Args:
        light: linear.
        motion: (x, y) in pixels a second.
        exposure_s: seconds for which the shutter is open.
    """
    from scipy import ndimage  # as in filters

    way = motion * np.float32(exposure_s)
    longest = float(np.abs(way).max(initial=0))
    if longest < _SHORTEST_PX:
        return light
    moving = (np.abs(way) > _SHORTEST_PX / 4).any(axis=-1)
    row, column = np.nonzero(moving)
    step_x, step_y = way[moving].T
    count = min(2 * math.ceil(longest / 2) + 1, _MOST)
    total = np.zeros((3, len(row)), np.float32)
    for share in (np.arange(count) + 0.5) / count - 0.5:
        places = np.stack([row + share * step_y, column + share * step_x])
        for channel in range(3):
            total[channel] += ndimage.map_coordinates(light[channel], places, order=1, mode="nearest")
    out = light.copy()
    out[:, moving] = total / count
    return out
