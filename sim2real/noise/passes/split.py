"""The cells of a frame's hierarchy that are split, and the leaves that are left.

Every pixel of the face image is one sample. A cell is split if any sample inside it wants a finer one; only split cells
are stored. A leaf is an unsplit child of a split cell, named ``4 * node + quadrant``; what it is made of is found from the
samples in it (``cut``).
"""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false, reportOperatorIssue=false, reportReturnType=false, reportAttributeAccessIssue=false
from typing import no_type_check

import warp as wp

from .cells import FINEST, NOBODY, cell_key, insert, key_level, lookup

wp.set_module_options({"enable_backward": False, "fast_math": False, "fuse_fp": False})


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
