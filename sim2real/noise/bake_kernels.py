"""One Haar step for a rectangle of a chart's cells: the same draws as the frames', laid out as a texture."""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false
from typing import no_type_check

import warp as wp

from .passes.cells import cell_key
from .passes.philox import keyed_normal, mix64

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

ROOT = wp.constant(wp.uint32(0x80000000))


@wp.func
@no_type_check
def texel_key(level: int, column: int, row: int, chart_key: wp.uint64, seed: wp.uint64) -> wp.uint64:
    """The key of a cell's draws: its place in the chart, the chart's own key, the seed."""
    return mix64(mix64(wp.uint64(cell_key(0, level, column, row)) + chart_key) + seed)


@wp.kernel
@no_type_check
def draw_root(chart_key: wp.uint64, seed: wp.uint64, root: wp.array3d(dtype=float)):
    """The whole chart as one cell."""
    c = wp.tid()
    root[0, 0, c] = keyed_normal(texel_key(0, 0, 0, chart_key, seed), ROOT + wp.uint32(c / 2), c % 2)


@wp.kernel
@no_type_check
def split_texels(
    level: int,
    first_row: int,
    first_column: int,
    chart_key: wp.uint64,
    seed: wp.uint64,
    parents: wp.array3d(dtype=float),
    children: wp.array3d(dtype=float),
):
    """Write the four children of every cell of a rectangle; c(si, sj) = (parent + si h1 + sj h2 + si sj h3) / 2.

    The sums associate as in the kernels that draw frames, so that the bits are the same.
    """
    row, column = wp.tid()
    key = texel_key(level, first_column + column, first_row + row, chart_key, seed)
    for c in range(parents.shape[2]):
        p = parents[row, column, c]
        first = wp.uint32(3 * (c / 2))
        h1 = keyed_normal(key, first, c % 2)
        h2 = keyed_normal(key, first + wp.uint32(1), c % 2)
        h3 = keyed_normal(key, first + wp.uint32(2), c % 2)
        children[2 * row, 2 * column, c] = 0.5 * ((p + h1) + (h2 + h3))
        children[2 * row + 1, 2 * column, c] = 0.5 * ((p + h1) - (h2 + h3))
        children[2 * row, 2 * column + 1, c] = 0.5 * ((p - h1) + (h2 - h3))
        children[2 * row + 1, 2 * column + 1, c] = 0.5 * ((p - h1) - (h2 - h3))
