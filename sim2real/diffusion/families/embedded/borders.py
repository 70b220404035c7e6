"""Pixels where surfaces meet. Renders mix both sides there, labels name one: recolored as they are, they would fray."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float32

from ....conditions.coverage import NEIGHBORS

_CROSS = ((-1, 0), (1, 0), (0, -1), (0, 1))
_AROUND = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x)
_OWN = 0.5
"""Share of a pixel in its softened color; its four neighbors have the rest."""
_ROUNDS = 3
_LEAST = 0.25
"""Share of its own from which a pixel's color is told."""


class Borders:
    """The pixels of some frames that touch another instance.

    Args:
        ids: of instances (frames, height, width).
        wanted: where borders are looked for; those count that touch such a pixel.
    """

    def __init__(self, ids: np.ndarray, wanted: Bool[np.ndarray, "frames height width"]) -> None:
        meets = np.logical_or.reduce([_moved(ids, way) != ids for way in _CROSS])
        touched = np.logical_or.reduce([wanted, *(_moved(wanted, way) for way in _CROSS)])
        self._shape = ids.shape
        self._place = np.nonzero(meets & touched)
        self._inner = []
        for way in _AROUND:
            there = self._at(way)
            self._inner.append((there, (ids[there] == ids[self._place]) & ~meets[there]))
        self._count = np.sum([fits for _, fits in self._inner], axis=0)

    def unmixed(self, pictures: Sequence[Float32[np.ndarray, "frames height width c"]]) -> None:
        """Give every such pixel the mean of its neighbors inside its own instance, in place; without any it stays."""
        for picture in pictures:
            total = np.zeros((len(self._count), picture.shape[-1]), np.float32)
            for there, fits in self._inner:
                total += picture[there] * fits[:, None]
            mean = total / np.maximum(self._count, 1)[:, None]
            picture[self._place] = np.where(self._count[:, None] > 0, mean, picture[self._place])

    def softened(self, pictures: Sequence[Float32[np.ndarray, "frames height width c"]]) -> None:
        """Give every such pixel half of its own color and half of its four neighbors', in place."""
        for picture in pictures:
            around = sum(picture[self._at(way)] for way in _CROSS)
            picture[self._place] = _OWN * picture[self._place] + (1 - _OWN) / len(_CROSS) * around

    def _at(self, way: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Places of neighbors; beyond the picture's edge the pixel is its own neighbor."""
        frame, row, column = self._place
        return frame, np.clip(row + way[0], 0, self._shape[1] - 1), np.clip(column + way[1], 0, self._shape[2] - 1)


def _moved(picture: np.ndarray, way: tuple[int, int]) -> np.ndarray:
    """Every pixel's neighbor."""
    padded = np.pad(picture, ((0, 0), (1, 1), (1, 1)), mode="edge")
    (y, x), (_, height, width) = way, picture.shape
    return padded[:, 1 + y : 1 + y + height, 1 + x : 1 + x + width]


class Mixed:
    """Pixels of which a neighbor's surface covers a part (``sim2real.conditions.coverage``).

    Args:
        shares: of ``NEIGHBORS``.
    """

    def __init__(self, shares: Float32[np.ndarray, "frames 4 height width"]) -> None:
        total = shares.sum(axis=1)
        frame, row, column = self._place = np.nonzero(total)
        self._total = total[self._place][:, None]
        self._shares = np.moveaxis(shares, 1, 0)[(slice(None), *self._place)][..., None]
        last = (shares.shape[2] - 1, shares.shape[3] - 1)
        self._neighbors = [(frame, np.clip(row + i, 0, last[0]), np.clip(column + j, 0, last[1])) for i, j in NEIGHBORS]

    def undone(self, picture: Float32[np.ndarray, "frames height width c"]) -> Float32[np.ndarray, "frames height width c"]:
        """What each pixel's own surface must look like for this smooth picture (linear light) to come of mixing.

        Each such pixel is one equation, with its neighbors' in it; they are solved by a few rounds of Jacobi's method, and a
        pixel gets no color beyond those around it.
        """
        seen = picture[self._place]
        around = np.stack([picture[place] for place in self._neighbors])
        least, most = np.minimum(around.min(axis=0), seen), np.maximum(around.max(axis=0), seen)
        out = picture.copy()
        for _ in range(_ROUNDS):
            others = sum(share * out[place] for share, place in zip(self._shares, self._neighbors, strict=True))
            own = (seen - others) / np.maximum(1 - self._total, _LEAST)
            out[self._place] = np.clip(own, least, most)
        return out
