"""From what every pixel sees to the cells that are split for it: its place in a chart, and how fine a cell it wants there."""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false, reportAttributeAccessIssue=false
from typing import no_type_check

import warp as wp

from ...camera.kernels import BENT, mean_ray, ray_slopes
from ...native_code import native
from .cells import FREE
from .planes import NoiseView, Plane, Surface, face_plane, sky_chart, sky_plane
from .split import Cells, Sample, split_above

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

_PLACE = native(__file__, "first_samples")


@wp.func_native(_PLACE)
@no_type_check
def place_run(
    along_u: wp.vec3d,
    along_v: wp.vec3d,
    normal: wp.vec3d,
    origin_u: wp.float64,
    origin_v: wp.float64,
    chart: int,
    first_x: wp.float64,
    ray_y: wp.float64,
    slopes: wp.vec4d,
    tau_squared: float,
    cap_squared: float,
    start: int,
    count: int,
    samples: wp.array2d(dtype=Sample),
):
    """What ``count`` pixels in a row see of one plane, and the levels that they want."""
    ...


@wp.kernel
@no_type_check
def split_cells(
    face: wp.array2d(dtype=int),
    surface: Surface,
    view: NoiseView,
    run: int,
    tau_squared: float,
    cap_squared: float,
    cells: Cells,
    samples: wp.array2d(dtype=Sample),
):
    """Find every pixel's place in its chart and split the cells that are too coarse for it."""
    y, part = wp.tid()
    columns = face.shape[1]
    last_key = FREE
    last_slot = int(-1)
    end = wp.min((part + 1) * run, columns)
    x = part * run
    while x < end:
        f = face[y, x]
        ray = mean_ray(view.camera, y, x)
        slopes = ray_slopes(view.camera, y, x)
        after = x + 1
        plane = Plane()
        if f < 0:
            chart = sky_chart(view, ray)
            plane = sky_plane(view, chart)
            while (
                view.camera.kind != BENT
                and after < end
                and face[y, after] < 0
                and sky_chart(view, wp.vec2d(ray[0] + wp.float64(after - x) * slopes[0], ray[1])) == chart
            ):
                after += 1
        else:
            plane = face_plane(surface, view.camera.kind, f)
            while view.camera.kind != BENT and after < end and face[y, after] == f:
                after += 1
        place_run(
            plane.along_u,
            plane.along_v,
            plane.normal,
            plane.origin[0],
            plane.origin[1],
            plane.chart,
            ray[0],
            ray[1],
            slopes,
            tau_squared,
            cap_squared,
            y * columns + x,
            after - x,
            samples,
        )
        while x < after:
            last_key, last_slot = split_above(
                cells, samples[y, x].chart_level, samples[y, x].u, samples[y, x].v, last_key, last_slot
            )
            samples[y, x].leaf = last_slot
            x += 1
