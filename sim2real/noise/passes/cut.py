"""From leaves to latents: every leaf is cut along the borders of the latents that see it, drawn, and added to them.

A leaf of the stored tree is a few pixels wide. Its center is found in the picture with the inverse of the map from pixels to
the chart, as the pixel there has it; so are the centers of its children, theirs, and so on, down to cells that lie in one
latent or whose part beyond its border is too small to matter. Each cell goes whole to the latent that its center falls
in, if the pixel there sees the surface. Cells are disjoint, and each has one latent at most: that is all that whiteness needs.

Sums are taken in float64 on a grid, values on one of 2^-28 and areas on two, of 2^-16 and, for the rest, 2^-58: so they are
exact and do not depend on the order. Weights are relative to the widest leaf that a latent's samples want: 2^14 at most, and
cells below 2^-14 do not count.
"""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false, reportAttributeAccessIssue=false
from typing import no_type_check

import warp as wp

from .cells import cell_key, key_chart, key_level
from .draw import HAAR_STEP, noise_key
from .philox import MIX64, NORMALS, keyed_normal, mix64
from .sample import Cells, Sample

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

LEAST = 2.0**-14
"""The least relative weight: beside the grid of 2^-28 it leaves the values fourteen bits and more."""

PAIRS_ON_CPU, PAIRS_ON_CUDA = 32, 4
"""Pairs of channels that a thread draws and adds at once."""

