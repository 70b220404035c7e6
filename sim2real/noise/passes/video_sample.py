"""What every pixel of a mapped video sees of the reference domain, and the cells that are split for it.

As ``sample.split_cells``, with a map in the place of triangles and a camera.
"""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false, reportAttributeAccessIssue=false
from typing import no_type_check

import warp as wp

from ..video_map_kernels import Map, tangents
from .cells import FINEST, FREE
from .split import Cells, Sample, split_above

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
    """From pixels of a chart's frame to 0 ... 1 of its square, which is centerd on the frame."""
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
    samples: wp.array2d(dtype=Sample),
):
    """Find every pixel's place in its chart and split the cells that are too coarse for it.

    The footprint's axes are the singular values of the map's tangents; a cell's side is at most tau times the longer one, and
    at most cap times the root of the area.
    """
    y, part = wp.tid()
    last_key = FREE
    last_slot = int(-1)
    end = wp.float64(0.99999994)
    zero = wp.float64(0.0)
    for x in range(part * run, wp.min((part + 1) * run, map.chart.shape[1])):
        chart = map.chart[y, x]
        t = tangents(map, y, x) / domain_px
        trace = t[0, 0] * t[0, 0] + t[0, 1] * t[0, 1] + t[1, 0] * t[1, 0] + t[1, 1] * t[1, 1]
        cross = t[0, 0] * t[1, 1] - t[0, 1] * t[1, 0]
        area = wp.abs(cross)
        gap = wp.max(zero, trace * trace - wp.float64(4.0) * area * area)
        long_squared = wp.float64(0.5) * (trace + wp.sqrt(gap))
        level = level_of(wp.min(tau_squared * long_squared, cap_squared * area))
        place = in_chart(map, domain_px, map.position[y, x])
        upright = wp.max(area, wp.float64(1.0e-30))
        if cross < zero:
            upright = -upright
        it = Sample()
        it.u = float(wp.clamp(place[0], zero, end))
        it.v = float(wp.clamp(place[1], zero, end))
        it.x_u = float(t[1, 1] / upright)
        it.x_v = float(-t[0, 1] / upright)
        it.y_u = float(-t[1, 0] / upright)
        it.y_v = float(t[0, 0] / upright)
        it.chart_level = (chart << 5) | level
        last_key, last_slot = split_above(cells, it.chart_level, it.u, it.v, last_key, last_slot)
        it.leaf = last_slot
        samples[y, x] = it
