"""Which islands of a chart cover some place twice: folded, mirrored onto themselves, or wound like a spiral stair."""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false
from typing import no_type_check

import numpy as np
import warp as wp

from ..devices import warp_ready

wp.set_module_options({"enable_backward": False, "fast_math": False})

GRID = 2048


@wp.kernel
@no_type_check
def _cover(
    corners: wp.array2d(dtype=wp.vec2),
    label: wp.array(dtype=int),
    counting: int,
    layers: wp.array2d(dtype=int),
    covered: wp.array(dtype=int),
    doubled: wp.array(dtype=int),
):
    """First pass (counting = 1): layers per texel centre. Second pass: texels and doubled texels per island."""
    f = wp.tid()
    a = corners[f, 0]
    b = corners[f, 1]
    c = corners[f, 2]
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if area == 0.0:
        return
    sign = wp.sign(area)
    n = layers.shape[0]
    low = wp.min(a, wp.min(b, c))
    high = wp.max(a, wp.max(b, c))
    x0 = wp.max(0, int(wp.ceil(low[0] - 0.5)))
    x1 = wp.min(n - 1, int(wp.floor(high[0] - 0.5)))
    y0 = wp.max(0, int(wp.ceil(low[1] - 0.5)))
    y1 = wp.min(n - 1, int(wp.floor(high[1] - 0.5)))
    inside = 1.0e-3 * wp.abs(area)  # shared edges belong to neither side
    for y in range(y0, y1 + 1):
        for x in range(x0, x1 + 1):
            p = wp.vec2(float(x) + 0.5, float(y) + 0.5)
            u = sign * ((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]))
            v = sign * ((c[0] - b[0]) * (p[1] - b[1]) - (c[1] - b[1]) * (p[0] - b[0]))
            w = sign * ((a[0] - c[0]) * (p[1] - c[1]) - (a[1] - c[1]) * (p[0] - c[0]))
            if u > inside and v > inside and w > inside:
                if counting == 1:
                    wp.atomic_add(layers, y, x, 1)
                else:
                    wp.atomic_add(covered, label[f], 1)
                    if layers[y, x] > 1:
                        wp.atomic_add(doubled, label[f], 1)


def overlapping(coordinates: np.ndarray, label: np.ndarray, islands: int) -> np.ndarray:
    """Find islands that cover part of their chart more than once.

    Args:
        coordinates: (faces, 3, 2) chart coordinates in [0, 1), islands in disjoint places.
        label: (faces,) island of every face.
        islands: number of islands.

    Returns:
        (islands,) bool: more than one percent of the island's texels, and at least three of them, lie in two of its faces.
    """
    if len(coordinates) == 0:
        return np.zeros(islands, bool)
    warp_ready()
    corners = wp.array(np.ascontiguousarray(coordinates * GRID, np.float32), dtype=wp.vec2, device="cpu")
    labels = wp.array(label.astype(np.int32), dtype=int, device="cpu")
    layers = wp.zeros((GRID, GRID), dtype=int, device="cpu")
    covered = wp.zeros(islands, dtype=int, device="cpu")
    doubled = wp.zeros(islands, dtype=int, device="cpu")
    for counting in (1, 0):
        wp.launch(_cover, dim=len(coordinates), inputs=[corners, labels, counting, layers, covered, doubled], device="cpu")
    twice = doubled.numpy()
    return (twice > 0.01 * covered.numpy()) & (twice >= 3)
