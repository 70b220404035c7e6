"""The Warp kernel of exact flow: one source pixel at a time, in float64, on CPU and CUDA."""

# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportIndexIssue=false
# pyright: reportOperatorIssue=false, reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportReturnType=false

from typing import no_type_check

import warp as wp

from ..raster.kernels import BENT, PARALLEL, eye_plane, sight, wide

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

OCCLUDER_GAP = wp.constant(wp.float64(1e-3))
"""A surface hides what lies behind it by more than this share of the depth."""
OCCLUDER_FAR = wp.constant(wp.float64(2e-2))
"""Next to a surface nearer by this share of the depth, a silhouette passes: its faces are looked for in a wider square."""


Coefficients = wp.types.vector(length=12, dtype=wp.float64)
"""k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4, or k1 k2 k3 k4 of a fisheye."""


@wp.struct
@no_type_check
class Picture:
    """What one view sees; the fields of ``Fragments`` and the faces."""

    kind: wp.int32  # as in the rasterizer's View
    fisheye: wp.int32
    coefficients: Coefficients
    field: wp.float64  # squared radius of lines of sight, up to which a lens shows them
    rays: wp.array2d(dtype=wp.vec2d)  # bent only: through pixel centers

    faces: wp.array(dtype=wp.vec3i)
    face: wp.array2d(dtype=wp.int32)
    depth: wp.array2d(dtype=wp.float32)
    camera_vertices: wp.array(dtype=wp.vec3f)
    intrinsics: wp.array2d(dtype=wp.float32)


@wp.func
@no_type_check
def entry(picture: Picture, row: int, column: int) -> wp.float64:
    """An intrinsic parameter."""
    return wp.float64(picture.intrinsics[row, column])


@wp.func
@no_type_check
def bent(picture: Picture, x: wp.float64, y: wp.float64) -> wp.vec2d:
    """Where a lens moves a line of sight; the twin of ``scene.lens.lens_map``."""
    c = picture.coefficients
    one = wp.float64(1.0)
    two = wp.float64(2.0)
    t = x * x + y * y
    if t > picture.field:
        return wp.vec2d(wp.float64(wp.nan), wp.float64(wp.nan))
    if picture.fisheye == 1:
        r = wp.sqrt(t)
        g = one + t * (c[0] - one / wp.float64(3.0))
        if r > wp.float64(1e-4):
            angle = wp.atan(r)
            w = angle * angle
            g = angle * (one + w * (c[0] + w * (c[1] + w * (c[2] + w * c[3])))) / r
        return wp.vec2d(x * g, y * g)
    g = (one + t * (c[0] + t * (c[1] + t * c[4]))) / (one + t * (c[5] + t * (c[6] + t * c[7])))
    return wp.vec2d(
        x * g + two * c[2] * x * y + c[3] * (t + two * x * x) + t * (c[8] + c[9] * t),
        y * g + two * c[3] * x * y + c[2] * (t + two * y * y) + t * (c[10] + c[11] * t),
    )


@wp.func
@no_type_check
def projected(picture: Picture, p: wp.vec3d) -> wp.vec2d:
    """Where a point falls, in pixels; not a number outside of a lens' field."""
    x = p[0]
    y = p[1]
    if picture.kind != PARALLEL:
        x = p[0] / p[2]
        y = p[1] / p[2]
    if picture.kind == BENT:
        moved = bent(picture, x, y)
        x = moved[0]
        y = moved[1]
    return wp.vec2d(
        entry(picture, 0, 0) * x + entry(picture, 0, 1) * y + entry(picture, 0, 2),
        entry(picture, 1, 1) * y + entry(picture, 1, 2),
    )


@wp.func
@no_type_check
def pixel_ray(picture: Picture, row: int, column: int) -> wp.vec3d:
    """Direction through a pixel center, z = 1."""
    if picture.kind == BENT:
        ray = picture.rays[row, column]
        return wp.vec3d(ray[0], ray[1], wp.float64(1.0))
    y = (wp.float64(row) + wp.float64(0.5) - entry(picture, 1, 2)) / entry(picture, 1, 1)
    x = wp.float64(column) + wp.float64(0.5) - entry(picture, 0, 2) - entry(picture, 0, 1) * y
    return wp.vec3d(x / entry(picture, 0, 0), y, wp.float64(1.0))


@wp.func
@no_type_check
def on_face(picture: Picture, face: int, w: wp.vec3d) -> wp.vec3d:
    """The point of a face that has these barycentrics."""
    corners = picture.faces[face]
    a = wide(picture.camera_vertices[corners[0]])
    b = wide(picture.camera_vertices[corners[1]])
    c = wide(picture.camera_vertices[corners[2]])
    return w[0] * a + w[1] * b + w[2] * c


