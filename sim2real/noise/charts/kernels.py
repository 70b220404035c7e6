"""Loops over the faces of one mesh that numpy has no word for: linear time, one core, the same bits every time.

Kernels that fill per-island sums run as one thread (``dim=1``) over all faces, so that sums have one order.
"""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false, reportAttributeAccessIssue=false
from typing import no_type_check

import warp as wp

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})

LOCAL_PROBES = wp.constant(8)
BELOW_ONE = wp.constant(wp.float64(0.99999994))


@wp.func
@no_type_check
def _hash(a: wp.int64, b: wp.int64) -> wp.uint64:
    x = wp.uint64(a) * wp.uint64(0x9E3779B97F4A7C15) + wp.uint64(b)
    x = (x ^ (x >> wp.uint64(32))) * wp.uint64(0xD6E8FEB86659FD93)
    x = (x ^ (x >> wp.uint64(29))) * wp.uint64(0x94D049BB133111EB)
    return x ^ (x >> wp.uint64(32))


@wp.kernel
@no_type_check
def find_first_equal(
    a: wp.array(dtype=wp.int64),
    b: wp.array(dtype=wp.int64),
    spread: wp.uint64,
    table: wp.array(dtype=int),
    first: wp.array(dtype=int),
):
    """For every entry the first one with the same (a, b). One thread.

    The hash table keeps neighbors in ``a`` together (``spread`` slots for each), which is how meshes are mostly ordered. An
    entry that finds its neighborhood crowded goes anywhere, in steps of its own, so that fans and crowds stay linear.
    """
    mask = wp.uint64(table.shape[0] - 1)
    for k in range(a.shape[0]):
        mine_a = a[k]
        mine_b = b[k]
        mixed = _hash(mine_a, mine_b)
        far = int((mixed >> wp.uint64(8)) & mask)
        probe = int(0)
        step = int(1)
        slot = int((wp.uint64(mine_a) * spread + (mixed & wp.uint64(7))) & mask)
        if spread == wp.uint64(0):
            probe = LOCAL_PROBES
            step = int((mixed >> wp.uint64(36)) & mask) | 1
            slot = far
        found = int(-1)
        while found < 0:
            held = table[slot]
            if held < 0:
                table[slot] = k
                found = k
            elif a[held] == mine_a and b[held] == mine_b:
                found = held
            else:
                probe += 1
                slot = int((wp.uint64(slot) + wp.uint64(step)) & mask)
                if probe == LOCAL_PROBES:
                    step = int((mixed >> wp.uint64(36)) & mask) | 1
                    slot = far
        first[k] = found


@wp.func
@no_type_check
def _root(parent: wp.array(dtype=int), face: int) -> int:
    at = int(face)
    while parent[at] != at:
        parent[at] = parent[parent[at]]
        at = parent[at]
    return at


@wp.kernel
@no_type_check
def connect(first: wp.array(dtype=int), parent: wp.array(dtype=int), label: wp.array(dtype=int)):
    """Join faces whose half-edges (three per face) are equal, and number the islands by their first face. One thread."""
    for f in range(parent.shape[0]):
        parent[f] = f
    for h in range(first.shape[0]):
        if first[h] != h:
            p = _root(parent, h / 3)
            q = _root(parent, first[h] / 3)
            parent[wp.max(p, q)] = wp.min(p, q)
    islands = int(0)
    for f in range(parent.shape[0]):
        root = _root(parent, f)
        if root == f:
            label[f] = islands
            islands += 1
        else:
            label[f] = label[root]


@wp.kernel
@no_type_check
def project_boxes(
    vertices: wp.array(dtype=wp.vec3d),
    faces: wp.array2d(dtype=int),
    flat: wp.array2d(dtype=wp.vec2d),
    group: wp.array(dtype=int),
):
    """Project every face along the axis of its normal's largest component; ``group`` is 2 * axis + (1 if it points back)."""
    f = wp.tid()
    a = vertices[faces[f, 0]]
    normal = wp.cross(vertices[faces[f, 1]] - a, vertices[faces[f, 2]] - a)
    axis = int(0)
    if wp.abs(normal[1]) > wp.abs(normal[0]):
        axis = 1
    if wp.abs(normal[2]) > wp.max(wp.abs(normal[0]), wp.abs(normal[1])):
        axis = 2
    back = int(0)
    if normal[axis] < wp.float64(0.0):
        back = 1
    group[f] = 2 * axis + back
    for corner in range(3):
        p = vertices[faces[f, corner]]
        flat[f, corner] = wp.vec2d(p[(axis + 1) % 3], p[(axis + 2) % 3])


@wp.kernel
@no_type_check
def measure_islands(
    vertices: wp.array(dtype=wp.vec3d),
    faces: wp.array2d(dtype=int),
    flat: wp.array2d(dtype=wp.vec2d),
    label: wp.array(dtype=int),
    low: wp.array(dtype=wp.vec2d),
    high: wp.array(dtype=wp.vec2d),
    center: wp.array(dtype=wp.vec3d),
    corners: wp.array(dtype=wp.float64),
):
    """Extent of every island in its plane, and the sum and number of its corners in space. One thread."""
    for f in range(label.shape[0]):
        island = label[f]
        for corner in range(3):
            low[island] = wp.min(low[island], flat[f, corner])
            high[island] = wp.max(high[island], flat[f, corner])
            center[island] = center[island] + vertices[faces[f, corner]]
        corners[island] = corners[island] + wp.float64(3.0)


