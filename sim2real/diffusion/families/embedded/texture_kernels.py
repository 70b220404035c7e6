"""Means along short lines through a stack of pictures, as a Warp kernel. `textures.taps_reference` repeats it in torch."""
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.func
@no_type_check
def between(levels: wp.array3d(dtype=wp.float32), level: int, y: float, x: float) -> float:
    """One picture between the centers of its pixels; its margin goes on outside."""
    row = wp.clamp(y, 0.0, float(levels.shape[1] - 1))
    column = wp.clamp(x, 0.0, float(levels.shape[2] - 1))
    i, j = int(row), int(column)
    below, right = wp.min(i + 1, levels.shape[1] - 1), wp.min(j + 1, levels.shape[2] - 1)
    v, u = row - float(i), column - float(j)
    upper = wp.lerp(levels[level, i, j], levels[level, i, right], u)
    lower = wp.lerp(levels[level, below, j], levels[level, below, right], u)
    return wp.lerp(upper, lower, v)


@wp.kernel
@no_type_check
def taps_kernel(
    levels: wp.array3d(dtype=wp.float32),
    level: wp.array2d(dtype=wp.float32),
    way: wp.array3d(dtype=wp.float32),
    reach: int,
    out: wp.array2d(dtype=wp.float32),
):
    """The mean of ``2 reach + 1`` places along ``way`` (x, y; pixels) through every pixel, between two of the pictures."""
    y, x = wp.tid()
    deep = wp.clamp(level[y, x], 0.0, float(levels.shape[0] - 1))
    first = int(deep)
    second = wp.min(first + 1, levels.shape[0] - 1)
    share = deep - float(first)
    total = float(0.0)
    for k in range(-reach, reach + 1):
        column = float(x) + float(k) * way[0, y, x]
        row = float(y) + float(k) * way[1, y, x]
        value = between(levels, first, row, column)
        if share > 0.0:
            value = wp.lerp(value, between(levels, second, row, column), share)
        total += value
    out[y, x] = total / float(2 * reach + 1)
