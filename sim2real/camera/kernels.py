"""The camera as Warp kernels take it, and the functions that bring pixels to lines of sight and points to pixels.

There are two families. Float64 decides: what covers a pixel, what noise lies there, where a point moves. Float32 paints.
``reference`` and ``rays`` are their twins in torch and numpy.
"""

# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportIndexIssue=false
# pyright: reportOperatorIssue=false, reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportReturnType=false

from typing import Any, no_type_check

import numpy as np
import warp as wp
from jaxtyping import Float

from ..devices import as_warp, upload
from .lens import Lens, field_of
from .ray_tables import ray_tables
from .rays import bent_rays

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

BENT = wp.constant(1)
PARALLEL = wp.constant(2)

Coefficients = wp.types.vector(length=12, dtype=wp.float64)
"""k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4, or k1 k2 k3 k4 of a fisheye."""


@wp.struct
@no_type_check
class DeviceCamera:
    """How the pixels of one picture see.

    - ``kind``: 0 for a pinhole, BENT where a lens bends rays, PARALLEL for lines of sight along z.
    - ``fx``, ``fy`` and their inverses, ``cx``, ``cy``: pixels (PARALLEL: per metre); ``shear``: skew / fx.
    - ``rays``: BENT only, lines of sight (x, y) at z = 1, through pixel centers or, where slopes are needed, pixel corners.
    """

    kind: wp.int32
    fx: wp.float64
    fy: wp.float64
    ifx: wp.float64
    ify: wp.float64
    cx: wp.float64
    cy: wp.float64
    shear: wp.float64
    rays: wp.array2d(dtype=wp.vec2d)


@wp.struct
@no_type_check
class LensMap:
    """Where a lens moves lines of sight; ``field`` is the squared radius up to which it shows them."""

    fisheye: wp.int32
    coefficients: Coefficients
    field: wp.float64


def device_camera(
    intrinsics: Float[np.ndarray, "3 3"], lens: Lens, size: tuple[int, int], device: str, *, corners: bool = False
) -> Any:
    """A camera for kernels on one device.

    Args:
        intrinsics: in pixels of ``size``.
        lens: what bends rays.
        size: (height, width) of the picture.
        device: where the kernels run.
        corners: rays through pixel corners, from the very intrinsics; else through pixel centers, from rounded ones that all
            share (``ray_tables``).

    Raises:
        BadValueError: the lens' map folds inside the picture.
    """
    k = np.asarray(intrinsics, np.float64)
    camera = DeviceCamera()
    camera.kind = PARALLEL if lens.parallel else BENT if lens.bent else 0
    camera.fx, camera.fy, camera.cx, camera.cy = float(k[0, 0]), float(k[1, 1]), float(k[0, 2]), float(k[1, 2])
    camera.ifx, camera.ify, camera.shear = 1 / camera.fx, 1 / camera.fy, float(k[0, 1]) / camera.fx
    if lens.bent and corners:
        camera.rays = upload(bent_rays(k, lens, size, corners=True), wp.vec2d, device)
    elif lens.bent:
        camera.rays = as_warp(ray_tables(k, lens, size, device).rays, wp.vec2d)
    return camera


def lens_map_of(lens: Lens) -> Any:
    """A lens for kernels; of one that bends nothing, a map that is not used."""
    record = LensMap()
    if lens.bent:
        record.fisheye = int(lens.projection == "fisheye")
        record.coefficients = Coefficients(*lens.distortion, *(0.0,) * (12 - len(lens.distortion)))
        record.field = field_of(lens) ** 2
    return record


@wp.func
@no_type_check
def ray_y(camera: DeviceCamera, row: int) -> wp.float64:
    """Height of the lines of sight through a row of pixel centers, of a camera that bends none."""
    return (wp.float64(row) + wp.float64(0.5) - camera.cy) * camera.ify


@wp.func
@no_type_check
def ray_x(camera: DeviceCamera, column: int, y: wp.float64) -> wp.float64:
    """Where the line of sight through a pixel center lies along x, of a camera that bends none."""
    return (wp.float64(column) + wp.float64(0.5) - camera.cx) * camera.ifx - camera.shear * y


@wp.func
@no_type_check
def center_ray(camera: DeviceCamera, row: int, column: int) -> wp.vec2d:
    """The line of sight through a pixel center; ``rays`` are those of centers."""
    if camera.kind == BENT:
        return camera.rays[row, column]
    y = ray_y(camera, row)
    return wp.vec2d(ray_x(camera, column, y), y)


