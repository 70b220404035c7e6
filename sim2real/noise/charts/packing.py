"""Places square power-of-two blocks in one square without overlap, and without search."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

FINEST_BLOCKS = 14
"""Blocks smaller than the largest one by more than this power of two are given a larger block than they need."""

_SPREAD_BY_3 = ((16, 0x030000FF), (8, 0x0300F00F), (4, 0x030C30C3), (2, 0x09249249))
_GATHER_BY_2 = (
    (1, 0x3333333333333333),
    (2, 0x0F0F0F0F0F0F0F0F),
    (4, 0x00FF00FF00FF00FF),
    (8, 0x0000FFFF0000FFFF),
    (16, 0x00000000FFFFFFFF),
)


def interleaved(columns: Int[np.ndarray, "n 3"]) -> Int[np.ndarray, "n"]:
    """Morton code of three ten-bit columns: bit k of each in turn."""
    code = np.zeros(len(columns), np.int64)
    for axis in range(3):
        bits = columns[:, axis].astype(np.int64)
        for shift, mask in _SPREAD_BY_3:
            bits = (bits | bits << shift) & mask
        code |= bits << axis
    return code


def every_second_bit(code: Int[np.ndarray, "n"]) -> Int[np.ndarray, "n"]:
    """Bits 0, 2, 4, ... of a Morton code, moved together."""
    bits = code & 0x5555555555555555
    for shift, mask in _GATHER_BY_2:
        bits = (bits | bits >> shift) & mask
    return bits


def packed(
    extent: Float[np.ndarray, "blocks"], center: Float[np.ndarray, "blocks 3"]
) -> tuple[Float[np.ndarray, "blocks 2"], float]:
    """Corners of disjoint blocks, each a power of two metres wide and aligned to its own size.

    Blocks are laid along the Morton curve of the square from the largest to the smallest, so the running sum of their areas
    is where the next one starts, always aligned. Among blocks of one size, neighbors in space become neighbors on the
    curve, so that a cell coarser than the blocks still covers one place of the surface.

    Args:
        extent: the width that each block must have at least, metres.
        center: where the block's surface lies in space.

    Returns:
        Lower corner of every block and the side of the whole square (a power of two), metres.
    """
    exponent = np.ceil(np.log2(np.maximum(extent, 1e-30))).astype(np.int64)
    top = int(exponent.max())
    exponent = np.maximum(exponent, top - FINEST_BLOCKS)
    base = int(exponent.min())

    span = np.ptp(center, axis=0).max()
    grid = ((center - center.min(axis=0)) / (span if span > 0 else 1) * 1023).astype(np.int64)
    order = np.argsort(((top - exponent) << 30) | interleaved(grid), kind="stable")
    area = np.int64(4) ** (exponent[order] - base)
    start = np.cumsum(area) - area

    corner = np.empty((len(extent), 2))
    corner[order, 0] = every_second_bit(start) * 2.0**base
    corner[order, 1] = every_second_bit(start >> 1) * 2.0**base
    levels = 0
    while 4**levels < int(area.sum()):
        levels += 1
    return corner, 2.0 ** (base + levels)
