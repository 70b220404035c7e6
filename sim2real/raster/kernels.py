"""The Warp kernels of the rasterizer: one source for CPU and CUDA.

Arithmetic rules that make it watertight and repeatable:

- Camera-frame vertices are float32; everything that decides about coverage is float64. The plane through the eye and an
  edge is ``a x b``: products of float32 are exact in float64, so the two triangles of an edge get exactly opposite
  planes whatever their vertex order or indexing. A pixel center can be lost by neither of them.
- A ray hits where the three edge functions have one sign (2D homogeneous rasterization: no clipping, no dropped
  triangles at the near plane; both sides of a face are seen unless one is hidden). A center exactly on an edge belongs
  to both triangles, and the smaller key (depth bits, then face index) wins.
- Other cameras differ in two things only. A lens that bends rays brings a table of them, and boxes are looked up by
  where the rays go (``box_kernels``). Parallel lines of sight see every vertex as (x, y, 1): ``a x b`` then holds the plane
  through an edge along z, and depth is the corners' mean by the edge functions.
- Multiply-adds are not fused and sums have a written order, so that the plain torch twin gives the same bits.
"""

# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportIndexIssue=false
# pyright: reportOperatorIssue=false, reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportReturnType=false

from typing import no_type_check

import warp as wp

from ..camera.kernels import BENT, PARALLEL, eye_plane, ray_x, ray_y, sight, wide
from .box_kernels import Target, face_box, place_of

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

NO_HIT = 0x7FFFFFFFFFFFFFFF
"""Key of a pixel without surface; its low half read as int32 is -1."""


SPAN_PX = wp.constant(16)
"""Rows of boxes wider than this are narrowed to the triangle before pixels are tested."""


