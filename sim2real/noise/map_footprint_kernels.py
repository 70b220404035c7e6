"""From a map to the leaves of the hierarchy: sampled once per pixel for coarse latents, walked cell by cell for fine ones.

As ``cell_kernels.split_cells`` and ``footprint_kernels.walk_footprints``, with a map in the place of triangles and a camera.
"""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false, reportAttributeAccessIssue=false
from typing import no_type_check

import warp as wp

from .cell_kernels import Cells, Samples, add_split
from .footprint_kernels import LONGEST, Footprint, Lists, claim_children, walk
from .hierarchy import FINEST, FREE, cell_key
from .map_kernels import Map, smooth_place, tangents

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False, "max_unroll": 1})


@wp.func
@no_type_check
def level_of(side_squared: wp.float64) -> int:
    """The coarsest level whose cells' squared side is not greater."""
    exponent = int(wp.cast(wp.clamp(float(side_squared), 1.0e-30, 1.0), wp.uint32) >> wp.uint32(23)) - 127
    return wp.clamp(-(exponent >> 1), 1, FINEST)


@wp.func
@no_type_check
def in_chart(map: Map, domain_px: wp.float64, place: wp.vec2d) -> wp.vec2d:
    """From pixels of a chart's frame to 0 ... 1 of its square, which is centred on the frame."""
    half = wp.float64(0.5)
    middle = wp.vec2d(half * wp.float64(map.chart.shape[1]), half * wp.float64(map.chart.shape[0]))
    return (place - middle) / domain_px + wp.vec2d(half, half)


@wp.kernel
@no_type_check
def split_mapped(
    map: Map,
    domain_px: wp.float64,
    run: int,
    tau_squared: wp.float64,
    cap_squared: wp.float64,
    cells: Cells,
    samples: Samples,
):
    """Find every pixel's place in its chart and split the cells that are too coarse for it.

    The footprint's axes are the singular values of the map's tangents; a cell's side is at most tau times the longer one, and
    at most cap times the root of the area.
    """
    y, part = wp.tid()
    last_key = FREE
    last_slot = int(-1)
    fine = wp.float64(1048576.0)
    for x in range(part * run, wp.min((part + 1) * run, map.chart.shape[1])):
        chart = map.chart[y, x]
        t = tangents(map, y, x) / domain_px
        trace = t[0, 0] * t[0, 0] + t[0, 1] * t[0, 1] + t[1, 0] * t[1, 0] + t[1, 1] * t[1, 1]
        area = wp.abs(t[0, 0] * t[1, 1] - t[0, 1] * t[1, 0])
        gap = wp.max(wp.float64(0.0), trace * trace - wp.float64(4.0) * area * area)
        long_squared = wp.float64(0.5) * (trace + wp.sqrt(gap))
        level = level_of(wp.min(tau_squared * long_squared, cap_squared * area))
        place = in_chart(map, domain_px, map.position[y, x])
        i = wp.clamp(int(wp.floor(place[0] * fine)), 0, 1048575)
        j = wp.clamp(int(wp.floor(place[1] * fine)), 0, 1048575)
        samples.column[y, x] = i
        samples.row[y, x] = j
        samples.chart_level[y, x] = (chart << 5) | level
        coarser = FINEST - level + 1
        key = cell_key(chart, level - 1, i >> coarser, j >> coarser)
        if key != last_key:
            last_key = key
            last_slot = add_split(cells, key)
        samples.slot[y, x] = last_slot


@wp.func
@no_type_check
def mapped_footprint(map: Map, domain_px: wp.float64, y: int, x: int, cap_squared: wp.float64) -> Footprint:
    """The quadrilateral of a pixel and the level whose cells have at most ``cap_squared`` of its area.

    Pixels on one surface share their corners, computed the same way, so that their quadrilaterals tile.
    """
    left = wp.float64(x)
    top = wp.float64(y)
    one = wp.float64(1.0)
    a = in_chart(map, domain_px, smooth_place(map, y, x, wp.vec2d(left, top)))
    b = in_chart(map, domain_px, smooth_place(map, y, x, wp.vec2d(left + one, top)))
    c = in_chart(map, domain_px, smooth_place(map, y, x, wp.vec2d(left, top + one)))
    d = in_chart(map, domain_px, smooth_place(map, y, x, wp.vec2d(left + one, top + one)))
    it = Footprint()
    it.chart = map.chart[y, x]
    it.centre = in_chart(map, domain_px, map.position[y, x])
    it.u = wp.vec4d(a[0], b[0], c[0], d[0])
    it.v = wp.vec4d(a[1], b[1], c[1], d[1])
    falling = d - a
    rising = b - c
    area = wp.float64(0.5) * (rising[0] * falling[1] - rising[1] * falling[0])
    it.turn = one
    if area < wp.float64(0.0):
        it.turn = -one
    longest = wp.max(wp.length_sq(falling), wp.length_sq(rising))
    it.level = level_of(wp.max(cap_squared * wp.abs(area), longest / (LONGEST * LONGEST)))
    return it


@wp.kernel
@no_type_check
def walk_mapped(claims: int, map: Map, domain_px: wp.float64, run: int, cap_squared: wp.float64, cells: Cells, lists: Lists):
    """Split (``claims`` 0) or claim (1), ``run`` pixels of a row per thread."""
    y, part = wp.tid()
    columns = map.chart.shape[1]
    for x in range(part * run, wp.min((part + 1) * run, columns)):
        pixel = y * columns + x
        it = mapped_footprint(map, domain_px, y, x, cap_squared)
        if claims == 0:
            walk(0, it, cells, lists, pixel)
        else:
            lists.leaf_count[pixel] = 0
            count = lists.slot_count[pixel]
            if count <= lists.slots.shape[1]:
                for k in range(count):
                    slot = lists.slots[pixel, k]
                    if slot >= 0:
                        claim_children(it, cells, lists, pixel, slot)
            else:
                walk(1, it, cells, lists, pixel)
