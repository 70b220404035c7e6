"""Warp kernels that follow light: what reaches points of a scene from lamps, sun and sky, straight and from other surfaces.

Light that falls on a point is given as the radiance that a white matte surface there would send out. `reference` repeats
``direct_light`` in numpy, `world.looked_up` ``sky``, and `cache` ``cell_of``.
"""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

from ..texture_sampling import Materials, textured
from .rays.kernels import face_of, hidden, nearest, normal_of

wp.set_module_options({"enable_backward": False})

PI = wp.constant(3.14159265358979)
FAR = wp.constant(1.0e5)
_WIDER = wp.constant(0.25)
"""Times the share of the lobe that a ray stands for is what it brings the mean of."""


@wp.struct
@no_type_check
class World:
    """All that light meets at one instant.

    - ``bodies``: all triangles, clear parts left out (``Bodies.address``).
    - ``texel``: how much of its texture's side a face shows in a metre.
    - ``tints``: mean color of the parts' textures; white for those that have none.
    - ``far_direction``, ``far_light``: of ``FarLight``; ``near_point``, ``near_normal``, ``near_light``: of ``NearLight``.
      Behind the normals are the cones, where there are lamps without size.
    - ``steady`` and ``all_around``: panoramas, the first without what the far samples hold; ``sky_from_world``.
      Below the second, ``sky_height`` rows, are its smaller copies, ``sky_levels`` with itself, each half as high and wide.
    - ``reach``: metres beyond which nothing is in the way of sun and sky; surfaces farther off send back nothing.
    - ``cached``: light in cells of ``origin`` + ``cell`` * (x, y, z), for six directions of the surface, at
      ((x * ny + y) * nz + z) * 6 + direction; ``cells``: nx, ny, nz.
    """

    bodies: wp.uint64
    texel: wp.array(dtype=wp.float32)
    tints: wp.array(dtype=wp.vec3)
    far_direction: wp.array(dtype=wp.vec3)
    far_light: wp.array(dtype=wp.vec3)
    near_point: wp.array(dtype=wp.vec3)
    near_normal: wp.array(dtype=wp.vec3)
    near_light: wp.array(dtype=wp.vec3)
    steady: wp.array2d(dtype=wp.vec3)
    all_around: wp.array2d(dtype=wp.vec3)
    sky_from_world: wp.mat33
    sky_height: int
    sky_levels: int
    cached: wp.array(dtype=wp.vec3)
    origin: wp.vec3
    cell: float
    cells: wp.vec3i
    least_distance: float
    reach: float


@wp.func
@no_type_check
def sky_in(
    panorama: wp.array2d(dtype=wp.vec3), top: int, height: int, width: int, sky_from_world: wp.mat33, direction: wp.vec3
) -> wp.vec3:
    """The equirectangular panorama that begins in a row of a picture in a direction of the world, bilinearly."""
    d = sky_from_world * direction
    y = wp.acos(wp.clamp(d[1], -1.0, 1.0)) / PI * float(height) - 0.5
    x = (wp.atan2(d[0], -d[2]) / (2.0 * PI) + 1.0) * float(width) - 0.5
    i = int(wp.floor(x))
    j = int(wp.floor(y))
    fx = x - float(i)
    fy = y - float(j)
    i0 = i % width
    i1 = (i + 1) % width
    j0 = top + wp.clamp(j, 0, height - 1)
    j1 = top + wp.clamp(j + 1, 0, height - 1)
    upper = (1.0 - fx) * panorama[j0, i0] + fx * panorama[j0, i1]
    lower = (1.0 - fx) * panorama[j1, i0] + fx * panorama[j1, i1]
    return (1.0 - fy) * upper + fy * lower


@wp.func
@no_type_check
def sky(panorama: wp.array2d(dtype=wp.vec3), sky_from_world: wp.mat33, direction: wp.vec3) -> wp.vec3:
    """An equirectangular panorama in a direction of the world, bilinearly."""
    return sky_in(panorama, 0, panorama.shape[0], panorama.shape[1], sky_from_world, direction)


