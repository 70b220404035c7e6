"""Pixel noise: every pixel visits the cells that its footprint overlaps, instead of taking samples of it.

A pixel's footprint is the quadrilateral that its square has on the chart of the face at its centre. First the parents of all
cells that it overlaps are split, then the leaves whose centres lie inside are claimed, then every pixel sums those that are
its own. Pixels that see one face share corners, computed the same way, so that their quadrilaterals tile: a centre lies in
exactly one of them. Where faces meet, two pixels may claim a leaf; the one whose centre is nearer has it.

What the passes hand on is listed per pixel; a footprint that overlaps more parents than fit in its list is walked again.
"""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false, reportAttributeAccessIssue=false
from typing import no_type_check

import warp as wp

from .cell_kernels import (
    Cells,
    Plane,
    Surface,
    View,
    add_split,
    centre_ray,
    corner_ray,
    face_plane,
    ray_steps,
    sky_chart,
    sky_plane,
)
from .generator import mix64
from .hierarchy import FINEST, cell_key, key_chart, key_level, lookup
from .value_kernels import accumulate, fresh_value

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

PARENTS, LEAVES = 16, 36
"""Per pixel, split cells that are listed and leaves that can be claimed; a usual footprint has 4 to 16 leaves."""
LONGEST = wp.constant(wp.float64(48.0))
"""Cells along a footprint, at most: footprints thinner than that get coarser cells."""
HORIZON = wp.constant(wp.float64(0.25))
"""Where a corner's ray meets the face's plane more than 1 / 0.25 times farther away than the centre's, or behind the eye,
the footprint is a parallelogram instead."""


@wp.struct
@no_type_check
class Footprint:
    """Chart coordinates of a pixel's corners (top left, top right, bottom left, bottom right) and centre; level of its cells.

    ``turn`` is 1 where the chart is seen as it is, -1 where it is seen mirrored.
    """

    u: wp.vec4d
    v: wp.vec4d
    centre: wp.vec2d
    turn: wp.float64
    level: int
    chart: int


@wp.func
@no_type_check
def place(plane: Plane, ray: wp.vec2d) -> wp.vec3d:
    """Chart coordinates that a ray meets, and ray . normal."""
    x = ray[0]
    y = ray[1]
    depth = x * plane.normal[0] + y * plane.normal[1] + plane.normal[2]
    inverse = wp.float64(1.0) / depth
    return wp.vec3d(
        plane.origin[0] + (x * plane.along_u[0] + y * plane.along_u[1] + plane.along_u[2]) * inverse,
        plane.origin[1] + (x * plane.along_v[0] + y * plane.along_v[1] + plane.along_v[2]) * inverse,
        depth,
    )


@wp.func
@no_type_check
def footprint(
    plane: Plane,
    centre: wp.vec3d,
    top_left: wp.vec3d,
    top_right: wp.vec3d,
    bottom_left: wp.vec3d,
    bottom_right: wp.vec3d,
    step: wp.vec2d,
    cap_squared: wp.float64,
) -> Footprint:
    """The quadrilateral of a pixel and the level whose cells have at most ``cap_squared`` of its area."""
    it = Footprint()
    it.chart = plane.chart
    it.centre = wp.vec2d(centre[0], centre[1])
    least = HORIZON * centre[2] * centre[2]
    upper = wp.min(top_left[2] * centre[2], top_right[2] * centre[2])
    deepest = wp.min(upper, wp.min(bottom_left[2] * centre[2], bottom_right[2] * centre[2]))
    if deepest > least:
        it.u = wp.vec4d(top_left[0], top_right[0], bottom_left[0], bottom_right[0])
        it.v = wp.vec4d(top_left[1], top_right[1], bottom_left[1], bottom_right[1])
    else:
        inverse = wp.float64(0.5) / centre[2]
        du = centre[0] - plane.origin[0]
        dv = centre[1] - plane.origin[1]
        ux = (plane.along_u[0] - du * plane.normal[0]) * inverse * step[0]
        uy = (plane.along_u[1] - du * plane.normal[1]) * inverse * step[1]
        vx = (plane.along_v[0] - dv * plane.normal[0]) * inverse * step[0]
        vy = (plane.along_v[1] - dv * plane.normal[1]) * inverse * step[1]
        it.u = wp.vec4d(centre[0] - ux - uy, centre[0] + ux - uy, centre[0] - ux + uy, centre[0] + ux + uy)
        it.v = wp.vec4d(centre[1] - vx - vy, centre[1] + vx - vy, centre[1] - vx + vy, centre[1] + vx + vy)
    # cross product of the diagonals: twice the area
    au = it.u[3] - it.u[0]
    av = it.v[3] - it.v[0]
    bu = it.u[1] - it.u[2]
    bv = it.v[1] - it.v[2]
    area = wp.float64(0.5) * (bu * av - bv * au)
    it.turn = wp.float64(1.0)
    if area < wp.float64(0.0):
        it.turn = wp.float64(-1.0)
    longest = wp.max(au * au + av * av, bu * bu + bv * bv)
    side_squared = float(wp.max(cap_squared * wp.abs(area), longest / (LONGEST * LONGEST)))
    exponent = int(wp.cast(wp.clamp(side_squared, 1.0e-30, 1.0), wp.uint32) >> wp.uint32(23)) - 127
    it.level = wp.clamp(-(exponent >> 1), 1, FINEST)
    return it


