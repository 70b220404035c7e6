"""Warp functions that recover a surface point from a face id and a pixel, and the normal and edge kernels on them.

The supporting plane of a face is exact in screen space: with n = (b - a) x (c - a) and d = n.a, inverse depth is the linear
function n.ray / d of the ray. All kernels work with inverse depth for that reason.

A ray is (x, y, 1). Where lines of sight are parallel, it stands for the line of all (x, y, z), and vertices seen along it are
(x, y, 1) as well: then barycentrics come from the same products as with an eye.
"""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

from ..raster.kernels import BENT, PARALLEL

wp.set_module_options({"enable_backward": False})

Pinhole = wp.types.vector(length=5, dtype=wp.float32)
"""1 / fx, 1 / fy, cx, cy, skew / fx, in pixels."""


@wp.func
@no_type_check
def straight_ray(pinhole: Pinhole, x: float, y: float) -> wp.vec3:
    """The ray (z = 1) through a point of a pinhole's picture, px."""
    v = (y - pinhole[3]) * pinhole[1]
    return wp.vec3((x - pinhole[2]) * pinhole[0] - pinhole[4] * v, v, 1.0)


@wp.struct
@no_type_check
class Eye:
    """How the points of a picture see.

    - ``kind``: as in the rasterizer's View: 0, BENT or PARALLEL.
    - ``rays``: of a bent camera, through pixel centers; ``per_px``: pixels of that table per pixel of this picture.
    """

    pinhole: Pinhole
    kind: int
    rays: wp.array2d(dtype=wp.vec2d)
    per_px: float


@wp.func
@no_type_check
def bent_ray(eye: Eye, x: float, y: float) -> wp.vec3:
    """Between pixel centers, rays are interpolated bilinearly (a few thousandths of a pixel off at most)."""
    u = x * eye.per_px - 0.5
    v = y * eye.per_px - 0.5
    i = wp.clamp(int(wp.floor(u)), 0, wp.max(eye.rays.shape[1] - 2, 0))
    j = wp.clamp(int(wp.floor(v)), 0, wp.max(eye.rays.shape[0] - 2, 0))
    i1 = wp.min(i + 1, eye.rays.shape[1] - 1)
    j1 = wp.min(j + 1, eye.rays.shape[0] - 1)
    a = wp.float64(u) - wp.float64(i)
    b = wp.float64(v) - wp.float64(j)
    upper = eye.rays[j, i] + (eye.rays[j, i1] - eye.rays[j, i]) * a
    lower = eye.rays[j1, i] + (eye.rays[j1, i1] - eye.rays[j1, i]) * a
    ray = upper + (lower - upper) * b
    return wp.vec3(float(ray[0]), float(ray[1]), 1.0)


@wp.func
@no_type_check
def ray_of(eye: Eye, x: float, y: float) -> wp.vec3:
    """The ray (z = 1) through a point of the picture, px."""
    if eye.kind == BENT:
        return bent_ray(eye, x, y)
    return straight_ray(eye.pinhole, x, y)


@wp.func
@no_type_check
def direction_of(kind: int, ray: wp.vec3) -> wp.vec3:
    """Where a ray goes, z = 1."""
    d = ray
    if kind == PARALLEL:
        d = wp.vec3(0.0, 0.0, 1.0)
    return d


@wp.func
@no_type_check
def point_at(kind: int, ray: wp.vec3, inverse_z: float) -> wp.vec3:
    """The point of a ray with an inverse depth."""
    p = ray / inverse_z
    if kind == PARALLEL:
        p = wp.vec3(ray[0], ray[1], 1.0 / inverse_z)
    return p


@wp.func
@no_type_check
def seen_vertex(kind: int, v: wp.vec3) -> wp.vec3:
    """A vertex as rays see it: itself, or at z = 1 where they are parallel."""
    p = v
    if kind == PARALLEL:
        p = wp.vec3(v[0], v[1], 1.0)
    return p


@wp.func
@no_type_check
def plane_of(face: int, faces: wp.array(dtype=wp.vec3i), vertices: wp.array(dtype=wp.vec3)) -> wp.vec4:
    """Unit normal and offset (n.p = d) of a face's plane; all zero for a face without area."""
    v = faces[face]
    a = vertices[v[0]]
    n = wp.normalize(wp.cross(vertices[v[1]] - a, vertices[v[2]] - a))
    return wp.vec4(n[0], n[1], n[2], wp.dot(n, a))


