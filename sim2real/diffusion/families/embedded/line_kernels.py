"""Which way lines run in pictures, and means along them, as Warp kernels; `lines.py` repeats both in scipy."""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.struct
@no_type_check
class Shapes:
    """What cameras see of surfaces, and what tells two of them apart.

    - ``normals``: camera frame, ``127.5 (n + 1)``; ``inverse``: of depth, 0 without a surface; ``far``: its logarithm;
      ``ids``: of instances.
    - ``turned``: cosine between normals from which on they go on in each other.
    - ``step``: second difference of the inverse depth, as a part of it, from which on one is before the other.
    - ``most``: change of ``far`` per pixel that counts at most.
    - ``weights``, ``slopes``: what pictures are blurred by before they are looked at, and its derivative.
    """

    normals: wp.array3d(dtype=wp.uint8)
    inverse: wp.array2d(dtype=wp.float32)
    far: wp.array2d(dtype=wp.float32)
    ids: wp.array2d(dtype=wp.int32)
    turned: float
    step: float
    most: float
    weights: wp.array(dtype=wp.float32)
    slopes: wp.array(dtype=wp.float32)


@wp.func
@no_type_check
def normal_at(y: int, x: int, s: Shapes) -> wp.vec3:
    """The normal, a hundredth longer or shorter than 1; any where there is no surface."""
    n = wp.vec3(float(s.normals[y, x, 0]), float(s.normals[y, x, 1]), float(s.normals[y, x, 2]))
    return n / 127.5 - wp.vec3(1.0, 1.0, 1.0)


@wp.func
@no_type_check
def goes_on(y: int, x: int, v: int, u: int, s: Shapes) -> bool:
    """Whether a pixel and a neighbor see one surface that is not bent between them."""
    if s.ids[y, x] != s.ids[v, u]:
        return False
    if (
        s.normals[y, x, 0] == s.normals[v, u, 0]
        and s.normals[y, x, 1] == s.normals[v, u, 1]
        and s.normals[y, x, 2] == s.normals[v, u, 2]
    ):
        return True
    return wp.dot(normal_at(y, x, s), normal_at(v, u, s)) >= s.turned


@wp.kernel
@no_type_check
def borders_kernel(s: Shapes, out: wp.array2d(dtype=wp.uint8)):
    """Marks the pixels of a row whose surface does not go on above, below, on the left and on the right; on the CPU."""
    y = wp.tid()
    height, width = s.ids.shape[0], s.ids.shape[1]
    up, down = wp.max(y - 1, 0), wp.min(y + 1, height - 1)
    joined = int(1)  # to the pixel on the left
    for x in range(width):
        right = wp.min(x + 1, width - 1)
        border = int(1) - joined
        joined = int(1)
        if not goes_on(y, x, y, right, s):
            joined = int(0)
            border = int(1)
        here = s.inverse[y, x]
        if border == 0:
            if not (goes_on(y, x, up, x, s) and goes_on(y, x, down, x, s)):
                border = int(1)
            if down - up == 2 and wp.abs(s.inverse[up, x] + s.inverse[down, x] - 2.0 * here) > s.step * here:
                border = int(1)
            if x > 0 and x < width - 1 and wp.abs(s.inverse[y, x - 1] + s.inverse[y, right] - 2.0 * here) > s.step * here:
                border = int(1)
        out[y, x] = wp.uint8(border)


@wp.func
@no_type_check
def label_of(id: int) -> wp.vec2:
    """Two numbers from 0 to 1 that differ from instance to instance: fractions of multiples of irrational numbers."""
    a = float(id % 4096) * 0.618034
    b = float(id % 4096) * 0.754878
    return wp.vec2(a - wp.floor(a), b - wp.floor(b))


