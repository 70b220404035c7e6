"""From what every pixel sees to the leaves of the hierarchy: which cells are split, and where what is left is seen.

Every pixel of the face image is one sample. A cell is split if any sample inside it wants a finer one; only split cells
are stored. A leaf is an unsplit child of a split cell, named ``4 * node + quadrant``; what it is made of is found from the
samples in it (``cut``).
"""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false, reportAttributeAccessIssue=false
from typing import no_type_check

import warp as wp

from ...native_code import native
from .cells import FINEST, FREE, NOBODY, cell_key, insert, key_level, lookup

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})


BENT, PARALLEL = wp.constant(1), wp.constant(2)
SKY_SPAN_M = wp.constant(wp.float64(1024.0))
"""What parallel lines of sight see behind everything: a wall so many metres wide, across the world's axis they look along."""


@wp.struct
@no_type_check
class View:
    """One frame's camera.

    ``kind`` is 0 for a pinhole, BENT where a lens bends rays (``rays`` then holds those through pixel corners, z = 1),
    PARALLEL for lines of sight along z, named by their x and y.
    """

    kind: int
    focal_x: wp.float64
    focal_y: wp.float64
    center_x: wp.float64
    center_y: wp.float64
    shear: wp.float64
    rays: wp.array2d(dtype=wp.vec2d)
    world_from_camera: wp.mat33
    position: wp.vec3d


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
    """The split cells of a frame. ``node`` numbers them, ``slot`` is their place in the hash table.

    ``first_seen``: of each of the 4 x 4 parts of every leaf, the first pixel (row << 16 | column) whose center sees it.
    """

    table: wp.array(dtype=wp.int64)
    split_children: wp.array(dtype=int)
    slot_node: wp.array(dtype=int)
    shift: int
    key: wp.array(dtype=wp.int64)
    parent: wp.array(dtype=int)
    first_seen: wp.array(dtype=int)
    level_count: wp.array(dtype=int)
    used: wp.array(dtype=int)


@wp.struct
@no_type_check
class Sample:
    """What the center of a pixel sees.

    ``u``, ``v``: its place in the chart, 0 to 1. ``x_u`` ... ``y_v``: pixels right and down per chart side along u and v.
    ``chart_level``: (chart << 5 | level of the cell it wants). ``leaf``: the leaf that it lies in; before, the slot it splits.
    """

    u: float
    v: float
    x_u: float
    x_v: float
    y_u: float
    y_v: float
    chart_level: int
    leaf: int


@wp.struct
@no_type_check
class Plane:
    """A face's plane seen from the eye: ``u = origin + (ray . along) / (ray . normal)``."""

    along_u: wp.vec3d
    along_v: wp.vec3d
    normal: wp.vec3d
    origin: wp.vec2d
    chart: int


@wp.func
@no_type_check
def wide(v: wp.vec3) -> wp.vec3d:
    """In float64."""
    return wp.vec3d(wp.float64(v[0]), wp.float64(v[1]), wp.float64(v[2]))


@wp.func
@no_type_check
def line_of_sight(view: View, column: wp.float64, row: wp.float64) -> wp.vec2d:
    """The ray through a place of the picture, px, of a camera that bends none."""
    y = (row - view.center_y) / view.focal_y
    return wp.vec2d((column - view.center_x) / view.focal_x - view.shear * y, y)


@wp.func
@no_type_check
def center_ray(view: View, column: int, row: int) -> wp.vec2d:
    """The ray through a pixel's center."""
    half = wp.float64(0.5)
    if view.kind == BENT:
        upper = view.rays[row, column] + view.rays[row, column + 1]
        lower = view.rays[row + 1, column] + view.rays[row + 1, column + 1]
        return (upper + lower) * wp.float64(0.25)
    return line_of_sight(view, wp.float64(column) + half, wp.float64(row) + half)