@wp.func
@no_type_check
def wide_sky(w: World, direction: wp.vec3, angle: float) -> wp.vec3:
    """The mean of the panorama over a solid angle about a direction, from its smaller copies."""
    d = w.sky_from_world * direction
    pixel = PI / float(w.sky_height)
    own = pixel * pixel * wp.sqrt(wp.max(1.0 - d[1] * d[1], 0.01))
    level = wp.clamp(0.5 * wp.log2(wp.max(angle / own, 1.0)), 0.0, float(w.sky_levels - 1))
    k = wp.min(int(level), wp.max(w.sky_levels - 2, 0))
    top = int(0)
    for i in range(k):
        top += w.sky_height >> i
    height = w.sky_height >> k
    width = w.all_around.shape[1] >> k
    out = sky_in(w.all_around, top, height, width, w.sky_from_world, direction)
    if level > float(k):
        wider = sky_in(w.all_around, top + height, height >> 1, width >> 1, w.sky_from_world, direction)
        out += (level - float(k)) * (wider - out)
    return out


@wp.func
@no_type_check
def cell_of(w: World, point: wp.vec3, normal: wp.vec3) -> int:
    """Where the light of a place is cached."""
    p = (point - w.origin) / w.cell
    x = wp.clamp(int(wp.floor(p[0])), 0, w.cells[0] - 1)
    y = wp.clamp(int(wp.floor(p[1])), 0, w.cells[1] - 1)
    z = wp.clamp(int(wp.floor(p[2])), 0, w.cells[2] - 1)
    a = wp.abs(normal[0])
    b = wp.abs(normal[1])
    c = wp.abs(normal[2])
    side = int(0)
    if a >= b and a >= c:
        if normal[0] < 0.0:
            side = 1
    elif b >= c:
        side = 2
        if normal[1] < 0.0:
            side = 3
    else:
        side = 4
        if normal[2] < 0.0:
            side = 5
    return ((x * w.cells[1] + y) * w.cells[2] + z) * 6 + side


@wp.func
@no_type_check
def against(normal: wp.vec3, direction: wp.vec3) -> wp.vec3:
    """The normal of the side that a ray meets."""
    n = normal
    if wp.dot(normal, direction) > 0.0:
        n = -normal
    return n


@wp.func
@no_type_check
def sent_back(w: World, m: Materials, p: int, point: wp.vec3, normal: wp.vec3) -> wp.vec3:
    """What a part sends back at a point of the light that is cached there, but for its texture."""
    return wp.cw_mul(m.base[p], w.cached[cell_of(w, point + 0.01 * w.cell * normal, normal)])


@wp.func
@no_type_check
def across(n: wp.vec3) -> wp.vec3:
    """A unit vector at a right angle."""
    helper = wp.vec3(1.0, 0.0, 0.0)
    if wp.abs(n[0]) > 0.6:
        helper = wp.vec3(0.0, 1.0, 0.0)
    return wp.normalize(wp.cross(n, helper))


@wp.func
@no_type_check
def about(n: wp.vec3, u: float, v: float) -> wp.vec3:
    """A direction about a normal, by the cosine."""
    t = across(n)
    b = wp.cross(n, t)
    r = wp.sqrt(u)
    phi = 2.0 * PI * v
    return wp.normalize(r * wp.cos(phi) * t + r * wp.sin(phi) * b + wp.sqrt(wp.max(1.0 - u, 0.0)) * n)


@wp.func
@no_type_check
def part(x: float) -> float:
    """What is behind the point."""
    return x - wp.floor(x)