@wp.kernel
@no_type_check
def turns_kernel(s: Shapes, places: wp.array(dtype=wp.vec2i), out: wp.array2d(dtype=wp.vec3)):
    """The tensor (yy, yx, xx) of how normals, instances and depth change across each of some places (y, x)."""
    y, x = places[wp.tid()][0], places[wp.tid()][1]
    reach = s.weights.shape[0] / 2
    n_y, n_x = wp.vec3(0.0, 0.0, 0.0), wp.vec3(0.0, 0.0, 0.0)
    id_y, id_x = wp.vec2(0.0, 0.0), wp.vec2(0.0, 0.0)
    far_y, far_x = float(0.0), float(0.0)
    own = label_of(s.ids[y, x])
    for i in range(-reach, reach + 1):
        v = wp.clamp(y + i, 0, s.ids.shape[0] - 1)
        for j in range(-reach, reach + 1):
            u = wp.clamp(x + j, 0, s.ids.shape[1] - 1)
            down = s.slopes[i + reach] * s.weights[j + reach]
            right = s.weights[i + reach] * s.slopes[j + reach]
            n = normal_at(v, u, s)
            n_y += down * n
            n_x += right * n
            far_y += down * s.far[v, u]
            far_x += right * s.far[v, u]
            if s.ids[v, u] != s.ids[y, x]:
                id = label_of(s.ids[v, u]) - own
                id_y += down * id
                id_x += right * id
    less = wp.min(1.0, s.most / wp.max(wp.sqrt(far_y * far_y + far_x * far_x), 1.0e-6))
    far_y *= less
    far_x *= less
    out[y, x] = wp.vec3(
        wp.dot(n_y, n_y) + wp.dot(id_y, id_y) + far_y * far_y,
        wp.dot(n_y, n_x) + wp.dot(id_y, id_x) + far_y * far_x,
        wp.dot(n_x, n_x) + wp.dot(id_x, id_x) + far_x * far_x,
    )


@wp.kernel
@no_type_check
def along_kernel(
    tensors: wp.array2d(dtype=wp.vec3),
    places: wp.array(dtype=wp.vec2i),
    weights: wp.array(dtype=wp.float32),
    least: float,
    sure: float,
    out: wp.array3d(dtype=wp.float32),
):
    """Which way the lines through some places run: a vector (x, y) as long as that is sure, from 0 to 1.

    Tensors are blurred by ``weights`` along both axes. How sure it is goes by how far the larger of their eigenvalues is above
    the other, as a part of both: not at all at ``least``, wholly at ``sure``.
    """
    y, x = places[wp.tid()][0], places[wp.tid()][1]
    reach = weights.shape[0] / 2
    total = wp.vec3(0.0, 0.0, 0.0)
    for i in range(wp.max(-reach, -y), wp.min(reach + 1, tensors.shape[0] - y)):
        row = wp.vec3(0.0, 0.0, 0.0)
        for j in range(wp.max(-reach, -x), wp.min(reach + 1, tensors.shape[1] - x)):
            row += weights[j + reach] * tensors[y + i, x + j]
        total += weights[i + reach] * row
    apart = wp.sqrt((total[0] - total[2]) * (total[0] - total[2]) + 4.0 * total[1] * total[1])
    strength = wp.clamp((apart / wp.max(total[0] + total[2], 1.0e-9) - least) / (sure - least), 0.0, 1.0)
    across = 0.5 * wp.atan2(2.0 * total[1], total[2] - total[0])
    out[0, y, x] = -strength * wp.sin(across)
    out[1, y, x] = strength * wp.cos(across)


@wp.func
@no_type_check
def step_from(y: int, x: int, far: float, way: wp.vec2) -> wp.vec2i:
    """The pixel so far from another, as (y, x)."""
    return wp.vec2i(int(wp.floor(float(y) + far * way[1] + 0.5)), int(wp.floor(float(x) + far * way[0] + 0.5)))


@wp.func
@no_type_check
def is_inside(p: wp.vec2i, shape: wp.vec2i) -> bool:
    """Whether a pixel is one of the picture's."""
    return p[0] >= 0 and p[0] < shape[0] and p[1] >= 0 and p[1] < shape[1]


