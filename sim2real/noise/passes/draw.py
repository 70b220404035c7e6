"""The normals of every split cell's children, level by level."""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false, reportAttributeAccessIssue=false
from typing import no_type_check

import warp as wp

from ...native_code import native
from .cells import key_chart
from .philox import mix64
from .split import Cells

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

HAAR_STEP = native(__file__, "haar_step")

_CHILDREN = native(__file__, "children")


@wp.func_native(_CHILDREN)
@no_type_check
def draw_children(values: wp.array(dtype=float), node: int, parent: int, channels: int, begin: int, end: int, key: wp.uint64):
    """Write the four children's values of channel pairs [begin, end)."""
    ...


@wp.func
@no_type_check
def noise_key(key: wp.int64, chart_key: wp.array(dtype=wp.uint64), seed: wp.uint64) -> wp.uint64:
    """A cell's place in its chart, the chart's own key and the seed; not the chart's number, which other objects change."""
    place = wp.uint64(key & wp.int64(0x1FFFFFFFFFFF))
    return mix64(mix64(place + chart_key[key_chart(key)]) + seed)


@wp.kernel
@no_type_check
def draw_levels(
    first_level: int,
    after_level: int,
    seed: wp.uint64,
    channels: int,
    pairs: int,
    stride: int,
    level_start: wp.array(dtype=int),
    order: wp.array(dtype=int),
    chart_key: wp.array(dtype=wp.uint64),
    cells: Cells,
    values: wp.array(dtype=float),
):
    """Draw the children of all split cells of some levels; ``values`` holds ``channels`` floats per leaf name.

    Threads that run side by side take one level at a time, since parents come first.
    """
    thread, part = wp.tid()
    at = level_start[first_level] + thread
    while at < level_start[after_level]:
        node = order[at]
        key = cells.key[node]
        parent = int(-1)
        above = cells.parent[node]
        if above >= 0:
            parent = (cells.slot_node[above >> 2] << 2) | (above & 3)
        mixed = noise_key(key, chart_key, seed)
        begin = part * pairs
        draw_children(values, node, parent, channels, begin, wp.min(begin + pairs, channels / 2), mixed)
        at += stride
