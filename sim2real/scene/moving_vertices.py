"""Vertices of a mesh that deforms, made frame by frame when they are asked for: long rollouts need no table of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from jaxtyping import Float, Float32

_KEPT = 4
"""Frames that are kept: cameras that see the same one, and threads that are a frame apart, share them."""


class MovingVertices:
    """In place of an array (frames, vertices, 3) of single precision; may be asked from several threads.

    ``[frame]``, a slice of frames, and ``[:, vertices]`` make no table; any other index, and numpy's functions, make it whole.
    """

    ndim = 3
    dtype = np.dtype(np.float32)

    def __init__(self, frames: int, vertices: int, at: Callable[[int], Float[np.ndarray, "vertices 3"]]) -> None:
        """Keep how vertices are made.

        Args:
            frames: how many.
            vertices: how many.
            at: the vertices of a frame; a pure function.
        """
        self.shape = (frames, vertices, 3)
        self._at, self._lock = at, threading.Lock()
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()

    def __len__(self) -> int:
        return self.shape[0]

    def frame(self, frame: int) -> Float32[np.ndarray, "vertices 3"]:
        """The vertices of a frame, which are not to be changed."""
        with self._lock:
            if frame in self._kept:
                self._kept.move_to_end(frame)
                return self._kept[frame]
        made = np.asarray(self._at(frame)).astype(np.float32, copy=False)
        with self._lock:
            self._kept[frame] = made
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return made

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, (int, np.integer)):
            return self.frame(range(len(self))[int(key)])
        if isinstance(key, slice):
            chosen = range(len(self))[key]
            return MovingVertices(len(chosen), self.shape[1], lambda frame: self.frame(chosen[frame]))
        if isinstance(key, tuple) and len(key) == 2 and isinstance(key[0], slice) and key[0] == slice(None):
            some = np.arange(self.shape[1])[key[1]]
            if some.ndim == 1:
                return MovingVertices(len(self), len(some), lambda frame: self.frame(frame)[some])
        return np.asarray(self)[key]

    def __iter__(self) -> Iterator[Float32[np.ndarray, "vertices 3"]]:
        return (self.frame(frame) for frame in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        table = np.stack(list(self)) if len(self) else np.zeros(self.shape, np.float32)
        return table if dtype is None else table.astype(dtype, copy=False)

    def mapped(self, linear: Float[np.ndarray, "3 3"], shift: Float[np.ndarray, "3"]) -> MovingVertices:
        """The same under an affine map."""
        return MovingVertices(len(self), self.shape[1], lambda frame: self.frame(frame) @ linear.T + shift)


Deformed = Float[np.ndarray, "frames vertices 3"] | MovingVertices
"""Vertices of every frame: a table, or what makes them."""


def extent_of(deformed: Deformed) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """Lowest and highest coordinates over all frames."""
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for vertices in deformed:
        low, high = np.minimum(low, vertices.min(axis=0)), np.maximum(high, vertices.max(axis=0))
    return low, high
