"""The nodes of a glTF file: how they hang on each other, what they are called, and where they are at any time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from ....arrays import lengths_of
from ....transforms import quaternion_from_rotation, rigid, rotation_from_quaternion
from .document import MOST, Document
from .instances import is_many
from .tracks import Animation, Track

_AT_REST: dict[str, list[float]] = {"translation": [0.0, 0, 0], "rotation": [0.0, 0, 0, 1], "scale": [1.0, 1, 1]}


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """The nodes of the shown scene.

    - ``order``: their numbers, parents before children; ``parents``: of each of them, None for those at the top.
    """

    document: Document
    order: tuple[int, ...]
    parents: dict[int, int | None]

    def node(self, index: int) -> dict[str, Any]:
        """A node's entry."""
        return self.document.entry("nodes", index)

    def having(self, key: str) -> list[int]:
        """The nodes with a ``mesh``, a ``camera``, ...; in their order in the file."""
        return sorted(index for index in self.order if key in self.node(index))

    def name(self, index: int) -> str:
        """What a node is called; empty if it is not."""
        return str(self.node(index).get("name") or "")

    @cached_property
    def only_groups(self) -> bool:
        """Whether there is a single node at the top, which has nothing of its own and holds several things."""
        tops = [index for index, parent in self.parents.items() if parent is None]
        if len(tops) != 1 or "mesh" in self.node(tops[0]) or is_many(self.node(tops[0])):
            return False
        return len({self.chain(index)[1] for index in self.having("mesh")}) > 1

    def chain(self, index: int) -> list[int]:
        """A node and what it hangs on, the topmost first."""
        found: list[int] = []
        at: int | None = index
        while at is not None:
            found.append(at)
            at = self.parents[at]
        return found[::-1]


def hierarchy_of(document: Document) -> Hierarchy:
    """The nodes of a file's default scene, else of its first; of a file without scenes, all nodes.

    Raises:
        UnreadableFileError: a node is not there, or hangs on several others or on itself.
    """
    if document.count("scenes"):
        tops = document.entry("scenes", document.tree.get("scene", 0)).get("nodes", [])
    else:
        nodes = [document.entry("nodes", k) for k in range(document.count("nodes"))]
        below = {child for node in nodes for child in node.get("children", [])}
        tops = [k for k in range(len(nodes)) if k not in below]
    order: list[int] = []
    parents: dict[int, int | None] = {}
    waiting: list[tuple[int, int | None]] = [(top, None) for top in reversed(tops)]
    while waiting:
        index, parent = waiting.pop()
        children = document.entry("nodes", index).get("children", [])
        if index in parents:
            raise document.broken(f"node {index} hangs on several others, or on itself")
        order.append(index)
        parents[index] = parent
        waiting += [(child, index) for child in reversed(children)]
    return Hierarchy(document, tuple(order), parents)


@dataclass(frozen=True, eq=False)
class Poses:
    """Where nodes are: ``world[node]`` has one matrix per frame, or a single one where the node never moves.

    ``rest`` is the pose without an animation, but for what it holds still: it does not depend on the frames that are asked for.
    The world here is the file's, y up.
    """

    world: dict[int, Float[np.ndarray, "frames_or_1 4 4"]]
    rest: dict[int, Float[np.ndarray, "4 4"]]
    frames: int

    def of(self, node: int) -> Float[np.ndarray, "frames 4 4"]:
        """One matrix per frame."""
        return np.broadcast_to(self.world[node], (self.frames, 4, 4))


def poses_of(hierarchy: Hierarchy, animation: Animation | None, times: Float[np.ndarray, "frames"]) -> Poses:
    """The matrices of all nodes.

    Args:
        hierarchy: the nodes.
        animation: what moves them.
        times: seconds.

    Raises:
        UnreadableFileError: a transform is not finite, or of a million kilometres.
    """
    document, tracks = hierarchy.document, {} if animation is None else animation.tracks
    world: dict[int, np.ndarray] = {}
    rest: dict[int, np.ndarray] = {}
    for index in hierarchy.order:
        own = {path: tracks[index, path] for path in _AT_REST if (index, path) in tracks}
        local = _local(document, index, {path: track for path, track in own.items() if track.rests}, np.zeros(1))
        parent = hierarchy.parents[index]
        rest[index] = local[0] if parent is None else rest[parent] @ local[0]
        if any(not track.rests for track in own.values()):
            local = _local(document, index, own, times)
        world[index] = local if parent is None else world[parent] @ local
        if not (np.abs(world[index]) <= MOST).all() or not (np.abs(rest[index]) <= MOST).all():
            raise document.broken(f"node {index} is endless, or infinitely far away")
    return Poses(world, rest, len(times))


