"""Deferred shading on the CPU, by eight numbers at once: what ``shading_kernels`` and ``occlusion_kernels`` compute.

What a row of pixels sees is gathered first (``gather_lanes``). Most surfaces have at most a base color texture: eight pixels
that see nothing but one of its faces, or else eight places in whatever pixels, are shaded together (``shade_lanes``). Surfaces
with other textures or colors of corners, and the sides of a skybox, are shaded one by one as by ``shade_kernel``.
"""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

from ....camera.kernels import DeviceCamera
from ....native_code import native
from ...surface_kernels import SurfaceView
from ...texture_sampling import Materials
from .light_kernels import Light
from .overlay_kernels import Overlay, seen_through

wp.set_module_options({"enable_backward": False})


@wp.func_native(native(__file__, "gather_lanes"))
@no_type_check
def gather_lanes(
    row: int,
    face: wp.array2d(dtype=wp.int32),
    side: int,
    wanted: wp.array2d(dtype=wp.uint8),
    boxed_sky: int,
    s: Materials,
    view: SurfaceView,
    faces_of: wp.array(dtype=wp.vec2i),
    places: wp.array(dtype=wp.vec3),
    runs: wp.array(dtype=wp.vec2i),
    counts: wp.array(dtype=wp.int32),
    picture: wp.array2d(dtype=wp.vec3),
):
    """Sort what a row of pixels sees; ``counts`` become those of places, of runs, and of what is shaded one by one."""
    ...


@wp.func_native(native(__file__, "shade_lanes"))
@no_type_check
def shade_lanes(
    row: int,
    count: int,
    faces_of: wp.array(dtype=wp.vec2i),
    places: wp.array(dtype=wp.vec3),
    run_count: int,
    runs: wp.array(dtype=wp.vec2i),
    occlusion: wp.array2d(dtype=wp.vec2),
    s: Materials,
    view: SurfaceView,
    light: Light,
    over: Overlay,
    picture: wp.array2d(dtype=wp.vec3),
):
    """Add the colors of the first ``count`` places to the pixels of a row, and write those of its runs."""
    ...


@wp.kernel
@no_type_check
def shade_rows_kernel(
    face: wp.array2d(dtype=wp.int32),
    side: int,
    faces_of: wp.array(dtype=wp.vec2i),
    places: wp.array(dtype=wp.vec3),
    runs: wp.array(dtype=wp.vec2i),
    counts: wp.array(dtype=wp.int32),
    occlusion: wp.array2d(dtype=wp.vec2),
    s: Materials,
    view: SurfaceView,
    light: Light,
    over: Overlay,
    wanted: wp.array2d(dtype=wp.uint8),
    picture: wp.array2d(dtype=wp.vec3),
):
    """As ``shade_kernel``, a thread per row, for a camera that bends no rays and has an eye; with mirrors, without haze.

    - Pixels that are not ``wanted``, if it is not empty, become black.
    - ``faces_of``: a face, -1 for the sky, and the column of the pixel that sees it; ``places``: where, x and y in px of the
      picture, and its share of the pixel; both have room for all samples of one row.
    - ``runs``: faces, and the columns from which on eight pixels see nothing else; room for the pixels of a row by eights.
    - ``counts``: room for three.

    Rows use these one after the other: on the CPU a launch has one thread.
    """
    y = wp.tid()
    gather_lanes(y, face, side, wanted, light.box_side, s, view, faces_of, places, runs, counts, picture)
    room = places.shape[0]
    for k in range(counts[2]):
        seen = faces_of[room - 1 - k]
        at = places[room - 1 - k]
        color = at[2] * seen_through(seen[0], at[0], at[1], y, seen[1], occlusion, s, view, light, over)
        picture[y, seen[1]] = picture[y, seen[1]] + color
    shade_lanes(y, counts[0], faces_of, places, counts[1], runs, occlusion, s, view, light, over, picture)


@wp.func_native(native(__file__, "mark_lanes"))
@no_type_check
def mark_lanes(
    row: int,
    face: wp.array2d(dtype=wp.int32),
    side: int,
    mirror_of: wp.array(dtype=wp.int32),
    mirror: int,
    faces: wp.vec2i,
    step: int,
    cells: wp.array2d(dtype=wp.uint8),
):
    """Set the cells that a row of pixels looks up."""
    ...


@wp.kernel
@no_type_check
def mark_rows_kernel(
    face: wp.array2d(dtype=wp.int32),
    side: int,
    mirror_of: wp.array(dtype=wp.int32),
    mirror: int,
    faces: wp.vec2i,
    step: int,
    cells: wp.array2d(dtype=wp.uint8),
):
    """As ``overlay_kernels.mark_kernel``, a thread per row of pixels."""
    mark_lanes(wp.tid(), face, side, mirror_of, mirror, faces, step, cells)


@wp.func_native(native(__file__, "occlusion_lanes"))
@no_type_check
def occlusion_lanes(
    row: int,
    plane: wp.array2d(dtype=wp.vec4),
    camera: DeviceCamera,
    taps: wp.array2d(dtype=wp.vec2),
    radius: float,
    strength: float,
    occlusion: wp.array2d(dtype=wp.vec2),
):
    """A row of the map of occlusion."""
    ...


@wp.kernel
@no_type_check
def occlusion_rows_kernel(
    plane: wp.array2d(dtype=wp.vec4),
    camera: DeviceCamera,
    taps: wp.array2d(dtype=wp.vec2),
    radius: float,
    strength: float,
    occlusion: wp.array2d(dtype=wp.vec2),
):
    """As ``occlusion_kernel``, a thread per row, for a camera that bends no rays; there are eight taps."""
    occlusion_lanes(wp.tid(), plane, camera, taps, radius, strength, occlusion)
