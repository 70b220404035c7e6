"""Deferred shading as Warp kernels: from face ids to a picture. `shading_reference` repeats them in torch."""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

from ....raster.kernels import BENT
from ...geometry_kernels import Eye, direction_of, inverse_depth, plane_of, ray_of, seen_vertex
from .light_kernels import Light, outgoing, sky_radiance, sun_share, tone_mapped

wp.set_module_options({"enable_backward": False})


@wp.struct
@no_type_check
class Materials:
    """Faces, parts and textures of a scene; the same in all frames.

    Per part: ``base``, ``emission``, ``metallic``, ``roughness``, ``texture`` (-1 = none). ``texels`` as in ``Atlas``.
    """

    faces: wp.array(dtype=wp.vec3i)
    corner_uv: wp.array2d(dtype=wp.vec2)
    face_part: wp.array(dtype=wp.int32)
    base: wp.array(dtype=wp.vec3)
    emission: wp.array(dtype=wp.vec3)
    metallic: wp.array(dtype=wp.float32)
    roughness: wp.array(dtype=wp.float32)
    texture: wp.array(dtype=wp.int32)
    texels: wp.array(dtype=wp.int32)
    levels: wp.array(dtype=wp.vec3i)
    first_level: wp.array(dtype=wp.int32)
    level_count: wp.array(dtype=wp.int32)
    linear: wp.array(dtype=wp.float32)  # of the 256 sRGB values


@wp.struct
@no_type_check
class View:
    """One camera at one instant. ``eye`` is in pixels of the finished picture, whatever the samples per pixel."""

    vertices: wp.array(dtype=wp.vec3)
    corner_normals: wp.array2d(dtype=wp.vec3)
    normal_from_part: wp.array(dtype=wp.mat33)
    eye: Eye


@wp.func
@no_type_check
def texel(offset: int, s: Materials) -> wp.vec3:
    """Linear colour of one texel."""
    t = s.texels[offset]
    return wp.vec3(s.linear[t & 255], s.linear[(t >> 8) & 255], s.linear[(t >> 16) & 255])


@wp.func
@no_type_check
def wrapped(i: int, size: int) -> int:
    """Index of a repeating axis."""
    r = i % size
    if r < 0:
        r += size
    return r


@wp.func
@no_type_check
def bilinear(level: wp.vec3i, uv: wp.vec2, s: Materials) -> wp.vec3:
    """A mip level (offset, height, width) at uv; row 0 is v = 1, both axes repeat."""
    x = (uv[0] - wp.floor(uv[0])) * float(level[2]) - 0.5
    y = (1.0 - uv[1] + wp.floor(uv[1])) * float(level[1]) - 0.5
    i = int(wp.floor(x))
    j = int(wp.floor(y))
    fx = x - float(i)
    fy = y - float(j)
    i0 = wrapped(i, level[2])
    i1 = wrapped(i + 1, level[2])
    j0 = level[0] + wrapped(j, level[1]) * level[2]
    j1 = level[0] + wrapped(j + 1, level[1]) * level[2]
    upper = (1.0 - fx) * texel(j0 + i0, s) + fx * texel(j0 + i1, s)
    lower = (1.0 - fx) * texel(j1 + i0, s) + fx * texel(j1 + i1, s)
    return (1.0 - fy) * upper + fy * lower


@wp.func
@no_type_check
def textured(texture: int, uv: wp.vec2, uv_x: wp.vec2, uv_y: wp.vec2, s: Materials) -> wp.vec3:
    """A texture over a pixel whose sides span ``uv_x`` and ``uv_y``: up to four trilinear taps along the longer side."""
    first = s.first_level[texture]
    count = s.level_count[texture]
    size = s.levels[first]
    ax = wp.vec2(uv_x[0] * float(size[2]), uv_x[1] * float(size[1]))
    ay = wp.vec2(uv_y[0] * float(size[2]), uv_y[1] * float(size[1]))
    long = wp.length(ax)
    short = wp.length(ay)
    along = uv_x
    if short > long:
        along = uv_y
        swap = long
        long = short
        short = swap
    taps = wp.clamp(int(wp.ceil(long / wp.max(short, 1.0e-6) - 0.25)), 1, 4)
    lod = wp.clamp(wp.log2(wp.max(wp.max(long / float(taps), 1.0e-6), 0.5 * short)), 0.0, float(count - 1))
    low = int(lod)
    mix = lod - float(low)
    colour = wp.vec3(0.0, 0.0, 0.0)
    for k in range(taps):
        at = uv + along * ((float(k) + 0.5) / float(taps) - 0.5)
        c = bilinear(s.levels[first + low], at, s)
        if mix > 0.02 and low + 1 < count:
            c = (1.0 - mix) * c + mix * bilinear(s.levels[first + low + 1], at, s)
        colour += c
    return colour / float(taps)


