"""From what every sample sees to the leaves of the hierarchy: which cells are split, and who owns what is left.

A frame has ``rows x columns`` samples, ``sub x sub`` of them in every pixel of the face image. A cell is split if any
sample inside it wants a finer one; only split cells are stored. A leaf is an unsplit child of a split cell, named
``4 * node + quadrant``, and belongs to the sample nearest its centre.
"""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false, reportAttributeAccessIssue=false
from typing import no_type_check

import warp as wp

from .hierarchy import FINEST, FREE, NOBODY, cell_key, insert, key_level, lookup

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})


@wp.struct
@no_type_check
class View:
    """One frame's camera: intrinsics as (fx, fy, cx, cy) and the camera's rotation."""

    focal_x: wp.float64
    focal_y: wp.float64
    centre_x: wp.float64
    centre_y: wp.float64
    world_from_camera: wp.mat33


@wp.struct
@no_type_check
class Surface:
    """A scene's triangles in the camera frame, with their chart coordinates."""

    vertices: wp.array(dtype=wp.vec3)
    faces: wp.array2d(dtype=int)
    coordinates: wp.array2d(dtype=wp.vec2)
    face_chart: wp.array(dtype=int)


@wp.struct
@no_type_check
class Cells:
    """The split cells of a frame. ``node`` numbers them, ``slot`` is their place in the hash table."""

    table: wp.array(dtype=wp.int64)
    split_children: wp.array(dtype=int)
    slot_node: wp.array(dtype=int)
    shift: int
    key: wp.array(dtype=wp.int64)
    parent: wp.array(dtype=int)
    owner: wp.array(dtype=wp.int64)
    level_count: wp.array(dtype=int)
    used: wp.array(dtype=int)


@wp.struct
@no_type_check
class Samples:
    """Per sample: position in its chart on the finest grid, (chart << 5 | wanted level), slot of the cell it splits."""

    column: wp.array2d(dtype=int)
    row: wp.array2d(dtype=int)
    chart_level: wp.array2d(dtype=int)
    slot: wp.array2d(dtype=int)


@wp.func
@no_type_check
def wanted_level(ux: float, uy: float, vx: float, vy: float, tau_squared: float, cap_squared: float) -> int:
    """Level whose cells are at most tau times the longer axis of a sample's footprint, and at most cap times its root area.

    The footprint's axes are the singular values of the map from one sample step to the chart.
    """
    trace = ux * ux + uy * uy + vx * vx + vy * vy
    area = wp.abs(ux * vy - uy * vx)
    long_squared = 0.5 * (trace + wp.sqrt(wp.max(0.0, trace * trace - 4.0 * area * area)))
    side_squared = wp.min(tau_squared * long_squared, cap_squared * area)
    exponent = int(wp.cast(wp.max(side_squared, 1.0e-30), wp.uint32) >> wp.uint32(23)) - 127
    return wp.clamp(-(exponent >> 1), 1, FINEST)


@wp.func
@no_type_check
def add_split(cells: Cells, key: wp.int64) -> int:
    """Make sure that a cell and all its ancestors are split; returns its slot, -1 when the table is full."""
    found = insert(cells.table, key, cells.shift)
    first = found[0]
    slot = found[0]
    new = found[1]
    if slot < 0:
        wp.atomic_add(cells.used, 1, 1)
    while new == 1:
        node = wp.atomic_add(cells.used, 0, 1)
        new = 0
        if node >= cells.key.shape[0]:
            cells.slot_node[slot] = -1
        else:
            cells.slot_node[slot] = node
            cells.key[node] = key
            for quadrant in range(4):
                cells.owner[4 * node + quadrant] = NOBODY
            level = key_level(key)
            wp.atomic_add(cells.level_count, level, 1)
            cells.parent[node] = -1
            if level > 0:
                i = int((key >> wp.int64(20)) & wp.int64(0xFFFFF))
                j = int(key & wp.int64(0xFFFFF))
                quadrant = ((i & 1) << 1) | (j & 1)
                key = cell_key(int(key >> wp.int64(45)), level - 1, i >> 1, j >> 1)
                above = insert(cells.table, key, cells.shift)
                slot = above[0]
                if slot < 0:
                    wp.atomic_add(cells.used, 1, 1)
                else:
                    cells.parent[node] = (slot << 2) | quadrant
                    wp.atomic_or(cells.split_children, slot, 1 << quadrant)
                    new = above[1]
    return first