@wp.kernel
@no_type_check
def place_islands(
    flat: wp.array2d(dtype=wp.vec2d),
    label: wp.array(dtype=int),
    move: wp.array(dtype=wp.vec2d),
    side: wp.float64,
    coordinates: wp.array2d(dtype=wp.vec2),
):
    """Coordinates in [0, 1) of the chart after every island has been moved to its block."""
    f = wp.tid()
    for corner in range(3):
        p = (flat[f, corner] + move[label[f]]) / side
        u = wp.clamp(p[0], wp.float64(0.0), BELOW_ONE)
        v = wp.clamp(p[1], wp.float64(0.0), BELOW_ONE)
        coordinates[f, corner] = wp.vec2(float(u), float(v))


@wp.struct
@no_type_check
class Stretch:
    """A face's area on the surface, its signed area in the UV layout, and the metric that the surface has in it."""

    surface: wp.float64
    layout: wp.float64
    uu: wp.float64
    uv: wp.float64
    vv: wp.float64


@wp.func
@no_type_check
def _stretch(a: wp.vec3d, b: wp.vec3d, c: wp.vec3d, p: wp.vec2d, q: wp.vec2d, r: wp.vec2d) -> Stretch:
    face = Stretch()
    along_q = b - a
    along_r = c - a
    to_q = q - p
    to_r = r - p
    face.surface = wp.length(wp.cross(along_q, along_r)) * wp.float64(0.5)
    double = to_q[0] * to_r[1] - to_q[1] * to_r[0]
    face.layout = double * wp.float64(0.5)
    if double != wp.float64(0.0):
        per_u = (along_q * to_r[1] - along_r * to_q[1]) / double
        per_v = (along_r * to_q[0] - along_q * to_r[0]) / double
        face.uu = wp.dot(per_u, per_u)
        face.uv = wp.dot(per_u, per_v)
        face.vv = wp.dot(per_v, per_v)
    return face


@wp.kernel
@no_type_check
def measure_uv(
    vertices: wp.array(dtype=wp.vec3d),
    faces: wp.array2d(dtype=int),
    uv: wp.array2d(dtype=wp.vec2d),
    label: wp.array(dtype=int),
    areas: wp.array(dtype=wp.vec3d),
    metric: wp.array(dtype=wp.vec3d),
):
    """Per UV island: area on the surface, in the layout, signed in the layout; mean metric (uu, uv, vv). One thread.

    Every face's metric is divided by its trace, so that a few collapsed faces do not decide for all.
    """
    for f in range(label.shape[0]):
        face = _stretch(vertices[faces[f, 0]], vertices[faces[f, 1]], vertices[faces[f, 2]], uv[f, 0], uv[f, 1], uv[f, 2])
        island = label[f]
        areas[island] = areas[island] + wp.vec3d(face.surface, wp.abs(face.layout), face.layout)
        trace = face.uu + face.vv
        if trace > wp.float64(0.0):
            weight = face.surface / trace
            metric[island] = metric[island] + wp.vec3d(face.uu, face.uv, face.vv) * weight


@wp.kernel
@no_type_check
def straighten_uv(
    vertices: wp.array(dtype=wp.vec3d),
    faces: wp.array2d(dtype=int),
    uv: wp.array2d(dtype=wp.vec2d),
    label: wp.array(dtype=int),
    metres_from_uv: wp.array(dtype=wp.mat22d),
    most_area: wp.float64,
    most_stretch: wp.float64,
    flat: wp.array2d(dtype=wp.vec2d),
    stretch: wp.array(dtype=wp.float64),
):
    """Bring UV islands to metres, and integrate over their surface how much longer they are one way than the other. One thread.

    Faces that the layout makes ``most_area`` times larger or smaller count as stretched by ``most_stretch``, the most there is.
    """
    for f in range(label.shape[0]):
        island = label[f]
        p = metres_from_uv[island] * uv[f, 0]
        q = metres_from_uv[island] * uv[f, 1]
        r = metres_from_uv[island] * uv[f, 2]
        flat[f, 0] = p
        flat[f, 1] = q
        flat[f, 2] = r
        face = _stretch(vertices[faces[f, 0]], vertices[faces[f, 1]], vertices[faces[f, 2]], p, q, r)
        area = wp.abs(face.layout)
        ratio = most_stretch
        if area < most_area * face.surface and face.surface < most_area * area:
            middle = (face.uu + face.vv) * wp.float64(0.5)
            half = (face.uu - face.vv) * wp.float64(0.5)
            root = wp.sqrt(half * half + face.uv * face.uv)
            if middle + root < most_stretch * most_stretch * (middle - root):
                ratio = wp.sqrt((middle + root) / (middle - root))
        stretch[island] = stretch[island] + ratio * face.surface
