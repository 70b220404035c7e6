"""From leaves to noise: the normals of every split cell's children, and their sums over pixels."""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false, reportAttributeAccessIssue=false
from typing import no_type_check

import warp as wp

from .cell_kernels import Cells
from .generator import NORMAL_PAIR, keyed_normal, mix64
from .hierarchy import key_chart, key_level

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

# Children of one split cell: c(si, sj) = (parent + si h1 + sj h2 + si sj h3) / 2 with three fresh normals per channel.
# Counter 3 * pair + m draws normal m of channels (2 * pair, 2 * pair + 1); roots draw their own value from the upper half.
# A leaf's values lie in two halves, first the even channels, then the odd ones, so that every loop runs over neighbours.
_CHILDREN = (
    """
#if defined(__CUDA_ARCH__)
    const int chunk = 1, width = 1;
#else
    const int chunk = 16, width = 8;
#endif
    float first[4 * chunk + width], second[4 * chunk + width];
    unsigned counters[4 * chunk + width];
    const unsigned key_low = (unsigned)key, key_high = (unsigned)(key >> 32);
    const bool root = parent < 0;
    const int half = channels / 2;
    for (int pair = begin; pair < end; pair += chunk) {
        const int n = end - pair < chunk ? end - pair : chunk;
        const int draws = ((root ? 4 * n : 3 * n) + width - 1) / width * width;
        for (int k = 0; k < n; ++k) {
            counters[k] = 3 * (pair + k);
            counters[n + k] = 3 * (pair + k) + 1;
            counters[2 * n + k] = 3 * (pair + k) + 2;
            counters[3 * n + k] = 0x80000000u + (unsigned)(pair + k);
        }
        for (int j = 4 * n; j < draws; ++j) counters[j] = 0;
#if !defined(__CUDA_ARCH__)
        #pragma clang loop vectorize(enable) vectorize_width(8) interleave(disable)
#endif
        for (int j = 0; j < draws; ++j) {
            const unsigned counter = counters[j];
"""
    + NORMAL_PAIR
    + """
            first[j] = first_value;
            second[j] = second_value;
        }
        for (int odd = 0; odd < 2; ++odd) {
            const float* h1 = odd ? second : first;
            const float* h2 = h1 + n;
            const float* h3 = h1 + 2 * n;
            const int at = pair + odd * half;
            const float* above = root ? h1 + 3 * n : values.data + (size_t)parent * channels + at;
            float* child = values.data + (size_t)node * 4 * channels + at;
#if !defined(__CUDA_ARCH__)
            #pragma clang loop vectorize(assume_safety) interleave(disable)
#endif
            for (int k = 0; k < n; ++k) {
                const float p = above[k];
                child[k] = 0.5f * ((p + h1[k]) + (h2[k] + h3[k]));
                child[channels + k] = 0.5f * ((p + h1[k]) - (h2[k] + h3[k]));
                child[2 * channels + k] = 0.5f * ((p - h1[k]) + (h2[k] - h3[k]));
                child[3 * channels + k] = 0.5f * ((p - h1[k]) - (h2[k] - h3[k]));
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
def draw_level(
    level: int,
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
    """Draw the children of all split cells of one level; ``values`` holds ``channels`` floats per leaf name."""
    thread, part = wp.tid()
    at = level_start[level] + thread
    while at < level_start[level + 1]:
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


@wp.func_native("""
    const size_t channels = out.shape[1];
    float* to = out.data + (size_t)pixel * channels + begin;
    const float* from = values.data + (size_t)leaf * channels + begin;
#if !defined(__CUDA_ARCH__)
    #pragma clang loop vectorize(assume_safety) interleave(disable)
#endif
    for (int k = 0; k < count; ++k) to[k] = to[k] + weight * from[k];
""")
@no_type_check
def accumulate(
    out: wp.array2d(dtype=float), pixel: int, values: wp.array(dtype=float), leaf: int, begin: int, count: int, weight: float
):
    """Add a leaf's weighted channels to a pixel's."""
    ...


@wp.func
@no_type_check
def fresh_value(key: wp.uint64, place: int, channels: int) -> float:
    """Channel at a place of the two halves, of a pixel that owns nothing."""
    pairs = channels / 2
    return keyed_normal(key, wp.uint32(place % pairs), place / pairs)


@wp.kernel
@no_type_check
def gather_pixels(
    samples_per_axis: int,
    pixel_columns: int,
    seed: wp.uint64,
    channels_per_thread: int,
    leaf: wp.array2d(dtype=int),
    cells: Cells,
    side: wp.array(dtype=float),
    chart_key: wp.array(dtype=wp.uint64),
    values: wp.array(dtype=float),
    out: wp.array2d(dtype=float),
):
    """Sum the leaves that each pixel's own samples own, in sample order, and normalise: no atomics, the same bits always."""
    pixel, part = wp.tid()
    top = (pixel / pixel_columns) * samples_per_axis
    left = (pixel % pixel_columns) * samples_per_axis
    columns = leaf.shape[1]
    channels = out.shape[1]
    begin = part * channels_per_thread
    end = wp.min(begin + channels_per_thread, channels)
    for c in range(begin, end):
        out[pixel, c] = 0.0
    area = float(0.0)
    for y in range(top, top + samples_per_axis):
        for x in range(left, left + samples_per_axis):
            mine = leaf[y, x]
            if mine >= 0:
                if int(cells.owner[mine] & wp.int64(0xFFFFFFFF)) == y * columns + x:
                    key = cells.key[mine >> 2]
                    # 2^-level from the exponent bits, times the chart's side: the side of the leaf in metres
                    unit = wp.cast(wp.uint32(126 - key_level(key)) << wp.uint32(23), wp.float32)
                    weight = unit * side[key_chart(key)]
                    area += weight * weight
                    accumulate(out, pixel, values, mine, begin, end - begin, weight)
    if area > 0.0:
        scale = 1.0 / wp.sqrt(area)
        for c in range(begin, end):
            out[pixel, c] = out[pixel, c] * scale
    else:
        # a pixel that owns nothing draws afresh, keyed by itself and by the leaf at its centre: a still camera stays still
        centre = leaf[top + samples_per_axis / 2, left + samples_per_axis / 2]
        drawn = mix64(wp.uint64(pixel) + wp.uint64(0x51A2C0FFEE5EED00))
        if centre >= 0:
            drawn = mix64(drawn + noise_key(cells.key[centre >> 2], chart_key, seed) + wp.uint64(centre & 3))
        else:
            drawn = mix64(drawn + seed)
        for c in range(begin, end):
            out[pixel, c] = fresh_value(drawn, c, channels)
