"""The rasterizer on the CPU, by several numbers at once: what ``kernels`` computes, in C++, with the same bits.

For cameras that have an eye and bend no rays. One thread takes all vertices, or all triangles.
"""

# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportIndexIssue=false
# pyright: reportOperatorIssue=false, reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportReturnType=false

from typing import no_type_check

import warp as wp

from ..native_code import native
from .box_kernels import Target

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

BLOCK_PX = 32
"""Pixels of a row that share one bound of what they hold, in ``native/cover_lanes``."""


@wp.func_native(native(__file__, "transform_lanes"))
@no_type_check
def place_lanes(
    vertices: wp.array(dtype=wp.vec3f),
    vertex_part: wp.array(dtype=wp.int32),
    camera_from_part: wp.array2d(dtype=wp.vec4d),
    part_visible: wp.array(dtype=wp.int32),
    target: Target,
    camera_vertices: wp.array(dtype=wp.vec3f),
    screen: wp.array(dtype=wp.vec3f),
):
    """All vertices, some at once."""
    ...


@wp.kernel
@no_type_check
def transform_lanes(
    vertices: wp.array(dtype=wp.vec3f),
    vertex_part: wp.array(dtype=wp.int32),
    camera_from_part: wp.array2d(dtype=wp.vec4d),
    part_visible: wp.array(dtype=wp.int32),
    target: Target,
    camera_vertices: wp.array(dtype=wp.vec3f),
    screen: wp.array(dtype=wp.vec3f),
):
    """As ``transform``, on the CPU alone, for cameras that bend no rays and have an eye: one thread takes all vertices."""
    if wp.tid() == 0:
        place_lanes(vertices, vertex_part, camera_from_part, part_visible, target, camera_vertices, screen)


@wp.func_native(native(__file__, "splat_lanes"))
@no_type_check
def draw_lanes(
    order: wp.array(dtype=wp.int32),
    count: int,
    faces: wp.array(dtype=wp.vec3i),
    screen: wp.array(dtype=wp.vec3f),
    camera_vertices: wp.array(dtype=wp.vec3f),
    target: Target,
    drawn: wp.array(dtype=wp.int32),
    boxes: wp.array(dtype=wp.vec4i),
    zbuffer: wp.array2d(dtype=wp.int64),
    farthest_of: wp.array2d(dtype=wp.int64),
):
    """``face_box``, ``hidden`` and ``cover`` for some triangles, one after the other: several boxes and pixels at once."""
    ...


@wp.kernel
@no_type_check
def splat_lanes(
    order: wp.array(dtype=wp.int32),
    count: int,
    faces: wp.array(dtype=wp.vec3i),
    screen: wp.array(dtype=wp.vec3f),
    camera_vertices: wp.array(dtype=wp.vec3f),
    target: Target,
    drawn: wp.array(dtype=wp.int32),
    boxes: wp.array(dtype=wp.vec4i),
    zbuffer: wp.array2d(dtype=wp.int64),
    farthest_of: wp.array2d(dtype=wp.int64),
):
    """As ``splat``, on the CPU alone, for cameras that bend no rays and have an eye: one thread takes all ``count`` triangles.

    ``drawn`` and ``boxes`` have room for those that are drawn in one go; ``farthest_of`` is at first NO_HIT for every
    ``BLOCK_PX`` pixels of a row.
    """
    if wp.tid() == 0:
        draw_lanes(order, count, faces, screen, camera_vertices, target, drawn, boxes, zbuffer, farthest_of)


@wp.func_native(native(__file__, "splat_inverse"))
@no_type_check
def draw_inverse(
    order: wp.array(dtype=wp.int32),
    count: int,
    faces: wp.array(dtype=wp.vec3i),
    screen: wp.array(dtype=wp.vec3f),
    camera_vertices: wp.array(dtype=wp.vec3f),
    target: Target,
    drawn: wp.array(dtype=wp.int32),
    boxes: wp.array(dtype=wp.vec4i),
    inverse: wp.array2d(dtype=wp.float32),
    farthest_of: wp.array2d(dtype=wp.int32),
):
    """As ``draw_lanes``, into a map of inverse depth."""
    ...


@wp.kernel
@no_type_check
def splat_inverse(
    order: wp.array(dtype=wp.int32),
    count: int,
    faces: wp.array(dtype=wp.vec3i),
    screen: wp.array(dtype=wp.vec3f),
    camera_vertices: wp.array(dtype=wp.vec3f),
    target: Target,
    drawn: wp.array(dtype=wp.int32),
    boxes: wp.array(dtype=wp.vec4i),
    inverse: wp.array2d(dtype=wp.float32),
    farthest_of: wp.array2d(dtype=wp.int32),
):
    """As ``splat_lanes``, but what is kept of a pixel is its inverse depth: where a triangle is nearer than what the map holds.

    ``farthest_of`` is at first 0 for every ``BLOCK_PX`` pixels of a row.
    """
    if wp.tid() == 0:
        draw_inverse(order, count, faces, screen, camera_vertices, target, drawn, boxes, inverse, farthest_of)
