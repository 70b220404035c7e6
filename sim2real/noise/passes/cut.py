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

from ...native_code import native
from .cells import cell_key, key_chart, key_level
from .draw import noise_key
from .philox import keyed_normal, mix64
from .split import Cells, Sample

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

LEAST = 2.0**-14
"""The least relative weight: beside the grid of 2^-28 it leaves the values fourteen bits and more."""

PAIRS_ON_CPU, PAIRS_ON_CUDA = 32, 4
"""Pairs of channels that a thread draws and adds at once."""

_PLACE = native(__file__, "settle")

_DESCENT = native(__file__, "descent")

_DRAWN = f"""
    const float LEAST = {LEAST}f;
#if defined(__CUDA_ARCH__)
    const int PAIRS = {PAIRS_ON_CUDA}, LANES = 1;
#else
    const int PAIRS = {PAIRS_ON_CPU}, LANES = 8;
#endif
""" + native(__file__, "add_leaf")

_LISTED = native(__file__, "list_leaf")


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