def _local(document: Document, index: int, tracks: dict[str, Track], times: np.ndarray) -> Float[np.ndarray, "frames_or_1 4 4"]:
    """``parent_from_node`` at some times; a single matrix where nothing moves it."""
    node = document.entry("nodes", index)
    if "matrix" in node and not tracks:
        matrix = np.array(document.numbers(node["matrix"], 16, f"the matrix of node {index}")).reshape(4, 4).T
        if np.abs(matrix[3] - [0, 0, 0, 1]).max() > 1e-6:
            raise document.broken(f"the matrix of node {index} is not affine")
        return matrix[None]
    held = _parts(document, index, node)
    t, r, s = (tracks[path].at(times) if path in tracks else np.array([held[path]]) for path in _AT_REST)
    return rigid(rotation_from_quaternion(np.roll(r, 1, axis=-1)) * s[:, None, :], t)


def _parts(document: Document, index: int, node: dict[str, Any]) -> dict[str, list[float]]:
    """Translation, rotation (x, y, z, w) and scale of a node; those that its matrix is made of, if it has one."""
    if "matrix" not in node:
        held = {
            path: document.numbers(node.get(path, usual), len(usual), f"the {path} of node {index}")
            for path, usual in _AT_REST.items()
        }
        if not lengths_of(np.asarray(held["rotation"], np.float64)) > 1e-6:
            raise document.broken(f"the rotation of node {index} is no quaternion: all of it is 0")
        return held
    matrix = np.array(document.numbers(node["matrix"], 16, f"the matrix of node {index}")).reshape(4, 4).T
    place, stretch = rigid_and_stretch(matrix[None])
    turn = np.roll(quaternion_from_rotation(place[0, :3, :3]), -1)
    return {"translation": matrix[:3, 3].tolist(), "rotation": turn.tolist(), "scale": np.diag(stretch[0]).tolist()}


def rigid_and_stretch(
    matrices: Float[np.ndarray, "frames 4 4"],
) -> tuple[Float[np.ndarray, "frames 4 4"], Float[np.ndarray, "frames 3 3"]]:
    """Affine maps as a symmetric 3x3 that is applied first, and a rigid 4x4 (polar decomposition).

    A mirror image has a negative stretch; what is rigid up to rounding has the identity.
    """
    u, size, v = np.linalg.svd(matrices[:, :3, :3])
    turn = u @ v
    sign = np.where(np.linalg.det(turn) < 0, -1.0, 1.0)[:, None, None]
    stretch = sign * np.swapaxes(v, 1, 2) @ (size[:, :, None] * v)
    plain = np.abs(stretch - np.eye(3)).max(axis=(1, 2)) < 1e-6
    stretch[plain] = np.eye(3)
    return rigid(sign * turn, matrices[:, :3, 3]), stretch


def class_name(hierarchy: Hierarchy, index: int, mesh_name: str) -> str:
    """What kind of thing a node is: the topmost of the named nodes that it hangs on, else the name of its mesh.

    A single node at the top that has nothing of its own and holds several things is looked through, once.
    """
    chain = hierarchy.chain(index)
    if len(chain) > 1 and hierarchy.only_groups:
        chain = chain[1:]
    return next((name for name in map(hierarchy.name, chain) if name), mesh_name)


def distinct(names: Iterable[str]) -> list[str]:
    """The names, with numbers behind those that are taken."""
    found: list[str] = []
    taken: set[str] = set()
    latest: dict[str, int] = {}
    for name in names:
        number, other = latest.get(name, 1), name
        while other in taken:
            number += 1
            other = f"{name}_{number}"
        latest[name] = number
        taken.add(other)
        found.append(other)
    return found