@wp.kernel
@no_type_check
def split_cells(
    face: wp.array2d(dtype=int),
    surface: Surface,
    view: View,
    sub: int,
    run: int,
    tau_squared: float,
    cap_squared: float,
    cells: Cells,
    samples: Samples,
):
    """Find every sample's place in its chart and split the cells that are too coarse for it."""
    y, first = wp.tid()
    columns = samples.column.shape[1]
    step = wp.float64(1.0) / wp.float64(sub)
    half = wp.float64(0.5)
    ray_y = ((wp.float64(y) + half) * step - view.centre_y) / view.focal_y
    step_x = step / view.focal_x
    step_y = step / view.focal_y
    to_world = view.world_from_camera
    sky_x = to_world * wp.vec3(float(step_x), 0.0, 0.0)
    sky_y = to_world * wp.vec3(0.0, float(step_y), 0.0)

    last_face = int(-2)
    last_key = FREE
    last_slot = int(-1)
    along_u = wp.vec3d()
    along_v = wp.vec3d()
    normal = wp.vec3d()
    origin = wp.vec2()
    chart = int(0)
    x = first * run
    end = wp.min(x + run, columns)
    while x < end:
        ray_x = ((wp.float64(x) + half) * step - view.centre_x) / view.focal_x
        f = face[y / sub, x / sub]
        u = float(0.0)
        v = float(0.0)
        ux = float(0.0)
        uy = float(0.0)
        vx = float(0.0)
        vy = float(0.0)
        if f < 0:
            # the sphere of directions: a cube map, cube[axis] = +-1
            d = to_world * wp.vec3(float(ray_x), float(ray_y), 1.0)
            a = wp.vec3(wp.abs(d[0]), wp.abs(d[1]), wp.abs(d[2]))
            axis = int(0)
            if a[1] > a[0]:
                axis = 1
            if a[2] > wp.max(a[0], a[1]):
                axis = 2
            p = (axis + 1) % 3
            q = (axis + 2) % 3
            scale = 1.0 / d[axis]
            u = d[p] * scale
            v = d[q] * scale
            ux = 0.5 * (sky_x[p] - u * sky_x[axis]) * scale
            uy = 0.5 * (sky_y[p] - u * sky_y[axis]) * scale
            vx = 0.5 * (sky_x[q] - v * sky_x[axis]) * scale
            vy = 0.5 * (sky_y[q] - v * sky_y[axis]) * scale
            u = 0.5 + 0.5 * u
            v = 0.5 + 0.5 * v
            chart = axis
            if scale < 0.0:
                chart = axis + 3
        else:
            if f != last_face:
                # u and v are ratios of two linear functions of the ray: (ray . along_u) / (ray . normal)
                a0 = surface.vertices[surface.faces[f, 0]]
                a1 = surface.vertices[surface.faces[f, 1]]
                a2 = surface.vertices[surface.faces[f, 2]]
                p0 = wp.vec3d(wp.float64(a0[0]), wp.float64(a0[1]), wp.float64(a0[2]))
                e1 = wp.vec3d(wp.float64(a1[0]), wp.float64(a1[1]), wp.float64(a1[2])) - p0
                e2 = wp.vec3d(wp.float64(a2[0]), wp.float64(a2[1]), wp.float64(a2[2])) - p0
                normal = wp.cross(e1, e2)
                from_1 = wp.cross(e2, p0)
                from_2 = wp.cross(p0, e1)
                origin = surface.coordinates[f, 0]
                c1 = surface.coordinates[f, 1] - origin
                c2 = surface.coordinates[f, 2] - origin
                along_u = from_1 * wp.float64(c1[0]) + from_2 * wp.float64(c2[0])
                along_v = from_1 * wp.float64(c1[1]) + from_2 * wp.float64(c2[1])
                chart = surface.face_chart[f]
            ray = wp.vec3d(ray_x, ray_y, wp.float64(1.0))
            inverse = wp.float64(1.0) / wp.dot(ray, normal)
            du = wp.dot(ray, along_u) * inverse
            dv = wp.dot(ray, along_v) * inverse
            grow_x = inverse * step_x
            grow_y = inverse * step_y
            ux = float((along_u[0] - du * normal[0]) * grow_x)
            uy = float((along_u[1] - du * normal[1]) * grow_y)
            vx = float((along_v[0] - dv * normal[0]) * grow_x)
            vy = float((along_v[1] - dv * normal[1]) * grow_y)
            u = float(wp.float64(origin[0]) + du)
            v = float(wp.float64(origin[1]) + dv)
        last_face = f
        level = wanted_level(ux, uy, vx, vy, tau_squared, cap_squared)
        i = int(wp.clamp(u, 0.0, 0.99999994) * 1048576.0)
        j = int(wp.clamp(v, 0.0, 0.99999994) * 1048576.0)
        samples.column[y, x] = i
        samples.row[y, x] = j
        samples.chart_level[y, x] = (chart << 5) | level
        coarser = FINEST - level + 1
        key = cell_key(chart, level - 1, i >> coarser, j >> coarser)
        if key != last_key:
            last_key = key
            last_slot = add_split(cells, key)
        samples.slot[y, x] = last_slot
        x += 1


