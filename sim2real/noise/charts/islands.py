"""Connected pieces of a mesh's surface that can share one chart grid."""

from __future__ import annotations

import numpy as np
import warp as wp
from jaxtyping import Float, Int

from ...devices import as_warp, launch, warp_ready
from .kernels import connect, find_first_equal


def first_equal(a: Int[np.ndarray, "n"], b: Int[np.ndarray, "n"], *, ordered: bool) -> Int[np.ndarray, "n"]:
    """For every entry, the index of the first entry with the same (a, b); expected time O(n).

    Args:
        a: first half of the key.
        b: second half.
        ordered: ``a`` are small integers whose neighbors come near each other (faster), rather than anything.
    """
    count = len(a)
    if count == 0:
        return np.zeros(0, np.int32)
    warp_ready()
    slots = 1 << (2 * count - 1).bit_length()
    spread = slots // (int(a.max()) + 1) if ordered else 0
    table, first = wp.full(slots, -1, dtype=int, device="cpu"), wp.empty(count, dtype=int, device="cpu")
    keys = [as_warp(np.asarray(half, np.int64), wp.int64) for half in (a, b)]
    launch(find_first_equal, 1, [*keys, np.uint64(spread), table, first], "cpu")
    return first.numpy()


def welded(points: Float[np.ndarray, "points 3"]) -> Int[np.ndarray, "points"]:
    """The same integer (the index of the first of them) for points that are equal as float32."""
    bits = _bits(points)
    return first_equal(bits[:, 0] << 32 | bits[:, 1], bits[:, 2], ordered=False)


def welded_corners(weld: Int[np.ndarray, "faces 3"], uv: Float[np.ndarray, "faces 3 2"]) -> Int[np.ndarray, "faces 3"]:
    """The same integer for face corners that are equal in place and in uv."""
    bits = _bits(uv.reshape(-1, 2))
    return first_equal(weld.ravel(), bits[:, 0] << 32 | bits[:, 1], ordered=True).reshape(-1, 3)


def coincident(weld: Int[np.ndarray, "faces 3"]) -> Int[np.ndarray, "faces"]:
    """The first face that has the same three corners, in whatever order."""
    low, high = weld.min(axis=1), weld.max(axis=1)
    return first_equal(low, (weld.sum(axis=1, dtype=np.int64) - low - high) << 32 | high, ordered=True)


def islands(corners: Int[np.ndarray, "faces 3"], groups: Int[np.ndarray, "faces"]) -> Int[np.ndarray, "faces"]:
    """Label faces that are connected through shared edges within one group.

    Args:
        corners: welded vertex of every face corner.
        groups: faces of different groups are never connected.

    Returns:
        Labels 0, 1, ... in order of each island's first face.
    """
    count = len(corners)
    if count == 0:
        return np.zeros(0, np.int64)
    following = corners[:, [1, 2, 0]]
    low, ends = np.minimum(corners, following).astype(np.int64).ravel(), np.maximum(corners, following).astype(np.int64)
    del following
    ends *= int(groups.max()) + 1
    ends += groups[:, None]
    first = first_equal(low, ends.ravel(), ordered=True)
    del low, ends
    half_edges = as_warp(first, wp.int32)
    parent, label = (wp.empty(count, dtype=int, device="cpu") for _ in range(2))
    launch(connect, 1, [half_edges, parent, label], "cpu")
    return label.numpy().astype(np.int64)


def first_seen(labels: Int[np.ndarray, "n"]) -> Int[np.ndarray, "n"]:
    """Renumber small labels by their first occurrence, so that they depend on nothing else."""
    if len(labels) == 0:
        return np.zeros(0, np.int64)
    first = np.full(int(labels.max()) + 1, len(labels), np.int64)
    np.minimum.at(first, labels, np.arange(len(labels)))
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[labels]


def _bits(points: Float[np.ndarray, "points d"]) -> Int[np.ndarray, "points d"]:
    """Equal integers for equal numbers; minus zero is zero."""
    return (np.ascontiguousarray(points, np.float32) + np.float32(0)).view(np.uint32).astype(np.int64)
