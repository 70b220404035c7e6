"""Warp functions of light and material: GGX, sky, sun shadows, tone curve. `shading_reference` repeats them in torch.

References: Walter et al. 2007 (GGX); Heitz 2014 (height-correlated Smith term, eq. 99); Karis 2014, "Physically based shading
on mobile" (fit of the environment's share); Fdez-Aguera 2019 (multiple scattering); Narkowicz 2016 (fit of the ACES curve).
"""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

from ....camera.kernels import DeviceCamera, ray_from_px

wp.set_module_options({"enable_backward": False})


@wp.struct
@no_type_check
class Light:
    """Sun and sky in one camera's frame, and the shadow map of one instant.

    - ``sun_direction`` and ``up`` are unit vectors; ``sun`` is irradiance, ``sky`` and ``ground`` radiance.
    - ``above`` and ``below`` are seen where nothing is.
    - ``shadow`` holds inverse depth in the sun's camera, 0 where nothing is; ``shadow_side`` texels, 0 = no shadows.
    - ``bias``: what a caster must be nearer to the sun than a receiver, as a part of their depth there.
    """

    sun_direction: wp.vec3
    sun: wp.vec3
    sky: wp.vec3
    ground: wp.vec3
    above: wp.vec3
    below: wp.vec3
    up: wp.vec3
    rotation: wp.mat33  # sun's camera from this camera
    translation: wp.vec3
    sun_camera: DeviceCamera
    shadow: wp.array2d(dtype=wp.float32)
    shadow_side: int
    bias: float
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
def backdrop(direction: wp.vec3, light: Light) -> wp.vec3:
    """What is seen where nothing is."""
    t = height_of(direction, 0.35, light)
    return light.below + t * (light.above - light.below)


@wp.func
@no_type_check
def sun_share(p: wp.vec3, normal: wp.vec3, light: Light) -> float:
    """The part of the sun's disc that a surface point sees: percentage-closer filtering over 4x4 texels.

    Every texel is compared with the receiver's own plane at that texel, so that a lit plane never shadows itself and the
    bias can stay at a fraction of a texel.
    """
    if light.shadow_side == 0:
        return 1.0
    q = light.rotation * p + light.translation
    m = light.rotation * normal
    d = wp.dot(m, q)
    if q[2] <= 0.0:
        return 1.0
    w = 1.0 / q[2]
    x = q[0] * w / float(light.sun_camera.ifx) + float(light.sun_camera.cx)
    y = q[1] * w / float(light.sun_camera.ify) + float(light.sun_camera.cy)
    side = light.shadow_side
    if x < 2.0 or y < 2.0 or x > float(side) - 2.0 or y > float(side) - 2.0:
        return 1.0
    gx = float(0.0)
    gy = float(0.0)
    if wp.abs(d) > 0.0:
        steepest = 20.0 * light.bias * w  # a plane nearly along the sun's rays: its slope is not to be trusted
        gx = wp.clamp(m[0] * float(light.sun_camera.ifx) / d, -steepest, steepest)
        gy = wp.clamp(m[1] * float(light.sun_camera.ify) / d, -steepest, steepest)
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
            if light.shadow[iy + j, ix + i] <= (w + gx * dx + gy * dy) * (1.0 + light.bias):
                lit += wx * wy
    return lit / 9.0


@wp.func
@no_type_check
def outgoing(
    n: wp.vec3, v: wp.vec3, base: wp.vec3, metallic: float, roughness: float, sun_lit: float, open_sky: float, light: Light
) -> wp.vec3:
    """Radiance towards ``v`` of a metallic-roughness surface under sun and sky.

    Args:
        n: unit shading normal.
        v: unit direction to the eye.
        base: linear base color.
        metallic: 0 to 1.
        roughness: 0 to 1, squared for GGX's alpha.
        sun_lit: visible part of the sun.
        open_sky: visible part of the sky.
        light: sun and sky.
    """
    nv = wp.max(wp.dot(n, v), 1.0e-3)
    one = wp.vec3(1.0, 1.0, 1.0)
    f0 = 0.04 * (1.0 - metallic) * one + metallic * base
    diffuse = (1.0 - metallic) * base
    rough = wp.clamp(roughness, 0.08, 1.0)

    # Sky: irradiance of two half spheres is linear in the normal's height; reflections see the sky blurred by roughness.
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
    ambient = light.ground + t * (light.sky - light.ground)
    r = 2.0 * wp.dot(n, v) * n - v
    reflected = sky_radiance(r, 0.15 + 0.85 * rough, light)
    out = open_sky * (wp.cw_mul(wp.cw_mul(diffuse, one - mirror), ambient) + wp.cw_mul(mirror, reflected))

    nl = wp.dot(n, light.sun_direction)
    if nl > 0.0 and sun_lit > 0.0:
        h = wp.normalize(light.sun_direction + v)
        nh = wp.dot(n, h)
        vh = wp.max(wp.dot(v, h), 0.0)
        alpha = wp.min(rough * rough + 0.01, 1.0)  # the sun's disc and the pixel widen the lobe
        a2 = alpha * alpha
        b = nh * nh * (a2 - 1.0) + 1.0
        distribution = a2 / (3.14159265 * b * b)
        smith = 0.5 / (nl * wp.sqrt(nv * nv * (1.0 - a2) + a2) + nv * wp.sqrt(nl * nl * (1.0 - a2) + a2))
        k = 1.0 - vh
        k2 = k * k
        fresnel = f0 + k2 * k2 * k * (one - f0)
        lobe = distribution * smith * fresnel + wp.cw_mul(one - fresnel, diffuse) * 0.31830989
        out += sun_lit * nl * wp.cw_mul(lobe, light.sun)
    return out


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


@wp.kernel
@no_type_check
def shadow_kernel(
    face: wp.array2d(dtype=wp.int32),
    vertices: wp.array(dtype=wp.vec3),
    faces: wp.array(dtype=wp.vec3i),
    camera: DeviceCamera,
    still: wp.array2d(dtype=wp.float32),
    shadow: wp.array2d(dtype=wp.float32),
):
    """Inverse depth in the sun's camera of what is drawn or, where that is nearer, of what stands still; 0 = nothing."""
    y, x = wp.tid()
    f = face[y, x]
    w = float(0.0)
    if f >= 0:
        v = faces[f]
        a = vertices[v[0]]
        n = wp.cross(vertices[v[1]] - a, vertices[v[2]] - a)
        d = wp.dot(n, a)
        nearest = wp.min(a[2], wp.min(vertices[v[1]][2], vertices[v[2]][2]))
        if d != 0.0:
            w = wp.dot(n, ray_from_px(camera, float(x) + 0.5, float(y) + 0.5)) / d
        w = wp.clamp(w, 0.0, 1.0 / wp.max(nearest, 1.0e-6))  # a sliver along the rays must not blow up
    shadow[y, x] = wp.max(w, still[y, x])
