"""Shading where planes mirror or haze hides the horizon, as a Warp kernel: ``shading_kernels``, and what is laid over it."""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import warp as wp

from ....camera.kernels import direction_of, ray_from_px
from ...geometry_kernels import inverse_depth, plane_of
from ...surface_kernels import SurfaceView, group_from
from ...texture_sampling import Materials
from .light_kernels import Light, backdrop, tone_mapped
from .shading_kernels import surface_color

wp.set_module_options({"enable_backward": False})


@wp.struct
@no_type_check
class Overlay:
    """What is laid over the light of one view.

    - ``mirror_of``: the mirror of every face, -1 if it is none; ``share``: of mirrors, of what they mirror, 0 where one shows
      nothing, as it does from behind: then its faces are as others.
    - ``mirrored``: what they show, radiance, cell by cell, one picture after the other, left and right exchanged; ``windows``:
      of each where its picture begins, its rows and columns, the row and column of cells at which it lies, and pixels per cell.
    - ``haze_reach``: 0 without haze; ``haze_depth``, ``haze``: as ``Haze`` has them, ``haze_up`` and ``haze_height``: the
      plane's normal in the camera's frame, and how high above it the eye is.
    """

    mirror_of: wp.array(dtype=wp.int32)
    share: wp.array(dtype=wp.float32)
    mirrored: wp.array(dtype=wp.vec3)
    windows: wp.array2d(dtype=wp.int32)
    haze: wp.vec3
    haze_up: wp.vec3
    haze_height: float
    haze_reach: float
    haze_depth: float


@wp.func
@no_type_check
def cell_of(pixel: int, step: int) -> float:
    """Where the middle of a pixel lies among the middles of cells of ``step`` pixels."""
    return (float(pixel) + 0.5) / float(step) - 0.5


@wp.func
@no_type_check
def share_of(f: int, over: Overlay) -> float:
    """How much of what it mirrors a face shows; 0 if nothing."""
    share = float(0.0)
    if over.share.shape[0] > 0:
        mirror = over.mirror_of[f]
        if mirror >= 0:
            share = over.share[mirror]
    return share


@wp.func
@no_type_check
def mirrored_at(f: int, row: int, column: int, over: Overlay) -> wp.vec3:
    """What the mirror of face ``f`` shows in a pixel, between the cells around it."""
    mirror = over.mirror_of[f]
    rows = over.windows[mirror, 1]
    columns = over.windows[mirror, 2]
    v = cell_of(row, over.windows[mirror, 5]) - float(over.windows[mirror, 3])
    u = cell_of(column, over.windows[mirror, 5]) - float(over.windows[mirror, 4])
    j = int(wp.floor(v))
    i = int(wp.floor(u))
    fv = v - float(j)
    fu = u - float(i)
    upper = over.windows[mirror, 0] + wp.clamp(j, 0, rows - 1) * columns
    lower = over.windows[mirror, 0] + wp.clamp(j + 1, 0, rows - 1) * columns
    left = columns - 1 - wp.clamp(i, 0, columns - 1)
    right = columns - 1 - wp.clamp(i + 1, 0, columns - 1)
    above = (1.0 - fu) * over.mirrored[upper + left] + fu * over.mirrored[upper + right]
    below = (1.0 - fu) * over.mirrored[lower + left] + fu * over.mirrored[lower + right]
    return (1.0 - fv) * above + fv * below


@wp.kernel
@no_type_check
def mark_kernel(
    face: wp.array2d(dtype=wp.int32),
    side: int,
    run: int,
    mirror_of: wp.array(dtype=wp.int32),
    mirror: int,
    faces: wp.vec2i,
    step: int,
    cells: wp.array2d(dtype=wp.uint8),
):
    """Set the cells, of ``step`` pixels, that the pixels of a mirror look up; ``faces``: its first face and its last."""
    y, block = wp.tid()
    for x in range(block * run, wp.min(block * run + run, face.shape[1] / side)):
        found = bool(False)
        for i in range(side * side):
            f = face[y * side + i / side, x * side + i % side]
            if f >= faces[0] and f <= faces[1]:
                if mirror_of[f] == mirror:
                    found = True
        if found:
            j = int(wp.floor(cell_of(y, step)))
            i = int(wp.floor(cell_of(x, step)))
            for b in range(step):
                for a in range(step):
                    cells[wp.clamp(j + b, 0, cells.shape[0] - 1), wp.clamp(i + a, 0, cells.shape[1] - 1)] = wp.uint8(1)


@wp.func
@no_type_check
def mixed(color: wp.vec3, haze: wp.vec3, share: float) -> wp.vec3:
    """Two colors mixed evenly for the eye: by their square roots, about as screens encode them."""
    out = wp.vec3(0.0, 0.0, 0.0)
    for k in range(3):
        a = wp.sqrt(wp.max(color[k], 0.0))
        b = a + share * (wp.sqrt(haze[k]) - a)
        out[k] = b * b
    return out


