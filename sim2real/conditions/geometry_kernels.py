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

from ..camera.kernels import PARALLEL, DeviceCamera, direction_of, ray_from_px, seen_vertex

wp.set_module_options({"enable_backward": False})


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
    camera: DeviceCamera,
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
            ray = ray_from_px(camera, float(x) + 0.5, float(y) + 0.5)
            if smooth != 0:
                n = shading_normal(camera.kind, f, ray, faces, vertices, corner_normals, face_part, normal_from_part)
            else:
                plane = plane_of(f, faces, vertices)
                n = wp.vec3(plane[0], plane[1], plane[2])
                if wp.dot(n, direction_of(camera.kind, ray)) > 0.0:
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