@wp.func
@no_type_check
def inverse_depth(kind: int, plane: wp.vec4, ray: wp.vec3) -> float:
    """1 / z of the plane along a ray (z = 1); 0 where the plane passes through the eye (parallel: through z = 0)."""
    w = float(0.0)
    if kind == PARALLEL:
        height = plane[3] - plane[0] * ray[0] - plane[1] * ray[1]
        if height != 0.0:
            w = plane[2] / height
        return w
    if plane[3] != 0.0:
        w = (plane[0] * ray[0] + plane[1] * ray[1] + plane[2] * ray[2]) / plane[3]
    return w


@wp.func
@no_type_check
def corner_weights(
    kind: int, face: int, ray: wp.vec3, faces: wp.array(dtype=wp.vec3i), vertices: wp.array(dtype=wp.vec3)
) -> wp.vec3:
    """Perspective-correct barycentrics of the point where a ray meets a face, clamped to the face."""
    v = faces[face]
    a = seen_vertex(kind, vertices[v[0]])
    b = seen_vertex(kind, vertices[v[1]])
    c = seen_vertex(kind, vertices[v[2]])
    w0 = wp.dot(wp.cross(b, c - b), ray)
    w1 = wp.dot(wp.cross(c, a - c), ray)
    s = wp.dot(wp.cross(b - a, c - a), ray)
    out = wp.vec3(1.0, 0.0, 0.0)
    if s != 0.0:
        b0 = wp.clamp(w0 / s, 0.0, 1.0)
        b1 = wp.clamp(w1 / s, 0.0, 1.0 - b0)
        out = wp.vec3(b0, b1, 1.0 - b0 - b1)
    return out


@wp.func
@no_type_check
def shading_normal(
    kind: int,
    face: int,
    ray: wp.vec3,
    faces: wp.array(dtype=wp.vec3i),
    vertices: wp.array(dtype=wp.vec3),
    corner_normals: wp.array2d(dtype=wp.vec3),
    face_part: wp.array(dtype=wp.int32),
    normal_from_part: wp.array(dtype=wp.mat33),
) -> wp.vec3:
    """Interpolated unit normal in the camera's frame, on the eye's side of the face; the face's own where it has none."""
    plane = plane_of(face, faces, vertices)
    g = wp.vec3(plane[0], plane[1], plane[2])
    b = corner_weights(kind, face, ray, faces, vertices)
    m = b[0] * corner_normals[face, 0] + b[1] * corner_normals[face, 1] + b[2] * corner_normals[face, 2]
    n = wp.normalize(normal_from_part[face_part[face]] * m)
    if wp.dot(n, n) < 0.5:
        n = g
    # The winding may disagree with the stored normals (assets are careless): the eye's side of the face decides for both.
    if wp.dot(g, direction_of(kind, ray)) > 0.0:
        g = -g
    if wp.dot(n, g) < 0.0:
        n = -n
    return n


@wp.kernel
@no_type_check
def normals_kernel(
    face: wp.array2d(dtype=wp.int32),
    vertices: wp.array(dtype=wp.vec3),
    faces: wp.array(dtype=wp.vec3i),
    corner_normals: wp.array2d(dtype=wp.vec3),
    face_part: wp.array(dtype=wp.int32),
    normal_from_part: wp.array(dtype=wp.mat33),
    eye: Eye,
    smooth: int,
    run: int,
    normals: wp.array2d(dtype=wp.vec3),
):
    """Unit normals towards the eye, camera frame; zero where there is no surface. A thread takes ``run`` pixels of a row."""
    y, block = wp.tid()
    for x in range(block * run, wp.min(block * run + run, face.shape[1])):
        f = face[y, x]
        n = wp.vec3(0.0, 0.0, 0.0)
        if f >= 0:
            ray = ray_of(eye, float(x) + 0.5, float(y) + 0.5)
            if smooth != 0:
                n = shading_normal(eye.kind, f, ray, faces, vertices, corner_normals, face_part, normal_from_part)
            else:
                plane = plane_of(f, faces, vertices)
                n = wp.vec3(plane[0], plane[1], plane[2])
                if wp.dot(n, direction_of(eye.kind, ray)) > 0.0:
                    n = -n
        normals[y, x] = n


@wp.kernel
@no_type_check
def encode_normals_kernel(normals: wp.array2d(dtype=wp.vec3), picture: wp.array3d(dtype=wp.uint8)):
    """255 (n + 1) / 2, rounded; a zero normal becomes 128."""
    y, x = wp.tid()
    n = normals[y, x]
    for k in range(3):
        picture[y, x, k] = wp.uint8(wp.clamp(127.5 * n[k] + 128.0, 0.0, 255.0))