@wp.func
@no_type_check
def hazy(color: wp.vec3, sky: wp.vec3, haze: wp.vec3, direction: wp.vec3, away: float, over: Overlay) -> wp.vec3:
    """A color with haze before it; see ``Haze``.

    Args:
        color: of what is seen.
        sky: what is seen where nothing is.
        haze: its color.
        direction: a unit vector.
        away: metres along it to what is seen, below 0: nothing is.
        over: of the view.
    """
    falls = -wp.dot(direction, over.haze_up)
    flat = wp.sqrt(wp.max(1.0 - falls * falls, 0.0))
    out = color
    if falls > 0.0 and flat > 0.0:
        q = over.haze_reach * falls / (over.haze_height * flat)
        spread = 1.0 + over.haze_depth * q
        if q * (1.0 - over.haze_depth) < 1.0 and (away < 0.0 or away * flat * spread > over.haze_reach):
            if q >= 1.0:
                share = (1.0 - q * (1.0 - over.haze_depth)) * (1.0 + over.haze_depth) / (over.haze_depth * spread)
                out = mixed(color, haze, share)
            else:
                out = mixed(sky, haze, q * (1.0 + over.haze_depth) / spread)
    return out


@wp.func
@no_type_check
def seen_through(
    f: int,
    x: float,
    y: float,
    row: int,
    column: int,
    occlusion: wp.array2d(dtype=wp.vec2),
    s: Materials,
    view: SurfaceView,
    light: Light,
    over: Overlay,
) -> wp.vec3:
    """As ``shading_kernels.seen_color``, with what mirrors and haze add; the point (``x``, ``y``) is in pixel (row, column)."""
    ray = ray_from_px(view.camera, x, y)
    toward = direction_of(view.camera.kind, ray)
    direction = wp.normalize(toward)
    radiance = wp.vec3(0.0, 0.0, 0.0)
    sky = wp.vec3(0.0, 0.0, 0.0)
    if f < 0 or over.haze_reach > 0.0:
        sky = backdrop(direction, light)
    away = float(-1.0)
    if f >= 0:
        share = share_of(f, over)
        around = light
        if share > 0.0:  # what it mirrors is known, and takes the place of the surroundings that others mirror
            around.sky = wp.vec3(0.0, 0.0, 0.0)
            around.ground = wp.vec3(0.0, 0.0, 0.0)
        radiance = surface_color(f, x, y, occlusion, s, view, around)
        if share > 0.0:
            radiance += share * mirrored_at(f, row, column, over)
        if over.haze_reach > 0.0:
            w = inverse_depth(view.camera.kind, plane_of(f, s.faces, view.vertices), ray)
            away = wp.length(toward) / wp.max(w, 1.0e-9)
    else:
        radiance = sky
    haze = over.haze
    if light.exposure > 0.0:
        radiance = tone_mapped(radiance, light.exposure)
        if over.haze_reach > 0.0:
            sky = tone_mapped(sky, light.exposure)
            haze = tone_mapped(haze, light.exposure)
    if over.haze_reach > 0.0:
        radiance = hazy(radiance, sky, haze, direction, away, over)
    return radiance


@wp.func
@no_type_check
def shows(face: wp.array2d(dtype=wp.int32), side: int, y: int, x: int, over: Overlay) -> bool:
    """Whether there is haze, or a mirror that shows something in a pixel."""
    found = over.haze_reach > 0.0
    for i in range(side):
        for j in range(side):
            f = face[y * side + i, x * side + j]
            if f >= 0:
                if share_of(f, over) > 0.0:
                    found = True
    return found


@wp.kernel
@no_type_check
def shade_over_kernel(
    face: wp.array2d(dtype=wp.int32),
    side: int,
    run: int,
    occlusion: wp.array2d(dtype=wp.vec2),
    s: Materials,
    view: SurfaceView,
    light: Light,
    over: Overlay,
    picture: wp.array2d(dtype=wp.vec3),
):
    """As ``shading_kernels.shade_kernel``, with mirrors and haze; pixels that show neither keep what ``picture`` holds."""
    y, block = wp.tid()
    count = side * side
    for x in range(block * run, wp.min(block * run + run, picture.shape[1])):
        if not shows(face, side, y, x, over):
            continue
        middle = ray_from_px(view.camera, float(x) + 0.5, float(y) + 0.5)
        total = wp.vec3(0.0, 0.0, 0.0)
        done = int(0)
        for i in range(count):
            if (done >> i) & 1 == 0:
                g = group_from(i, done, face, side, y, x, middle, s, view)
                done = done | g.members
                total += g.count * seen_through(g.face, g.x, g.y, y, x, occlusion, s, view, light, over)
        picture[y, x] = total / float(count)
