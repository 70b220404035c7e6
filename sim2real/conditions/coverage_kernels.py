"""How much of a pixel the surfaces of its neighbors cover, as a Warp kernel."""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

from ..camera.kernels import PARALLEL, DeviceCamera, ray_from_px
from .geometry_kernels import inverse_depth, plane_of

wp.set_module_options({"enable_backward": False})

SIDE = wp.constant(4)
"""Samples of a pixel along each axis: as many as a neighbor's share has steps in four bits."""
_ABOVE = wp.constant(0)
_BELOW = wp.constant(4)
_LEFT = wp.constant(8)
_RIGHT = wp.constant(12)
"""The bits of each neighbor's share."""
_MOST = wp.constant(15)


@wp.struct
@no_type_check
class Surfaces:
    """What tells one surface from another.

    - ``straight``: least cosine between planes of one surface.
    - ``step``: how far off the other's plane a point of the same surface lies at most, as a part of its distance.
    """

    vertices: wp.array(dtype=wp.vec3)
    faces: wp.array(dtype=wp.vec3i)
    face_part: wp.array(dtype=wp.int32)
    camera: DeviceCamera
    straight: float
    step: float


@wp.func
@no_type_check
def point_on(plane: wp.vec4, ray: wp.vec3, kind: int) -> wp.vec3:
    """Where a line of sight meets a plane, in the camera's frame."""
    w = inverse_depth(kind, plane, ray)
    z = float(0.0)
    if w != 0.0:
        z = 1.0 / w
    point = z * ray
    if kind == PARALLEL:
        point = wp.vec3(ray[0], ray[1], z)
    return point


@wp.func
@no_type_check
def of_one_surface(p: int, q: int, ray_p: wp.vec3, ray_q: wp.vec3, s: Surfaces) -> int:
    """Whether faces that are seen along two rays go on in each other: one part, no crease and no step between them."""
    if p == q:
        return 1
    if p < 0 or q < 0:
        return 0
    if s.face_part[p] != s.face_part[q]:
        return 0
    plane_p = plane_of(p, s.faces, s.vertices)
    plane_q = plane_of(q, s.faces, s.vertices)
    n_p = wp.vec3(plane_p[0], plane_p[1], plane_p[2])
    n_q = wp.vec3(plane_q[0], plane_q[1], plane_q[2])
    if wp.abs(wp.dot(n_p, n_q)) < s.straight:
        return 0
    way = point_on(plane_q, ray_q, s.camera.kind) - point_on(plane_p, ray_p, s.camera.kind)
    off = wp.max(wp.abs(wp.dot(n_p, way)), wp.abs(wp.dot(n_q, way)))
    if off > s.step * wp.length(way):
        return 0
    return 1


@wp.struct
@no_type_check
class Pictures:
    """The faces that pixels' centers see, and those of ``SIDE`` x ``SIDE`` samples of each pixel.

    ``far``: the same without what one sees through; empty where there is nothing of that kind.
    """

    face: wp.array2d(dtype=wp.int32)
    fine: wp.array2d(dtype=wp.int32)
    far_face: wp.array2d(dtype=wp.int32)
    far_fine: wp.array2d(dtype=wp.int32)


@wp.func
@no_type_check
def sees_alike(y: int, x: int, j: int, i: int, ray: wp.vec3, ray_q: wp.vec3, p: Pictures, s: Surfaces) -> int:
    """Whether a pixel's center sees what a sample sees, and the same behind it where that is clear."""
    alike = of_one_surface(p.face[y, x], p.fine[j, i], ray, ray_q, s)
    if alike == 1 and p.far_face.shape[0] > 0:
        alike = of_one_surface(p.far_face[y, x], p.far_fine[j, i], ray, ray_q, s)
    return alike


@wp.func
@no_type_check
def neighbor_that_shows(y: int, x: int, j: int, i: int, dy: float, dx: float, ray_q: wp.vec3, p: Pictures, s: Surfaces) -> int:
    """The bits of the nearest of four neighbors whose center sees what sample (``j``, ``i``) sees; -1 if none does.

    The sample is at (``dx``, ``dy``) from the pixel's center.
    """
    for rank in range(4):
        upright = wp.abs(dy) >= wp.abs(dx)
        if rank == 1 or rank == 2:
            upright = not upright
        near = rank < 2
        down = int(0)
        right = int(0)
        bits = int(0)
        if upright:
            down = 1
            bits = _BELOW
            if (dy < 0.0) == near:
                down = -1
                bits = _ABOVE
        else:
            right = 1
            bits = _RIGHT
            if (dx < 0.0) == near:
                right = -1
                bits = _LEFT
        v = y + down
        u = x + right
        if v >= 0 and v < p.face.shape[0] and u >= 0 and u < p.face.shape[1]:
            ray = ray_from_px(s.camera, float(u) + 0.5, float(v) + 0.5)
            if sees_alike(v, u, j, i, ray, ray_q, p, s) == 1:
                return bits
    return -1


@wp.func
@no_type_check
def neighbors_shares(y: int, x: int, p: Pictures, s: Surfaces) -> int:
    """The four shares of a pixel, in sixteenths, four bits each."""
    two = p.far_face.shape[0] > 0
    differ = int(0)
    for j in range(y * SIDE, (y + 1) * SIDE):
        for i in range(x * SIDE, (x + 1) * SIDE):
            differ |= p.fine[j, i] ^ p.face[y, x]
            if two:
                differ |= p.far_fine[j, i] ^ p.far_face[y, x]
    if differ == 0:
        return 0
    ray = ray_from_px(s.camera, float(x) + 0.5, float(y) + 0.5)
    shares = int(0)
    for j in range(y * SIDE, (y + 1) * SIDE):
        for i in range(x * SIDE, (x + 1) * SIDE):
            dy = (float(j) + 0.5) / float(SIDE) - 0.5 - float(y)
            dx = (float(i) + 0.5) / float(SIDE) - 0.5 - float(x)
            ray_q = ray_from_px(s.camera, float(x) + 0.5 + dx, float(y) + 0.5 + dy)
            if sees_alike(y, x, j, i, ray, ray_q, p, s) == 0:
                bits = neighbor_that_shows(y, x, j, i, dy, dx, ray_q, p, s)
                if bits >= 0:
                    if ((shares >> bits) & _MOST) < _MOST:
                        shares += 1 << bits
    return shares


@wp.kernel
@no_type_check
def coverage_kernel(p: Pictures, s: Surfaces, run: int, out: wp.array2d(dtype=wp.int32)):
    """``neighbors_shares`` of all pixels; a thread takes ``run`` pixels of a row."""
    y, block = wp.tid()
    for x in range(block * run, wp.min(block * run + run, out.shape[1])):
        out[y, x] = neighbors_shares(y, x, p, s)
