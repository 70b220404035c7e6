"""What the surface at a sample is made of, as Warp functions and kernels. `surface_reference` repeats them in torch."""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

from ..camera.kernels import BENT, PARALLEL, DeviceCamera, ray_from_px, seen_vertex
from .texture_sampling import Materials, textured

wp.set_module_options({"enable_backward": False})

Surface = wp.types.vector(length=6, dtype=wp.float32)
"""Linear base color, then roughness, metallic, emissive strength."""


@wp.struct
@no_type_check
class SurfaceView:
    """One camera at one instant. ``camera`` is in pixels of the finished picture, whatever the samples per pixel.

    ``tinted``: per part, 0 without colors of corners, 1 if they multiply the texture, 2 if they take its place;
    ``corner_color``: packed as texels, per face and corner.
    """

    vertices: wp.array(dtype=wp.vec3)
    corner_normals: wp.array2d(dtype=wp.vec3)
    normal_from_part: wp.array(dtype=wp.mat33)
    camera: DeviceCamera
    tinted: wp.array(dtype=wp.int32)
    corner_color: wp.array2d(dtype=wp.int32)


@wp.struct
@no_type_check
class Meeting:
    """Where a line of sight meets a face.

    ``ka``, ``kb``, ``kc`` are the weights of the corners, b_i = e_i.ray / n.ray with n.ray = ``slope`` (0: seen edge on).
    """

    ray: wp.vec3
    n: wp.vec3
    ea: wp.vec3
    eb: wp.vec3
    slope: float
    ka: float
    kb: float
    kc: float


@wp.func
@no_type_check
def meeting(f: int, x: float, y: float, s: Materials, view: SurfaceView) -> Meeting:
    """The meeting of face ``f`` and the line of sight through a point of the picture, px."""
    at = Meeting()
    at.ray = ray_from_px(view.camera, x, y)
    index = s.faces[f]
    a = seen_vertex(view.camera.kind, view.vertices[index[0]])
    b = seen_vertex(view.camera.kind, view.vertices[index[1]])
    c = seen_vertex(view.camera.kind, view.vertices[index[2]])
    at.n = wp.cross(b - a, c - a)
    at.ea = wp.cross(b, c - b)
    at.eb = wp.cross(c, a - c)
    at.slope = wp.dot(at.n, at.ray)
    if at.slope != 0.0:
        at.ka = wp.clamp(wp.dot(at.ea, at.ray) / at.slope, 0.0, 1.0)
        at.kb = wp.clamp(wp.dot(at.eb, at.ray) / at.slope, 0.0, 1.0 - at.ka)
        at.kc = 1.0 - at.ka - at.kb
    return at


@wp.struct
@no_type_check
class Patch:
    """Where on textures a pixel lies: UV of its place, and what its sides span there."""

    uv: wp.vec2
    along_x: wp.vec2
    along_y: wp.vec2


@wp.func
@no_type_check
def patch_at(f: int, x: float, y: float, at: Meeting, s: Materials, view: SurfaceView) -> Patch:
    """The patch of a face that is seen by the pixel around a point of the picture, px."""
    ta = s.corner_uv[f, 0]
    u = s.corner_uv[f, 1] - ta
    v = s.corner_uv[f, 2] - ta
    # derivatives of the weights along x and y (one pixel)
    ec = at.n - at.ea - at.eb
    dx = wp.vec3(float(view.camera.ifx), 0.0, 0.0)
    dy = wp.vec3(-float(view.camera.shear) * float(view.camera.ify), float(view.camera.ify), 0.0)
    if view.camera.kind == BENT:
        dx = ray_from_px(view.camera, x + 0.5, y) - ray_from_px(view.camera, x - 0.5, y)
        dy = ray_from_px(view.camera, x, y + 0.5) - ray_from_px(view.camera, x, y - 0.5)
    bx = (wp.dot(at.eb, dx) - at.kb * wp.dot(at.n, dx)) / at.slope
    cx = (wp.dot(ec, dx) - at.kc * wp.dot(at.n, dx)) / at.slope
    by = (wp.dot(at.eb, dy) - at.kb * wp.dot(at.n, dy)) / at.slope
    cy = (wp.dot(ec, dy) - at.kc * wp.dot(at.n, dy)) / at.slope
    out = Patch()
    out.uv = ta + at.kb * u + at.kc * v
    out.along_x = bx * u + cx * v
    out.along_y = by * u + cy * v
    return out


