"""Pictures of which only one pixel in so many is looked at."""

from __future__ import annotations

import numpy as np


def cell_middles(shape: tuple[int, ...], by: int) -> tuple[np.ndarray, ...]:
    """Index of the middle pixel of every cell of ``by`` x ``by`` pixels; cells cut by its end have the last one."""
    return np.ix_(*(np.minimum(np.arange(by // 2, n + by // 2, by), n - 1) for n in shape))