@wp.func
@no_type_check
def covers(picture: Picture, face: int, p: wp.vec3d, limit: wp.float64, near: wp.float64) -> bool:
    """Whether a face crosses the line of sight to ``p`` at a depth from ``near`` to ``limit``."""
    corners = picture.faces[face]
    a = wide(picture.camera_vertices[corners[0]])
    b = wide(picture.camera_vertices[corners[1]])
    c = wide(picture.camera_vertices[corners[2]])
    fa = sight(picture.kind, a)
    fb = sight(picture.kind, b)
    fc = sight(picture.kind, c)
    line = sight(picture.kind, p)
    plane = eye_plane(fb, fc)
    s0 = wp.dot(plane, line)
    s1 = wp.dot(eye_plane(fc, fa), line)
    s2 = wp.dot(eye_plane(fa, fb), line)
    zero = wp.float64(0.0)
    if wp.min(s0, wp.min(s1, s2)) < zero and wp.max(s0, wp.max(s1, s2)) > zero:
        return False
    z = wp.dot(a, plane) / (s0 + s1 + s2) * p[2]
    if picture.kind == PARALLEL:
        z = (s0 * a[2] + s1 * b[2] + s2 * c[2]) / (s0 + s1 + s2)
    return z >= near and z < limit


@wp.func
@no_type_check
def seen(target: Picture, face: int, p: wp.vec3d, at: wp.vec2d, near: wp.float64, tolerance: wp.float64) -> bool:
    """Whether the target sees a point that falls into it; see ``exact_flow`` for the rule."""
    height = target.face.shape[0]
    width = target.face.shape[1]
    infinity = wp.float64(wp.inf)
    one = wp.float64(1.0)
    z = infinity
    if face >= 0:
        z = p[2]
    nearest = infinity
    farthest = wp.float64(0.0)
    same = bool(False)
    bottom = int(at[1] + wp.float64(0.5))  # row and column of the pixel below and to the right
    right = int(at[0] + wp.float64(0.5))
    for k in range(4):
        row = wp.clamp(bottom - k / 2, 0, height - 1)
        column = wp.clamp(right - k % 2, 0, width - 1)
        other = target.face[row, column]
        distance = infinity
        if other >= 0:
            distance = wp.float64(target.depth[row, column])
        nearest = wp.min(nearest, distance)
        farthest = wp.max(farthest, distance)
        same = same or other == face
        if other != face and distance < z * (one - OCCLUDER_GAP):
            if covers(target, other, p, z * (one - OCCLUDER_GAP), near):
                return False
    if nearest < z * (one - OCCLUDER_FAR):
        for row in range(wp.max(bottom - 2, 0), wp.min(bottom + 2, height)):
            for column in range(wp.max(right - 2, 0), wp.min(right + 2, width)):
                other = target.face[row, column]
                if other >= 0 and other != face and wp.float64(target.depth[row, column]) < z * (one - OCCLUDER_GAP):
                    if covers(target, other, p, z * (one - OCCLUDER_GAP), near):
                        return False
    return same or (nearest <= z * (one + tolerance) and farthest >= z * (one - tolerance))


@wp.kernel
@no_type_check
def flow(
    source: Picture,
    target: Picture,
    barycentrics: wp.array3d(dtype=wp.float32),
    target_from_source: wp.mat33d,
    near: wp.float64,
    tolerance: wp.float64,
    run: int,
    forward: wp.array3d(dtype=wp.float32),
    visible: wp.array2d(dtype=wp.bool),
):
    """Flow and visibility of ``run`` source pixels in a row."""
    row, part = wp.tid()
    end = wp.min(part * run + run, source.face.shape[1])
    column = part * run
    while column < end:
        face = source.face[row, column]
        here = pixel_ray(source, row, column)
        there = target_from_source * here
        least = wp.float64(1e-9)
        if face >= 0:  # both points from the same weights, so that what does not move has no flow at all
            w = wp.vec3d()
            for k in range(3):
                w[k] = wp.float64(barycentrics[k, row, column])
            here = on_face(source, face, w)
            there = on_face(target, face, w)
            least = near
        forward[row, column, 0] = 0.0
        forward[row, column, 1] = 0.0
        visible[row, column] = False
        followed = there[2] >= least
        if face < 0 and (source.kind == PARALLEL or target.kind == PARALLEL):
            followed = False  # what is infinitely far away has no place in a picture of parallel lines
        at = wp.vec2d()
        if followed:
            at = projected(target, there)
            followed = wp.isfinite(at[0])
        if followed:
            step = at - projected(source, here)
            forward[row, column, 0] = wp.float32(step[0])
            forward[row, column, 1] = wp.float32(step[1])
            zero = wp.float64(0.0)
            across = at[0] >= zero and at[0] < wp.float64(target.face.shape[1])
            if across and at[1] >= zero and at[1] < wp.float64(target.face.shape[0]):
                visible[row, column] = seen(target, face, there, at, near, tolerance)
        column += 1