# Where a cell lies, and what becomes of it. `find` walks from pixel to pixel (Newton's steps) until the cell's center lies in
# the pixel whose own map says so. `settle` returns the latent that a cell goes to, NONE, or SPLIT. Cells down to a quarter of
# the leaf start from a sample that lies in them, if one does: where islands of a chart lie side by side, a leaf can be seen in
# two places of the picture. Smaller cells start from the cell around them. In plain leaves, and below the width of a pixel,
# children follow their parent's map without a search. In leaves of which a part is hidden, hidden cells are split too, but not
# those that no sample lies in.
_PLACE = """
    const int NONE = -1, SPLIT = -2, DEPTH = 12, FINEST = 20, NOBODY = 0x7FFFFFFF;
    const float THIN = 0.03125f;  // px: cells are not made narrower than that where a surface is seen edge-on
    const float FAR = 128.0f;     // px: half of it is the most that a first guess may be off
    const float NEAR = 1.0f;      // px: a pixel sees a point of its chart if its own map has it no farther from its center
    const float FOLLOWS = 0.75f;  // px: half of the width up to which a cell's children need no search
    const float TOLERANCE = 0.1f;  // of a latent
    struct Cell { int i, j, column, row; float x, y; bool seen; };  // its pixel, and its center in the picture
    const int columns = samples.shape[1], rows = samples.shape[0];
    const int latent_columns = columns / factor, latent_rows = rows / factor;
    const float size = (float)factor, per_size = 1.0f / size, width = (float)columns, height = (float)rows;
    const int chart = (int)(key >> 45), level = (int)(key >> 40) & 31;
    const int* inner = first_seen.data + (size_t)leaf * 16;
    int quarter[4];
    auto least = [](int a, int b) { return a < b ? a : b; };
    auto least_of = [&](const int* at) { return least(least(at[0], at[1]), least(at[4], at[5])); };
    for (int q = 0; q < 4; ++q) quarter[q] = least_of(inner + 8 * (q >> 1) + 2 * (q & 1));
    int middle = least_of(inner + 5);
    if (middle == NOBODY) middle = least(least(quarter[0], quarter[1]), least(quarter[2], quarter[3]));
    if (middle == NOBODY) return;  // nobody sees it
    auto absolute = [](float a) { return a < 0.0f ? -a : a; };
    auto larger = [](float a, float b) { return a > b ? a : b; };
    auto power = [](int exponent) { union { int i; float f; } bits; bits.i = (127 + exponent) << 23; return bits.f; };
    auto pixel = [&](int column, int row) -> const auto& { return samples.data[(size_t)row * columns + column]; };
    auto in_picture = [&](float x, float y) { return x >= 0.0f && y >= 0.0f && x < width && y < height; };
    auto find = [&](Cell& cell, float u, float v) {
        cell.seen = false;
        float before = FAR;
        for (int step = 0; step < 4; ++step) {
            if (!in_picture(cell.x, cell.y)) return;
            const int column = (int)cell.x, row = (int)cell.y;
            const auto& there = pixel(column, row);
            if ((there.chart_level >> 5) != chart) return;
            const float du = u - there.u, dv = v - there.v;
            const float dx = du * there.x_u + dv * there.x_v, dy = du * there.y_u + dv * there.y_v;
            const float off = larger(absolute(dx), absolute(dy));
            if (off > 0.5f && off > 0.5f * before) {
                cell.seen = off <= NEAR && step > 0;
                return;  // no nearer: another surface, or one that is not smooth here
            }
            before = off;
            cell.column = column;
            cell.row = row;
            cell.x = (float)column + 0.5f + dx;
            cell.y = (float)row + 0.5f + dy;
            if (off <= 0.5f) {
                cell.seen = true;
                return;
            }
        }
    };
    // what a cell is in the picture: half of its extent along x and y, what of it lies beyond lines at a distance, its area
    struct Shape { float reach_x, reach_y, steep_x, steep_y, tip_x, tip_y, flat_x, flat_y, area; };
    auto shape_of = [&](float x_u, float x_v, float y_u, float y_v) {
        const float a = absolute(x_u), b = absolute(x_v), c = absolute(y_u), d = absolute(y_v);
        Shape shape;
        shape.area = 4.0f * absolute(x_u * y_v - x_v * y_u);
        shape.reach_x = a + b;
        shape.reach_y = c + d;
        shape.steep_x = absolute(a - b);
        shape.steep_y = absolute(c - d);
        shape.tip_x = shape.area * 0.5f / larger(4.0f * a * b, 1.0e-20f);
        shape.tip_y = shape.area * 0.5f / larger(4.0f * c * d, 1.0e-20f);
        shape.flat_x = shape.area * 0.5f / larger(larger(a, b), 1.0e-20f);
        shape.flat_y = shape.area * 0.5f / larger(larger(c, d), 1.0e-20f);
        return shape;
    };
    auto beyond = [&](float distance, float reach, float steep, float tip, float flat, float area) {
        const float over = larger(reach - distance, 0.0f);
        return distance > steep ? over * over * tip : 0.5f * area - distance * flat;
    };
    // the latent that a point in the picture lies in, and what of a shape around it lies beyond that latent
    struct Border { int latent; float lost; bool over; };
    auto border_at = [&](float x, float y, const Shape& shape) -> Border {
        int latent_x = (int)(x * per_size), latent_y = (int)(y * per_size);
        latent_x = latent_x < latent_columns ? latent_x : latent_columns - 1;  // where the product is rounded up
        latent_y = latent_y < latent_rows ? latent_y : latent_rows - 1;
        const float from_left = x - (float)latent_x * size, from_top = y - (float)latent_y * size;
        const float to_x = from_left < size - from_left ? from_left : size - from_left;
        const float to_y = from_top < size - from_top ? from_top : size - from_top;
        const float lost = beyond(to_x, shape.reach_x, shape.steep_x, shape.tip_x, shape.flat_x, shape.area)
            + beyond(to_y, shape.reach_y, shape.steep_y, shape.tip_y, shape.flat_y, shape.area);
        return {latent_y * latent_columns + latent_x, lost, (bool)((shape.reach_x > to_x) | (shape.reach_y > to_y))};
    };
    auto settle = [&](float x, float y, const Shape& shape, bool seen, bool last, bool hiding) -> int {
        Border border = {NONE, shape.area, true};
        if (in_picture(x, y)) {
            border = border_at(x, y, shape);
            if (!seen) border.latent = NONE;
        } else if (!(x + shape.reach_x > 0.0f && y + shape.reach_y > 0.0f
                && x - shape.reach_x < width && y - shape.reach_y < height)) {
            return NONE;
        }
        const bool wide = border.over && larger(shape.reach_x, shape.reach_y) > 0.5f * size;
        const bool more = border.lost > loss || wide || (border.latent == NONE && hiding);
        return more && !last && shape.area > THIN * (shape.reach_x + shape.reach_y) ? SPLIT : border.latent;
    };
    // `sample` is one in the cell, or NOBODY
    auto place = [&](Cell& cell, int sample, float side, int depth, bool last) -> int {
        if (sample != NOBODY) {
            cell.column = sample & 0xFFFF;
            cell.row = sample >> 16;
            cell.x = (float)cell.column + 0.5f;
            cell.y = (float)cell.row + 0.5f;
        }
        find(cell, ((float)cell.i + 0.5f) * side, ((float)cell.j + 0.5f) * side);
        const auto& map = pixel(cell.column, cell.row);
        const float half = 0.5f * side;
        const Shape shape = shape_of(half * map.x_u, half * map.x_v, half * map.y_u, half * map.y_v);
        const bool hiding = depth < 3 ? sample != NOBODY : larger(shape.reach_x, shape.reach_y) > 1.0f;
        return settle(cell.x, cell.y, shape, cell.seen, last, hiding);
    };
    Cell cell[DEPTH + 1][4];
    int todo[DEPTH + 1];
    Cell& block = cell[0][0];
    block.i = (int)(key >> 20) & 0xFFFFF;
    block.j = (int)key & 0xFFFFF;
    const int whole = place(block, middle, power(-level), 0, level >= FINEST);
    int depth = whole == SPLIT ? 0 : -1;
    todo[0] = 1;
    // A leaf is plain if the samples that it holds agree on one linear map: its center's, or if that is hidden, a sample's.
    const bool hidden = !block.seen;
    bool partial = hidden;
    for (int part = 0; part < 16; ++part) partial = partial | (inner[part] == NOBODY);
    const int origin = hidden ? middle : block.row << 16 | block.column;
    const auto& common = pixel(origin & 0xFFFF, origin >> 16);
    const float tolerance = TOLERANCE * size;
    bool plain = true;
    for (int q = 0; q < (hidden ? 16 : 4); ++q) {
        const int held = hidden ? inner[q] : quarter[q], other = held == NOBODY ? middle : held;
        const int column = other & 0xFFFF, row = other >> 16;
        const auto& there = pixel(column, row);
        const float du = there.u - common.u, dv = there.v - common.v;
        const float off_x = (float)((origin & 0xFFFF) - column) + du * common.x_u + dv * common.x_v;
        const float off_y = (float)((origin >> 16) - row) + du * common.y_u + dv * common.y_v;
        plain = plain & (absolute(off_x) <= tolerance) & (absolute(off_y) <= tolerance);
    }
    if (plain & hidden) {
        block.column = middle & 0xFFFF;
        block.row = middle >> 16;
        const float side = power(-level);
        const float du = ((float)block.i + 0.5f) * side - common.u, dv = ((float)block.j + 0.5f) * side - common.v;
        block.x = (float)block.column + 0.5f + du * common.x_u + dv * common.x_v;
        block.y = (float)block.row + 0.5f + du * common.y_u + dv * common.y_v;
    }
"""

