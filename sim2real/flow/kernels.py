"""The Warp kernel of exact flow: one source pixel at a time, in float64, on CPU and CUDA."""

# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportIndexIssue=false
# pyright: reportOperatorIssue=false, reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportReturnType=false

from typing import no_type_check

import warp as wp

from ..camera.kernels import PARALLEL, DeviceCamera, LensMap, center_ray, eye_plane, px_from_camera, sight, wide

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

OCCLUDER_GAP = wp.constant(wp.float64(1e-3))
"""A surface hides what lies behind it by more than this share of the depth."""
OCCLUDER_FAR = wp.constant(wp.float64(2e-2))
"""Next to a surface nearer by this share of the depth, a silhouette passes: its faces are looked for in a wider square."""


@wp.struct
@no_type_check
class Picture:
    """What one view sees; the fields of ``Fragments`` and the faces."""

    camera: DeviceCamera
    lens: LensMap
    faces: wp.array(dtype=wp.vec3i)
    face: wp.array2d(dtype=wp.int32)
    depth: wp.array2d(dtype=wp.float32)
    camera_vertices: wp.array(dtype=wp.vec3f)


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
    fa = sight(picture.camera.kind, a)
    fb = sight(picture.camera.kind, b)
    fc = sight(picture.camera.kind, c)
    line = sight(picture.camera.kind, p)
    plane = eye_plane(fb, fc)
    s0 = wp.dot(plane, line)
    s1 = wp.dot(eye_plane(fc, fa), line)
    s2 = wp.dot(eye_plane(fa, fb), line)
    zero = wp.float64(0.0)
    if wp.min(s0, wp.min(s1, s2)) < zero and wp.max(s0, wp.max(s1, s2)) > zero:
        return False
    z = wp.dot(a, plane) / (s0 + s1 + s2) * p[2]
    if picture.camera.kind == PARALLEL:
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
        ray = center_ray(source.camera, row, column)
        here = wp.vec3d(ray[0], ray[1], wp.float64(1.0))
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
        if face < 0 and (source.camera.kind == PARALLEL or target.camera.kind == PARALLEL):
            followed = False  # what is infinitely far away has no place in a picture of parallel lines
        at = wp.vec2d()
        if followed:
            at = px_from_camera(target.camera, target.lens, there)
            followed = wp.isfinite(at[0])
        if followed:
            step = at - px_from_camera(source.camera, source.lens, here)
            forward[row, column, 0] = wp.float32(step[0])
            forward[row, column, 1] = wp.float32(step[1])
            zero = wp.float64(0.0)
            across = at[0] >= zero and at[0] < wp.float64(target.face.shape[1])
            if across and at[1] >= zero and at[1] < wp.float64(target.face.shape[0]):
                visible[row, column] = seen(target, face, there, at, near, tolerance)
        column += 1
