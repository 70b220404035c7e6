"""The planes that pixels see: of faces, in their charts, and behind all surfaces the sides of a cube around everything."""

# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false, reportAttributeAccessIssue=false
from typing import no_type_check

import warp as wp

from ...camera.kernels import PARALLEL, DeviceCamera, sight, wide

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

SKY_SPAN_M = wp.constant(wp.float64(1024.0))
"""What parallel lines of sight see behind everything: a wall so many metres wide, across the world's axis they look along."""


@wp.struct
@no_type_check
class Surface:
    """A scene's triangles in the camera frame, with their chart coordinates."""

    vertices: wp.array(dtype=wp.vec3)
    faces: wp.array2d(dtype=int)
    coordinates: wp.array2d(dtype=wp.vec2)
    face_chart: wp.array(dtype=int)


@wp.struct
@no_type_check
class NoiseView:
    """One frame's camera, with rays through pixel corners, and its pose, by which it sees what lies behind all surfaces."""

    camera: DeviceCamera
    world_from_camera: wp.mat33
    position: wp.vec3d


@wp.struct
@no_type_check
class Plane:
    """A face's plane seen from the eye: ``u = origin + (ray . along) / (ray . normal)``."""

    along_u: wp.vec3d
    along_v: wp.vec3d
    normal: wp.vec3d
    origin: wp.vec2d
    chart: int


@wp.func
@no_type_check
def face_plane(surface: Surface, kind: int, f: int) -> Plane:
    """The plane of a face."""
    a = sight(kind, wide(surface.vertices[surface.faces[f, 0]]))
    e1 = sight(kind, wide(surface.vertices[surface.faces[f, 1]])) - a
    e2 = sight(kind, wide(surface.vertices[surface.faces[f, 2]])) - a
    c = surface.coordinates[f, 0]
    c1 = surface.coordinates[f, 1] - c
    c2 = surface.coordinates[f, 2] - c
    from_1 = wp.cross(e2, a)
    from_2 = wp.cross(a, e1)
    plane = Plane()
    plane.normal = wp.cross(e1, e2)
    plane.along_u = from_1 * wp.float64(c1[0]) + from_2 * wp.float64(c2[0])
    plane.along_v = from_1 * wp.float64(c1[1]) + from_2 * wp.float64(c2[1])
    plane.origin = wp.vec2d(wp.float64(c[0]), wp.float64(c[1]))
    plane.chart = surface.face_chart[f]
    return plane


@wp.func
@no_type_check
def sky_chart(view: NoiseView, ray: wp.vec2d) -> int:
    """The side of the cube of directions that a ray meets: axis, and 3 more where cube[axis] = -1."""
    d = view.world_from_camera * wp.vec3(float(ray[0]), float(ray[1]), 1.0)
    if view.camera.kind == PARALLEL:
        d = view.world_from_camera * wp.vec3(0.0, 0.0, 1.0)
    a = wp.vec3(wp.abs(d[0]), wp.abs(d[1]), wp.abs(d[2]))
    axis = int(0)
    if a[1] > a[0]:
        axis = 1
    if a[2] > wp.max(a[0], a[1]):
        axis = 2
    if d[axis] < 0.0:
        return axis + 3
    return axis


@wp.func
@no_type_check
def sky_plane(view: NoiseView, chart: int) -> Plane:
    """One side of the cube of directions, or of the wall behind everything, as a plane."""
    half = wp.float64(0.5)
    axis = chart % 3
    p = (axis + 1) % 3
    q = (axis + 2) % 3
    plane = Plane()
    plane.along_u = half * wide(view.world_from_camera[p])
    plane.along_v = half * wide(view.world_from_camera[q])
    plane.normal = wide(view.world_from_camera[axis])
    if view.camera.kind == PARALLEL:
        plane.along_u = wide(view.world_from_camera[p]) / SKY_SPAN_M
        plane.along_v = wide(view.world_from_camera[q]) / SKY_SPAN_M
        plane.along_u[2] = view.position[p] / SKY_SPAN_M
        plane.along_v[2] = view.position[q] / SKY_SPAN_M
        plane.normal = wp.vec3d(wp.float64(0.0), wp.float64(0.0), wp.float64(1.0))
    plane.origin = wp.vec2d(half, half)
    plane.chart = chart
    return plane