@wp.func
@no_type_check
def ray_slopes(view: View, column: int, row: int) -> wp.vec4d:
    """How the ray changes from one pixel to the next: (x, y) along a row, (x, y) along a column."""
    if view.kind == BENT:
        half = wp.float64(0.5)
        a = view.rays[row, column]
        b = view.rays[row, column + 1]
        c = view.rays[row + 1, column]
        d = view.rays[row + 1, column + 1]
        right = half * ((b - a) + (d - c))
        down = half * ((c - a) + (d - b))
        return wp.vec4d(right[0], right[1], down[0], down[1])
    zero = wp.float64(0.0)
    one = wp.float64(1.0)
    return wp.vec4d(one / view.focal_x, zero, -view.shear / view.focal_y, one / view.focal_y)


@wp.func
@no_type_check
def seen_from(kind: int, v: wp.vec3) -> wp.vec3d:
    """A vertex as planes are made of it: itself, or its foot at z = 1 where lines of sight are parallel."""
    p = wide(v)
    if kind == PARALLEL:
        p = wp.vec3d(p[0], p[1], wp.float64(1.0))
    return p


@wp.func
@no_type_check
def face_plane(surface: Surface, kind: int, f: int) -> Plane:
    """The plane of a face."""
    a = seen_from(kind, surface.vertices[surface.faces[f, 0]])
    e1 = seen_from(kind, surface.vertices[surface.faces[f, 1]]) - a
    e2 = seen_from(kind, surface.vertices[surface.faces[f, 2]]) - a
    c = surface.coordinates[f, 0]
    c1 = surface.coordinates[f, 1] - c
    c2 = surface.coordinates[f, 2] - c
    from_1 = wp.cross(e2, a)
    from_2 = wp.cross(a, e1)
    plane = Plane()
    plane.normal = wp.cross(e1, e2)
    plane.along_u = from_1 * wp.float64(c1[0]) + from_2 * wp.float64(c2[0])
    plane.along_v = from_1 * wp.float64(c1[1]) + from_2 * wp.float64(c2[1])
    plane.origin = wp.vec2d(wp.float64(c[0]), wp.float64(c[1]))
    plane.chart = surface.face_chart[f]
    return plane


@wp.func
@no_type_check
def sky_chart(view: View, ray: wp.vec2d) -> int:
    """The side of the cube of directions that a ray meets: axis, and 3 more where cube[axis] = -1."""
    d = view.world_from_camera * wp.vec3(float(ray[0]), float(ray[1]), 1.0)
    if view.kind == PARALLEL:
        d = view.world_from_camera * wp.vec3(0.0, 0.0, 1.0)
    a = wp.vec3(wp.abs(d[0]), wp.abs(d[1]), wp.abs(d[2]))
    axis = int(0)
    if a[1] > a[0]:
        axis = 1
    if a[2] > wp.max(a[0], a[1]):
        axis = 2
    if d[axis] < 0.0:
        return axis + 3
    return axis


@wp.func
@no_type_check
def sky_plane(view: View, chart: int) -> Plane:
    """One side of the cube of directions, or of the wall behind everything, as a plane."""
    half = wp.float64(0.5)
    axis = chart % 3
    p = (axis + 1) % 3
    q = (axis + 2) % 3
    plane = Plane()
    plane.along_u = half * wide(view.world_from_camera[p])
    plane.along_v = half * wide(view.world_from_camera[q])
    plane.normal = wide(view.world_from_camera[axis])
    if view.kind == PARALLEL:
        plane.along_u = wide(view.world_from_camera[p]) / SKY_SPAN_M
        plane.along_v = wide(view.world_from_camera[q]) / SKY_SPAN_M
        plane.along_u[2] = view.position[p] / SKY_SPAN_M
        plane.along_v[2] = view.position[q] / SKY_SPAN_M
        plane.normal = wp.vec3d(wp.float64(0.0), wp.float64(0.0), wp.float64(1.0))
    plane.origin = wp.vec2d(half, half)
    plane.chart = chart
    return plane


_PLACE = native(__file__, "first_samples")


@wp.func_native(_PLACE)
@no_type_check
def place_run(
    along_u: wp.vec3d,
    along_v: wp.vec3d,
    normal: wp.vec3d,
    origin_u: wp.float64,
    origin_v: wp.float64,
    chart: int,
    first_x: wp.float64,
    ray_y: wp.float64,
    slopes: wp.vec4d,
    tau_squared: float,
    cap_squared: float,
    start: int,
    count: int,
    samples: wp.array2d(dtype=Sample),
):
    """What ``count`` pixels in a row see of one plane, and the levels that they want."""
    ...


