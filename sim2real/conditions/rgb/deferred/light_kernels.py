"""Warp functions of light and material: GGX, sky, lamps and their shadows, tone curve. `shading_reference` repeats them.

References: Walter et al. 2007 (GGX); Heitz 2014 (height-correlated Smith term, eq. 99); Karis 2014, "Physically based shading
on mobile" (fit of the environment's share); Fdez-Aguera 2019 (multiple scattering); Narkowicz 2016 (fit of the ACES curve).
"""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

wp.set_module_options({"enable_backward": False})


DIRECTIONAL, POINT, SPOT = wp.constant(0), wp.constant(1), wp.constant(2)


@wp.struct
@no_type_check
class Lamps:
    """Lamps in one camera's frame, an entry each.

    - ``kind``: DIRECTIONAL, POINT, SPOT; ``color``: irradiance.
    - ``place``: where it stands; ``toward``: the unit vector to it (DIRECTIONAL), or in which it shines (SPOT).
    - ``fade``: constant, linear and quadratic attenuation, and reach; ``cone``: cosines of whole and dark, and an exponent.
    - ``map``: its shadow map, -1 if it casts no shadows.
    """

    kind: wp.array(dtype=wp.int32)
    color: wp.array(dtype=wp.vec3)
    place: wp.array(dtype=wp.vec3)
    toward: wp.array(dtype=wp.vec3)
    fade: wp.array(dtype=wp.vec4)
    cone: wp.array(dtype=wp.vec3)
    map: wp.array(dtype=wp.int32)


@wp.struct
@no_type_check
class Shadows:
    """The shadow maps of one instant.

    - ``depth`` holds inverse depth in the lamp's camera, 0 where nothing is; ``side``: texels of a map.
    - ``rotation`` and ``translation``: the lamp's camera from this camera; ``lens``: its 1 / f, cx and cy.
    - ``bias``: what a caster must be nearer to the lamp than a receiver, as a part of their depth there.
    """

    depth: wp.array3d(dtype=wp.float32)
    side: int
    rotation: wp.array(dtype=wp.mat33)
    translation: wp.array(dtype=wp.vec3)
    lens: wp.array(dtype=wp.vec3)
    bias: wp.array(dtype=wp.float32)


@wp.struct
@no_type_check
class Light:
    """All light of one camera at one instant, in its frame.

    - ``ambient_above`` and ``ambient_below`` (radiance) light matte surfaces, ``sky`` and ``ground`` are mirrored; ``above``
      and ``below`` are seen where nothing is, or ``box`` (linear colors, one side after the other) if it has a ``box_side``.
    - ``up`` is a unit vector; ``box_from_camera`` a rotation.
    """

    up: wp.vec3
    ambient_above: wp.vec3
    ambient_below: wp.vec3
    sky: wp.vec3
    ground: wp.vec3
    above: wp.vec3
    below: wp.vec3
    box: wp.array(dtype=wp.vec3)
    box_side: int
    box_from_camera: wp.mat33
    lamps: Lamps
    lamp_count: int
    shadows: Shadows
    exposure: float