@wp.func
@no_type_check
def straight_ray(camera: DeviceCamera, column: wp.float64, row: wp.float64) -> wp.vec2d:
    """The line of sight through a place of the picture, px, of a camera that bends none; divides where ``ray_x`` multiplies."""
    y = (row - camera.cy) / camera.fy
    return wp.vec2d((column - camera.cx) / camera.fx - camera.shear * y, y)


@wp.func
@no_type_check
def mean_ray(camera: DeviceCamera, row: int, column: int) -> wp.vec2d:
    """The line of sight through a pixel's middle; ``rays`` are those of corners."""
    half = wp.float64(0.5)
    if camera.kind == BENT:
        upper = camera.rays[row, column] + camera.rays[row, column + 1]
        lower = camera.rays[row + 1, column] + camera.rays[row + 1, column + 1]
        return (upper + lower) * wp.float64(0.25)
    return straight_ray(camera, wp.float64(column) + half, wp.float64(row) + half)


@wp.func
@no_type_check
def ray_slopes(camera: DeviceCamera, row: int, column: int) -> wp.vec4d:
    """How lines of sight change per pixel: (x, y) along a row, (x, y) along a column; ``rays`` are those of corners."""
    if camera.kind == BENT:
        half = wp.float64(0.5)
        a = camera.rays[row, column]
        b = camera.rays[row, column + 1]
        c = camera.rays[row + 1, column]
        d = camera.rays[row + 1, column + 1]
        right = half * ((b - a) + (d - c))
        down = half * ((c - a) + (d - b))
        return wp.vec4d(right[0], right[1], down[0], down[1])
    zero = wp.float64(0.0)
    one = wp.float64(1.0)
    return wp.vec4d(one / camera.fx, zero, -camera.shear / camera.fy, one / camera.fy)


@wp.func
@no_type_check
def straight_px(camera: DeviceCamera, x: wp.float64, y: wp.float64) -> wp.vec2d:
    """Where a line of sight falls in the picture, px, once a lens has moved it."""
    return wp.vec2d((x + camera.shear * y) * camera.fx + camera.cx, y * camera.fy + camera.cy)


@wp.func
@no_type_check
def bent(lens: LensMap, x: wp.float64, y: wp.float64) -> wp.vec2d:
    """Where a lens moves a line of sight, not a number where it does not show it; the twin of ``lens.distorted``."""
    c = lens.coefficients
    one = wp.float64(1.0)
    two = wp.float64(2.0)
    t = x * x + y * y
    if t > lens.field:
        return wp.vec2d(wp.float64(wp.nan), wp.float64(wp.nan))
    if lens.fisheye == 1:
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
def px_from_camera(camera: DeviceCamera, lens: LensMap, p: wp.vec3d) -> wp.vec2d:
    """Where a point in front of the camera falls, px; not a number outside of a lens' field."""
    at = wp.vec2d(p[0], p[1])
    if camera.kind != PARALLEL:
        at = wp.vec2d(p[0] / p[2], p[1] / p[2])
    if camera.kind == BENT:
        at = bent(lens, at[0], at[1])
    return straight_px(camera, at[0], at[1])


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


@wp.func
@no_type_check
def between_centers(camera: DeviceCamera, x: float, y: float) -> wp.vec3:
    """The ray through a place of a bent camera's picture, bilinear between centers: a few thousandths of a pixel off."""
    u = x - 0.5
    v = y - 0.5
    i = wp.clamp(int(wp.floor(u)), 0, wp.max(camera.rays.shape[1] - 2, 0))
    j = wp.clamp(int(wp.floor(v)), 0, wp.max(camera.rays.shape[0] - 2, 0))
    i1 = wp.min(i + 1, camera.rays.shape[1] - 1)
    j1 = wp.min(j + 1, camera.rays.shape[0] - 1)
    a = wp.float64(u) - wp.float64(i)
    b = wp.float64(v) - wp.float64(j)
    upper = camera.rays[j, i] + (camera.rays[j, i1] - camera.rays[j, i]) * a
    lower = camera.rays[j1, i] + (camera.rays[j1, i1] - camera.rays[j1, i]) * a
    ray = upper + (lower - upper) * b
    return wp.vec3(float(ray[0]), float(ray[1]), 1.0)


@wp.func
@no_type_check
def ray_from_px(camera: DeviceCamera, x: float, y: float) -> wp.vec3:
    """The ray (z = 1) through a place of the picture, px; ``rays`` are those of centers."""
    if camera.kind == BENT:
        return between_centers(camera, x, y)
    v = (y - float(camera.cy)) * float(camera.ify)
    return wp.vec3((x - float(camera.cx)) * float(camera.ifx) - float(camera.shear) * v, v, 1.0)


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
