"""The noise of a chart as an explicit Gaussian texture: all cells of one level of its hierarchy."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import warp as wp
from jaxtyping import Float32

from ..devices import as_warp, launch, warp_ready
from ..errors import BadValueError
from .bake_kernels import draw_root, split_texels
from .passes.cells import FINEST_LEVEL

BAND_BYTES = 1 << 26
"""Textures are made in bands of rows of about this size, so that memory does not grow with their height."""

Window = tuple[int, int]
"""First texel, and one past the last."""


def baked_texture(
    key: int, *, level: int, channels: int, seed: int = 0, rows: Window | None = None, columns: Window | None = None
) -> Float32[np.ndarray, "height width channels"]:
    """The cells of one level of a chart, bit for bit those that frames are made of.

    Row j, column i is the cell that covers u in [i, i + 1) / 2^level and v in [j, j + 1) / 2^level of the chart. Any window of
    a texture, asked for alone, is that window of the whole. Between levels, a texel is half the sum of the four inside it.

    Args:
        key: of the chart, ``Charts.key``.
        level: 2^level texels per side, 1 to 20.
        channels: how many; more channels extend fewer.
        seed: of the noise.
        rows: only these, all by default.
        columns: only these, all by default.

    Returns:
        i.i.d. standard normal values.

    Raises:
        BadValueError: a level, a window or a number of channels that does not exist.
    """
    _check(level, channels)
    side = 1 << level
    rows, columns = _window("rows", rows, side), _window("columns", columns, side)
    warp_ready()
    keys = [np.uint64(key), np.uint64(seed % 2**64)]
    values = wp.empty((1, 1, channels), dtype=float, device="cpu")
    launch(draw_root, channels, [*keys, values], "cpu")
    for at in range(level):
        (top, bottom), (left, right) = (_ancestors(window, level - at) for window in (rows, columns))
        children = wp.empty((2 * (bottom - top), 2 * (right - left), channels), dtype=float, device="cpu")
        inputs = [at, top, left, *keys, values, children]
        launch(split_texels, (bottom - top, right - left), inputs, "cpu")
        (first_row, last_row), (first_column, last_column) = (_ancestors(w, level - at - 1) for w in (rows, columns))
        inside = children.numpy()[first_row - 2 * top : last_row - 2 * top, first_column - 2 * left : last_column - 2 * left]
        values = as_warp(inside, wp.float32)
    return values.numpy()


def texture_bands(
    key: int, *, level: int, channels: int, seed: int = 0
) -> Iterator[Float32[np.ndarray, "height width channels"]]:
    """A texture in bands of rows, from row 0 on, in memory that does not grow with its height; see ``baked_texture``."""
    _check(level, channels)
    side = 1 << level
    height = 1 << max(0, min(level, int(math.log2(max(1, BAND_BYTES // (4 * channels * side))))))
    for top in range(0, side, height):
        yield baked_texture(key, level=level, channels=channels, seed=seed, rows=(top, top + height))


def level_for(side_m: float, texels_per_metre: float) -> int:
    """The coarsest level of a chart whose texels are at least that dense, at least 1.

    Args:
        side_m: metres per unit of the chart, ``Charts.side_m``.
        texels_per_metre: along one axis.
    """
    return max(1, math.ceil(math.log2(side_m * texels_per_metre) - 1e-9))


def _ancestors(window: Window, levels: int) -> Window:
    """The window of cells, some levels up, that covers a window."""
    return window[0] >> levels, ((window[1] - 1) >> levels) + 1


def _window(what: str, window: Window | None, side: int) -> Window:
    if window is None:
        return 0, side
    if not 0 <= window[0] < window[1] <= side:
        raise BadValueError(f"the window of {what}", window, right=f"inside (0, {side}) and not empty")
    return window


def _check(level: int, channels: int) -> None:
    if not 1 <= level <= FINEST_LEVEL:
        raise BadValueError("the level", level, right=f"1 to {FINEST_LEVEL}")
    if channels < 1:
        raise BadValueError("the number of noise channels", channels, right="1 or more")
