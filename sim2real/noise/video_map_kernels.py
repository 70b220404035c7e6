"""The map of a video's pixels to its reference domain, carried from frame to frame.

``chart`` and ``position`` say where every pixel center lies: position (x, y) in pixels of the frame that began the chart. The
map is smooth but for silhouettes; ``link`` marks which neighbors lie on one surface (1: with the right one, 2: with the one
below). All places are float64, so that a thousand frames add no rounding that could be seen.
"""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false, reportAttributeAccessIssue=false
from typing import no_type_check

import warp as wp

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False, "max_unroll": 1})

RIGHT, BELOW = wp.constant(1), wp.constant(2)
STRETCH = wp.constant(wp.float64(9.0))
"""A step between neighbors is a silhouette if its square exceeds that of the steps around it by this factor."""
BASELINE = wp.constant(24)
"""Steps along which the slope is measured by which the map is continued beyond the picture's border."""
SAME_PX = wp.constant(wp.float64(1.0))
"""What enters the picture continues the surface at the border if that surface moves like it, within so many pixels."""


@wp.struct
@no_type_check
class Map:
    """A frame's map."""

    chart: wp.array2d(dtype=int)
    position: wp.array2d(dtype=wp.vec2d)
    link: wp.array2d(dtype=int)


@wp.func
@no_type_check
def step_squared(
    chart: wp.array2d(dtype=int), position: wp.array2d(dtype=wp.vec2d), y: int, x: int, dy: int, dx: int
) -> wp.float64:
    """Squared distance from a pixel's place to its neighbor's; infinite where there is no neighbor in the same chart."""
    there_y = y + dy
    there_x = x + dx
    inside = there_y >= 0 and there_x >= 0 and there_y < chart.shape[0] and there_x < chart.shape[1]
    if inside and y >= 0 and x >= 0 and y < chart.shape[0] and x < chart.shape[1]:
        if chart[y, x] == chart[there_y, there_x]:
            return wp.length_sq(position[there_y, there_x] - position[y, x])
    return wp.float64(wp.inf)


@wp.func
@no_type_check
def joined(chart: wp.array2d(dtype=int), position: wp.array2d(dtype=wp.vec2d), y: int, x: int, dy: int, dx: int) -> bool:
    """Whether a pixel and its neighbor lie on one surface: the step between them is like those around it."""
    step = step_squared(chart, position, y, x, dy, dx)
    along = wp.min(step_squared(chart, position, y - dy, x - dx, dy, dx), step_squared(chart, position, y + dy, x + dx, dy, dx))
    across = wp.min(
        wp.min(step_squared(chart, position, y, x, dx, dy), step_squared(chart, position, y, x, -dx, -dy)),
        wp.min(step_squared(chart, position, y + dy, x + dx, dx, dy), step_squared(chart, position, y + dy, x + dx, -dx, -dy)),
    )
    usual = wp.float64(0.0)
    if along < wp.float64(wp.inf):
        usual = along
    if across < wp.float64(wp.inf):
        usual = wp.max(usual, across)
    return step <= STRETCH * usual


@wp.kernel
@no_type_check
def link_pixels(chart: wp.array2d(dtype=int), position: wp.array2d(dtype=wp.vec2d), link: wp.array2d(dtype=int)):
    """Mark which neighbors lie on one surface."""
    y, x = wp.tid()
    flags = int(0)
    if joined(chart, position, y, x, 0, 1):
        flags = RIGHT
    if joined(chart, position, y, x, 1, 0):
        flags = flags | BELOW
    link[y, x] = flags


@wp.func
@no_type_check
def linked(link: wp.array2d(dtype=int), y: int, x: int, flag: int) -> bool:
    """Whether a flag is set; nothing is linked with what lies outside."""
    if y < 0 or x < 0:
        return False
    return (link[y, x] & flag) != 0


