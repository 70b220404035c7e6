"""Pictures of which only one pixel in so many is looked at."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from ..camera import Camera


def cell_middles(shape: tuple[int, ...], by: int) -> tuple[np.ndarray, ...]:
    """Index of the middle pixel of every cell of ``by`` x ``by`` pixels; cells cut by its end have the last one."""
    return np.ix_(*(np.minimum(np.arange(by // 2, n + by // 2, by), n - 1) for n in shape))


def part_around(camera: Camera, chosen: Bool[np.ndarray, "height width"], by: int) -> tuple[Camera, tuple[slice, slice]] | None:
    """The part of a picture that holds all chosen pixels, and some around them.

    Where rays bend, it is the whole picture: tables of its rays are kept, those of a part would be made anew in every frame.

    Args:
        camera: whose picture it is.
        chosen: pixels of it.
        by: the part begins and ends where cells of ``by`` x ``by`` pixels do, with one more on every side.

    Returns:
        The part as a camera of its own, and its rows and columns; ``None`` where nothing is chosen.
    """
    if not chosen.any():
        return None
    if camera.lens.bent:
        return camera, (slice(0, camera.size[0]), slice(0, camera.size[1]))
    along = (np.flatnonzero(chosen.any(axis=axis)) for axis in (1, 0))
    cells = ((int(at[0]) // by - 1, int(at[-1]) // by + 2) for at in along)
    rows, columns = (slice(max(0, first * by), min(n, end * by)) for (first, end), n in zip(cells, chosen.shape, strict=True))
    return camera.cropped(rows.start, columns.start, (rows.stop - rows.start, columns.stop - columns.start)), (rows, columns)
