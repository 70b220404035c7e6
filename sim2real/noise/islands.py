"""Connected pieces of a mesh's surface that can share one chart grid."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


def welded(points: Float[np.ndarray, "points d"]) -> Int[np.ndarray, "points"]:
    """The same small integer for bit-equal points, O(n log n)."""
    bits = np.ascontiguousarray(points.astype(np.float32) + np.float32(0)).view(np.uint32).astype(np.uint64)
    key = np.zeros(len(points), np.uint64)
    with np.errstate(over="ignore"):
        for column in bits.T:
            key = (key ^ column) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(29)
    return np.unique(key, return_inverse=True)[1]


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
    a = corners.astype(np.int64)
    b = np.roll(a, -1, axis=1)
    size = int(a.max()) + 1
    group = groups.astype(np.int64)
    key = ((np.minimum(a, b) * size + np.maximum(a, b)) * (int(group.max()) + 1) + group[:, None]).ravel()
    order = np.argsort(key, kind="stable")
    same = np.flatnonzero(key[order][1:] == key[order][:-1])
    rows, columns = order[same] // 3, order[same + 1] // 3
    graph = coo_matrix((np.ones(len(rows), np.int8), (rows, columns)), shape=(count, count))
    return first_seen(connected_components(graph, directed=False)[1])


def first_seen(labels: Int[np.ndarray, "n"]) -> Int[np.ndarray, "n"]:
    """Renumber labels by their first occurrence, so that they depend on nothing else."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


class Grouped:
    """Reductions of per-face values over labels 0, 1, ..., by one sort."""

    def __init__(self, labels: Int[np.ndarray, "faces"]) -> None:
        self.order = np.argsort(labels, kind="stable")
        self.starts = np.flatnonzero(np.diff(labels[self.order], prepend=-1))

    def reduce(self, ufunc: np.ufunc, values: np.ndarray) -> np.ndarray:
        """``ufunc`` (np.add, np.minimum, np.maximum) over each label's values, along the first axis."""
        return ufunc.reduceat(values[self.order], self.starts, axis=0)