@wp.func
@no_type_check
def tangents(map: Map, y: int, x: int) -> wp.mat22d:
    """How the place changes per pixel to the right (first column) and down (second column)."""
    here = map.position[y, x]
    zero = wp.vec2d(wp.float64(0.0), wp.float64(0.0))
    right = zero
    below = zero
    steps_right = float(0.0)
    steps_below = float(0.0)
    if linked(map.link, y, x, RIGHT):
        right += map.position[y, x + 1] - here
        steps_right += 1.0
    if linked(map.link, y, x - 1, RIGHT):
        right += here - map.position[y, x - 1]
        steps_right += 1.0
    if linked(map.link, y, x, BELOW):
        below += map.position[y + 1, x] - here
        steps_below += 1.0
    if linked(map.link, y - 1, x, BELOW):
        below += here - map.position[y - 1, x]
        steps_below += 1.0
    if steps_right > 0.0:
        right = right / wp.float64(steps_right)
    if steps_below > 0.0:
        below = below / wp.float64(steps_below)
    if steps_right == 0.0 and steps_below == 0.0:
        right = wp.vec2d(wp.float64(1.0), wp.float64(0.0))
        below = wp.vec2d(wp.float64(0.0), wp.float64(1.0))
    elif steps_right == 0.0:
        right = wp.vec2d(below[1], -below[0])  # a similarity has perpendicular columns
    elif steps_below == 0.0:
        below = wp.vec2d(-right[1], right[0])
    return wp.matrix_from_cols(right, below)


@wp.func
@no_type_check
def smooth_square(link: wp.array2d(dtype=int), y: int, x: int) -> bool:
    """Whether the four pixels from (y, x) to (y + 1, x + 1) lie on one surface."""
    if y < 0 or x < 0 or y + 1 >= link.shape[0] or x + 1 >= link.shape[1]:
        return False
    around = linked(link, y, x, RIGHT) and linked(link, y, x, BELOW)
    return around and linked(link, y + 1, x, RIGHT) and linked(link, y, x + 1, BELOW)


@wp.func
@no_type_check
def cubic(t: wp.float64) -> wp.vec4d:
    """Weights of the four samples around a point (Catmull and Rom); exactly (0, 1, 0, 0) at t = 0."""
    half = wp.float64(0.5)
    return wp.vec4d(
        half * t * (t * (wp.float64(2.0) - t) - wp.float64(1.0)),
        half * (t * t * (wp.float64(3.0) * t - wp.float64(5.0)) + wp.float64(2.0)),
        half * t * (t * (wp.float64(4.0) - wp.float64(3.0) * t) + wp.float64(1.0)),
        half * t * t * (t - wp.float64(1.0)),
    )


@wp.func
@no_type_check
def smooth_place(map: Map, y: int, x: int, at: wp.vec2d) -> wp.vec2d:
    """The place of a point (x, y in pixels) inside pixel (y, x) or on its border, on that pixel's own surface.

    Cubic where sixteen pixels lie on one surface, linear where four do, else along the pixel's tangents.
    """
    half = wp.float64(0.5)
    left = int(wp.floor(at[0] - half))
    top = int(wp.floor(at[1] - half))
    tx = at[0] - half - wp.float64(left)
    ty = at[1] - half - wp.float64(top)
    if not smooth_square(map.link, top, left):
        offset = wp.vec2d(at[0] - half - wp.float64(x), at[1] - half - wp.float64(y))
        return map.position[y, x] + tangents(map, y, x) * offset
    wide = bool(True)
    for row in range(-1, 2):
        for column in range(-1, 2):
            if not smooth_square(map.link, top + row, left + column):
                wide = False
    place = wp.vec2d(wp.float64(0.0), wp.float64(0.0))
    if wide:
        wx = cubic(tx)
        wy = cubic(ty)
        for row in range(4):
            line = wp.vec2d(wp.float64(0.0), wp.float64(0.0))
            for column in range(4):
                line += wx[column] * map.position[top - 1 + row, left - 1 + column]
            place += wy[row] * line
        return place
    one = wp.float64(1.0)
    above = (one - tx) * map.position[top, left] + tx * map.position[top, left + 1]
    below = (one - tx) * map.position[top + 1, left] + tx * map.position[top + 1, left + 1]
    return (one - ty) * above + ty * below