_DESCENT = """
    while (depth >= 0) {
        if (todo[depth] == 0) { --depth; continue; }
        int k = 0;
        while (((todo[depth] >> k) & 1) == 0) ++k;
        todo[depth] &= todo[depth] - 1;
        const Cell& parent = cell[depth][k];
        Cell* below = cell[depth + 1];
        const int child_level = level + depth + 1;
        const float child_side = power(-child_level), half = 0.5f * child_side;
        const bool last = child_level >= FINEST || depth + 1 == DEPTH;
        const auto& map = pixel(parent.column, parent.row);
        const float x_u = half * map.x_u, x_v = half * map.x_v, y_u = half * map.y_u, y_v = half * map.y_v;
        const Shape shape = shape_of(x_u, x_v, y_u, y_v);
        const bool follow = plain || (depth >= 2 && parent.seen && 2.0f * larger(shape.reach_x, shape.reach_y) <= FOLLOWS);
        int to[4], split = 0;
        float xs[4], ys[4];
        for (int c = 0; c < 4; ++c) {
            xs[c] = parent.x + ((c >> 1) ? x_u : -x_u) + ((c & 1) ? x_v : -x_v);
            ys[c] = parent.y + ((c >> 1) ? y_u : -y_u) + ((c & 1) ? y_v : -y_v);
        }
        const float longest = larger(shape.reach_x, shape.reach_y);
        auto hides = [&](int c) -> bool {
            if (depth == 0) return partial & (quarter[c] != NOBODY);
            const int at = 4 * ((2 * parent.i + (c >> 1)) & 3) + ((2 * parent.j + (c & 1)) & 3);
            return partial & (depth == 1 ? inner[at] != NOBODY : longest > 1.0f);
        };
        const float around_x = 2.0f * shape.reach_x, around_y = 2.0f * shape.reach_y;
        if (follow && parent.x >= around_x && parent.y >= around_y
                && parent.x + around_x < width && parent.y + around_y < height) {
            // all inside the picture: no branches
            const bool finer = !last && shape.area > THIN * (shape.reach_x + shape.reach_y);
            float lost[4];
            int latent[4], over[4], there[4];
            for (int c = 0; c < 4; ++c) {
                const Border border = border_at(xs[c], ys[c], shape);
                lost[c] = border.lost;
                over[c] = border.over;
                latent[c] = border.latent;
                there[c] = (int)ys[c] * columns + (int)xs[c];
            }
            for (int c = 0; c < 4; ++c) {
                const auto& at = samples.data[there[c]];
                const float du = ((float)(2 * parent.i + (c >> 1)) + 0.5f) * child_side - at.u;
                const float dv = ((float)(2 * parent.j + (c & 1)) + 0.5f) * child_side - at.v;
                const float dx = du * at.x_u + dv * at.x_v, dy = du * at.y_u + dv * at.y_v;
                const bool near = ((at.chart_level >> 5) == chart) & (absolute(dx) <= NEAR) & (absolute(dy) <= NEAR);
                const bool more = finer & ((lost[c] > loss) | ((over[c] != 0) & (longest > 0.5f * size)) | (!near & hides(c)));
                to[c] = more ? SPLIT : near ? latent[c] : NONE;
                if (more) {
                    below[c] = {2 * parent.i + (c >> 1), 2 * parent.j + (c & 1), parent.column, parent.row, xs[c], ys[c], true};
                }
            }
        } else {
            for (int c = 0; c < 4; ++c) {
                Cell child = {2 * parent.i + (c >> 1), 2 * parent.j + (c & 1), parent.column, parent.row, xs[c], ys[c], true};
                if (follow) {
                    find(child, ((float)child.i + 0.5f) * child_side, ((float)child.j + 0.5f) * child_side);
                    to[c] = settle(child.x, child.y, shape, child.seen, last, hides(c));
                } else {
                    int sample = NOBODY;
                    if (depth == 0) {
                        sample = quarter[c];
                    } else if (depth == 1) {
                        sample = inner[4 * (child.i & 3) + (child.j & 3)];
                    }
                    to[c] = place(child, sample, child_side, depth + 1, last);
                }
                below[c] = child;
            }
        }
        for (int c = 0; c < 4; ++c) split |= (to[c] == SPLIT) << c;
"""

