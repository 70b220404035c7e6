"""Means along short lines through pictures of several sizes, as a Warp kernel. `blurs.taps_reference` repeats it in torch."""
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.func
@no_type_check
def between(
    values: wp.array(dtype=wp.float32), places: wp.array3d(dtype=wp.int32), own: int, level: int, y: float, x: float
) -> float:
    """One picture between the centers of its pixels, at a place of the full size; 0 outside, where nothing is seen of it."""
    first, rows, columns = places[own, level, 0], places[own, level, 1], places[own, level, 2]
    scale = 1.0 / float(places[own, level, 3])
    down, along = (y + 0.5) * scale, (x + 0.5) * scale
    if down < 0.0 or along < 0.0 or down > float(rows) or along > float(columns):
        return 0.0
    row, column = wp.clamp(down - 0.5, 0.0, float(rows - 1)), wp.clamp(along - 0.5, 0.0, float(columns - 1))
    i, j = int(row), int(column)
    below, right = wp.min(i + 1, rows - 1), wp.min(j + 1, columns - 1)
    v, u = row - float(i), column - float(j)
    upper = wp.lerp(values[first + i * columns + j], values[first + i * columns + right], u)
    lower = wp.lerp(values[first + below * columns + j], values[first + below * columns + right], u)
    return wp.lerp(upper, lower, v)


@wp.kernel
@no_type_check
def taps_kernel(
    values: wp.array(dtype=wp.float32),
    places: wp.array3d(dtype=wp.int32),
    corners: wp.array2d(dtype=wp.int32),
    owner: wp.array2d(dtype=wp.int32),
    minor: wp.array2d(dtype=wp.float32),
    way: wp.array3d(dtype=wp.float32),
    reach: wp.array2d(dtype=wp.int32),
    finest: float,
    out: wp.array2d(dtype=wp.float32),
):
    """The mean of ``2 reach + 1`` places along ``way`` (x, y; pixels) through a pixel, between two of its owner's pictures."""
    i, j = wp.tid()
    own = owner[i, j]
    if own < 0 or own >= places.shape[0]:
        return
    if places[own, 0, 1] == 0:
        return
    deep = wp.clamp(wp.log2(minor[i, j] / finest), 0.0, float(places.shape[1] - 1))
    first = int(deep)
    second, share = wp.min(first + 1, places.shape[1] - 1), deep - float(first)
    y, x = float(i - corners[own, 0]), float(j - corners[own, 1])
    far = reach[i, j]
    total = float(0.0)
    for k in range(-far, far + 1):
        row, column = y + float(k) * way[1, i, j], x + float(k) * way[0, i, j]
        value = between(values, places, own, first, row, column)
        if share > 0.0:
            value = wp.lerp(value, between(values, places, own, second, row, column), share)
        total += value
    out[i, j] = total / float(2 * far + 1)