@wp.func
@no_type_check
def border_slope(map: Map, y: int, x: int, dy: int, dx: int) -> wp.vec2d:
    """Change of the place per step (dy, dx), over a long way from there inwards along one surface."""
    steps = int(0)
    inner_y = y
    inner_x = x
    walking = bool(True)
    while walking and steps < BASELINE:
        next_y = inner_y - dy
        next_x = inner_x - dx
        flag = RIGHT
        if dx == 0:
            flag = BELOW
        ahead = linked(map.link, wp.min(inner_y, next_y), wp.min(inner_x, next_x), flag)
        if next_y >= map.link.shape[0] or next_x >= map.link.shape[1] or not ahead:
            walking = False
        else:
            inner_y = next_y
            inner_x = next_x
            steps += 1
    if steps > 0:
        return (map.position[y, x] - map.position[inner_y, inner_x]) / wp.float64(steps)
    slope = tangents(map, y, x)
    if dx == 0:
        return wp.float64(dy) * wp.vec2d(slope[0, 1], slope[1, 1])
    return wp.float64(dx) * wp.vec2d(slope[0, 0], slope[1, 0])


@wp.func
@no_type_check
def continues(
    motion: wp.array2d(dtype=wp.vec2), visible: wp.array2d(dtype=wp.bool), step: wp.vec2, border_y: int, border_x: int
) -> bool:
    """Whether the previous frame's pixel at the border moves as what enters beside it: it arrived where that motion leads."""
    x = int(wp.floor(float(border_x) + 0.5 - step[0]))
    y = int(wp.floor(float(border_y) + 0.5 - step[1]))
    if x < 0 or y < 0 or x >= motion.shape[1] or y >= motion.shape[0]:
        return False
    if not visible[y, x]:
        return False
    return wp.float64(wp.length_sq(motion[y, x] - step)) <= SAME_PX * SAME_PX


@wp.kernel
@no_type_check
def advance(
    before: Map,
    motion: wp.array2d(dtype=wp.vec2),
    visible: wp.array2d(dtype=wp.bool),
    new_chart: int,
    reach_px: wp.float64,
    domain_px: wp.float64,
    chart: wp.array2d(dtype=int),
    position: wp.array2d(dtype=wp.vec2d),
):
    """The next frame's map: the place where the motion back to the previous frame ends, or a place of its own.

    Beyond the border of the previous picture its map is continued, up to ``reach_px``, where the motion there agrees.
    """
    y, x = wp.tid()
    half = wp.float64(0.5)
    height = before.chart.shape[0]
    width = before.chart.shape[1]
    here = wp.vec2d(wp.float64(x) + half, wp.float64(y) + half)
    step = motion[y, x]
    at = here + wp.vec2d(wp.float64(step[0]), wp.float64(step[1]))
    chart[y, x] = new_chart
    position[y, x] = here
    finite = wp.isfinite(at[0]) and wp.isfinite(at[1])
    if not finite:
        return
    zero = wp.float64(0.0)
    low = wp.float64(0.5)
    inner = wp.vec2d(
        wp.clamp(at[0], low, wp.float64(width) - low), wp.clamp(at[1], low, wp.float64(height) - low)
    )  # centers of the border's pixels: half a pixel beyond them is continued as well
    out_x = at[0] - inner[0]
    out_y = at[1] - inner[1]
    near_x = wp.clamp(int(wp.floor(inner[0])), 0, width - 1)
    near_y = wp.clamp(int(wp.floor(inner[1])), 0, height - 1)
    outside = at[0] < zero or at[1] < zero or at[0] > wp.float64(width) or at[1] > wp.float64(height)
    if outside:
        if wp.max(wp.abs(out_x), wp.abs(out_y)) > reach_px or not continues(motion, visible, step, near_y, near_x):
            return
    elif not visible[y, x]:
        return
    place = smooth_place(before, near_y, near_x, inner)
    if out_x > zero:
        place += out_x * border_slope(before, near_y, near_x, 0, 1)
    if out_x < zero:
        place -= out_x * border_slope(before, near_y, near_x, 0, -1)
    if out_y > zero:
        place += out_y * border_slope(before, near_y, near_x, 1, 0)
    if out_y < zero:
        place -= out_y * border_slope(before, near_y, near_x, -1, 0)
    limit = half * domain_px - wp.float64(2.0)
    from_center_x = wp.abs(place[0] - half * wp.float64(width))
    from_center_y = wp.abs(place[1] - half * wp.float64(height))
    if from_center_x < limit and from_center_y < limit:
        chart[y, x] = before.chart[near_y, near_x]
        position[y, x] = place