@wp.func
@no_type_check
def open_sky(occlusion: wp.array2d(dtype=wp.vec2), x: float, y: float, w: float) -> float:
    """Ambient visibility at a point of the picture (px), from the half-size map, by depth-aware bilinear interpolation."""
    height = occlusion.shape[0]
    width = occlusion.shape[1]
    u = 0.5 * x - 0.5
    v = 0.5 * y - 0.5
    i = int(wp.floor(u))
    j = int(wp.floor(v))
    fu = u - float(i)
    fv = v - float(j)
    total = float(0.0)
    weights = float(1.0e-6)
    for b in range(2):
        for a in range(2):
            o = occlusion[wp.clamp(j + b, 0, height - 1), wp.clamp(i + a, 0, width - 1)]
            miss = wp.abs(o[1] - w) / wp.max(w, 1.0e-9)
            k = (1.0 - wp.abs(float(a) - fu)) * (1.0 - wp.abs(float(b) - fv)) / (1.0e-3 + miss * miss * 1.0e3) + 1.0e-6
            total += k * o[0]
            weights += k
    return (total + 1.0e-6) / weights


@wp.func
@no_type_check
def surface_colour(
    f: int, x: float, y: float, occlusion: wp.array2d(dtype=wp.vec2), s: Materials, view: View, light: Light
) -> wp.vec3:
    """Radiance that the eye receives from face ``f`` at a point of the picture, px."""
    ray = ray_of(view.eye, x, y)
    index = s.faces[f]
    a = seen_vertex(view.eye.kind, view.vertices[index[0]])
    b = seen_vertex(view.eye.kind, view.vertices[index[1]])
    c = seen_vertex(view.eye.kind, view.vertices[index[2]])
    n = wp.cross(b - a, c - a)
    ea = wp.cross(b, c - b)
    eb = wp.cross(c, a - c)
    slope = wp.dot(n, ray)
    if slope == 0.0:
        return wp.vec3(0.0, 0.0, 0.0)
    ka = wp.clamp(wp.dot(ea, ray) / slope, 0.0, 1.0)
    kb = wp.clamp(wp.dot(eb, ray) / slope, 0.0, 1.0 - ka)
    kc = 1.0 - ka - kb
    p = ka * view.vertices[index[0]] + kb * view.vertices[index[1]] + kc * view.vertices[index[2]]
    eye = -wp.normalize(direction_of(view.eye.kind, ray))

    part = s.face_part[f]
    plane = plane_of(f, s.faces, view.vertices)
    g = wp.vec3(plane[0], plane[1], plane[2])
    if wp.dot(g, eye) < 0.0:
        g = -g
    m = ka * view.corner_normals[f, 0] + kb * view.corner_normals[f, 1] + kc * view.corner_normals[f, 2]
    m = wp.normalize(view.normal_from_part[part] * m)
    if wp.dot(m, m) < 0.5:
        m = g
    if wp.dot(m, g) < 0.0:
        m = -m

    base = s.base[part]
    texture = s.texture[part]
    if texture >= 0:
        ta = s.corner_uv[f, 0]
        tb = s.corner_uv[f, 1]
        tc = s.corner_uv[f, 2]
        ux = tb - ta
        vx = tc - ta
        # b_i = e_i.ray / n.ray and its derivatives along x and y (one pixel)
        ec = n - ea - eb
        dx = wp.vec3(view.eye.pinhole[0], 0.0, 0.0)
        dy = wp.vec3(-view.eye.pinhole[4] * view.eye.pinhole[1], view.eye.pinhole[1], 0.0)
        if view.eye.kind == BENT:
            dx = ray_of(view.eye, x + 0.5, y) - ray_of(view.eye, x - 0.5, y)
            dy = ray_of(view.eye, x, y + 0.5) - ray_of(view.eye, x, y - 0.5)
        bx = (wp.dot(eb, dx) - kb * wp.dot(n, dx)) / slope
        cx = (wp.dot(ec, dx) - kc * wp.dot(n, dx)) / slope
        by = (wp.dot(eb, dy) - kb * wp.dot(n, dy)) / slope
        cy = (wp.dot(ec, dy) - kc * wp.dot(n, dy)) / slope
        base = wp.cw_mul(base, textured(texture, ta + kb * ux + kc * vx, bx * ux + cx * vx, by * ux + cy * vx, s))

    lit = float(0.0)
    if wp.dot(g, light.sun_direction) > 0.0 and wp.dot(m, light.sun_direction) > 0.0:
        lit = sun_share(p, g, light)
    ambient = open_sky(occlusion, x, y, 1.0 / p[2])
    return outgoing(m, eye, base, s.metallic[part], s.roughness[part], lit, ambient, light) + s.emission[part]


@wp.func
@no_type_check
def continues(p: int, q: int, ray: wp.vec3, s: Materials, view: View) -> int:
    """Whether two faces are one smooth surface at a ray, so that one shade serves both."""
    if s.face_part[p] != s.face_part[q]:
        return 0
    a = plane_of(p, s.faces, view.vertices)
    b = plane_of(q, s.faces, view.vertices)
    if wp.abs(a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) < 0.97:
        return 0
    wa = inverse_depth(view.eye.kind, a, ray)
    if wp.abs(wa - inverse_depth(view.eye.kind, b, ray)) > 0.01 * wp.abs(wa):
        return 0
    return 1


