"""Means along short lines through pictures, as Warp kernels. `textures.taps_reference` repeats the first in torch."""
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


@wp.func
@no_type_check
def within(levels: wp.array3d(dtype=wp.float32), level: float, y: float, x: float) -> float:
    """Between two of the pictures."""
    deep = wp.clamp(level, 0.0, float(levels.shape[0] - 1))
    first = int(deep)
    value = between(levels, first, y, x)
    if deep > float(first):
        value = wp.lerp(value, between(levels, wp.min(first + 1, levels.shape[0] - 1), y, x), deep - float(first))
    return value


@wp.func
@no_type_check
def belongs(owner: wp.array2d(dtype=wp.int32), own: int, y: float, x: float) -> bool:
    """Whether the four pixels around a place have this owner."""
    i = int(wp.clamp(y, 0.0, float(owner.shape[0] - 1)))
    j = int(wp.clamp(x, 0.0, float(owner.shape[1] - 1)))
    below, right = wp.min(i + 1, owner.shape[0] - 1), wp.min(j + 1, owner.shape[1] - 1)
    return owner[i, j] == own and owner[i, right] == own and owner[below, j] == own and owner[below, right] == own


@wp.kernel
@no_type_check
def own_taps_kernel(
    fields: wp.array3d(dtype=wp.float32),
    owner: wp.array2d(dtype=wp.int32),
    levels: wp.array3d(dtype=wp.float32),
    level: wp.array2d(dtype=wp.float32),
    way: wp.array3d(dtype=wp.float32),
    reach: int,
    out: wp.array2d(dtype=wp.float32),
):
    """The same means through one picture, whose pixels have owners; what another owns is taken from ``levels`` instead."""
    y, x = wp.tid()
    total = float(0.0)
    for k in range(-reach, reach + 1):
        column = float(x) + float(k) * way[0, y, x]
        row = float(y) + float(k) * way[1, y, x]
        if belongs(owner, owner[y, x], row, column):
            total += between(fields, 0, row, column)
        else:
            total += within(levels, level[y, x], row, column)
    out[y, x] = total / float(2 * reach + 1)


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
    total = float(0.0)
    for k in range(-reach, reach + 1):
        total += within(levels, level[y, x], float(y) + float(k) * way[1, y, x], float(x) + float(k) * way[0, y, x])
    out[y, x] = total / float(2 * reach + 1)