@wp.func
@no_type_check
def corner_tint(f: int, at: Meeting, s: Materials, view: SurfaceView) -> wp.vec3:
    """The color between the corners of face ``f``."""
    out = wp.vec3(0.0, 0.0, 0.0)
    for corner in range(3):
        t = view.corner_color[f, corner]
        k = at.ka
        if corner == 1:
            k = at.kb
        if corner == 2:
            k = at.kc
        out += k * wp.vec3(s.linear[t & 255], s.linear[(t >> 8) & 255], s.linear[(t >> 16) & 255])
    return out


@wp.func
@no_type_check
def texture_at(f: int, x: float, y: float, at: Meeting, s: Materials, view: SurfaceView) -> wp.vec3:
    """Linear color of the face's texture over the pixel around a point of the picture, px, times that of its corners."""
    texture = s.texture[s.face_part[f]]
    color = wp.vec3(1.0, 1.0, 1.0)
    if texture >= 0:
        patch = patch_at(f, x, y, at, s, view)
        color = textured(texture, 0, patch.uv, patch.along_x, patch.along_y, s)
    tinted = view.tinted[s.face_part[f]]
    if tinted != 0:
        tint = corner_tint(f, at, s, view)
        if tinted == 1:
            tint = wp.cw_mul(tint, color)
        color = tint
    return color


@wp.func
@no_type_check
def surface_of(f: int, x: float, y: float, s: Materials, view: SurfaceView) -> Surface:
    """What face ``f`` is made of at a point of the picture, px; all 0 where one with a texture or tint is seen edge on."""
    part = s.face_part[f]
    texture = wp.vec3(1.0, 1.0, 1.0)
    there = int(1)
    if s.texture[part] >= 0 or view.tinted[part] != 0:
        at = meeting(f, x, y, s, view)
        if at.slope != 0.0:
            texture = texture_at(f, x, y, at, s, view)
        else:
            there = 0
    out = Surface()
    if there == 1:
        base = wp.cw_mul(s.base[part], texture)
        glow = wp.cw_mul(s.emission[part], texture)
        for k in range(3):
            out[k] = base[k]
        out[3] = s.roughness[part]
        out[4] = s.metallic[part]
        out[5] = wp.min(wp.max(glow[0], wp.max(glow[1], glow[2])), 1.0)
    return out


@wp.func
@no_type_check
def facing(f: int, s: Materials, view: SurfaceView) -> wp.vec4d:
    """``plane_of`` without a root and a division: the normal is as long as twice the face's area."""
    v = s.faces[f]
    a = view.vertices[v[0]]
    n = wp.cross(view.vertices[v[1]] - a, view.vertices[v[2]] - a)
    return wp.vec4d(wp.float64(n[0]), wp.float64(n[1]), wp.float64(n[2]), wp.float64(wp.dot(n, a)))


@wp.func
@no_type_check
def continues(p: int, q: int, ray: wp.vec3, s: Materials, view: SurfaceView) -> int:
    """Whether two faces are one smooth surface at a ray, so that one shade serves both: 14 degrees, a hundredth of depth."""
    if s.face_part[p] != s.face_part[q]:
        return 0
    a = facing(p, s, view)
    b = facing(q, s, view)
    zero = wp.float64(0.0)
    cosine = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    lengths = (a[0] * a[0] + a[1] * a[1] + a[2] * a[2]) * (b[0] * b[0] + b[1] * b[1] + b[2] * b[2])
    if cosine * cosine < wp.float64(0.9409) * lengths or lengths == zero:
        return 0
    # inverse depths are numerator / denominator; 0 where the denominator is
    x = wp.float64(ray[0])
    y = wp.float64(ray[1])
    na = a[0] * x + a[1] * y + a[2]
    nb = b[0] * x + b[1] * y + b[2]
    da = a[3]
    db = b[3]
    if view.camera.kind == PARALLEL:
        na = a[2]
        nb = b[2]
        da = a[3] - a[0] * x - a[1] * y
        db = b[3] - b[0] * x - b[1] * y
    if da == zero:
        na = zero
        da = wp.float64(1.0)
    if db == zero:
        nb = zero
        db = wp.float64(1.0)
    if wp.abs(na * db - nb * da) > wp.float64(0.01) * wp.abs(na * db):
        return 0
    return 1


@wp.func
@no_type_check
def samples_differ(face: wp.array2d(dtype=wp.int32), side: int, y: int, x: int) -> int:
    """0 where all ``side`` x ``side`` samples of a pixel see the same face or nothing."""
    row = y * side
    column = x * side
    f = face[row, column]
    differ = int(0)
    if side == 2:
        differ = (face[row, column + 1] ^ f) | (face[row + 1, column] ^ f) | (face[row + 1, column + 1] ^ f)
    else:
        for j in range(side):
            for i in range(side):
                differ = differ | (face[row + j, column + i] ^ f)
    return differ


