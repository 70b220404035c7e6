"""Where a picture's surfaces break: the exact set of pixels beside a discontinuity."""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

from ..camera.kernels import PARALLEL, DeviceCamera, direction_of, ray_from_px
from .geometry_kernels import inverse_depth, plane_of, shading_normal

wp.set_module_options({"enable_backward": False})


@wp.struct
@no_type_check
class Creases:
    """What an edge test reads besides the picture."""

    vertices: wp.array(dtype=wp.vec3)
    faces: wp.array(dtype=wp.vec3i)
    corner_normals: wp.array2d(dtype=wp.vec3)
    face_part: wp.array(dtype=wp.int32)
    face_instance: wp.array(dtype=wp.int32)
    normal_from_part: wp.array(dtype=wp.mat33)
    camera: DeviceCamera
    unit: float  # the picture's height in metres; counts for parallel lines of sight
    smooth: int
    step: float  # jump of depth, as a part of it
    bend: float  # the same where a bend of the surface could be the reason
    cos_smooth: float  # crease of interpolated normals
    cos_flat: float  # crease of the faces themselves


@wp.func
@no_type_check
def missed(guess: wp.vec4, truth: wp.vec4, line: wp.vec3) -> float:
    """By how much one plane is nearer than another along a line of sight parallel to z, metres."""
    a = float(0.0)
    b = float(0.0)
    if guess[2] != 0.0:
        a = (guess[3] - guess[0] * line[0] - guess[1] * line[1]) / guess[2]
    if truth[2] != 0.0:
        b = (truth[3] - truth[0] * line[0] - truth[1] * line[1]) / truth[2]
    return b - a


@wp.func
@no_type_check
def owns_edge(p: int, q: int, first: int, rp: wp.vec3, rq: wp.vec3, s: Creases) -> int:
    """Whether the pixel of face ``p`` carries the edge between itself and its neighbor, of face ``q`` (rays rp, rq).

    The nearer surface carries a step in depth; the higher instance id a contact; the first pixel of the pair a crease.
    """
    if p == q or p < 0:
        return 0
    if q < 0:
        return 1
    plane_p = plane_of(p, s.faces, s.vertices)
    plane_q = plane_of(q, s.faces, s.vertices)
    kind = s.camera.kind
    at_p = inverse_depth(kind, plane_p, rp)
    at_q = inverse_depth(kind, plane_q, rq)
    # What either plane predicts at the other's pixel. Across a ridge or valley (or along a bend) both predictions err to one
    # side, across a step to opposite sides: so small steps show and curvature does not.
    miss_q = (inverse_depth(kind, plane_p, rq) - at_q) / wp.max(at_q, 1.0e-12)
    miss_p = (inverse_depth(kind, plane_q, rp) - at_p) / wp.max(at_p, 1.0e-12)
    if kind == PARALLEL:
        miss_q = missed(plane_p, plane_q, rq) / s.unit
        miss_p = missed(plane_q, plane_p, rp) / s.unit
    limit = s.step
    if miss_p * miss_q > 0.0:
        limit = s.bend
    if wp.min(wp.abs(miss_p), wp.abs(miss_q)) > limit:
        owner = int(0)
        if at_p > at_q:
            owner = 1
        return owner
    ip = s.face_instance[p]
    iq = s.face_instance[q]
    if ip != iq:
        owner = int(0)
        if ip > iq:
            owner = 1
        return owner
    gp = wp.vec3(plane_p[0], plane_p[1], plane_p[2])
    gq = wp.vec3(plane_q[0], plane_q[1], plane_q[2])
    if wp.dot(gp, direction_of(kind, rp)) > 0.0:
        gp = -gp
    if wp.dot(gq, direction_of(kind, rq)) > 0.0:
        gq = -gq
    cos_flat = wp.dot(gp, gq)
    if cos_flat < s.cos_flat:
        return first
    if s.smooth != 0:
        np = shading_normal(kind, p, rp, s.faces, s.vertices, s.corner_normals, s.face_part, s.normal_from_part)
        nq = shading_normal(kind, q, rq, s.faces, s.vertices, s.corner_normals, s.face_part, s.normal_from_part)
        if wp.dot(np, nq) < s.cos_smooth:
            return first
    return 0


@wp.func
@no_type_check
def carries_edge(face: wp.array2d(dtype=wp.int32), y: int, x: int, s: Creases) -> int:
    """1 where a pixel carries an edge towards one of its four neighbors."""
    p = face[y, x]
    right = p
    below = p
    left = p
    above = p
    if x + 1 < face.shape[1]:
        right = face[y, x + 1]
    if y + 1 < face.shape[0]:
        below = face[y + 1, x]
    if x > 0:
        left = face[y, x - 1]
    if y > 0:
        above = face[y - 1, x]
    if p < 0 or ((p ^ right) | (p ^ below) | (p ^ left) | (p ^ above)) == 0:
        return 0
    u = float(x) + 0.5
    v = float(y) + 0.5
    ray = ray_from_px(s.camera, u, v)
    own = owns_edge(p, right, 1, ray, ray_from_px(s.camera, u + 1.0, v), s)
    if own == 0:
        own = owns_edge(p, below, 1, ray, ray_from_px(s.camera, u, v + 1.0), s)
    if own == 0:
        own = owns_edge(p, left, 0, ray, ray_from_px(s.camera, u - 1.0, v), s)
    if own == 0:
        own = owns_edge(p, above, 0, ray, ray_from_px(s.camera, u, v - 1.0), s)
    return own


@wp.kernel
@no_type_check
def edge_pixels_kernel(face: wp.array2d(dtype=wp.int32), s: Creases, run: int, edge: wp.array2d(dtype=wp.uint8)):
    """``carries_edge`` of all pixels; a thread takes ``run`` pixels of a row."""
    y, block = wp.tid()
    for x in range(block * run, wp.min(block * run + run, edge.shape[1])):
        edge[y, x] = wp.uint8(carries_edge(face, y, x, s))
