"""Pictures of which only one pixel in so many is looked at."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool


def cell_middles(shape: tuple[int, ...], by: int) -> tuple[np.ndarray, ...]:
    """Index of the middle pixel of every cell of ``by`` x ``by`` pixels; cells cut by its end have the last one."""
    return np.ix_(*(np.minimum(np.arange(by // 2, n + by // 2, by), n - 1) for n in shape))


def box_around(chosen: Bool[np.ndarray, "height width"], by: int) -> tuple[slice, slice] | None:
    """Rows and columns of the cells that hold all chosen pixels, and of a cell around them; None without any."""
    if not chosen.any():
        return None
    along = (np.flatnonzero(chosen.any(axis=axis)) for axis in (1, 0))
    cells = ((int(at[0]) // by - 1, int(at[-1]) // by + 2) for at in along)
    rows, columns = (slice(max(0, first * by), min(n, end * by)) for (first, end), n in zip(cells, chosen.shape, strict=True))
    return rows, columns
