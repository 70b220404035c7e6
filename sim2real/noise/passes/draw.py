"""The normals of every split cell's children, level by level."""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false, reportAttributeAccessIssue=false
from typing import no_type_check

import warp as wp

from .cells import key_chart
from .philox import NORMALS, mix64
from .sample import Cells

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

# Children of a cell of value `a`: c(si, sj) = (a + si h1 + sj h2 + si sj h3) / 2 with three fresh normals per channel. They are
# written to `child`, `stride` apart.
HAAR_STEP = """
    const float plus = a + h1, minus = a - h1, both = h2 + h3, apart = h2 - h3;
    child[at] = 0.5f * (plus + both);
    child[stride + at] = 0.5f * (plus - both);
    child[2 * stride + at] = 0.5f * (minus + apart);
    child[3 * stride + at] = 0.5f * (minus - apart);
"""

# Counter 3 * pair + m draws normal m of channels (2 * pair, 2 * pair + 1); roots draw their own value from the upper half.
# A leaf's values lie in two halves, first the even channels, then the odd ones, so that every loop runs over neighbors.
_CHILDREN = (
    """
#if defined(__CUDA_ARCH__)
    const int chunk = 1, width = 1;
#else
    const int chunk = 16, width = 8;
#endif
    float first[4 * chunk + width], second[4 * chunk + width];
    unsigned counted[4 * chunk + width];
    const unsigned key_low = (unsigned)key, key_high = (unsigned)(key >> 32);
    const bool root = parent < 0;
    const int half = channels / 2, stride = channels;
    for (int pair = begin; pair < end; pair += chunk) {
        const int n = end - pair < chunk ? end - pair : chunk;
        const int draws = ((root ? 4 * n : 3 * n) + width - 1) / width * width;
        for (int k = 0; k < n; ++k) {
            counted[k] = 3 * (pair + k);
            counted[n + k] = 3 * (pair + k) + 1;
            counted[2 * n + k] = 3 * (pair + k) + 2;
            counted[3 * n + k] = 0x80000000u + (unsigned)(pair + k);
        }
        for (int j = 4 * n; j < draws; ++j) counted[j] = 0;
"""
    + NORMALS
    + """
        float* child = values.data + (size_t)node * 4 * channels + pair;
        for (int odd = 0; odd < 2; ++odd, child += half) {
            const float* h = odd ? second : first;
            const float* above = root ? h + 3 * n : values.data + (size_t)parent * channels + pair + odd * half;
#if !defined(__CUDA_ARCH__)
            #pragma clang loop vectorize(assume_safety) interleave(disable)
#endif
            for (int at = 0; at < n; ++at) {
                const float a = above[at], h1 = h[at], h2 = h[n + at], h3 = h[2 * n + at];
"""
    + HAAR_STEP
    + """
            }
        }
    }
"""
)


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
