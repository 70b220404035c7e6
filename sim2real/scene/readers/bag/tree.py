"""Coordinate frames that hang on each other, at the times of all frames of a clip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from ....transforms import inverse_rigid
from .keys import Poses
from .recording import broken


@dataclass(eq=False)
class Tree:
    """Frames over the frames of a clip.

    - ``names``: of all; ``parent``: number of the one that each hangs on, -1: none; ``local``: ``parent_from_frame``.
    - ``known``: whether it is known by then where it is in its parent.
    """

    names: list[str]
    parent: Int[np.ndarray, "clip frames"]
    local: Float[np.ndarray, "clip frames 4 4"]
    known: Bool[np.ndarray, "clip frames"]

    def hang(self, name: str, on: str, way: Float[np.ndarray, "clip 4 4"]) -> None:
        """Put a frame on another one, wherever it was before."""
        k = self.number(name)
        self.parent[:, k], self.local[:, k], self.known[:, k] = self.number(on), way, True

    def number(self, name: str) -> int:
        """A frame's number; one that was not there hangs on nothing."""
        if name not in self.names:
            self.names.append(name)
            clip = len(self.parent)
            self.parent = np.concatenate([self.parent, np.full((clip, 1), -1)], axis=1)
            self.local = np.concatenate([self.local, np.tile(np.eye(4), (clip, 1, 1, 1))], axis=1)
            self.known = np.concatenate([self.known, np.ones((clip, 1), bool)], axis=1)
        return self.names.index(name)

    def placed(self, where: Path) -> Placed:
        """Where all frames are in those that they hang on in the end.

        Raises:
            UnreadableFileError: they hang on each other in a circle.
        """
        clip = np.arange(len(self.parent))[:, None]
        world, known, root, up = (
            self.local.copy(),
            self.known.copy(),
            np.tile(np.arange(len(self.names)), (len(clip), 1)),
            self.parent,
        )
        for _ in range(len(self.names) + 1):
            hangs = up >= 0
            if not hangs.any():
                return Placed(self.names, world, root, known)
            at, which = np.nonzero(hangs)
            above = up[at, which]
            world[at, which] = self.local[at, above] @ world[at, which]
            known[at, which] &= self.known[at, above]
            root[at, which] = above
            up = np.where(hangs, self.parent[clip, np.maximum(up, 0)], -1)
        raise broken(where, f"its transforms go in a circle: {self._circle(up)}", "fix what publishes them, or leave it out")

    def _circle(self, up: Int[np.ndarray, "clip frames"]) -> str:
        frame, k = (int(v[0]) for v in np.nonzero(up >= 0))
        way = [int(up[frame, k])]
        while len(way) < 2 or way[-1] != way[0]:
            way.append(int(self.parent[frame, way[-1]]))
        return " on ".join(self.names[k] for k in way[:9])


@dataclass(frozen=True, eq=False)
class Placed:
    """``world``: where frames are in their roots, whose numbers ``root`` holds; ``known``: whether all of the way was known."""

    names: list[str]
    world: Float[np.ndarray, "clip frames 4 4"]
    root: Int[np.ndarray, "clip frames"]
    known: Bool[np.ndarray, "clip frames"]

    def between(self, a: str, b: str) -> tuple[Float[np.ndarray, "clip 4 4"], Bool[np.ndarray, "clip"]]:
        """``a_from_b``, and where the two are connected and known; nonsense elsewhere."""
        if a not in self.names or b not in self.names:
            return np.tile(np.eye(4), (len(self.root), 1, 1)), np.zeros(len(self.root), bool)
        i, k = self.names.index(a), self.names.index(b)
        good = (self.root[:, i] == self.root[:, k]) & self.known[:, i] & self.known[:, k]
        return inverse_rigid(self.world[:, i]) @ self.world[:, k], good

    def root_of(self, name: str) -> str:
        """What a frame hangs on in the end, at first."""
        return self.names[int(self.root[0, self.names.index(name)])] if name in self.names else name


def closure(frames: Mapping[str, Poses], needed: Iterable[str]) -> list[str]:
    """Some frames and all that they ever hang on."""
    found, left = dict[str, None](), list(needed)
    while left:
        name = left.pop()
        if name not in found:
            found[name] = None
            left += [] if name not in frames else sorted(set(frames[name].parents))
    return list(found)


def sampled(frames: Mapping[str, Poses], names: list[str], times_ns: Int[np.ndarray, "clip"]) -> Tree:
    """Some frames, with all that they hang on, at some times."""
    clip, index = len(times_ns), {name: k for k, name in enumerate(names)}
    parent, local = np.full((clip, len(names)), -1), np.tile(np.eye(4), (clip, len(names), 1, 1))
    known = np.ones((clip, len(names)), bool)
    for name, k in index.items():
        if name in frames:
            parents, which, way, since = frames[name].at(times_ns)
            parent[:, k] = np.array([index[p] for p in parents])[which]
            local[:, k], known[:, k] = way, since
    return Tree(list(names), parent, local, known)
