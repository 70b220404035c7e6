"""An order of points in space in which those that follow each other are near each other."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

_BITS = 10
"""Of each coordinate."""


def order_along_a_curve(points: Float[np.ndarray, "n 3"]) -> Int[np.ndarray, " n"]:
    """Indices of points along a Hilbert curve through the cube about them, so that any run of them fills a compact part.

    Skilling 2004, "Programming the Hilbert curve". Points in one of 1024^3 cells keep their order.
    """
    if not len(points):
        return np.zeros(0, np.int64)
    low, span = points.min(axis=0), max(float(np.ptp(points, axis=0).max()), 1e-30)
    at = list(np.minimum((points - low) / span * 2**_BITS, 2**_BITS - 1).astype(np.int64).T)
    for bit in reversed(range(1, _BITS)):  # undo the turns of the cubes that a point is in, from the largest on
        below = (1 << bit) - 1
        for axis, value in enumerate(at):
            set_ = (value >> bit) & 1 == 1
            swapped = np.where(set_, 0, (at[0] ^ value) & below)
            at[0] = np.where(set_, at[0] ^ below, at[0] ^ swapped)
            if axis:
                at[axis] = value ^ swapped
    for axis in range(1, len(at)):  # from places to steps (Gray code)
        at[axis] ^= at[axis - 1]
    turned = np.zeros_like(at[0])
    for bit in reversed(range(1, _BITS)):
        turned = np.where((at[-1] >> bit) & 1 == 1, turned ^ ((1 << bit) - 1), turned)
    key = np.zeros_like(at[0])
    for bit in reversed(range(_BITS)):
        for value in at:
            key = (key << 1) | (((value ^ turned) >> bit) & 1)
    return np.argsort(key, kind="stable")
