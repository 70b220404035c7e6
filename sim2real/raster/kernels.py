"""The Warp kernels of the rasterizer: one source for CPU and CUDA.

Arithmetic rules that make it watertight and repeatable:

- Camera-frame vertices are float32; everything that decides about coverage is float64. The plane through the eye and an
  edge is ``a x b``: products of float32 are exact in float64, so the two triangles of an edge get exactly opposite
  planes whatever their vertex order or indexing. A pixel center can be lost by neither of them.
- A ray hits where the three edge functions have one sign (2D homogeneous rasterization: no clipping, no dropped
  triangles at the near plane; both sides of a face are seen unless one is hidden). A center exactly on an edge belongs
  to both triangles, and the smaller key (depth bits, then face index) wins.
- Other cameras differ in two things only. A lens that bends rays brings a table of them, and boxes are looked up by
  where the rays go (``lens.py``). Parallel lines of sight see every vertex as (x, y, 1): ``a x b`` then holds the plane
  through an edge along z, and depth is the corners' mean by the edge functions.
- Multiply-adds are not fused and sums have a written order, so that the plain torch twin gives the same bits.
"""

# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportIndexIssue=false
# pyright: reportOperatorIssue=false, reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportReturnType=false

from typing import no_type_check

import warp as wp

from ..native_code import native

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

NO_HIT = 0x7FFFFFFFFFFFFFFF
"""Key of a pixel without surface; its low half read as int32 is -1."""


SPAN_PX = wp.constant(16)
"""Rows of boxes wider than this are narrowed to the triangle before pixels are tested."""


BENT = wp.constant(1)
PARALLEL = wp.constant(2)
BLOCK = wp.constant(3)
"""A screen box of a bent camera is put together from at most this plus one cells along each axis."""


@wp.struct
@no_type_check
class View:
    """A camera and its picture."""

    kind: wp.int32  # 0: pinhole; BENT: rays from a table; PARALLEL: lines along z

    fx: wp.float64  # focal lengths, their inverses, principal point, in pixels; shear (skew / fx)
    fy: wp.float64
    ifx: wp.float64
    ify: wp.float64
    cx: wp.float64
    cy: wp.float64
    shear: wp.float64
    near: wp.float32
    width: wp.int32
    height: wp.int32
    slack: wp.float32  # pixels (bent: cells) by which a screen box is widened against float32 rounding
    rays: wp.array2d(dtype=wp.vec2d)  # bent only: through pixel centers, z = 1
    boxes: wp.array(dtype=wp.vec4i)  # bent only: the pixels whose rays fall into a cell, level by level
    cells: wp.int32  # along each axis at the finest level, a power of two
    cell_low: wp.vec2d  # where cells begin, angles
    cell_scale: wp.vec2d  # cells per radian
    hidden_side: wp.array(dtype=wp.int8)  # per face, as ``Triangles`` has it; empty: all faces are seen from both sides


@wp.func
@no_type_check
def ray_y(view: View, row: int) -> wp.float64:
    """Height of the rays through a row of pixel centers, z = 1."""
    return (wp.float64(row) + wp.float64(0.5) - view.cy) * view.ify


@wp.func
@no_type_check
def ray_x(view: View, column: int, y: wp.float64) -> wp.float64:
    """Where the ray through a pixel center lies along x, z = 1."""
    return (wp.float64(column) + wp.float64(0.5) - view.cx) * view.ifx - view.shear * y


@wp.func
@no_type_check
def pixel_of(view: View, p: wp.vec3d) -> wp.vec2f:
    """Where a point in front of the camera falls, in pixels (bent: in cells)."""
    inverse = wp.float64(1.0) / p[2]
    if view.kind == PARALLEL:
        inverse = wp.float64(1.0)
    if view.kind == BENT:
        across = (wp.atan(p[0] * inverse) - view.cell_low[0]) * view.cell_scale[0]
        down = (wp.atan(p[1] * inverse) - view.cell_low[1]) * view.cell_scale[1]
        return wp.vec2f(wp.float32(across), wp.float32(down))
    y = p[1] * inverse
    x = p[0] * inverse + view.shear * y
    return wp.vec2f(wp.float32(x * view.fx + view.cx), wp.float32(y * view.fy + view.cy))


