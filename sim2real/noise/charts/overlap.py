"""Which islands of a chart cover some place twice: folded, mirrored onto themselves, or wound like a spiral stair."""

# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false
from typing import no_type_check

import numpy as np
import warp as wp
from jaxtyping import Bool, Float, Float64, Int

from ...devices import as_warp, launch, warp_ready

wp.set_module_options({"enable_backward": False, "fast_math": False})

GRID = 2048
FEW_FACES = 48
"""Up to as many, the faces of an island are compared pair by pair, which needs no grid."""
_TOUCHING = 1e-7
"""Of the chart's side that neighbors may overlap by rounding."""
_PAIRS_AT_ONCE = 1 << 18
_FACES_AT_ONCE = 1 << 20


@wp.kernel
@no_type_check
def _cover(
    corners: wp.array2d(dtype=wp.vec2),
    label: wp.array(dtype=int),
    counting: int,
    layers: wp.array2d(dtype=int),
    covered: wp.array(dtype=int),
    doubled: wp.array(dtype=int),
):
    """First pass (counting = 1): layers per texel center. Second pass: texels and doubled texels per island."""
    f = wp.tid()
    a = corners[f, 0]
    b = corners[f, 1]
    c = corners[f, 2]
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if area == 0.0:
        return
    sign = wp.sign(area)
    n = layers.shape[0]
    low = wp.min(a, wp.min(b, c))
    high = wp.max(a, wp.max(b, c))
    x0 = wp.max(0, int(wp.ceil(low[0] - 0.5)))
    x1 = wp.min(n - 1, int(wp.floor(high[0] - 0.5)))
    y0 = wp.max(0, int(wp.ceil(low[1] - 0.5)))
    y1 = wp.min(n - 1, int(wp.floor(high[1] - 0.5)))
    inside = 1.0e-3 * wp.abs(area)  # shared edges belong to neither side
    for y in range(y0, y1 + 1):
        for x in range(x0, x1 + 1):
            p = wp.vec2(float(x) + 0.5, float(y) + 0.5)
            u = sign * ((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]))
            v = sign * ((c[0] - b[0]) * (p[1] - b[1]) - (c[1] - b[1]) * (p[0] - b[0]))
            w = sign * ((a[0] - c[0]) * (p[1] - c[1]) - (a[1] - c[1]) * (p[0] - c[0]))
            if u > inside and v > inside and w > inside:
                if counting == 1:
                    wp.atomic_add(layers, y, x, 1)
                else:
                    wp.atomic_add(covered, label[f], 1)
                    if layers[y, x] > 1:
                        wp.atomic_add(doubled, label[f], 1)


def overlapping(coordinates: np.ndarray, label: np.ndarray, islands: int) -> np.ndarray:
    """Find islands that cover part of their chart more than once.

    Args:
        coordinates: (faces, 3, 2) chart coordinates in [0, 1), islands in disjoint places.
        label: (faces,) island of every face.
        islands: number of islands.

    Returns:
        (islands,) bool: more than one percent of the island's texels, and at least three of them, lie in two of its faces.
    """
    if not len(coordinates):
        return np.zeros(islands, bool)
    if np.bincount(label).max() <= FEW_FACES:  # otherwise the grid is needed anyway
        open_ = ~_apart(coordinates, label, islands)[label]
        coordinates, label = coordinates[open_], label[open_]  # islands lie in disjoint places: none is missed by another
    if not len(coordinates):
        return np.zeros(islands, bool)
    warp_ready()
    labels = label.astype(np.int32)
    layers = wp.zeros((GRID, GRID), dtype=int, device="cpu")
    covered = wp.zeros(islands, dtype=int, device="cpu")
    doubled = wp.zeros(islands, dtype=int, device="cpu")
    for counting in (1, 0):
        for start in range(0, len(coordinates), _FACES_AT_ONCE):
            here = slice(start, start + _FACES_AT_ONCE)
            corners = as_warp(np.asarray(coordinates[here] * GRID, np.float32), wp.vec2)
            inputs = [corners, as_warp(labels[here], wp.int32), counting, layers, covered, doubled]
            launch(_cover, len(corners), inputs, "cpu")
    twice = doubled.numpy()
    return (twice > 0.01 * covered.numpy()) & (twice >= 3)


def _apart(
    coordinates: Float[np.ndarray, "faces 3 2"], label: Int[np.ndarray, "faces"], islands: int
) -> Bool[np.ndarray, "islands"]:
    """Islands of few faces of which no two overlap."""
    faces = np.bincount(label, minlength=islands)
    few = faces <= FEW_FACES
    rows = np.flatnonzero(few[label])
    rows = rows[np.argsort(label[rows], kind="stable")]
    end = np.searchsorted(label[rows], label[rows], side="right")
    later = end - np.arange(len(rows)) - 1  # partners of each face: those after it in its island
    apart = few.copy()
    first = 0
    while first < len(rows):
        last = first + max(1, int(np.searchsorted(np.cumsum(later[first:]), _PAIRS_AT_ONCE)))
        count = later[first:last]
        one = np.repeat(np.arange(first, first + len(count)), count)
        other = one + 1 + np.arange(len(one)) - np.repeat(np.cumsum(count) - count, count)
        both = _overlap(coordinates[rows[one]].astype(np.float64), coordinates[rows[other]].astype(np.float64))
        apart[label[rows[one[both]]]] = False
        first = last
    return apart


def _overlap(one: Float64[np.ndarray, "pairs 3 2"], other: Float64[np.ndarray, "pairs 3 2"]) -> Bool[np.ndarray, "pairs"]:
    """Whether triangles have more than a border in common: no side of either separates them."""
    separated = np.zeros(len(one), bool)
    for mine, theirs in ((one, other), (other, one)):
        side = np.roll(mine, -1, axis=1) - mine
        across = np.stack([-side[..., 1], side[..., 0]], axis=-1)
        length = np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-30)
        ours = np.einsum("nsk,nck->nsc", across / length, mine)
        others = np.einsum("nsk,nck->nsc", across / length, theirs)
        gap = np.maximum(others.min(2) - ours.max(2), ours.min(2) - others.max(2))
        separated |= (gap >= -_TOUCHING).any(axis=1)
    return ~separated
