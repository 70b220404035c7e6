"""Trees of boxes that rays go through: one of all triangles that stand still, one of each part that moves, one of these bodies.

Nodes have eight children and leaves eight triangles, which are looked at together (Wald, Benthin and Boulos 2008, "Getting rid
of packets"). What moves without bending keeps its tree: rays are brought to where it was built. Nothing is built anew for a
frame but the tree of bodies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, Int32, UInt64

from ....devices import as_warp, launch
from . import kernels

_LANES = 8
_NODE, _PACK = 7 * _LANES, 10 * _LANES
_LEAVES_AT_ONCE = 50_000
_MARGIN = 1e-6
"""Of boxes of what is turned, as a share of their coordinates: for rounding."""


@dataclass(frozen=True, eq=False)
class Tree:
    """A tree of triangles: ``nodes`` and ``packs`` as in ``native``, and the box about them all."""

    nodes: Float32[np.ndarray, "nodes 56"]
    packs: Float32[np.ndarray, "leaves 80"]
    low: Float32[np.ndarray, "3"]
    high: Float32[np.ndarray, "3"]


@dataclass(frozen=True, eq=False)
class Body:
    """A tree and where it stands; ``None``: in world coordinates, and parts may be left out of it."""

    tree: Tree
    world_from_body: Float[np.ndarray, "4 4"] | None = None


@dataclass(frozen=True, eq=False)
class Bodies:
    """What rays can meet at an instant: kernels read the ``record``, addresses of the arrays (``native/bodies.inc``)."""

    bodies: tuple[Body, ...]
    arrays: tuple[np.ndarray, ...]
    record: UInt64[np.ndarray, "5"]

    @property
    def address(self) -> int:
        """Of the record: what kernels take. Valid as long as this object lives."""
        return self.record.ctypes.data


def tree_of(corners: Float32[np.ndarray, "faces 3 3"], numbers: Int[np.ndarray, " faces"]) -> Tree:
    """A tree of triangles.

    Args:
        corners: of each.
        numbers: what they are called when they are met.
    """
    nodes, leaves, order = _grown(corners.min(axis=1), corners.max(axis=1), _LANES)
    packs = np.empty((len(leaves), _PACK // _LANES, _LANES), np.float32)
    named = numbers.astype(np.int32)
    for start in range(0, len(leaves), _LEAVES_AT_ONCE):
        few = leaves[start : start + _LEAVES_AT_ONCE]
        lane = np.arange(_LANES)
        there = lane < few[:, 1:]
        which = order[few[:, :1] + np.where(there, lane, 0)]
        first, second, third = np.moveaxis(corners[which], 2, 0)
        rows = np.concatenate([first, second - first, third - first], axis=-1) * there[..., None]
        packs[start : start + len(few), :9] = np.moveaxis(rows, -1, 1)
        packs[start : start + len(few), 9] = named[which].view(np.float32)
    low, high = (corners.min(axis=(0, 1)), corners.max(axis=(0, 1))) if len(corners) else (np.zeros(3, np.float32),) * 2
    return Tree(nodes, packs.reshape(len(leaves), _PACK), low, high)


def bodies_of(bodies: Sequence[Body], gone: Bool[np.ndarray, " parts"], face_part: Int32[np.ndarray, " faces"]) -> Bodies:
    """What rays can meet of bodies.

    Args:
        bodies: the trees, and where they stand.
        gone: parts that are left out of bodies in world coordinates.
        face_part: of all faces.
    """
    boxes = np.array([_box_of(body) for body in bodies], np.float32).reshape(-1, 2, 3)
    tops, leaves, order = _grown(boxes[:, 0], boxes[:, 1], 1)
    ordered = [bodies[k] for k in order[leaves[:, 0]]]
    poses = np.zeros((max(len(ordered), 1), 3, 4), np.float32)
    placed = np.array([np.eye(4) if body.world_from_body is None else body.world_from_body for body in ordered]).reshape(
        -1, 4, 4
    )
    poses[: len(ordered)] = _inverse(placed)[:, :3]
    trees = np.zeros((len(poses), 3), np.uint64)
    for k, body in enumerate(ordered):
        trees[k] = body.tree.nodes.ctypes.data, body.tree.packs.ctypes.data, body.world_from_body is None
    arrays = tops, poses, trees, np.append(gone, False).astype(np.int32), np.ascontiguousarray(face_part)
    return Bodies(tuple(ordered), arrays, np.array([array.ctypes.data for array in arrays], np.uint64))


def _inverse(poses: Float[np.ndarray, "n 4 4"]) -> Float[np.ndarray, "n 4 4"]:
    """As far as there is one: what is flat can be met in its plane alone."""
    try:
        return np.linalg.inv(poses)
    except np.linalg.LinAlgError:
        return np.linalg.pinv(poses)


def _box_of(body: Body) -> tuple[np.ndarray, np.ndarray]:
    low, high, pose = body.tree.low.astype(np.float64), body.tree.high.astype(np.float64), body.world_from_body
    if pose is None:
        return low, high
    middle, half = pose[:3, :3] @ ((low + high) / 2) + pose[:3, 3], np.abs(pose[:3, :3]) @ ((high - low) / 2)
    half = half + _MARGIN * (np.abs(middle) + half)
    return middle - half, middle + half


def _grown(
    low: Float32[np.ndarray, "n 3"], high: Float32[np.ndarray, "n 3"], most: int
) -> tuple[Float32[np.ndarray, "nodes 56"], Int32[np.ndarray, "leaves 2"], Int32[np.ndarray, " n"]]:
    """Nodes, leaves (first and count in the order), and the order of boxes."""
    count = len(low)
    prims = np.zeros((max(count, 1), 8), np.float32)
    prims[:count, :3], prims[:count, 4:7] = low, high
    prims[:, 3] = np.arange(len(prims), dtype=np.int32).view(np.float32)
    nodes, leaves = np.empty((2 + count, _NODE), np.float32), np.empty((1 + count, 2), np.int32)
    counts = np.zeros(2, np.int32)
    arrays = [as_warp(prims), count, most, as_warp(nodes), as_warp(leaves), as_warp(counts)]
    launch(kernels.tree_kernel, 1, arrays, "cpu")
    made, ends = counts
    return nodes[:made].copy(), leaves[:ends].copy(), prims[:count, 3].copy().view(np.int32)