# Where two children go to one latent and the other two to another, two of the three normals cancel; where all four go to one,
# none is drawn.
_DRAWN = (
    f"""
    const float LEAST = {LEAST}f;
#if defined(__CUDA_ARCH__)
    const int PAIRS = {PAIRS_ON_CUDA}, LANES = 1;
#else
    const int PAIRS = {PAIRS_ON_CPU}, LANES = 8;
#endif
"""
    """
    const double GRID = 25165824.0, COARSE = 103079215104.0, FINE = 0.0234375;  // adding 1.5 * 2^k rounds to 2^(k - 52)
    const float MOST = 16384.0f;
    const int half = channels / 2, n = end - begin;
    float value[DEPTH + 1][4][2 * PAIRS], first[3 * PAIRS + LANES], second[3 * PAIRS + LANES];
    unsigned counters[4 * PAIRS + LANES];
    for (int m = 0; m < 3; ++m) {
        for (int p = 0; p < n; ++p) counters[m * n + p] = (unsigned)(3 * (begin + p) + m);
    }
    for (int k = 3 * n; k < 3 * n + LANES; ++k) counters[k] = 0u;
    // `width` is that of each cell whose sum or difference `from` is
    auto add = [&](int latent, const float* from, float weight, double cells, float width) {
        if (width * unit.data[latent] < LEAST) return;
        const float scaled = weight * unit.data[latent];
        const double relative = scaled < MOST ? scaled : MOST;
        double* even = sum.data + (size_t)latent * channels + begin;
        double* odd = even + half;
        const double exact = relative * relative * cells, covered = (exact + COARSE) - COARSE;
        const double rest = ((exact - covered) + FINE) - FINE;
#if defined(__CUDA_ARCH__)
        for (int p = 0; p < n; ++p) {
            atomicAdd(even + p, (from[p] * relative + GRID) - GRID);
            atomicAdd(odd + p, (from[PAIRS + p] * relative + GRID) - GRID);
        }
        if (begin == 0) {
            atomicAdd(area.data + 2 * latent, covered);
            atomicAdd(area.data + 2 * latent + 1, rest);
        }
#else
        #pragma clang loop vectorize(assume_safety) interleave(disable)
        for (int p = 0; p < n; ++p) even[p] += (from[p] * relative + GRID) - GRID;
        #pragma clang loop vectorize(assume_safety) interleave(disable)
        for (int p = 0; p < n; ++p) odd[p] += (from[PAIRS + p] * relative + GRID) - GRID;
        if (begin == 0) {
            area.data[2 * latent] += covered;
            area.data[2 * latent + 1] += rest;
        }
#endif
    };
    auto mixed = [](unsigned long long x) {
"""
    + MIX64
    + """
        return x;
    };
    const float* from = values.data + (size_t)leaf * channels + begin;
    for (int p = 0; p < n; ++p) {
        value[0][0][p] = from[p];
        value[0][0][PAIRS + p] = from[half + p];
    }
    if (whole >= 0) add(whole, value[0][0], side * power(-level), 1.0, side * power(-level));
"""
    + _DESCENT
    + """
        const float* above = value[depth][k];
        const float weight = side * child_side;
        int fresh = 4;  // which of the three normals is needed; 0: none, 4: all
        if (split == 0) {
            if (to[0] == to[1] && to[2] == to[3]) fresh = to[0] == to[2] ? 0 : 1;
            else if (to[0] == to[2] && to[1] == to[3]) fresh = 2;
            else if (to[0] == to[3] && to[1] == to[2]) fresh = 3;
        }
        if (fresh == 0) {
            if (to[0] >= 0) add(to[0], above, 2.0f * weight, 1.0, weight);
            continue;
        }
        const unsigned long long place = ((unsigned long long)(child_level - 1) << 40)
            | ((unsigned long long)parent.i << 20) | (unsigned long long)parent.j;
        const unsigned long long drawn = mixed(mixed(place + chart_key) + seed);
        const unsigned key_low = (unsigned)drawn, key_high = (unsigned)(drawn >> 32);
        const unsigned* counted = counters + (fresh == 4 ? 0 : (fresh - 1) * n);
        const int draws = ((fresh == 4 ? 3 * n : n) + LANES - 1) / LANES * LANES;
"""
    + NORMALS
    + """
        const int stride = 2 * PAIRS;
        float* child = value[depth + 1][0];
        for (int odd = 0; odd < 2; ++odd) {
            const float* h = (odd ? second : first) - odd * PAIRS;
            const int from = odd * PAIRS;
            if (fresh == 4) {
#if !defined(__CUDA_ARCH__)
                #pragma clang loop vectorize(assume_safety) interleave(disable)
#endif
                for (int at = from; at < from + n; ++at) {
                    const float a = above[at], h1 = h[at], h2 = h[n + at], h3 = h[2 * n + at];
"""
    + HAAR_STEP
    + """
                }
            } else {
                for (int at = from; at < from + n; ++at) {
                    child[at] = above[at] + h[at];
                    child[stride + at] = above[at] - h[at];
                }
            }
        }
        if (fresh != 4) {
            const int other = to[fresh == 1 ? 2 : 1];
            if (to[0] >= 0) add(to[0], child, weight, 2.0, weight);
            if (other >= 0) add(other, child + stride, weight, 2.0, weight);
            continue;
        }
        for (int c = 0; c < 4; ++c) {
            if (to[c] >= 0) add(to[c], child + c * stride, weight, 1.0, weight);
        }
        if (split) todo[++depth] = split;
    }
"""
)

