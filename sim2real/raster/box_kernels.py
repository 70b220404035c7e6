"""Which pixels a triangle may cover: its box on the screen, the near plane and lenses that bend rays included."""

# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportIndexIssue=false
# pyright: reportOperatorIssue=false, reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportReturnType=false

from typing import no_type_check

import warp as wp

from ..camera.kernels import BENT, PARALLEL, DeviceCamera, straight_px, wide

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

BLOCK = wp.constant(3)
"""A screen box of a bent camera is put together from at most this plus one cells along each axis."""


@wp.struct
@no_type_check
class Target:
    """A camera, its picture, and what of the triangles it shows."""

    camera: DeviceCamera
    near: wp.float32
    width: wp.int32
    height: wp.int32
    slack: wp.float32  # pixels (bent: cells) by which a screen box is widened against float32 rounding
    boxes: wp.array(dtype=wp.vec4i)  # bent only: the pixels whose rays fall into a cell, level by level
    cells: wp.int32  # along each axis at the finest level, a power of two
    cell_low: wp.vec2d  # where cells begin, angles
    cell_scale: wp.vec2d  # cells per radian
    hidden_side: wp.array(dtype=wp.int8)  # per face, as ``Triangles`` has it; empty: all faces are seen from both sides


@wp.func
@no_type_check
def place_of(target: Target, p: wp.vec3d) -> wp.vec2f:
    """Where a point in front of the camera falls, in pixels (bent: in cells)."""
    inverse = wp.float64(1.0) / p[2]
    if target.camera.kind == PARALLEL:
        inverse = wp.float64(1.0)
    if target.camera.kind == BENT:
        across = (wp.atan(p[0] * inverse) - target.cell_low[0]) * target.cell_scale[0]
        down = (wp.atan(p[1] * inverse) - target.cell_low[1]) * target.cell_scale[1]
        return wp.vec2f(wp.float32(across), wp.float32(down))
    at = straight_px(target.camera, p[0] * inverse, p[1] * inverse)
    return wp.vec2f(wp.float32(at[0]), wp.float32(at[1]))


@wp.func
@no_type_check
def cells_box(target: Target, low: wp.vec2f, high: wp.vec2f, slack: float) -> wp.vec4i:
    """``box_of`` for a bent camera: the pixels that look into a rectangle of cells, and some around."""
    box = wp.vec4i(target.width, -1, target.height, -1)
    count = float(target.cells)
    if high[0] + slack < 0.0 or high[1] + slack < 0.0 or low[0] - slack >= count or low[1] - slack >= count:
        return box
    i0 = int(wp.clamp(low[0] - slack, 0.0, count - 1.0))
    i1 = int(wp.clamp(high[0] + slack, 0.0, count - 1.0))
    j0 = int(wp.clamp(low[1] - slack, 0.0, count - 1.0))
    j1 = int(wp.clamp(high[1] + slack, 0.0, count - 1.0))
    side = int(target.cells)
    start = int(0)
    while i1 - i0 > BLOCK or j1 - j0 > BLOCK:
        start += side * side
        side = side >> 1
        i0 = i0 >> 1
        i1 = i1 >> 1
        j0 = j0 >> 1
        j1 = j1 >> 1
    for j in range(j0, j1 + 1):
        for i in range(i0, i1 + 1):
            cell = target.boxes[start + j * side + i]
            box = wp.vec4i(wp.min(box[0], cell[0]), wp.max(box[1], cell[1]), wp.min(box[2], cell[2]), wp.max(box[3], cell[3]))
    return box


@wp.func
@no_type_check
def box_of(target: Target, low: wp.vec2f, high: wp.vec2f, slack: float) -> wp.vec4i:
    """First and last column, first and last row of the pixel centers in a rectangle; empty where first > last."""
    if target.camera.kind == BENT:
        return cells_box(target, low, high, slack)
    right = float(target.width)
    bottom = float(target.height)
    return wp.vec4i(
        int(wp.clamp(low[0] + 0.5 - slack, 0.0, right)),  # truncation is floor, since nothing is negative
        int(wp.clamp(high[0] + 0.5 + slack, 0.0, right)) - 1,
        int(wp.clamp(low[1] + 0.5 - slack, 0.0, bottom)),
        int(wp.clamp(high[1] + 0.5 + slack, 0.0, bottom)) - 1,
    )


@wp.func
@no_type_check
def cut_box(target: Target, p0: wp.vec3f, p1: wp.vec3f, p2: wp.vec3f) -> wp.vec4i:
    """Box of the part of a triangle in front of the near plane: its vertices there and the cuts of its edges."""
    near = wp.float64(target.near)
    low = wp.vec2f(wp.inf, wp.inf)
    high = wp.vec2f(-wp.inf, -wp.inf)
    for k in range(3):
        a = wide(p0)
        b = wide(p1)
        if k == 1:
            a = wide(p1)
            b = wide(p2)
        if k == 2:
            a = wide(p2)
            b = wide(p0)
        if a[2] >= near:
            at = place_of(target, a)
            low = wp.min(low, at)
            high = wp.max(high, at)
        if (a[2] >= near) != (b[2] >= near):
            cut = a + (b - a) * ((near - a[2]) / (b[2] - a[2]))
            cut[2] = near
            at = place_of(target, cut)
            low = wp.min(low, at)
            high = wp.max(high, at)
    return box_of(target, low, high, 1.0)


@wp.func
@no_type_check
def face_box(
    target: Target, corners: wp.vec3i, screen: wp.array(dtype=wp.vec3f), camera_vertices: wp.array(dtype=wp.vec3f)
) -> wp.vec4i:
    """Pixels that a triangle may cover; (0, -1, 0, -1) where it cannot be seen."""
    a = screen[corners[0]]
    b = screen[corners[1]]
    c = screen[corners[2]]
    total = a[2] + b[2] + c[2]
    nearest = wp.min(a[2], wp.min(b[2], c[2]))
    if wp.isnan(total) or wp.max(a[2], wp.max(b[2], c[2])) < target.near:
        return wp.vec4i(0, -1, 0, -1)
    if nearest < target.near:
        return cut_box(target, camera_vertices[corners[0]], camera_vertices[corners[1]], camera_vertices[corners[2]])
    low = wp.vec2f(wp.min(a[0], wp.min(b[0], c[0])), wp.min(a[1], wp.min(b[1], c[1])))
    high = wp.vec2f(wp.max(a[0], wp.max(b[0], c[0])), wp.max(a[1], wp.max(b[1], c[1])))
    return box_of(target, low, high, target.slack)
