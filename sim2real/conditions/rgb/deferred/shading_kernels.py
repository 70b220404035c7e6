"""Deferred shading as Warp kernels: from face ids to a picture. `shading_reference` repeats them in torch."""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

from ....camera.kernels import direction_of, ray_from_px
from ...geometry_kernels import plane_of
from ...surface_kernels import Group, SurfaceView, corner_tint, group_from, meeting, patch_at, samples_differ
from ...texture_sampling import Materials, textured
from .light_kernels import Light, arriving, backdrop, from_around, lamp_share, lobe, tone_mapped

wp.set_module_options({"enable_backward": False})


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
def bent_normal(f: int, m: wp.vec3, eye: wp.vec3, value: wp.vec3, scale: float, s: Materials, view: SurfaceView) -> wp.vec3:
    """A normal ``m`` bent by a texel of a normal map, never away from the eye; as it is where UVs have no area."""
    index = s.faces[f]
    a = view.vertices[index[0]]
    first = view.vertices[index[1]] - a
    second = view.vertices[index[2]] - a
    u = s.corner_uv[f, 1] - s.corner_uv[f, 0]
    v = s.corner_uv[f, 2] - s.corner_uv[f, 0]
    area = u[0] * v[1] - u[1] * v[0]
    out = m
    if area != 0.0:
        across = (v[1] * first - u[1] * second) / area
        up = (u[0] * second - v[0] * first) / area
        across = wp.normalize(across - wp.dot(across, m) * m)
        up = wp.normalize(up - wp.dot(up, m) * m)
        x = scale * (2.0 * value[0] - 1.0)
        y = scale * (2.0 * value[1] - 1.0)
        out = wp.normalize(x * across + y * up + wp.max(2.0 * value[2] - 1.0, 1.0e-3) * m)
    away = wp.dot(out, eye)
    if away < 0.0:
        out = wp.normalize(out - (away - 1.0e-3) * eye)
    return out


@wp.func
@no_type_check
def surface_color(
    f: int, x: float, y: float, occlusion: wp.array2d(dtype=wp.vec2), s: Materials, view: SurfaceView, light: Light
) -> wp.vec3:
    """Radiance that the eye receives from face ``f`` at a point of the picture, px."""
    at = meeting(f, x, y, s, view)
    if at.slope == 0.0:
        return wp.vec3(0.0, 0.0, 0.0)
    index = s.faces[f]
    p = at.ka * view.vertices[index[0]] + at.kb * view.vertices[index[1]] + at.kc * view.vertices[index[2]]
    eye = -wp.normalize(direction_of(view.camera.kind, at.ray))

    part = s.face_part[f]
    plane = plane_of(f, s.faces, view.vertices)
    g = wp.vec3(plane[0], plane[1], plane[2])
    if wp.dot(g, eye) < 0.0:
        g = -g
    m = at.ka * view.corner_normals[f, 0] + at.kb * view.corner_normals[f, 1] + at.kc * view.corner_normals[f, 2]
    m = wp.normalize(view.normal_from_part[part] * m)
    if wp.dot(m, m) < 0.5:
        m = g
    if wp.dot(m, g) < 0.0:
        m = -m

    base = s.base[part]
    glow = s.emission[part]
    metallic = s.metallic[part]
    roughness = s.roughness[part]
    ambient = open_sky(occlusion, x, y, 1.0 / p[2])
    maps = s.map_texture[part]
    if s.texture[part] >= 0 or maps[0] >= 0 or maps[1] >= 0 or maps[2] >= 0:
        patch = patch_at(f, x, y, at, s, view)
        for layer in range(int(4)):  # base color, normal, surface, emission: one call, which becomes part of this function
            texture = s.texture[part]
            if layer > 0:
                texture = maps[layer - 1]
            if texture >= 0:
                table = int(0)
                if layer == 1 or layer == 2:
                    table = 256
                value = textured(texture, table, patch.uv, patch.along_x, patch.along_y, s)
                if layer == 0:
                    base = wp.cw_mul(base, value)
                    glow = wp.cw_mul(glow, value)
                elif layer == 1:
                    m = bent_normal(f, m, eye, value, s.map_bend[part], s, view)
                elif layer == 2:
                    factors = s.map_factors[part]
                    ambient = ambient * (1.0 + factors[0] * (value[0] - 1.0))
                    roughness = factors[1] * value[1]
                    metallic = factors[2] * value[2]
                else:
                    glow = wp.cw_mul(s.map_glow[part], value)
    tinted = view.tinted[part]
    if tinted != 0:
        tint = corner_tint(f, at, s, view)
        if tinted == 2:
            base = s.base[part]
        base = wp.cw_mul(base, tint)
        if maps[2] < 0:
            if tinted == 2:
                glow = s.emission[part]
            glow = wp.cw_mul(glow, tint)
    out = from_around(m, eye, base, metallic, roughness, ambient, light)
    for k in range(light.lamp_count):
        beam = arriving(k, p, light.lamps)
        nl = wp.dot(m, beam.toward)
        if nl > 0.0 and wp.dot(g, beam.toward) > 0.0:
            share = nl
            if light.lamps.map[k] >= 0:
                share = lamp_share(p, g, light.lamps.map[k], light.shadows) * nl
            if share > 0.0:
                out += share * wp.cw_mul(lobe(m, eye, beam.toward, base, metallic, roughness), beam.color)
    return out + glow


