"""Warp kernels that take noise out of light along surfaces, and bring it to pixels. `reference` repeats them in numpy."""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

from ...native_code import native

wp.set_module_options({"enable_backward": False})

_FARTHER = wp.constant(4)
"""Cells around a strip on which hardly any falls."""


@wp.func_native(native(__file__, "smooth_lanes"))
@no_type_check
def row_smoothed(
    row: int,
    places: wp.array3d(dtype=wp.float32),
    light: wp.array3d(dtype=wp.float32),
    margin: int,
    step: int,
    contrast: float,
    out: wp.array2d(dtype=wp.vec3),
):
    """The places of a row, eight at once."""
    ...


@wp.kernel
@no_type_check
def smooth_kernel(
    places: wp.array3d(dtype=wp.float32),
    light: wp.array3d(dtype=wp.float32),
    margin: int,
    step: int,
    contrast: float,
    out: wp.array2d(dtype=wp.vec3),
):
    """One round of an edge-avoiding a-trous filter: the mean of 5 x 5 points ``step`` apart that lie in the same plane.

    Points whose light differs by more than about ``contrast``, of what is there, count little: shadows keep their edges. What
    is negative is not known (all count alike there), and what nothing is known of stays so.

    ``places`` are eight planes: x, y, z, three of normals, sizes, and bends: how little surfaces count that are turned
    (``exp(-bend * (1 - cosine))``); ``light`` three. Both have ``margin`` more columns at each
    side, as those at the border, and seven on the right. On the CPU alone.
    """
    row_smoothed(wp.tid(), places, light, margin, step, contrast, out)


@wp.func_native(native(__file__, "spread_lanes"))
@no_type_check
def row_spread(
    y: int,
    farther: int,
    points: wp.array2d(dtype=wp.vec3),
    normals: wp.array2d(dtype=wp.vec3),
    sizes: wp.array2d(dtype=wp.float32),
    first: wp.array2d(dtype=wp.vec3),
    second: wp.array2d(dtype=wp.vec3),
    by: float,
    all_points: wp.array2d(dtype=wp.vec3),
    all_normals: wp.array2d(dtype=wp.vec3),
    all_first: wp.array2d(dtype=wp.vec3),
    all_second: wp.array2d(dtype=wp.vec3),
):
    """The pixels of a row, eight at once."""
    ...


@wp.kernel
@no_type_check
def spread_kernel(
    points: wp.array2d(dtype=wp.vec3),
    normals: wp.array2d(dtype=wp.vec3),
    sizes: wp.array2d(dtype=wp.float32),
    first: wp.array2d(dtype=wp.vec3),
    second: wp.array2d(dtype=wp.vec3),
    by: float,
    all_points: wp.array2d(dtype=wp.vec3),
    all_normals: wp.array2d(dtype=wp.vec3),
    all_first: wp.array2d(dtype=wp.vec3),
    all_second: wp.array2d(dtype=wp.vec3),
):
    """From cells to the pixels of a picture: the mean of the cells around that lie in the same plane, by their distance.

    On the CPU alone.
    """
    row_spread(wp.tid(), _FARTHER, points, normals, sizes, first, second, by, all_points, all_normals, all_first, all_second)