@wp.struct
@no_type_check
class Lists:
    """Per pixel: slots of the cells it splits (more than fit are counted, not listed), and the leaves it claims."""

    slots: wp.array2d(dtype=int)
    slot_count: wp.array(dtype=int)
    leaves: wp.array2d(dtype=int)
    leaf_count: wp.array(dtype=int)


@wp.func
@no_type_check
def outward(it: Footprint, a: int, b: int, sign: wp.float64, scale: wp.float64) -> wp.vec3d:
    """The line through two corners as (u, v, 1) coefficients at a cell scale: negative where a whole unit cell lies outside."""
    du = sign * it.turn * (it.u[b] - it.u[a]) * scale
    dv = sign * it.turn * (it.v[b] - it.v[a]) * scale
    zero = wp.float64(0.0)
    offset = dv * it.u[a] * scale - du * it.v[a] * scale
    return wp.vec3d(-dv, du, offset + wp.max(-dv, zero) + wp.max(du, zero))


@wp.func
@no_type_check
def side_of(au: wp.float64, av: wp.float64, bu: wp.float64, bv: wp.float64, u: wp.float64, v: wp.float64) -> wp.float64:
    """Which side of the line from a to b a point lies on; both pixels of an edge name its ends in the same order."""
    return (bu - au) * (v - av) - (bv - av) * (u - au)


@wp.func
@no_type_check
def inside(it: Footprint, u: wp.float64, v: wp.float64) -> bool:
    """Whether a point lies in the quadrilateral: left and top edges belong to it, right and bottom ones to its neighbours."""
    zero = wp.float64(0.0)
    if it.turn * side_of(it.u[0], it.v[0], it.u[2], it.v[2], u, v) > zero:
        return False
    if it.turn * side_of(it.u[1], it.v[1], it.u[3], it.v[3], u, v) <= zero:
        return False
    if it.turn * side_of(it.u[0], it.v[0], it.u[1], it.v[1], u, v) < zero:
        return False
    return it.turn * side_of(it.u[2], it.v[2], it.u[3], it.v[3], u, v) < zero


@wp.func
@no_type_check
def claim_leaf(it: Footprint, cells: Cells, lists: Lists, pixel: int, node: int, level: int, i: int, j: int):
    """Claim a leaf if its centre is inside."""
    unit = wp.float64(wp.cast(wp.uint32(127 - level) << wp.uint32(23), wp.float32))  # 2^-level
    u = (wp.float64(i) + wp.float64(0.5)) * unit
    v = (wp.float64(j) + wp.float64(0.5)) * unit
    count = lists.leaf_count[pixel]
    if count < lists.leaves.shape[1] and inside(it, u, v):
        leaf = (node << 2) | ((i & 1) << 1) | (j & 1)
        du = float(u - it.centre[0])
        dv = float(v - it.centre[1])
        distance = wp.int64(wp.cast(du * du + dv * dv, wp.uint32))
        wp.atomic_min(cells.owner, leaf, (distance << wp.int64(32)) | wp.int64(pixel))
        lists.leaves[pixel, count] = leaf
        lists.leaf_count[pixel] = count + 1