@wp.func
@no_type_check
def seen_color(
    f: int, x: float, y: float, occlusion: wp.array2d(dtype=wp.vec2), s: Materials, view: SurfaceView, light: Light
) -> wp.vec3:
    """Display-linear color of a face, or of the sky where ``f`` is negative, at a point of the picture, px."""
    radiance = wp.vec3(0.0, 0.0, 0.0)
    if f >= 0:
        radiance = surface_color(f, x, y, occlusion, s, view, light)
    else:
        radiance = backdrop(wp.normalize(direction_of(view.camera.kind, ray_from_px(view.camera, x, y))), light)
    if light.exposure > 0.0:
        radiance = tone_mapped(radiance, light.exposure)
    return radiance


@wp.kernel
@no_type_check
def shade_kernel(
    face: wp.array2d(dtype=wp.int32),
    side: int,
    run: int,
    occlusion: wp.array2d(dtype=wp.vec2),
    s: Materials,
    view: SurfaceView,
    light: Light,
    picture: wp.array2d(dtype=wp.vec3),
):
    """Display-linear colors of pixels with side x side samples each; a thread takes ``run`` pixels of a row.

    Samples of one smooth surface are shaded once. Colors are averaged after the tone curve, or bright edges would stay jagged.
    Structs are handed over by value: every function that takes one is called in one place only, so that it becomes part of
    its caller.
    """
    y, block = wp.tid()
    count = side * side
    for x in range(block * run, wp.min(block * run + run, picture.shape[1])):
        f = face[y * side, x * side]
        differ = samples_differ(face, side, y, x)
        middle = ray_from_px(view.camera, float(x) + 0.5, float(y) + 0.5)
        total = wp.vec3(0.0, 0.0, 0.0)
        done = int(0)
        for i in range(count):
            if (done >> i) & 1 == 0:
                g = Group()
                g.face = f
                g.count = float(count)
                g.members = -1
                g.x = float(x) + 0.5
                g.y = float(y) + 0.5
                if differ != 0:
                    g = group_from(i, done, face, side, y, x, middle, s, view)
                done = done | g.members
                total += g.count * seen_color(g.face, g.x, g.y, occlusion, s, view, light)
        picture[y, x] = total / float(count)


@wp.kernel
@no_type_check
def encode_kernel(
    color: wp.array2d(dtype=wp.vec3), run: int, srgb: wp.array(dtype=wp.uint8), picture: wp.array3d(dtype=wp.uint8)
):
    """Display-linear [0, 1] to 8 bits by a table of the sRGB curve over [0, 1]; a thread takes ``run`` pixels of a row."""
    y, block = wp.tid()
    last = float(srgb.shape[0] - 1)
    for x in range(block * run, wp.min(block * run + run, picture.shape[1])):
        c = color[y, x]
        for k in range(3):
            picture[y, x, k] = srgb[int(wp.clamp(c[k], 0.0, 1.0) * last + 0.5)]