@wp.func
@no_type_check
def height_of(direction: wp.vec3, blur: float, light: Light) -> float:
    """1 for directions above, 0 for those below, and in between around the horizon."""
    t = wp.clamp(0.5 + 0.5 * wp.dot(direction, light.up) / blur, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


@wp.func
@no_type_check
def sky_radiance(direction: wp.vec3, blur: float, light: Light) -> wp.vec3:
    """Sky above, ground below, blended around the horizon over ``blur`` (sine of elevation)."""
    t = height_of(direction, blur, light)
    return light.ground + t * (light.sky - light.ground)


@wp.func
@no_type_check
def box_texel(side: int, row: int, column: int, light: Light) -> wp.vec3:
    """A texel of a side of the box; beyond its border, the last one."""
    n = light.box_side
    return light.box[(side * n + wp.clamp(row, 0, n - 1)) * n + wp.clamp(column, 0, n - 1)]


@wp.func
@no_type_check
def box_radiance(d: wp.vec3, light: Light) -> wp.vec3:
    """What the box shows in a direction of its own axes: bilinear within the side that OpenGL's cube maps choose."""
    size = wp.vec3(wp.abs(d[0]), wp.abs(d[1]), wp.abs(d[2]))
    side = int(0)
    major = size[0]
    u = -d[2]
    v = -d[1]
    if d[0] < 0.0:
        side = 1
        u = d[2]
    if size[1] > size[0] and size[1] >= size[2]:
        side = 2
        major = size[1]
        u = d[0]
        v = d[2]
        if d[1] < 0.0:
            side = 3
            v = -d[2]
    elif size[2] > size[0]:
        side = 4
        major = size[2]
        u = d[0]
        v = -d[1]
        if d[2] < 0.0:
            side = 5
            u = -d[0]
    x = (0.5 + 0.5 * u / major) * float(light.box_side) - 0.5
    y = (0.5 + 0.5 * v / major) * float(light.box_side) - 0.5
    i = int(wp.floor(x))
    j = int(wp.floor(y))
    fx = x - float(i)
    fy = y - float(j)
    upper = (1.0 - fx) * box_texel(side, j, i, light) + fx * box_texel(side, j, i + 1, light)
    lower = (1.0 - fx) * box_texel(side, j + 1, i, light) + fx * box_texel(side, j + 1, i + 1, light)
    return (1.0 - fy) * upper + fy * lower


@wp.func
@no_type_check
def backdrop(direction: wp.vec3, light: Light) -> wp.vec3:
    """What is seen where nothing is."""
    if light.box_side > 0:
        return box_radiance(light.box_from_camera * direction, light)
    t = height_of(direction, 0.35, light)
    return light.below + t * (light.above - light.below)


@wp.func
@no_type_check
def lamp_share(p: wp.vec3, normal: wp.vec3, map: int, shadows: Shadows) -> float:
    """The part of a lamp that a surface point sees: percentage-closer filtering over 4x4 texels.

    Every texel is compared with the receiver's own plane at that texel, so that a lit plane never shadows itself and the
    bias can stay at a fraction of a texel.
    """
    q = shadows.rotation[map] * p + shadows.translation[map]
    m = shadows.rotation[map] * normal
    lens = shadows.lens[map]
    bias = shadows.bias[map]
    d = wp.dot(m, q)
    if q[2] <= 0.0:
        return 1.0
    w = 1.0 / q[2]
    x = q[0] * w / lens[0] + lens[1]
    y = q[1] * w / lens[0] + lens[2]
    side = shadows.side
    if x < 2.0 or y < 2.0 or x > float(side) - 2.0 or y > float(side) - 2.0:
        return 1.0
    gx = float(0.0)
    gy = float(0.0)
    if wp.abs(d) > 0.0:
        steepest = 20.0 * bias * w  # a plane nearly along the lamp's rays: its slope is not to be trusted
        gx = wp.clamp(m[0] * lens[0] / d, -steepest, steepest)
        gy = wp.clamp(m[1] * lens[0] / d, -steepest, steepest)
    ix = int(wp.floor(x - 0.5))
    iy = int(wp.floor(y - 0.5))
    fx = x - 0.5 - float(ix)
    fy = y - 0.5 - float(iy)
    lit = float(0.0)
    for j in range(-1, 3):
        wy = float(1.0)
        if j == -1:
            wy = 1.0 - fy
        if j == 2:
            wy = fy
        dy = float(j) - fy
        for i in range(-1, 3):
            wx = float(1.0)
            if i == -1:
                wx = 1.0 - fx
            if i == 2:
                wx = fx
            dx = float(i) - fx
            if shadows.depth[map, iy + j, ix + i] <= (w + gx * dx + gy * dy) * (1.0 + bias):
                lit += wx * wy
    return lit / 9.0


@wp.struct
@no_type_check
class Arriving:
    """Light of one lamp at one point, whatever is between: the unit vector to the lamp, and irradiance across it."""

    toward: wp.vec3
    color: wp.vec3


@wp.func
@no_type_check
def arriving(k: int, p: wp.vec3, lamps: Lamps) -> Arriving:
    """What lamp ``k`` sends to a point."""
    out = Arriving()
    out.toward = lamps.toward[k]
    out.color = lamps.color[k]
    if lamps.kind[k] != DIRECTIONAL:
        away = lamps.place[k] - p
        distance = wp.length(away)
        fade = lamps.fade[k]
        out.toward = away / wp.max(distance, 1.0e-9)
        share = 1.0 / wp.max(fade[0] + distance * (fade[1] + distance * fade[2]), 1.0e-6)
        if distance > fade[3]:
            share = 0.0
        if lamps.kind[k] == SPOT:
            cone = lamps.cone[k]
            c = -wp.dot(out.toward, lamps.toward[k])
            t = wp.clamp((c - cone[1]) / wp.max(cone[0] - cone[1], 1.0e-4), 0.0, 1.0)
            share = share * t * t
            if cone[2] > 0.0:
                share = share * wp.pow(wp.max(c, 0.0), cone[2])
        out.color = share * out.color
    return out


@wp.func
@no_type_check
def from_around(
    n: wp.vec3, v: wp.vec3, base: wp.vec3, metallic: float, roughness: float, open_sky: float, light: Light
) -> wp.vec3:
    """Radiance towards ``v`` of a metallic-roughness surface under the ambient light.

    Args:
        n: unit shading normal.
        v: unit direction to the eye.
        base: linear base color.
        metallic: 0 to 1.
        roughness: 0 to 1, squared for GGX's alpha.
        open_sky: visible part of what is around.
        light: of the view.
    """
    nv = wp.max(wp.dot(n, v), 1.0e-3)
    one = wp.vec3(1.0, 1.0, 1.0)
    f0 = 0.04 * (1.0 - metallic) * one + metallic * base
    diffuse = (1.0 - metallic) * base
    rough = wp.clamp(roughness, 0.08, 1.0)

    # irradiance of two half spheres is linear in the normal's height; reflections see the sky blurred by roughness
    rx = 1.0 - rough
    ry = 0.0425 - 0.0275 * rough
    rz = 1.04 - 0.572 * rough
    rw = 0.022 * rough - 0.04
    a004 = wp.min(rx * rx, wp.exp(-6.4324 * nv)) * rx + ry
    fa = rz - 1.04 * a004
    fb = rw + 1.04 * a004
    again = 1.0 / wp.max(fa + fb, 1.0e-3) - 1.0
    single = fa * f0 + fb * one
    mirror = single + again * wp.cw_mul(f0, single)
    t = 0.5 + 0.5 * wp.dot(n, light.up)
    ambient = light.ambient_below + t * (light.ambient_above - light.ambient_below)
    r = 2.0 * wp.dot(n, v) * n - v
    reflected = sky_radiance(r, 0.15 + 0.85 * rough, light)
    return open_sky * (wp.cw_mul(wp.cw_mul(diffuse, one - mirror), ambient) + wp.cw_mul(mirror, reflected))


@wp.func
@no_type_check
def lobe(n: wp.vec3, v: wp.vec3, toward: wp.vec3, base: wp.vec3, metallic: float, roughness: float) -> wp.vec3:
    """Radiance towards ``v`` by irradiance 1 from ``toward`` (both unit vectors, in front of the surface): matte and GGX."""
    nv = wp.max(wp.dot(n, v), 1.0e-3)
    nl = wp.dot(n, toward)
    one = wp.vec3(1.0, 1.0, 1.0)
    f0 = 0.04 * (1.0 - metallic) * one + metallic * base
    diffuse = (1.0 - metallic) * base
    rough = wp.clamp(roughness, 0.08, 1.0)
    h = wp.normalize(toward + v)
    nh = wp.dot(n, h)
    vh = wp.max(wp.dot(v, h), 0.0)
    alpha = wp.min(rough * rough + 0.01, 1.0)  # the lamp's disc and the pixel widen the lobe
    a2 = alpha * alpha
    b = nh * nh * (a2 - 1.0) + 1.0
    distribution = a2 / (3.14159265 * b * b)
    smith = 0.5 / (nl * wp.sqrt(nv * nv * (1.0 - a2) + a2) + nv * wp.sqrt(nl * nl * (1.0 - a2) + a2))
    k = 1.0 - vh
    k2 = k * k
    fresnel = f0 + k2 * k2 * k * (one - f0)
    return distribution * smith * fresnel + wp.cw_mul(one - fresnel, diffuse) * 0.31830989


@wp.func
@no_type_check
def tone_mapped(radiance: wp.vec3, exposure: float) -> wp.vec3:
    """Display-linear color in [0, 1]: a filmic curve per channel."""
    x = exposure * wp.max(radiance, wp.vec3(0.0, 0.0, 0.0))
    out = wp.vec3(0.0, 0.0, 0.0)
    for k in range(3):
        c = x[k]
        out[k] = wp.min(c * (2.51 * c + 0.03) / (c * (2.43 * c + 0.59) + 0.14), 1.0)
    return out
