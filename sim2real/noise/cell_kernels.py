"""From what every sample sees to the leaves of the hierarchy: which cells are split, and who owns what is left.

Every pixel of the face image is one sample of its latent. A cell is split if any
sample inside it wants a finer one; only split cells are stored. A leaf is an unsplit child of a split cell, named
``4 * node + quadrant``, and belongs to the sample nearest its centre.
"""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false, reportAttributeAccessIssue=false
from typing import no_type_check

import warp as wp

from .hierarchy import FINEST, FREE, NOBODY, cell_key, insert, key_level, lookup

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
    centre_x: wp.float64
    centre_y: wp.float64
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
    y = (row - view.centre_y) / view.focal_y
    return wp.vec2d((column - view.centre_x) / view.focal_x - view.shear * y, y)


@wp.func
@no_type_check
def corner_ray(view: View, column: int, row: int) -> wp.vec2d:
    """The ray through the upper left corner of a pixel."""
    if view.kind == BENT:
        return view.rays[row, column]
    return line_of_sight(view, wp.float64(column), wp.float64(row))


@wp.func
@no_type_check
def centre_ray(view: View, column: int, row: int) -> wp.vec2d:
    """The ray through a pixel's centre."""
    half = wp.float64(0.5)
    if view.kind == BENT:
        upper = view.rays[row, column] + view.rays[row, column + 1]
        lower = view.rays[row + 1, column] + view.rays[row + 1, column + 1]
        return (upper + lower) * wp.float64(0.25)
    return line_of_sight(view, wp.float64(column) + half, wp.float64(row) + half)


@wp.func
@no_type_check
def ray_steps(view: View, column: int, row: int) -> wp.vec2d:
    """How far the ray moves from one pixel to the next along x and along y."""
    if view.kind == BENT:
        half = wp.float64(0.5)
        a = view.rays[row, column]
        b = view.rays[row, column + 1]
        c = view.rays[row + 1, column]
        d = view.rays[row + 1, column + 1]
        return wp.vec2d(half * (wp.length(b - a) + wp.length(d - c)), half * (wp.length(c - a) + wp.length(d - b)))
    return wp.vec2d(wp.float64(1.0) / view.focal_x, wp.float64(1.0) / view.focal_y)


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


# The footprint's axes are the singular values of the map from one pixel step to the chart; a cell's side is at most tau times
# the longer one, and at most cap times the root of the area. One loop without calls, so that clang vectorises it.
_PLACE = """
    int* columns = column.data + start;
    int* rows = row.data + start;
    int* wanted = chart_level.data + start;
    const double nu = normal[0] * step_x, nv = normal[1] * step_y;
    const double uu = along_u[0] * step_x, uv = along_u[1] * step_y, vu = along_v[0] * step_x, vv = along_v[1] * step_y;
    const double fixed = ray_y * normal[1] + normal[2];
    const double fixed_u = ray_y * along_u[1] + along_u[2], fixed_v = ray_y * along_v[1] + along_v[2];
    const int tag = chart << 5;
#if !defined(__CUDA_ARCH__)
    #pragma clang loop vectorize(assume_safety) vectorize_width(8) interleave(disable)
#endif
    for (int k = 0; k < count; ++k) {
        const double ray_x = first_x + (double)k * step_x;
        const double inverse = 1.0 / (ray_x * normal[0] + fixed);
        const double du = (ray_x * along_u[0] + fixed_u) * inverse, dv = (ray_x * along_v[0] + fixed_v) * inverse;
        const float ux = (float)((uu - du * nu) * inverse), uy = (float)((uv - du * nv) * inverse);
        const float vx = (float)((vu - dv * nu) * inverse), vy = (float)((vv - dv * nv) * inverse);
        const float trace = ux * ux + uy * uy + vx * vx + vy * vy;
        const float cross = ux * vy - uy * vx, area = cross < 0.0f ? -cross : cross;
        const float gap = trace * trace - 4.0f * area * area;
        const float longer = tau_squared * (0.5f * (trace + ::sqrtf(gap > 0.0f ? gap : 0.0f))), other = cap_squared * area;
        const float smaller = longer < other ? longer : other, side_squared = smaller > 1.0e-30f ? smaller : 1.0e-30f;
        union { float f; int i; } bits;
        bits.f = side_squared;
        const int asked = -(((bits.i >> 23) - 127) >> 1);
        const int level = asked < 1 ? 1 : asked > 20 ? 20 : asked;
        const float u = (float)(origin_u + du), v = (float)(origin_v + dv), end = 0.99999994f;
        const float inside_u = u > 0.0f ? u : 0.0f, inside_v = v > 0.0f ? v : 0.0f;
        columns[k] = (int)((inside_u < end ? inside_u : end) * 1048576.0f);
        rows[k] = (int)((inside_v < end ? inside_v : end) * 1048576.0f);
        wanted[k] = tag | level;
    }
"""


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
    step_x: wp.float64,
    step_y: wp.float64,
    tau_squared: float,
    cap_squared: float,
    start: int,
    count: int,
    column: wp.array2d(dtype=int),
    row: wp.array2d(dtype=int),
    chart_level: wp.array2d(dtype=int),
):
    """Places in their chart, and wanted levels, of ``count`` pixels in a row that see one plane."""
    ...


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
    run: int,
    tau_squared: float,
    cap_squared: float,
    cells: Cells,
    samples: Samples,
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
        ray = centre_ray(view, x, y)
        step = ray_steps(view, x, y)
        after = x + 1
        plane = Plane()
        if f < 0:
            chart = sky_chart(view, ray)
            plane = sky_plane(view, chart)
            while (
                view.kind != BENT
                and after < end
                and face[y, after] < 0
                and sky_chart(view, wp.vec2d(ray[0] + wp.float64(after - x) * step[0], ray[1])) == chart
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
            step[0],
            step[1],
            tau_squared,
            cap_squared,
            y * columns + x,
            after - x,
            samples.column,
            samples.row,
            samples.chart_level,
        )
        while x < after:
            chart_level = samples.chart_level[y, x]
            level = (chart_level & 31) - 1
            coarser = FINEST - level
            key = cell_key(chart_level >> 5, level, samples.column[y, x] >> coarser, samples.row[y, x] >> coarser)
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