@wp.func
@no_type_check
def claim_below(it: Footprint, cells: Cells, lists: Lists, pixel: int, level: int, i: int, j: int):
    """Claim leaves below a split cell: a neighbour wanted finer ones."""
    depth = int(0)
    quadrant = int(0)
    slot = lookup(cells.table, cell_key(it.chart, level, i, j), cells.shift)
    while depth >= 0 and slot >= 0:
        if quadrant == 4:
            quadrant = (((i & 1) << 1) | (j & 1)) + 1
            i = i >> 1
            j = j >> 1
            level -= 1
            depth -= 1
            if depth >= 0:
                slot = lookup(cells.table, cell_key(it.chart, level, i, j), cells.shift)
        else:
            ci = 2 * i + (quadrant >> 1)
            cj = 2 * j + (quadrant & 1)
            if ((cells.split_children[slot] >> quadrant) & 1) == 1:
                i = ci
                j = cj
                level += 1
                depth += 1
                quadrant = 0
                slot = lookup(cells.table, cell_key(it.chart, level, i, j), cells.shift)
            else:
                node = cells.slot_node[slot]
                if node >= 0:
                    claim_leaf(it, cells, lists, pixel, node, level + 1, ci, cj)
                quadrant += 1


@wp.func
@no_type_check
def claim_children(it: Footprint, cells: Cells, lists: Lists, pixel: int, slot: int):
    """Claim what lies inside among the leaves below one of the cells that the pixel splits."""
    node = cells.slot_node[slot]
    if node < 0:
        return
    key = cells.key[node]
    i = 2 * int((key >> wp.int64(20)) & wp.int64(0xFFFFF))
    j = 2 * int(key & wp.int64(0xFFFFF))
    split = cells.split_children[slot]
    for quadrant in range(4):
        if ((split >> quadrant) & 1) == 1:
            claim_below(it, cells, lists, pixel, it.level, i + (quadrant >> 1), j + (quadrant & 1))
        else:
            claim_leaf(it, cells, lists, pixel, node, it.level, i + (quadrant >> 1), j + (quadrant & 1))


@wp.func
@no_type_check
def walk(claims: int, it: Footprint, cells: Cells, lists: Lists, pixel: int):
    """Split the parents of all cells that a footprint overlaps, or claim from them."""
    above = it.level - 1
    scale = wp.float64(1 << above)
    last = scale - wp.float64(1.0)
    zero = wp.float64(0.0)
    low_u = wp.min(wp.min(it.u[0], it.u[1]), wp.min(it.u[2], it.u[3])) * scale
    high_u = wp.max(wp.max(it.u[0], it.u[1]), wp.max(it.u[2], it.u[3])) * scale
    low_v = wp.min(wp.min(it.v[0], it.v[1]), wp.min(it.v[2], it.v[3])) * scale
    high_v = wp.max(wp.max(it.v[0], it.v[1]), wp.max(it.v[2], it.v[3])) * scale
    if high_u < zero or high_v < zero or low_u > scale or low_v > scale:
        return
    first_i = int(wp.max(low_u, zero))
    last_i = int(wp.min(high_u, last))
    first_j = int(wp.max(low_v, zero))
    last_j = int(wp.min(high_v, last))
    one = wp.float64(1.0)
    left = outward(it, 0, 2, -one, scale)
    right = outward(it, 1, 3, one, scale)
    top = outward(it, 0, 1, one, scale)
    bottom = outward(it, 2, 3, -one, scale)
    count = int(0)
    for i in range(first_i, last_i + 1):
        u = wp.float64(i)
        on_left = left[0] * u + left[2]
        on_right = right[0] * u + right[2]
        on_top = top[0] * u + top[2]
        on_bottom = bottom[0] * u + bottom[2]
        for j in range(first_j, last_j + 1):
            v = wp.float64(j)
            across = wp.min(on_left + left[1] * v, on_right + right[1] * v)
            if wp.min(across, wp.min(on_top + top[1] * v, on_bottom + bottom[1] * v)) >= zero:
                key = cell_key(it.chart, above, i, j)
                if claims == 1:
                    slot = lookup(cells.table, key, cells.shift)
                    if slot >= 0:
                        claim_children(it, cells, lists, pixel, slot)
                else:
                    slot = add_split(cells, key)
                    if count < lists.slots.shape[1]:
                        lists.slots[pixel, count] = slot
                    count += 1
    if claims == 0:
        lists.slot_count[pixel] = count