@wp.func
@no_type_check
def seen_colour(
    f: int, x: float, y: float, occlusion: wp.array2d(dtype=wp.vec2), s: Materials, view: View, light: Light
) -> wp.vec3:
    """Display-linear colour of a face, or of the sky where ``f`` is negative, at a point of the picture, px."""
    radiance = wp.vec3(0.0, 0.0, 0.0)
    if f >= 0:
        radiance = surface_colour(f, x, y, occlusion, s, view, light)
    else:
        radiance = sky_radiance(wp.normalize(direction_of(view.eye.kind, ray_of(view.eye, x, y))), 0.35, light)
    if light.exposure > 0.0:
        radiance = tone_mapped(radiance, light.exposure)
    return radiance


@wp.func
@no_type_check
def mixed_colour(
    face: wp.array2d(dtype=wp.int32),
    side: int,
    y: int,
    x: int,
    occlusion: wp.array2d(dtype=wp.vec2),
    s: Materials,
    view: View,
    light: Light,
) -> wp.vec3:
    """Average colour of a pixel whose samples see several faces; samples of one smooth surface are shaded once."""
    samples = side * side
    step = 1.0 / float(side)
    middle = ray_of(view.eye, float(x) + 0.5, float(y) + 0.5)
    total = wp.vec3(0.0, 0.0, 0.0)
    done = int(0)
    for i in range(samples):
        if (done >> i) & 1 == 0:
            f = face[y * side + i // side, x * side + i % side]
            same = float(0.0)
            count = float(0.0)
            px = float(0.0)
            py = float(0.0)
            for j in range(i, samples):
                if (done >> j) & 1 == 0:
                    fj = face[y * side + j // side, x * side + j % side]
                    joins = int(0)
                    if fj == f:
                        same += 1.0
                        px += float(x) + (float(j % side) + 0.5) * step
                        py += float(y) + (float(j // side) + 0.5) * step
                        joins = 1
                    elif f >= 0 and fj >= 0:
                        joins = continues(f, fj, middle, s, view)
                    if joins == 1:
                        count += 1.0
                        done = done | (1 << j)
            total += count * seen_colour(f, px / same, py / same, occlusion, s, view, light)
    return total / float(samples)


@wp.kernel
@no_type_check
def shade_kernel(
    face: wp.array2d(dtype=wp.int32),
    side: int,
    run: int,
    occlusion: wp.array2d(dtype=wp.vec2),
    s: Materials,
    view: View,
    light: Light,
    picture: wp.array2d(dtype=wp.vec3),
):
    """Display-linear colours of pixels with side x side samples each; a thread takes ``run`` pixels of a row.

    A pixel of one face is shaded once. Colours are averaged after the tone curve, or bright edges would stay jagged.
    """
    y, block = wp.tid()
    for x in range(block * run, wp.min(block * run + run, picture.shape[1])):
        f = face[y * side, x * side]
        differ = int(0)
        for j in range(side):
            for i in range(side):
                differ = differ | (face[y * side + j, x * side + i] ^ f)
        if differ == 0:
            picture[y, x] = seen_colour(f, float(x) + 0.5, float(y) + 0.5, occlusion, s, view, light)
        else:
            picture[y, x] = mixed_colour(face, side, y, x, occlusion, s, view, light)


@wp.kernel
@no_type_check
def encode_kernel(colour: wp.array2d(dtype=wp.vec3), srgb: wp.array(dtype=wp.uint8), picture: wp.array3d(dtype=wp.uint8)):
    """Display-linear [0, 1] to 8 bits by a table of the sRGB curve over [0, 1]."""
    y, x = wp.tid()
    c = colour[y, x]
    last = float(srgb.shape[0] - 1)
    for k in range(3):
        picture[y, x, k] = srgb[int(wp.clamp(c[k], 0.0, 1.0) * last + 0.5)]


@wp.kernel
@no_type_check
def clear_kernel(
    face: wp.array2d(dtype=wp.int32), side: int, run: int, alpha: wp.array(dtype=wp.float32), out: wp.array2d(dtype=wp.float32)
):
    """Mean alpha of those of a pixel's ``side`` x ``side`` samples that see something clear (alpha below 1); 1 without any."""
    y, part = wp.tid()
    for x in range(part * run, wp.min((part + 1) * run, out.shape[1])):
        total = float(0.0)
        count = float(0.0)
        for j in range(side * side):
            f = face[y * side + j / side, x * side + j % side]
            if f >= 0:
                a = alpha[f]
                if a < 1.0:
                    total += a
                    count += 1.0
        out[y, x] = 1.0
        if count > 0.0:
            out[y, x] = total / count