@wp.kernel
@no_type_check
def transform(
    vertices: wp.array(dtype=wp.vec3f),
    vertex_part: wp.array(dtype=wp.int32),
    camera_from_part: wp.array2d(dtype=wp.vec4d),
    part_visible: wp.array(dtype=wp.int32),
    target: Target,
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
    if p[2] >= target.near:
        at = place_of(target, wide(p))
    screen[i] = wp.vec3f(at[0], at[1], p[2])


@wp.func
@no_type_check
def spread(p: wp.vec3d, e: wp.vec3d) -> wp.float64:
    """Size of the terms of ``p . e``, against which its rounding is measured."""
    return wp.abs(p[0] * e[0]) + wp.abs(p[1] * e[1]) + wp.abs(p[2] * e[2])


@wp.func
@no_type_check
def narrowed(target: Target, span: wp.vec2i, slope: wp.float64, offset: wp.float64, y: wp.float64) -> wp.vec2i:
    """Drop the columns of a row where ``slope * x + offset`` is surely negative, sparing one on each side."""
    first = span[0]
    last = span[1]
    if wp.abs(slope) > wp.float64(1.0e-9) * wp.abs(offset):
        x = -offset / slope
        at = (x + target.camera.shear * y) * target.camera.fx + target.camera.cx
        at = wp.clamp(at, wp.float64(-2.0), wp.float64(target.width) + wp.float64(2.0))
        if slope > wp.float64(0.0):
            first = wp.max(first, int(at) - 2)
        else:
            last = wp.min(last, int(at) + 1)
    return wp.vec2i(first, last)


@wp.func
@no_type_check
def cover(
    target: Target,
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
    kind = target.camera.kind
    f0 = sight(kind, p0)
    f1 = sight(kind, p1)
    f2 = sight(kind, p2)
    e0 = eye_plane(f1, f2)
    volume = f0[0] * e0[0] + f0[1] * e0[1] + f0[2] * e0[2]
    if target.hidden_side.shape[0] > 0:  # a positive volume is a face seen from behind
        if wp.float64(target.hidden_side[face]) * volume < wp.float64(0.0):
            return
    e1 = eye_plane(f2, f0)
    e2 = eye_plane(f0, f1)
    n = e0 + e1 + e2
    if n[0] == wp.float64(0.0) and n[1] == wp.float64(0.0) and n[2] == wp.float64(0.0):
        return
    nearest = wp.min(p0[2], wp.min(p1[2], p2[2]))
    farthest = wp.max(p0[2], wp.max(p1[2], p2[2]))
    near = wp.float64(target.near)
    zero = wp.float64(0.0)
    sure = wp.abs(volume) > wp.float64(1.0e-9) * spread(f0, e0)
    if volume < zero:
        volume = -volume
        e0 = -e0
        e1 = -e1
        e2 = -e2
    half = wp.float64(0.5)
    cx = target.camera.cx
    ifx = target.camera.ifx
    row = box[2] + first[1]
    while row <= box[3]:
        y = ray_y(target.camera, row)
        lean = target.camera.shear * y
        r0 = e0[1] * y + e0[2]
        r1 = e1[1] * y + e1[2]
        r2 = e2[1] * y + e2[2]
        span = wp.vec2i(box[0], box[1])
        if sure and kind != BENT and box[1] - box[0] >= SPAN_PX:
            span = narrowed(target, span, e0[0], r0, y)
            span = narrowed(target, span, e1[0], r1, y)
            span = narrowed(target, span, e2[0], r2, y)
        column = span[0] + first[0]
        while column <= span[1]:
            x = (wp.float64(column) + half - cx) * ifx - lean  # ray_x, with the camera's fields in registers
            if kind == BENT:
                x = target.camera.rays[row, column][0]
                y = target.camera.rays[row, column][1]
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
                    if kind == PARALLEL:
                        height = s0 * p0[2] + s1 * p1[2] + s2 * p2[2]
                    z = wp.min(wp.max(height / total, nearest), farthest)
                    if z >= near:
                        bits = wp.cast(wp.float32(z), wp.uint32)
                        wp.atomic_min(zbuffer, row, column, (wp.int64(bits) << wp.int64(32)) | wp.int64(face))
            column += step[0]
        row += step[1]


@wp.func
@no_type_check
def hidden(target: Target, nearest: float, box: wp.vec4i, zbuffer: wp.array2d(dtype=wp.int64)) -> bool:
    """Nothing of a triangle can win a pixel of its box, since all of them already hold something nearer."""
    if not nearest >= target.near:
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
    order: wp.array(dtype=wp.int32),
    faces: wp.array(dtype=wp.vec3i),
    screen: wp.array(dtype=wp.vec3f),
    camera_vertices: wp.array(dtype=wp.vec3f),
    target: Target,
    large_px: int,
    queue: wp.array(dtype=wp.int32),
    zbuffer: wp.array2d(dtype=wp.int64),
):
    """One thread per triangle of ``order`` (empty: of all); boxes above ``large_px`` are queued (``queue[0]`` counts them)."""
    face = wp.tid()
    if order.shape[0] > 0:
        face = order[face]
    corners = faces[face]
    box = face_box(target, corners, screen, camera_vertices)
    if box[0] > box[1] or box[2] > box[3]:
        return
    if (box[1] - box[0] + 1) * (box[3] - box[2] + 1) > large_px:
        queue[1 + wp.atomic_add(queue, 0, 1)] = face
        return
    nearest = wp.min(screen[corners[0]][2], wp.min(screen[corners[1]][2], screen[corners[2]][2]))
    if not hidden(target, nearest, box, zbuffer):
        cover(target, face, corners, box, camera_vertices, zbuffer, wp.vec2i(0, 0), wp.vec2i(1, 1))


@wp.kernel
@no_type_check
def splat_large(
    faces: wp.array(dtype=wp.vec3i),
    screen: wp.array(dtype=wp.vec3f),
    camera_vertices: wp.array(dtype=wp.vec3f),
    target: Target,
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
        box = face_box(target, corners, screen, camera_vertices)
        cover(target, face, corners, box, camera_vertices, zbuffer, first, lanes)
        item += groups


@wp.kernel
@no_type_check
def resolve(
    faces: wp.array(dtype=wp.vec3i),
    camera_vertices: wp.array(dtype=wp.vec3f),
    target: Target,
    run: int,
    zbuffer: wp.array2d(dtype=wp.int64),
    face_out: wp.array2d(dtype=wp.int32),
    barycentrics: wp.array3d(dtype=wp.float32),
    depth: wp.array2d(dtype=wp.float32),
):
    """Face, barycentrics and depth of ``run`` pixels in a row."""
    row, part = wp.tid()
    y = ray_y(target.camera, row)
    last = int(-1)
    s0 = wp.float64(0.0)
    s1 = wp.float64(0.0)
    s2 = wp.float64(0.0)
    e0 = wp.vec3d()
    e1 = wp.vec3d()
    e2 = wp.vec3d()
    column = part * run
    end = wp.min(column + run, target.width)
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
                p0 = sight(target.camera.kind, wide(camera_vertices[corners[0]]))
                p1 = sight(target.camera.kind, wide(camera_vertices[corners[1]]))
                p2 = sight(target.camera.kind, wide(camera_vertices[corners[2]]))
                e0 = eye_plane(p1, p2)
                e1 = eye_plane(p2, p0)
                e2 = eye_plane(p0, p1)
            x = ray_x(target.camera, column, y)
            if target.camera.kind == BENT:
                x = target.camera.rays[row, column][0]
                y = target.camera.rays[row, column][1]
            s0 = e0[0] * x + (e0[1] * y + e0[2])
            s1 = e1[0] * x + (e1[1] * y + e1[2])
            s2 = e2[0] * x + (e2[1] * y + e2[2])
            scale = wp.float64(1.0) / (s0 + s1 + s2)
            depth[row, column] = wp.cast(wp.uint32(key >> wp.int64(32)), wp.float32)
            barycentrics[0, row, column] = wp.float32(s0 * scale)
            barycentrics[1, row, column] = wp.float32(s1 * scale)
            barycentrics[2, row, column] = wp.float32(s2 * scale)
        column += 1