_LISTED = (
    """
    auto list = [&](int latent, int of_level, int i, int j) {
        const int at = wp::atomic_add(count, 0, 1);
        if (at < listed.shape[0]) {
            listed.data[at] = ((long long)chart << 45) | ((long long)of_level << 40) | ((long long)i << 20) | (long long)j;
            latents.data[at] = latent;
        }
    };
    if (whole >= 0) list(whole, level, block.i, block.j);
"""
    + _DESCENT
    + """
        for (int c = 0; c < 4; ++c) {
            if (to[c] >= 0) list(to[c], child_level, 2 * parent.i + (c >> 1), 2 * parent.j + (c & 1));
        }
        if (split) todo[++depth] = split;
    }
"""
)


@wp.func_native(_PLACE + _DRAWN)
@no_type_check
def add_leaf(
    samples: wp.array2d(dtype=Sample),
    factor: int,
    loss: float,
    first_seen: wp.array(dtype=int),
    key: wp.int64,
    side: float,
    chart_key: wp.uint64,
    seed: wp.uint64,
    values: wp.array(dtype=float),
    leaf: int,
    channels: int,
    begin: int,
    end: int,
    unit: wp.array(dtype=float),
    sum: wp.array2d(dtype=wp.float64),
    area: wp.array2d(dtype=wp.float64),
):
    """Add channel pairs [begin, end) of a leaf to the latents that see it."""
    ...


