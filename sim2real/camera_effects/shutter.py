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
    way = motion * np.float32(exposure_s)
    longest = float(np.abs(way).max(initial=0))
    if longest < _SHORTEST_PX:
        return light
    import torch
    from torch.nn.functional import grid_sample

    height, width = way.shape[:2]
    moving = (np.abs(way) > _SHORTEST_PX / 4).any(axis=-1)
    count = min(2 * math.ceil(longest / 2) + 1, _MOST)
    picture, to_grid = torch.from_numpy(light)[None], torch.tensor([2 / width, 2 / height])
    row, column = np.indices((height, width), np.float32)
    here = torch.from_numpy(np.stack([column, row], axis=-1) + 0.5) * to_grid - 1
    step, total = torch.from_numpy(way) * to_grid, torch.zeros_like(picture)
    for share in (np.arange(count) + 0.5) / count - 0.5:
        places = (here + float(share) * step)[None]
        total += grid_sample(picture, places, padding_mode="border", align_corners=False)
    return np.where(moving, (total[0] / count).numpy(), light)