@wp.func
@no_type_check
def direct_light(w: World, point: wp.vec3, normal: wp.vec3, far: int, near: int, shift: wp.vec2) -> wp.vec3:
    """What comes straight from sun and bright sky (``far`` samples) and from lamps (``near`` samples)."""
    out = wp.vec3(0.0, 0.0, 0.0)
    for k in range(far):
        i = wp.min(int((float(k) + shift[0]) / float(far) * float(w.far_light.shape[0])), w.far_light.shape[0] - 1)
        cosine = wp.dot(normal, w.far_direction[i])
        if cosine > 0.0:
            if not hidden(w.bodies, point, w.far_direction[i], w.reach):
                out += cosine / float(far) * w.far_light[i]
    for k in range(near):
        i = wp.min(int((float(k) + shift[1]) / float(near) * float(w.near_light.shape[0])), w.near_light.shape[0] - 1)
        way = w.near_point[i] - point
        distance = wp.length(way)
        if distance > 1.0e-6:
            d = way / distance
            cosine = wp.dot(normal, d)
            there = -wp.dot(w.near_normal[i], d)
            if w.near_normal.shape[0] > w.near_light.shape[0]:
                cone = w.near_normal[w.near_light.shape[0] + i]
                if cone[2] >= 0.0:  # a lamp without size
                    fade = wp.clamp((there - cone[1]) / (cone[0] - cone[1]), 0.0, 1.0)
                    there = fade * fade * wp.pow(wp.max(there, 0.0), cone[2])
            if cosine > 0.0 and there > 0.0:
                if not hidden(w.bodies, point, d, distance * 0.999 - w.least_distance * 0.01):
                    square = wp.max(distance * distance, w.least_distance * w.least_distance)
                    out += cosine * there / square / float(near) * w.near_light[i]
    return out


@wp.func
@no_type_check
def tint_of(w: World, m: Materials, face: int, u: float, v: float, distance: float, lobe: float) -> wp.vec3:
    """The texture where a ray met a face (weights of its second and third corner), filtered over its share of the lobe."""
    p = m.face_part[face]
    tint = w.tints[p]
    if lobe < 0.25 and m.texture[p] >= 0:
        at = (1.0 - u - v) * m.corner_uv[face, 0] + u * m.corner_uv[face, 1] + v * m.corner_uv[face, 2]
        wide = (0.01 + lobe) * distance * w.texel[face]
        tint = textured(m.texture[p], 0, at, wp.vec2(wide, 0.0), wp.vec2(0.0, wide), m)
    return tint


@wp.kernel
@no_type_check
def light_kernel(
    w: World,
    m: Materials,
    points: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    seeds: wp.array(dtype=wp.int32),
    run: int,
    far: int,
    near: int,
    around: wp.array(dtype=wp.int32),
    straight: wp.array(dtype=wp.vec3),
    indirect: wp.array(dtype=wp.vec3),
):
    """The light on points that have normals: what comes straight from what shines, and from all else by ``around`` rays each.

    Where there are no rays, the latter is -1: not known.
    """
    thread = wp.tid()
    for i in range(thread * run, wp.min(thread * run + run, points.shape[0])):
        point = points[i]
        normal = normals[i]
        direct = wp.vec3(0.0, 0.0, 0.0)
        other = wp.vec3(0.0, 0.0, 0.0)
        if wp.length_sq(normal) > 0.5:
            state = wp.rand_init(seeds[i])
            shift = wp.vec2(wp.randf(state), wp.randf(state))
            direct = direct_light(w, point, normal, far, near, shift)
            u0 = wp.randf(state)
            v0 = wp.randf(state)
            rays = around[i]
            for k in range(rays):
                d = about(normal, (float(k) + u0) / float(rays), part(v0 + 0.6180339887 * float(k)))
                hit = nearest(w.bodies, point, d, w.reach)
                face = face_of(hit)
                if face >= 0:
                    p = m.face_part[face]
                    back = sent_back(w, m, p, point + hit[0] * d, against(normal_of(hit), d))
                    other += wp.cw_mul(w.tints[p], back)
                else:
                    other += sky(w.steady, w.sky_from_world, d)
            if rays > 0:
                other = other / float(rays)
            else:
                other = wp.vec3(-1.0, -1.0, -1.0)
        straight[i] = direct
        indirect[i] = other


