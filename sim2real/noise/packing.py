"""Places square power-of-two blocks in one square without overlap, and without search."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

FINEST_BLOCKS = 14
"""Blocks smaller than the largest one by more than this power of two are given a larger block than they need."""


def interleaved(columns: Int[np.ndarray, "n d"], bits: int) -> Int[np.ndarray, "n"]:
    """Morton code: bit k of every column in turn."""
    code = np.zeros(len(columns), np.int64)
    d = columns.shape[1]
    for k in range(bits):
        for axis in range(d):
            code |= ((columns[:, axis].astype(np.int64) >> k) & 1) << (k * d + axis)
    return code


def packed(
    extent: Float[np.ndarray, "blocks"], centre: Float[np.ndarray, "blocks 3"]
) -> tuple[Float[np.ndarray, "blocks 2"], float]:
    """Corners of disjoint blocks, each a power of two metres wide and aligned to its own size.

    Blocks are laid along the Morton curve of the square from the largest to the smallest, so the running sum of their areas
    is where the next one starts, always aligned. Among blocks of one size, neighbours in space become neighbours on the
    curve, so that a cell coarser than the blocks still covers one place of the surface.

    Args:
        extent: the width that each block must have at least, metres.
        centre: where the block's surface lies in space.

    Returns:
        Lower corner of every block and the side of the whole square (a power of two), metres.
    """
    exponent = np.ceil(np.log2(np.maximum(extent, 1e-30))).astype(np.int64)
    top = int(exponent.max())
    exponent = np.maximum(exponent, top - FINEST_BLOCKS)
    base = int(exponent.min())

    span = np.ptp(centre, axis=0).max()
    grid = ((centre - centre.min(axis=0)) / (span if span > 0 else 1) * 1023).astype(np.int64)
    order = np.lexsort((interleaved(grid, 10), -exponent))
    area = np.int64(4) ** (exponent[order] - base)
    start = np.cumsum(area) - area

    corner = np.zeros((len(extent), 2))
    for axis in range(2):
        value = np.zeros(len(start), np.int64)
        for k in range(31):
            value |= ((start >> (2 * k + axis)) & 1) << k
        corner[order, axis] = value * 2.0**base
    levels = 0
    while 4**levels < int(area.sum()):
        levels += 1
    return corner, 2.0 ** (base + levels)