@wp.struct
@no_type_check
class Group:
    """Samples of a pixel that are painted as one: ``count`` of them, bit k of ``members`` for sample k.

    They get what ``face`` has at (``x``, ``y``), px, which is the mean place of those samples that see this very face.
    """

    face: int
    count: float
    members: int
    x: float
    y: float


@wp.func
@no_type_check
def sample_row(i: int, side: int) -> int:
    """The row, within its pixel, of the ``i``-th of ``side`` x ``side`` samples; two to a side cost no division."""
    if side == 2:
        return i >> 1
    return i / side


@wp.func
@no_type_check
def group_from(
    i: int,
    done: int,
    face: wp.array2d(dtype=wp.int32),
    side: int,
    y: int,
    x: int,
    middle: wp.vec3,
    s: Materials,
    view: SurfaceView,
) -> Group:
    """Sample ``i`` of a pixel and all later ones, but those in ``done``, that see the same smooth surface or, as it, nothing.

    ``middle`` is the ray through the pixel's middle.
    """
    g = Group()
    first = sample_row(i, side)
    g.face = face[y * side + first, x * side + i - first * side]
    same = float(0.0)
    step = 1.0 / float(side)
    for j in range(i, side * side):
        if (done >> j) & 1 == 0:
            row = sample_row(j, side)
            column = j - row * side
            f = face[y * side + row, x * side + column]
            joins = int(0)
            if f == g.face:
                same += 1.0
                g.x += float(x) + (float(column) + 0.5) * step
                g.y += float(y) + (float(row) + 0.5) * step
                joins = 1
            elif g.face >= 0 and f >= 0:
                joins = continues(g.face, f, middle, s, view)
            if joins == 1:
                g.count += 1.0
                g.members = g.members | (1 << j)
    g.x = g.x / same
    g.y = g.y / same
    return g


@wp.kernel
@no_type_check
def surface_kernel(
    face: wp.array2d(dtype=wp.int32), side: int, run: int, s: Materials, view: SurfaceView, out: wp.array2d(dtype=Surface)
):
    """Averages over the side x side samples of pixels, the background all 0; a thread takes ``run`` pixels of a row."""
    y, block = wp.tid()
    for x in range(block * run, wp.min(block * run + run, out.shape[1])):
        total = Surface()
        if samples_differ(face, side, y, x) == 0:
            f = face[y * side, x * side]
            if f >= 0:
                total = surface_of(f, float(x) + 0.5, float(y) + 0.5, s, view)
        else:
            middle = ray_from_px(view.camera, float(x) + 0.5, float(y) + 0.5)
            done = int(0)
            for i in range(side * side):
                if (done >> i) & 1 == 0:
                    g = group_from(i, done, face, side, y, x, middle, s, view)
                    done = done | g.members
                    if g.face >= 0:
                        total += g.count * surface_of(g.face, g.x, g.y, s, view)
            total = total / float(side * side)
        out[y, x] = total


@wp.kernel
@no_type_check
def encode_surface_kernel(
    surface: wp.array2d(dtype=Surface),
    srgb: wp.array(dtype=wp.uint8),
    albedo: wp.array3d(dtype=wp.uint8),
    material: wp.array3d(dtype=wp.uint8),
):
    """To 8 bits: base color by a table of the sRGB curve over [0, 1], the rest evenly."""
    y, x = wp.tid()
    c = surface[y, x]
    last = float(srgb.shape[0] - 1)
    for k in range(3):
        albedo[y, x, k] = srgb[int(wp.clamp(c[k], 0.0, 1.0) * last + 0.5)]
        material[y, x, k] = wp.uint8(wp.clamp(c[3 + k], 0.0, 1.0) * 255.0 + 0.5)


@wp.kernel
@no_type_check
def clear_kernel(
    face: wp.array2d(dtype=wp.int32), side: int, run: int, alpha: wp.array(dtype=wp.float32), out: wp.array2d(dtype=wp.float32)
):
    """Mean alpha of those of a pixel's ``side`` x ``side`` samples that see something clear (alpha below 1); 1 without any."""
    y, part = wp.tid()
    for x in range(part * run, wp.min((part + 1) * run, out.shape[1])):
        share = float(1.0)
        if samples_differ(face, side, y, x) == 0:
            f = face[y * side, x * side]
            if f >= 0:
                share = alpha[f]
        else:
            total = float(0.0)
            count = float(0.0)
            for j in range(side * side):
                f = face[y * side + j / side, x * side + j % side]
                if f >= 0:
                    a = alpha[f]
                    if a < 1.0:
                        total += a
                        count += 1.0
            if count > 0.0:
                share = total / count
        out[y, x] = share