@wp.kernel
@no_type_check
def reflection_kernel(
    w: World,
    m: Materials,
    points: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    seen_from: wp.vec3,
    roughness: wp.array(dtype=wp.float32),
    seeds: wp.array(dtype=wp.int32),
    run: int,
    rays: int,
    brightest: float,
    out: wp.array(dtype=wp.vec3),
):
    """What is mirrored at points: the mean over the lobe of a microfacet surface (GGX), no surface counting for too much."""
    thread = wp.tid()
    for i in range(thread * run, wp.min(thread * run + run, points.shape[0])):
        normal = normals[i]
        total = wp.vec3(0.0, 0.0, 0.0)
        weight = float(0.0)
        if wp.length_sq(normal) > 0.5:
            state = wp.rand_init(seeds[i], 1)
            toward = wp.normalize(seen_from - points[i])
            alpha = wp.max(roughness[i] * roughness[i], 0.002)
            u0 = wp.randf(state)
            v0 = wp.randf(state)
            t = across(normal)
            b = wp.cross(normal, t)
            for k in range(rays):
                u = (float(k) + u0) / float(rays)
                tangent2 = alpha * alpha * u / wp.max(1.0 - u, 1.0e-3)
                cosine = 1.0 / wp.sqrt(1.0 + tangent2)
                sine = wp.sqrt(wp.max(1.0 - cosine * cosine, 0.0))
                phi = 2.0 * PI * part(v0 + 0.6180339887 * float(k))
                half = sine * wp.cos(phi) * t + sine * wp.sin(phi) * b + cosine * normal
                d = 2.0 * wp.dot(toward, half) * half - toward
                if wp.dot(d, normal) > 0.01:
                    hit = nearest(w.bodies, points[i], d, FAR)
                    face = face_of(hit)
                    light = wp.vec3(0.0, 0.0, 0.0)
                    if face >= 0:
                        p = m.face_part[face]
                        light = sent_back(w, m, p, points[i] + hit[0] * d, against(normal_of(hit), d))
                        if wp.dot(normal_of(hit), d) < 0.0:
                            light += m.emission[p]
                        light = wp.cw_mul(light, tint_of(w, m, face, hit[1], hit[2], hit[0], alpha))
                        light *= wp.min(1.0, brightest / wp.max(wp.max(light), 1.0e-9))
                    else:
                        # the ray stands for its share of the lobe (filtered importance sampling, Krivanek and Colbert 2008)
                        flat = cosine * cosine * (alpha * alpha - 1.0) + 1.0
                        density = alpha * alpha * cosine / (4.0 * PI * flat * flat * wp.max(wp.dot(toward, half), 0.05))
                        light = wide_sky(w, d, _WIDER / (density * float(rays)))
                    total += light
                    weight += 1.0
        out[i] = total / wp.max(weight, 1.0)


@wp.kernel
@no_type_check
def hits_kernel(
    w: World,
    points: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    rays: int,
    seed: int,
    hit: wp.array2d(dtype=wp.vec3),
    hit_normal: wp.array2d(dtype=wp.vec3),
    hit_part: wp.array2d(dtype=wp.int32),
    face_part: wp.array(dtype=wp.int32),
):
    """Where rays that leave points by the cosine end; those that leave the scene have part -1, and their direction as point."""
    i = wp.tid()
    state = wp.rand_init(seed, i)
    u0 = wp.randf(state)
    v0 = wp.randf(state)
    for k in range(rays):
        d = about(normals[i], (float(k) + u0) / float(rays), part(v0 + 0.6180339887 * float(k)))
        met = nearest(w.bodies, points[i], d, w.reach)
        face = face_of(met)
        if face >= 0:
            hit[i, k] = points[i] + met[0] * d
            hit_normal[i, k] = against(normal_of(met), d)
            hit_part[i, k] = face_part[face]
        else:
            hit[i, k] = d
            hit_normal[i, k] = wp.vec3(0.0, 0.0, 0.0)
            hit_part[i, k] = -1
