"""Keys of quadtree cells and the hash set that holds the cells that a frame splits."""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false
from typing import no_type_check

import warp as wp

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

FINEST_LEVEL = 20
"""A chart is at most 2^20 cells wide."""
CHART_LIMIT = 1 << 18

FINEST = wp.constant(FINEST_LEVEL)
FREE = wp.constant(wp.int64(-1))
NOBODY = wp.constant(0x7FFFFFFF)
NEIGHBOURS = wp.constant(wp.int64((1 << 20) | 3))
PROBES = wp.constant(1024)


@wp.func
@no_type_check
def cell_key(chart: int, level: int, i: int, j: int) -> wp.int64:
    """18 bits of chart, 5 of level, 20 each of column and row."""
    return (wp.int64(chart) << wp.int64(45)) | (wp.int64(level) << wp.int64(40)) | (wp.int64(i) << wp.int64(20)) | wp.int64(j)


@wp.func
@no_type_check
def key_level(key: wp.int64) -> int:
    """The level of a cell."""
    return int((key >> wp.int64(40)) & wp.int64(31))


@wp.func
@no_type_check
def key_chart(key: wp.int64) -> int:
    """The chart of a cell."""
    return int(key >> wp.int64(45))


@wp.func
@no_type_check
def home(key: wp.int64, shift: int) -> int:
    """First slot to look at: the top bits of a multiplicative hash; blocks of 2 x 4 neighboring cells share a cache line."""
    block = wp.uint64(key & ~NEIGHBOURS)
    block = (block ^ (block >> wp.uint64(31))) * wp.uint64(0xD6E8FEB86659FD93)
    within = (int(key >> wp.int64(18)) & 4) | (int(key) & 3)
    return (int(block >> wp.uint64(shift)) & ~7) | within


@wp.func
@no_type_check
def lookup(table: wp.array(dtype=wp.int64), key: wp.int64, shift: int) -> int:
    """Slot of a key, -1 if it is absent."""
    slot = home(key, shift)
    last = table.shape[0] - 1
    for _probe in range(PROBES):
        held = table[slot]
        if held == key:
            return slot
        if held == FREE:
            return -1
        slot = (slot + 1) & last
    return -1


@wp.func
@no_type_check
def insert(table: wp.array(dtype=wp.int64), key: wp.int64, shift: int) -> wp.vec2i:
    """Slot of a key (-1: no room) and 1 if this very call put it there."""
    slot = home(key, shift)
    last = table.shape[0] - 1
    for _probe in range(PROBES):
        held = table[slot]
        if held == key:
            return wp.vec2i(slot, 0)
        if held == FREE:
            held = wp.atomic_cas(table, slot, FREE, key)
            if held == FREE:
                return wp.vec2i(slot, 1)
            if held == key:
                return wp.vec2i(slot, 0)
        slot = (slot + 1) & last
    return wp.vec2i(-1, 0)