@wp.func_native(_PLACE + _LISTED)
@no_type_check
def list_leaf(
    samples: wp.array2d(dtype=Sample),
    factor: int,
    loss: float,
    first_seen: wp.array(dtype=int),
    key: wp.int64,
    leaf: int,
    listed: wp.array(dtype=wp.int64),
    latents: wp.array(dtype=int),
    count: wp.array(dtype=int),
):
    """List the cells that a leaf is cut into, with their latents."""
    ...


@wp.func
@no_type_check
def leaf_key(cells: Cells, leaf: int) -> wp.int64:
    """The key of a leaf as a cell."""
    above = cells.key[leaf >> 2]
    i = 2 * int((above >> wp.int64(20)) & wp.int64(0xFFFFF)) + ((leaf >> 1) & 1)
    j = 2 * int(above & wp.int64(0xFFFFF)) + (leaf & 1)
    return cell_key(key_chart(above), key_level(above) + 1, i, j)


@wp.kernel
@no_type_check
def scale_latents(
    samples: wp.array2d(dtype=Sample),
    factor: int,
    side: wp.array(dtype=float),
    unit: wp.array(dtype=float),
    sum: wp.array2d(dtype=wp.float64),
    area: wp.array2d(dtype=wp.float64),
):
    """Empty the sums; their unit is a power of two about as long as the widest cell that a sample of the latent wants."""
    latent = wp.tid()
    columns = samples.shape[1] / factor
    top = (latent / columns) * factor
    left = (latent % columns) * factor
    metres = float(0.0)
    for y in range(top, top + factor):
        for x in range(left, left + factor):
            wanted = samples[y, x].chart_level
            metres = wp.max(metres, side[wanted >> 5] * wp.cast(wp.uint32(127 - (wanted & 31)) << wp.uint32(23), wp.float32))
    exponent = wp.clamp(int(wp.cast(metres, wp.uint32) >> wp.uint32(23)), 1, 253)
    unit[latent] = wp.cast(wp.uint32(254 - exponent) << wp.uint32(23), wp.float32)
    area[latent, 0] = wp.float64(0.0)
    area[latent, 1] = wp.float64(0.0)
    for c in range(sum.shape[1]):
        sum[latent, c] = wp.float64(0.0)