@wp.func
@no_type_check
def wide(p: wp.vec3f) -> wp.vec3d:
    """A vertex in float64."""
    return wp.vec3d(wp.float64(p[0]), wp.float64(p[1]), wp.float64(p[2]))


@wp.func
@no_type_check
def sight(kind: int, p: wp.vec3d) -> wp.vec3d:
    """What planes through edges are made of: the vertex itself, or its foot at z = 1 if lines of sight are parallel."""
    q = p
    if kind == PARALLEL:
        q = wp.vec3d(p[0], p[1], wp.float64(1.0))
    return q


@wp.func
@no_type_check
def eye_plane(a: wp.vec3d, b: wp.vec3d) -> wp.vec3d:
    """Normal of the plane through the eye and an edge, ``a x b``."""
    return wp.vec3d(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


@wp.kernel
@no_type_check
def transform(
    vertices: wp.array(dtype=wp.vec3f),
    vertex_part: wp.array(dtype=wp.int32),
    camera_from_part: wp.array2d(dtype=wp.vec4d),
    part_visible: wp.array(dtype=wp.int32),
    view: View,
    camera_vertices: wp.array(dtype=wp.vec3f),
    screen: wp.array(dtype=wp.vec3f),
):
    """Bring vertices to the camera; ``screen`` is (x_px, y_px, z), z not a number where a vertex does not count."""
    i = wp.tid()
    v = wide(vertices[i])
    part = vertex_part[i]
    p = wp.vec3f()
    for k in range(3):
        row = camera_from_part[part, k]
        p[k] = wp.float32(row[0] * v[0] + row[1] * v[1] + row[2] * v[2] + row[3])
    camera_vertices[i] = p
    if part_visible[part] == 0 or not wp.isfinite(p[0] + p[1] + p[2]):
        screen[i] = wp.vec3f(0.0, 0.0, wp.nan)
        return
    at = wp.vec2f(0.0, 0.0)
    if p[2] >= view.near:
        at = pixel_of(view, wide(p))
    screen[i] = wp.vec3f(at[0], at[1], p[2])


@wp.func
@no_type_check
def cells_box(view: View, low: wp.vec2f, high: wp.vec2f, slack: float) -> wp.vec4i:
    """``box_of`` for a bent camera: the pixels that look into a rectangle of cells, and some around."""
    box = wp.vec4i(view.width, -1, view.height, -1)
    count = float(view.cells)
    if high[0] + slack < 0.0 or high[1] + slack < 0.0 or low[0] - slack >= count or low[1] - slack >= count:
        return box
    i0 = int(wp.clamp(low[0] - slack, 0.0, count - 1.0))
    i1 = int(wp.clamp(high[0] + slack, 0.0, count - 1.0))
    j0 = int(wp.clamp(low[1] - slack, 0.0, count - 1.0))
    j1 = int(wp.clamp(high[1] + slack, 0.0, count - 1.0))
    side = int(view.cells)
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
            cell = view.boxes[start + j * side + i]
            box = wp.vec4i(wp.min(box[0], cell[0]), wp.max(box[1], cell[1]), wp.min(box[2], cell[2]), wp.max(box[3], cell[3]))
    return box


@wp.func
@no_type_check
def box_of(view: View, low: wp.vec2f, high: wp.vec2f, slack: float) -> wp.vec4i:
    """First and last column, first and last row of the pixel centers in a rectangle; empty where first > last."""
    if view.kind == BENT:
        return cells_box(view, low, high, slack)
    right = float(view.width)
    bottom = float(view.height)
    return wp.vec4i(
        int(wp.clamp(low[0] + 0.5 - slack, 0.0, right)),  # truncation is floor, since nothing is negative
        int(wp.clamp(high[0] + 0.5 + slack, 0.0, right)) - 1,
        int(wp.clamp(low[1] + 0.5 - slack, 0.0, bottom)),
        int(wp.clamp(high[1] + 0.5 + slack, 0.0, bottom)) - 1,
    )


@wp.func
@no_type_check
def cut_box(view: View, p0: wp.vec3f, p1: wp.vec3f, p2: wp.vec3f) -> wp.vec4i:
    """Box of the part of a triangle in front of the near plane: its vertices there and the cuts of its edges."""
    near = wp.float64(view.near)
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
            at = pixel_of(view, a)
            low = wp.min(low, at)
            high = wp.max(high, at)
        if (a[2] >= near) != (b[2] >= near):
            cut = a + (b - a) * ((near - a[2]) / (b[2] - a[2]))
            cut[2] = near
            at = pixel_of(view, cut)
            low = wp.min(low, at)
            high = wp.max(high, at)
    return box_of(view, low, high, 1.0)


@wp.func
@no_type_check
def face_box(
    view: View, corners: wp.vec3i, screen: wp.array(dtype=wp.vec3f), camera_vertices: wp.array(dtype=wp.vec3f)
) -> wp.vec4i:
    """Pixels that a triangle may cover; (0, -1, 0, -1) where it cannot be seen."""
    a = screen[corners[0]]
    b = screen[corners[1]]
    c = screen[corners[2]]
    total = a[2] + b[2] + c[2]
    nearest = wp.min(a[2], wp.min(b[2], c[2]))
    if wp.isnan(total) or wp.max(a[2], wp.max(b[2], c[2])) < view.near:
        return wp.vec4i(0, -1, 0, -1)
    if nearest < view.near:
        return cut_box(view, camera_vertices[corners[0]], camera_vertices[corners[1]], camera_vertices[corners[2]])
    low = wp.vec2f(wp.min(a[0], wp.min(b[0], c[0])), wp.min(a[1], wp.min(b[1], c[1])))
    high = wp.vec2f(wp.max(a[0], wp.max(b[0], c[0])), wp.max(a[1], wp.max(b[1], c[1])))
    return box_of(view, low, high, view.slack)


@wp.func
@no_type_check
def spread(p: wp.vec3d, e: wp.vec3d) -> wp.float64:
    """Size of the terms of ``p . e``, against which its rounding is measured."""
    return wp.abs(p[0] * e[0]) + wp.abs(p[1] * e[1]) + wp.abs(p[2] * e[2])


@wp.func
@no_type_check
def narrowed(view: View, span: wp.vec2i, slope: wp.float64, offset: wp.float64, y: wp.float64) -> wp.vec2i:
    """Drop the columns of a row where ``slope * x + offset`` is surely negative, sparing one on each side."""
    first = span[0]
    last = span[1]
    if wp.abs(slope) > wp.float64(1.0e-9) * wp.abs(offset):
        x = -offset / slope
        at = wp.clamp((x + view.shear * y) * view.fx + view.cx, wp.float64(-2.0), wp.float64(view.width) + wp.float64(2.0))
        if slope > wp.float64(0.0):
            first = wp.max(first, int(at) - 2)
        else:
            last = wp.min(last, int(at) + 1)
    return wp.vec2i(first, last)


_COVER_FOUR = native(__file__, "cover_four")


@wp.func_native(_COVER_FOUR)
@no_type_check
def cover_four(
    row: int,
    column: int,
    last: int,
    cx: wp.float64,
    ifx: wp.float64,
    lean: wp.float64,
    e: wp.vec3d,
    r: wp.vec3d,
    volume: wp.float64,
    depths: wp.vec3d,
    face: int,
    zbuffer: wp.array2d(dtype=wp.int64),
):
    """Test and keep; ``depths`` are the triangle's nearest and farthest depth and the near plane's."""
    ...


@wp.func
@no_type_check
def cover(
    view: View,
    face: int,
    corners: wp.vec3i,
    box: wp.vec4i,
    camera_vertices: wp.array(dtype=wp.vec3f),
    zbuffer: wp.array2d(dtype=wp.int64),
    first: wp.vec2i,
    step: wp.vec2i,
):
    """Test a triangle against the pixels of its box that are this thread's (every ``step``-th from ``first``)."""
    p0 = wide(camera_vertices[corners[0]])
    p1 = wide(camera_vertices[corners[1]])
    p2 = wide(camera_vertices[corners[2]])
    f0 = sight(view.kind, p0)
    f1 = sight(view.kind, p1)
    f2 = sight(view.kind, p2)
    e0 = eye_plane(f1, f2)
    e1 = eye_plane(f2, f0)
    e2 = eye_plane(f0, f1)
    n = e0 + e1 + e2
    if n[0] == wp.float64(0.0) and n[1] == wp.float64(0.0) and n[2] == wp.float64(0.0):
        return
    volume = f0[0] * e0[0] + f0[1] * e0[1] + f0[2] * e0[2]
    nearest = wp.min(p0[2], wp.min(p1[2], p2[2]))
    farthest = wp.max(p0[2], wp.max(p1[2], p2[2]))
    near = wp.float64(view.near)
    zero = wp.float64(0.0)
    sure = wp.abs(volume) > wp.float64(1.0e-9) * spread(f0, e0)
    if view.hidden_side.shape[0] > 0:  # a positive volume is a face seen from behind
        if wp.float64(view.hidden_side[face]) * volume < zero:
            return
    if volume < zero:
        volume = -volume
        e0 = -e0
        e1 = -e1
        e2 = -e2
    half = wp.float64(0.5)
    cx = view.cx
    ifx = view.ifx
    fours = sure and view.kind == 0 and step[0] == 1 and box[1] - box[0] >= 2
    e = wp.vec3d(e0[0], e1[0], e2[0])
    depths = wp.vec3d(nearest, farthest, near)
    row = box[2] + first[1]
    while row <= box[3]:
        y = ray_y(view, row)
        lean = view.shear * y
        r0 = e0[1] * y + e0[2]
        r1 = e1[1] * y + e1[2]
        r2 = e2[1] * y + e2[2]
        span = wp.vec2i(box[0], box[1])
        if sure and view.kind != BENT and box[1] - box[0] >= SPAN_PX:
            span = narrowed(view, span, e0[0], r0, y)
            span = narrowed(view, span, e1[0], r1, y)
            span = narrowed(view, span, e2[0], r2, y)
        column = span[0] + first[0]
        if fours:
            r = wp.vec3d(r0, r1, r2)
            while column <= span[1]:
                cover_four(row, column, span[1], cx, ifx, lean, e, r, volume, depths, face, zbuffer)
                column += 4
        while column <= span[1]:
            x = (wp.float64(column) + half - cx) * ifx - lean  # ray_x, with the view's fields in registers
            if view.kind == BENT:
                x = view.rays[row, column][0]
                y = view.rays[row, column][1]
                r0 = e0[1] * y + e0[2]
                r1 = e1[1] * y + e1[2]
                r2 = e2[1] * y + e2[2]
            s0 = e0[0] * x + r0
            s1 = e1[0] * x + r1
            s2 = e2[0] * x + r2
            low = wp.min(s0, wp.min(s1, s2))
            if low >= zero or (not sure and wp.max(s0, wp.max(s1, s2)) <= zero):
                total = s0 + s1 + s2
                if total != zero:
                    height = volume
                    if view.kind == PARALLEL:
                        height = s0 * p0[2] + s1 * p1[2] + s2 * p2[2]
                    z = wp.min(wp.max(height / total, nearest), farthest)
                    if z >= near:
                        bits = wp.cast(wp.float32(z), wp.uint32)
                        wp.atomic_min(zbuffer, row, column, (wp.int64(bits) << wp.int64(32)) | wp.int64(face))
            column += step[0]
        row += step[1]


@wp.func
@no_type_check
def hidden(view: View, nearest: float, box: wp.vec4i, zbuffer: wp.array2d(dtype=wp.int64)) -> bool:
    """Nothing of a triangle can win a pixel of its box, since all of them already hold something nearer."""
    if not nearest >= view.near:
        return False
    key = wp.int64(wp.cast(nearest, wp.uint32)) << wp.int64(32)
    row = box[2]
    while row <= box[3]:
        column = box[0]
        while column <= box[1]:
            if zbuffer[row, column] >= key:
                return False
            column += 1
        row += 1
    return True


@wp.kernel
@no_type_check
def splat(
    faces: wp.array(dtype=wp.vec3i),
    screen: wp.array(dtype=wp.vec3f),
    camera_vertices: wp.array(dtype=wp.vec3f),
    view: View,
    large_px: int,
    queue: wp.array(dtype=wp.int32),
    zbuffer: wp.array2d(dtype=wp.int64),
):
    """One thread per triangle; boxes above ``large_px`` are queued instead (``queue[0]`` counts them)."""
    face = wp.tid()
    corners = faces[face]
    box = face_box(view, corners, screen, camera_vertices)
    if box[0] > box[1] or box[2] > box[3]:
        return
    if (box[1] - box[0] + 1) * (box[3] - box[2] + 1) > large_px:
        queue[1 + wp.atomic_add(queue, 0, 1)] = face
        return
    nearest = wp.min(screen[corners[0]][2], wp.min(screen[corners[1]][2], screen[corners[2]][2]))
    if not hidden(view, nearest, box, zbuffer):
        cover(view, face, corners, box, camera_vertices, zbuffer, wp.vec2i(0, 0), wp.vec2i(1, 1))


@wp.kernel
@no_type_check
def splat_large(
    faces: wp.array(dtype=wp.vec3i),
    screen: wp.array(dtype=wp.vec3f),
    camera_vertices: wp.array(dtype=wp.vec3f),
    view: View,
    groups: int,
    lanes: wp.vec2i,
    queue: wp.array(dtype=wp.int32),
    zbuffer: wp.array2d(dtype=wp.int64),
):
    """``lanes`` (columns x rows) threads share each queued triangle; ``groups`` of them walk through the queue."""
    group, lane = wp.tid()
    first = wp.vec2i(lane % lanes[0], lane / lanes[0])
    item = group
    while item < queue[0]:
        face = queue[1 + item]
        corners = faces[face]
        box = face_box(view, corners, screen, camera_vertices)
        cover(view, face, corners, box, camera_vertices, zbuffer, first, lanes)
        item += groups


@wp.kernel
@no_type_check
def resolve(
    faces: wp.array(dtype=wp.vec3i),
    camera_vertices: wp.array(dtype=wp.vec3f),
    view: View,
    run: int,
    zbuffer: wp.array2d(dtype=wp.int64),
    face_out: wp.array2d(dtype=wp.int32),
    barycentrics: wp.array3d(dtype=wp.float32),
    depth: wp.array2d(dtype=wp.float32),
):
    """Face, barycentrics and depth of ``run`` pixels in a row."""
    row, part = wp.tid()
    y = ray_y(view, row)
    last = int(-1)
    s0 = wp.float64(0.0)
    s1 = wp.float64(0.0)
    s2 = wp.float64(0.0)
    e0 = wp.vec3d()
    e1 = wp.vec3d()
    e2 = wp.vec3d()
    column = part * run
    end = wp.min(column + run, view.width)
    while column < end:
        key = zbuffer[row, column]
        face = int(key & wp.int64(0xFFFFFFFF))
        face_out[row, column] = face
        if face < 0:
            depth[row, column] = 0.0
            for k in range(3):
                barycentrics[k, row, column] = 0.0
        else:
            if face != last:
                last = face
                corners = faces[face]
                p0 = sight(view.kind, wide(camera_vertices[corners[0]]))
                p1 = sight(view.kind, wide(camera_vertices[corners[1]]))
                p2 = sight(view.kind, wide(camera_vertices[corners[2]]))
                e0 = eye_plane(p1, p2)
                e1 = eye_plane(p2, p0)
                e2 = eye_plane(p0, p1)
            x = ray_x(view, column, y)
            if view.kind == BENT:
                x = view.rays[row, column][0]
                y = view.rays[row, column][1]
            s0 = e0[0] * x + (e0[1] * y + e0[2])
            s1 = e1[0] * x + (e1[1] * y + e1[2])
            s2 = e2[0] * x + (e2[1] * y + e2[2])
            scale = wp.float64(1.0) / (s0 + s1 + s2)
            depth[row, column] = wp.cast(wp.uint32(key >> wp.int64(32)), wp.float32)
            barycentrics[0, row, column] = wp.float32(s0 * scale)
            barycentrics[1, row, column] = wp.float32(s1 * scale)
            barycentrics[2, row, column] = wp.float32(s2 * scale)
        column += 1