@wp.func
@no_type_check
def on_grid(place: float) -> int:
    """A place in a chart as a column or row of its finest grid."""
    return int(place * 1048576.0)


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
            for place in range(64):
                cells.first_seen[64 * node + place] = NOBODY
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


@wp.func
@no_type_check
def split_above(cells: Cells, chart_level: int, u: float, v: float, last_key: wp.int64, last_slot: int):
    """Split the parent of the cell that a sample wants; most samples split what the one before has split."""
    level = (chart_level & 31) - 1
    coarser = FINEST - level
    key = cell_key(chart_level >> 5, level, on_grid(u) >> coarser, on_grid(v) >> coarser)
    if key != last_key:
        last_slot = add_split(cells, key)
    return key, last_slot


@wp.kernel
@no_type_check
def split_cells(
    face: wp.array2d(dtype=int),
    surface: Surface,
    view: View,
    run: int,
    tau_squared: float,
    cap_squared: float,
    cells: Cells,
    samples: wp.array2d(dtype=Sample),
):
    """Find every pixel's place in its chart and split the cells that are too coarse for it."""
    y, part = wp.tid()
    columns = face.shape[1]
    last_key = FREE
    last_slot = int(-1)
    end = wp.min((part + 1) * run, columns)
    x = part * run
    while x < end:
        f = face[y, x]
        ray = center_ray(view, x, y)
        slopes = ray_slopes(view, x, y)
        after = x + 1
        plane = Plane()
        if f < 0:
            chart = sky_chart(view, ray)
            plane = sky_plane(view, chart)
            while (
                view.kind != BENT
                and after < end
                and face[y, after] < 0
                and sky_chart(view, wp.vec2d(ray[0] + wp.float64(after - x) * slopes[0], ray[1])) == chart
            ):
                after += 1
        else:
            plane = face_plane(surface, view.kind, f)
            while view.kind != BENT and after < end and face[y, after] == f:
                after += 1
        place_run(
            plane.along_u,
            plane.along_v,
            plane.normal,
            plane.origin[0],
            plane.origin[1],
            plane.chart,
            ray[0],
            ray[1],
            slopes,
            tau_squared,
            cap_squared,
            y * columns + x,
            after - x,
            samples,
        )
        while x < after:
            last_key, last_slot = split_above(
                cells, samples[y, x].chart_level, samples[y, x].u, samples[y, x].v, last_key, last_slot
            )
            samples[y, x].leaf = last_slot
            x += 1


@wp.kernel
@no_type_check
def find_leaves(samples: wp.array2d(dtype=Sample), run: int, cells: Cells):
    """Descend from the cell that each sample splits to the leaf that it lies in; note a sample in each of a leaf's 16 parts."""
    y, first = wp.tid()
    x = first * run
    end = wp.min(x + run, samples.shape[1])
    while x < end:
        u = samples[y, x].u
        v = samples[y, x].v
        chart_level = samples[y, x].chart_level
        level = (chart_level & 31) - 1
        slot = samples[y, x].leaf
        i = on_grid(u)
        j = on_grid(v)
        finer = FINEST - 1 - level
        quadrant = (((i >> finer) & 1) << 1) | ((j >> finer) & 1)
        while slot >= 0 and ((cells.split_children[slot] >> quadrant) & 1) == 1:
            level += 1
            slot = lookup(cells.table, cell_key(chart_level >> 5, level, i >> finer, j >> finer), cells.shift)
            finer -= 1
            quadrant = (((i >> finer) & 1) << 1) | ((j >> finer) & 1)
        mine = int(-1)
        if slot >= 0:
            node = cells.slot_node[slot]
            if node >= 0:
                mine = (node << 2) | quadrant
                parts = wp.cast(wp.uint32(130 + level) << wp.uint32(23), wp.float32)  # 2^(level + 3)
                part = ((int(u * parts) & 3) << 2) | (int(v * parts) & 3)
                wp.atomic_min(cells.first_seen, 16 * mine + part, (y << 16) | x)
        samples[y, x].leaf = mine
        x += 1


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