@wp.kernel
@no_type_check
def add_leaves(
    samples: wp.array2d(dtype=Sample),
    factor: int,
    loss: float,
    cells: Cells,
    side: wp.array(dtype=float),
    chart_key: wp.array(dtype=wp.uint64),
    seed: wp.uint64,
    values: wp.array(dtype=float),
    stride: int,
    pairs: int,
    unit: wp.array(dtype=float),
    sum: wp.array2d(dtype=wp.float64),
    area: wp.array2d(dtype=wp.float64),
):
    """Cut every leaf and add what it is cut into to the latents, ``pairs`` pairs of channels per thread (``PAIRS_ON_...``)."""
    leaf, part = wp.tid()
    begin = part * pairs
    end = wp.min(begin + pairs, sum.shape[1] / 2)
    while leaf < 4 * wp.min(cells.used[0], cells.key.shape[0]):
        key = leaf_key(cells, leaf)
        chart = key_chart(key)
        add_leaf(
            samples,
            factor,
            loss,
            cells.first_seen,
            key,
            side[chart],
            chart_key[chart],
            seed,
            values,
            leaf,
            sum.shape[1],
            begin,
            end,
            unit,
            sum,
            area,
        )
        leaf += stride


@wp.kernel
@no_type_check
def list_leaves(
    samples: wp.array2d(dtype=Sample),
    factor: int,
    loss: float,
    cells: Cells,
    listed: wp.array(dtype=wp.int64),
    latents: wp.array(dtype=int),
    count: wp.array(dtype=int),
):
    """What ``add_leaves`` adds to which latent; more than there is room for is counted only."""
    leaf = wp.tid()
    if leaf < 4 * wp.min(cells.used[0], cells.key.shape[0]):
        list_leaf(samples, factor, loss, cells.first_seen, leaf_key(cells, leaf), leaf, listed, latents, count)


@wp.kernel
@no_type_check
def normalize(
    factor: int,
    seed: wp.uint64,
    samples: wp.array2d(dtype=Sample),
    cells: Cells,
    chart_key: wp.array(dtype=wp.uint64),
    sum: wp.array2d(dtype=wp.float64),
    area: wp.array2d(dtype=wp.float64),
    out: wp.array2d(dtype=float),
):
    """Sums to unit variance; a latent that owns nothing draws afresh, keyed by itself and by the leaf at its center."""
    latent = wp.tid()
    channels = out.shape[1]
    total = area[latent, 0] + area[latent, 1]
    if total > wp.float64(0.0):
        scale = wp.float64(1.0) / wp.sqrt(total)
        for c in range(channels):
            out[latent, c] = float(sum[latent, c] * scale)
    else:
        columns = samples.shape[1] / factor
        center = samples[(latent / columns) * factor + factor / 2, (latent % columns) * factor + factor / 2].leaf
        drawn = mix64(wp.uint64(latent) + wp.uint64(0x51A2C0FFEE5EED00))
        if center >= 0:
            drawn = mix64(drawn + noise_key(cells.key[center >> 2], chart_key, seed) + wp.uint64(center & 3))
        else:
            drawn = mix64(drawn + seed)
        pairs = channels / 2
        for c in range(channels):
            out[latent, c] = keyed_normal(drawn, wp.uint32(c % pairs), c / pairs)