@wp.kernel
@no_type_check
def gaps_kernel(
    borders: wp.array2d(dtype=wp.uint8), places: wp.array(dtype=wp.vec2i), gap: int, out: wp.array3d(dtype=wp.float32)
):
    """Where centers miss a line for at most ``gap`` pixels, those pixels run as it does; one thread, in order of ``places``."""
    shape = wp.vec2i(borders.shape[0], borders.shape[1])
    for k in range(places.shape[0]):
        y, x = places[k][0], places[k][1]
        way = wp.vec2(out[0, y, x], out[1, y, x])
        strength = wp.length(way)
        if strength > 0.0:
            for side in range(2):
                to = float(1 - 2 * side) * way / strength
                end = int(0)
                for far in range(1, gap + 2):
                    p = step_from(y, x, float(far), to)
                    if end == 0 and is_inside(p, shape):
                        if borders[p[0], p[1]] == wp.uint8(1):
                            end = far
                for far in range(1, end):
                    p = step_from(y, x, float(far), to)
                    if out[0, p[0], p[1]] == 0.0 and out[1, p[0], p[1]] == 0.0:
                        out[0, p[0], p[1]] = way[0]
                        out[1, p[0], p[1]] = way[1]


@wp.func
@no_type_check
def bilinear(y: float, x: float, picture: wp.array3d(dtype=wp.float32)) -> wp.vec3:
    """Linear light (about the square of a value) between pixels; beyond its margin a picture goes on as it ends there."""
    v = wp.clamp(y, 0.0, float(picture.shape[1] - 1))
    u = wp.clamp(x, 0.0, float(picture.shape[2] - 1))
    i, j = int(v), int(u)
    k, m = wp.min(i + 1, picture.shape[1] - 1), wp.min(j + 1, picture.shape[2] - 1)
    down, right = v - float(i), u - float(j)
    above = wp.lerp(light_at(i, j, picture), light_at(i, m, picture), right)
    below = wp.lerp(light_at(k, j, picture), light_at(k, m, picture), right)
    return wp.lerp(above, below, down)


@wp.func
@no_type_check
def light_at(y: int, x: int, picture: wp.array3d(dtype=wp.float32)) -> wp.vec3:
    """Linear light of a pixel."""
    color = wp.vec3(picture[0, y, x], picture[1, y, x], picture[2, y, x])
    return wp.cw_mul(color, color)


@wp.struct
@no_type_check
class Beads:
    """What is averaged along lines, and where.

    - ``weights``: of the places along a line, a pixel apart.
    - ``once``, ``often``: how far values go up and down along it, as a part of their range, where nothing and all is averaged:
      it is 1 where they only rise or only fall, and 2 around a single spot.
    - ``faint``, ``strong``: that range itself, of values from 0 to 1, likewise.
    """

    weights: wp.array(dtype=wp.float32)
    once: float
    often: float
    faint: float
    strong: float


@wp.kernel
@no_type_check
def means_kernel(
    picture: wp.array3d(dtype=wp.float32),
    along: wp.array3d(dtype=wp.float32),
    beads: Beads,
    run: int,
    out: wp.array3d(dtype=wp.float32),
):
    """Where ``along`` says that a line runs, and it is a row of beads, the mean of linear light along it."""
    y, block = wp.tid()
    reach = beads.weights.shape[0] / 2
    for x in range(block * run, wp.min(block * run + run, along.shape[2])):
        way = wp.vec2(along[0, y, x], along[1, y, x])
        strength = wp.length(way)
        if strength > 0.0:
            way = way / strength
            mean = wp.vec3(0.0, 0.0, 0.0)
            least, most, climbs, before = float(1.0e6), float(0.0), float(0.0), float(0.0)
            for k in range(-reach, reach + 1):
                light = bilinear(float(y) + float(k) * way[1], float(x) + float(k) * way[0], picture)
                mean += beads.weights[k + reach] * light
                bright = wp.sqrt((light[0] + light[1] + light[2]) / 3.0)
                if k > -reach:
                    climbs += wp.abs(bright - before)
                least, most, before = wp.min(least, bright), wp.max(most, bright), bright
            turns = (climbs / wp.max(most - least, 1.0e-6) - beads.once) / (beads.often - beads.once)
            range_ = (most - least - beads.faint) / (beads.strong - beads.faint)
            strength *= wp.clamp(turns, 0.0, 1.0) * wp.clamp(range_, 0.0, 1.0)
            own = light_at(y, x, picture)
            light = own + strength * (mean - own)
            for channel in range(3):
                out[channel, y, x] = wp.sqrt(light[channel])