@wp.kernel
@no_type_check
def walk_footprints(
    claims: int,
    face: wp.array2d(dtype=int),
    surface: Surface,
    view: View,
    run: int,
    cap_squared: wp.float64,
    cells: Cells,
    lists: Lists,
):
    """Split (``claims`` 0) or claim (1), ``run`` pixels of a row per thread."""
    y, part = wp.tid()
    columns = face.shape[1]
    plane = Plane()
    top_right = wp.vec3d()
    bottom_right = wp.vec3d()
    seen = int(-2)
    for x in range(part * run, wp.min((part + 1) * run, columns)):
        pixel = y * columns + x
        f = face[y, x]
        ray = centre_ray(view, x, y)
        top_left = top_right
        bottom_left = bottom_right
        fresh = bool(False)
        if f < 0:
            chart = sky_chart(view, ray)
            fresh = seen != -1 or chart != plane.chart
            if fresh:
                plane = sky_plane(view, chart)
        elif f != seen:
            plane = face_plane(surface, view.kind, f)
            fresh = True
        seen = f
        if fresh:
            top_left = place(plane, corner_ray(view, x, y))
            bottom_left = place(plane, corner_ray(view, x, y + 1))
        top_right = place(plane, corner_ray(view, x + 1, y))
        bottom_right = place(plane, corner_ray(view, x + 1, y + 1))
        it = footprint(
            plane, place(plane, ray), top_left, top_right, bottom_left, bottom_right, ray_steps(view, x, y), cap_squared
        )
        if claims == 0:
            walk(0, it, cells, lists, pixel)
        else:
            lists.leaf_count[pixel] = 0
            count = lists.slot_count[pixel]
            if count <= lists.slots.shape[1]:
                for k in range(count):
                    slot = lists.slots[pixel, k]
                    if slot >= 0:
                        claim_children(it, cells, lists, pixel, slot)
            else:
                walk(1, it, cells, lists, pixel)


@wp.kernel
@no_type_check
def gather_footprints(
    face: wp.array2d(dtype=int),
    face_chart: wp.array(dtype=int),
    factor: int,
    latent_columns: int,
    seed: wp.uint64,
    cells: Cells,
    lists: Lists,
    side: wp.array(dtype=float),
    chart_key: wp.array(dtype=wp.uint64),
    values: wp.array(dtype=float),
    out: wp.array2d(dtype=float),
):
    """Sum the leaves that each latent's own pixels own, in the order in which they were claimed, and normalise."""
    latent = wp.tid()
    channels = out.shape[1]
    for c in range(channels):
        out[latent, c] = 0.0
    area = float(0.0)
    top = (latent / latent_columns) * factor
    left = (latent % latent_columns) * factor
    for y in range(top, top + factor):
        for x in range(left, left + factor):
            pixel = y * face.shape[1] + x
            for k in range(lists.leaf_count[pixel]):
                leaf = lists.leaves[pixel, k]
                if int(cells.owner[leaf] & wp.int64(0xFFFFFFFF)) == pixel:
                    key = cells.key[leaf >> 2]
                    unit = wp.cast(wp.uint32(126 - key_level(key)) << wp.uint32(23), wp.float32)
                    weight = unit * side[key_chart(key)]
                    area += weight * weight
                    accumulate(out, latent, values, leaf, 0, channels, weight)
    if area > 0.0:
        scale = 1.0 / wp.sqrt(area)
        for c in range(channels):
            out[latent, c] = out[latent, c] * scale
    else:
        # a latent that owns nothing draws afresh, keyed by itself and by what it sees: a still camera stays still
        chart = int(0)
        seen = face[top + factor / 2, left + factor / 2]
        if seen >= 0:
            chart = face_chart[seen]
        drawn = mix64(mix64(wp.uint64(latent) + wp.uint64(0x51A2C0FFEE5EED00)) + seed + chart_key[chart])
        for c in range(channels):
            out[latent, c] = fresh_value(drawn, c, channels)