@wp.kernel
@no_type_check
def own_leaves(samples: Samples, run: int, cells: Cells, leaf: wp.array2d(dtype=int)):
    """Descend from the cell that each sample splits to the leaf that it lies in; each leaf keeps its most central sample."""
    y, first = wp.tid()
    columns = samples.column.shape[1]
    last_leaf = int(-1)
    best = NOBODY
    x = first * run
    end = wp.min(x + run, columns)
    while x < end:
        i = samples.column[y, x]
        j = samples.row[y, x]
        chart_level = samples.chart_level[y, x]
        level = (chart_level & 31) - 1
        slot = samples.slot[y, x]
        quadrant = int(0)
        descending = int(1)
        while descending == 1 and slot >= 0:
            finer = FINEST - 1 - level
            quadrant = (((i >> finer) & 1) << 1) | ((j >> finer) & 1)
            if ((cells.split_children[slot] >> quadrant) & 1) == 1:
                level += 1
                slot = lookup(cells.table, cell_key(chart_level >> 5, level, i >> finer, j >> finer), cells.shift)
            else:
                descending = 0
        mine = int(-1)
        if slot >= 0:
            node = cells.slot_node[slot]
            if node >= 0:
                mine = (node << 2) | quadrant
                finer = FINEST - 1 - level
                inside = (1 << finer) - 1
                scale = 1.0 / float(1 << finer)
                a = float(2 * (i & inside) + 1) * scale - 1.0
                b = float(2 * (j & inside) + 1) * scale - 1.0
                distance = wp.int64(wp.cast(a * a + b * b, wp.uint32))
                claim = (distance << wp.int64(32)) | wp.int64(y * columns + x)
                if mine == last_leaf:
                    best = wp.min(best, claim)
                else:
                    if last_leaf >= 0:
                        wp.atomic_min(cells.owner, last_leaf, best)
                    best = claim
                    last_leaf = mine
        leaf[y, x] = mine
        x += 1
    if last_leaf >= 0:
        wp.atomic_min(cells.owner, last_leaf, best)


@wp.kernel
@no_type_check
def start_levels(level_count: wp.array(dtype=int), level_start: wp.array(dtype=int), cursor: wp.array(dtype=int)):
    """Running sum over the levels."""
    total = int(0)
    for level in range(level_count.shape[0]):
        level_start[level] = total
        cursor[level] = total
        total += level_count[level]
    level_start[level_count.shape[0]] = total


@wp.kernel
@no_type_check
def sort_by_level(cells: Cells, stride: int, cursor: wp.array(dtype=int), order: wp.array(dtype=int)):
    """List the nodes level by level, so that parents come before children."""
    node = wp.tid()
    count = wp.min(cells.used[0], cells.key.shape[0])
    while node < count:
        order[wp.atomic_add(cursor, key_level(cells.key[node]), 1)] = node
        node += stride
