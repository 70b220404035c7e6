"""Where a picture's surfaces break: the exact set of pixels beside a discontinuity, and lines of a given thickness on it."""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

from .geometry_kernels import Pinhole, inverse_depth, plane_of, ray_of, shading_normal

wp.set_module_options({"enable_backward": False})


@wp.struct
class Creases:
    """What an edge test reads besides the picture."""

    vertices: wp.array(dtype=wp.vec3)
    faces: wp.array(dtype=wp.vec3i)
    corner_normals: wp.array2d(dtype=wp.vec3)
    face_part: wp.array(dtype=wp.int32)
    face_instance: wp.array(dtype=wp.int32)
    normal_from_part: wp.array(dtype=wp.mat33)
    pinhole: Pinhole
    smooth: int
    step: float  # depth jump, as a part of the depth
    cos_smooth: float  # crease of interpolated normals
    cos_flat: float  # crease of the faces themselves


@wp.func
@no_type_check
def owns_edge(p: int, q: int, first: int, rp: wp.vec3, rq: wp.vec3, s: Creases) -> int:
    """Whether the pixel of face ``p`` carries the edge between itself and its neighbour, of face ``q`` (rays rp, rq).

    The nearer surface carries a step in depth; the higher instance id a contact; the first pixel of the pair a crease.
    """
    if p == q or p < 0:
        return 0
    if q < 0:
        return 1
    plane_p = plane_of(p, s.faces, s.vertices)
    plane_q = plane_of(q, s.faces, s.vertices)
    at_p = inverse_depth(plane_p, rp)
    at_q = inverse_depth(plane_q, rq)
    # What either plane predicts at the other's pixel; a surface that continues agrees from at least one side.
    miss_q = wp.abs(at_q - inverse_depth(plane_p, rq)) / wp.max(at_q, 1.0e-12)
    miss_p = wp.abs(at_p - inverse_depth(plane_q, rp)) / wp.max(at_p, 1.0e-12)
    if wp.min(miss_p, miss_q) > s.step:
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
    if wp.dot(gp, rp) > 0.0:
        gp = -gp
    if wp.dot(gq, rq) > 0.0:
        gq = -gq
    cos_flat = wp.dot(gp, gq)
    if cos_flat < s.cos_flat:
        return first
    if s.smooth != 0:
        np = shading_normal(p, rp, s.faces, s.vertices, s.corner_normals, s.face_part, s.normal_from_part)
        nq = shading_normal(q, rq, s.faces, s.vertices, s.corner_normals, s.face_part, s.normal_from_part)
        if wp.dot(np, nq) < s.cos_smooth:
            return first
    return 0


@wp.kernel
@no_type_check
def edge_pixels_kernel(face: wp.array2d(dtype=wp.int32), s: Creases, edge: wp.array2d(dtype=wp.uint8)):
    """1 where a pixel carries an edge towards one of its four neighbours."""
    y, x = wp.tid()
    p = face[y, x]
    height = face.shape[0]
    width = face.shape[1]
    own = int(0)
    if p >= 0:
        rp = ray_of(s.pinhole, float(x) + 0.5, float(y) + 0.5)
        if x + 1 < width:
            own = owns_edge(p, face[y, x + 1], 1, rp, ray_of(s.pinhole, float(x) + 1.5, float(y) + 0.5), s)
        if own == 0 and y + 1 < height:
            own = owns_edge(p, face[y + 1, x], 1, rp, ray_of(s.pinhole, float(x) + 0.5, float(y) + 1.5), s)
        if own == 0 and x > 0:
            own = owns_edge(p, face[y, x - 1], 0, rp, ray_of(s.pinhole, float(x) - 0.5, float(y) + 0.5), s)
        if own == 0 and y > 0:
            own = owns_edge(p, face[y - 1, x], 0, rp, ray_of(s.pinhole, float(x) + 0.5, float(y) - 0.5), s)
    edge[y, x] = wp.uint8(own)


@wp.kernel
@no_type_check
def thick_lines_kernel(edge: wp.array2d(dtype=wp.uint8), thickness: float, picture: wp.array2d(dtype=wp.uint8)):
    """Lines of a thickness (px) around edge pixels, their rim anti-aliased by distance."""
    y, x = wp.tid()
    height = edge.shape[0]
    width = edge.shape[1]
    reach = (thickness + 1.0) * 0.5
    r = int(wp.ceil(reach)) - 1
    nearest = float(1.0e9)
    for j in range(wp.max(y - r, 0), wp.min(y + r, height - 1) + 1):
        for i in range(wp.max(x - r, 0), wp.min(x + r, width - 1) + 1):
            if edge[j, i] != wp.uint8(0):
                dy = float(j - y)
                dx = float(i - x)
                nearest = wp.min(nearest, dx * dx + dy * dy)
    cover = wp.clamp(reach - wp.sqrt(nearest), 0.0, 1.0)
    picture[y, x] = wp.uint8(255.0 * cover + 0.5)
