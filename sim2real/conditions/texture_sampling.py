"""Warp functions that look up materials and filtered textures. `surface_reference` repeats them in torch."""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.struct
@no_type_check
class Materials:
    """Faces, parts and textures of a scene; the same in all frames.

    Per part: ``base``, ``emission``, ``metallic``, ``roughness``, ``texture`` (-1 = none); ``map_texture``: of normals, surface
    and emission, -1 = none, ``map_factors`` of the surface (occlusion, roughness, metallic), ``map_glow``, ``map_bend`` of
    normals. ``texels`` as in ``Atlas``; ``linear``: of the 256 sRGB values, then of 256 plain ones.
    """

    faces: wp.array(dtype=wp.vec3i)
    corner_uv: wp.array2d(dtype=wp.vec2)
    face_part: wp.array(dtype=wp.int32)
    base: wp.array(dtype=wp.vec3)
    emission: wp.array(dtype=wp.vec3)
    metallic: wp.array(dtype=wp.float32)
    roughness: wp.array(dtype=wp.float32)
    texture: wp.array(dtype=wp.int32)
    map_texture: wp.array(dtype=wp.vec3i)
    map_factors: wp.array(dtype=wp.vec3)
    map_glow: wp.array(dtype=wp.vec3)
    map_bend: wp.array(dtype=wp.float32)
    texels: wp.array(dtype=wp.int32)
    levels: wp.array(dtype=wp.vec3i)
    first_level: wp.array(dtype=wp.int32)
    level_count: wp.array(dtype=wp.int32)
    linear: wp.array(dtype=wp.float32)


@wp.func
@no_type_check
def texel(offset: int, table: int, texels: wp.array(dtype=wp.int32), linear: wp.array(dtype=wp.float32)) -> wp.vec3:
    """Linear color of one texel, by the values of ``linear`` from ``table`` on."""
    t = texels[offset]
    return wp.vec3(linear[table + (t & 255)], linear[table + ((t >> 8) & 255)], linear[table + ((t >> 16) & 255)])


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
def bilinear(
    level: wp.vec3i, uv: wp.vec2, table: int, texels: wp.array(dtype=wp.int32), linear: wp.array(dtype=wp.float32)
) -> wp.vec3:
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
    upper = (1.0 - fx) * texel(j0 + i0, table, texels, linear) + fx * texel(j0 + i1, table, texels, linear)
    lower = (1.0 - fx) * texel(j1 + i0, table, texels, linear) + fx * texel(j1 + i1, table, texels, linear)
    return (1.0 - fy) * upper + fy * lower


@wp.func
@no_type_check
def textured(texture: int, table: int, uv: wp.vec2, uv_x: wp.vec2, uv_y: wp.vec2, s: Materials) -> wp.vec3:
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
    color = wp.vec3(0.0, 0.0, 0.0)
    for k in range(taps):
        at = uv + along * ((float(k) + 0.5) / float(taps) - 0.5)
        c = bilinear(s.levels[first + low], at, table, s.texels, s.linear)
        if mix > 0.02 and low + 1 < count:
            c = (1.0 - mix) * c + mix * bilinear(s.levels[first + low + 1], at, table, s.texels, s.linear)
        color += c
    return color / float(taps)
