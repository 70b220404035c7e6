"""Warp kernels that take noise out of light along surfaces, and bring it to pixels. `reference` repeats them in numpy."""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

from ...native_code import native

wp.set_module_options({"enable_backward": False})

_FARTHER = wp.constant(4)


@wp.func
@no_type_check
def eighth_power(x: float) -> float:
    """How much surfaces count whose normals have a cosine."""
    x2 = x * x
    return x2 * x2 * x2 * x2


@wp.func
@no_type_check
def off_plane(normal: wp.vec3, point: wp.vec3, other: wp.vec3, size: float) -> float:
    """How far another point lies off a point's plane, in sizes."""
    return wp.abs(wp.dot(normal, other - point)) / size


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
    """From cells to the pixels of a picture: the mean of the cells around that lie in the same plane, by their distance."""
    y = wp.tid()
    cy = (float(y) + 0.5) / by - 0.5
    for x in range(all_points.shape[1]):
        n = all_normals[y, x]
        one = wp.vec3(0.0, 0.0, 0.0)
        two = wp.vec3(0.0, 0.0, 0.0)
        if wp.length_sq(n) > 0.5:
            cx = (float(x) + 0.5) / by - 0.5
            j0 = int(wp.floor(cy + 0.5))
            i0 = int(wp.floor(cx + 0.5))
            weights = float(0.0)
            for j in range(j0 - 1, j0 + 2):
                for i in range(i0 - 1, i0 + 2):
                    if j >= 0 and i >= 0 and j < points.shape[0] and i < points.shape[1]:
                        if wp.length_sq(normals[j, i]) > 0.5:
                            near = wp.max(1.5 - wp.abs(cy - float(j)), 0.0) * wp.max(1.5 - wp.abs(cx - float(i)), 0.0)
                            off = off_plane(n, all_points[y, x], points[j, i], sizes[j, i])
                            alike = eighth_power(wp.max(wp.dot(n, normals[j, i]), 0.0))
                            weight = near * (wp.exp(-2.0 * off) * alike + 1.0e-5)
                            one += weight * first[j, i]
                            two += weight * second[j, i]
                            weights += weight
            if weights < 0.01:  # a strip so narrow that few cells fall on it: from farther off
                for j in range(j0 - _FARTHER, j0 + _FARTHER + 1):
                    for i in range(i0 - _FARTHER, i0 + _FARTHER + 1):
                        if j >= 0 and i >= 0 and j < points.shape[0] and i < points.shape[1]:
                            alike = wp.max(wp.dot(n, normals[j, i]), 0.0)
                            if alike > 0.8:
                                off = off_plane(n, all_points[y, x], points[j, i], sizes[j, i])
                                away = float((j - j0) * (j - j0) + (i - i0) * (i - i0))
                                weight = wp.exp(-2.0 * off) / (1.0 + away)
                                one += weight * first[j, i]
                                two += weight * second[j, i]
                                weights += weight
            if weights > 0.0:
                one = one / weights
                two = two / weights
        all_first[y, x] = one
        all_second[y, x] = two
