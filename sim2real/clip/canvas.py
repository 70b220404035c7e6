"""Several cameras of a clip as one picture, tile beside tile: for models that are to give all of them one look."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from .folder import Clip

CANVAS = "canvas"
"""The name of its only camera."""


@dataclass(frozen=True)
class ClipCanvas(Clip):
    """A clip with one camera, whose pictures and noise are those of all cameras; row after row, in the order of the cameras.

    Tiles without a camera are black, and have independent noise.

    - ``whole``: the clip.
    - ``rows``, ``columns``: of tiles.
    """

    whole: Clip = field(kw_only=True)
    rows: int = field(kw_only=True)
    columns: int = field(kw_only=True)

    def has(self, camera: str, kind: str) -> bool:
        """Whether all cameras have it."""
        return all(self.whole.has(name, kind) for name in self.whole.cameras)

    def picture(self, camera: str, kind: str, frame: int) -> Any:
        """One frame of all cameras."""
        return self._tiled([self.whole.picture(name, kind, frame) for name in self.whole.cameras], axis=0)

    def latents(self, camera: str, which: slice | Sequence[int]) -> Float[np.ndarray, "latents channels height width"]:
        """Some latents of the noise of all cameras, as float32."""
        tiles = [self.whole.latents(name, which) for name in self.whole.cameras]
        numbers = range(len(self.whole.noise(self.whole.cameras[0])))[which] if isinstance(which, slice) else which
        for place in range(len(tiles), self.rows * self.columns):
            tiles.append(np.stack([self._fresh(place, latent, tiles[0].shape[1:]) for latent in numbers]))
        return self._tiled(tiles, axis=2)

    def _fresh(self, place: int, latent: int, shape: tuple[int, ...]) -> np.ndarray:
        """The noise of a tile that shows nothing; the same however it is asked for."""
        key = f"canvas/{self.record.seed}/{place}/{latent}".encode()
        draw = np.random.Philox(key=int.from_bytes(hashlib.blake2b(key, digest_size=16).digest(), "little"))
        return np.random.Generator(draw).standard_normal(shape, np.float32)

    def _tiled(self, tiles: list[np.ndarray], axis: int) -> np.ndarray:
        """Tiles put together; ``axis`` is that of their height."""
        blank = np.zeros_like(tiles[0])
        tiles = [*tiles, *[blank] * (self.rows * self.columns - len(tiles))]
        rows = [np.concatenate(tiles[k * self.columns : (k + 1) * self.columns], axis + 1) for k in range(self.rows)]
        return np.ascontiguousarray(np.concatenate(rows, axis))

    def tile(self, camera: str) -> tuple[slice, slice]:
        """Where a camera is in the canvas: rows and columns of pixels."""
        height, width = self.whole.record.size
        row, column = divmod(self.whole.cameras.index(camera), self.columns)
        return slice(row * height, (row + 1) * height), slice(column * width, (column + 1) * width)


def canvas_of(clip: Clip, rows: int, columns: int) -> ClipCanvas:
    """All cameras of a clip as one; there have to be enough tiles. What the record says of its camera is the first one's."""
    assert rows * columns >= len(clip.cameras)
    record, (height, width) = clip.record, canvas_size(clip.record.size, rows, columns)
    changed = {"size": (height, width), "cameras": {CANVAS: record.cameras[clip.cameras[0]]}}
    return ClipCanvas(clip.path, record.model_copy(update=changed), whole=clip, rows=rows, columns=columns)


def canvas_size(size: tuple[int, int], rows: int, columns: int) -> tuple[int, int]:
    """(height, width) of a canvas of tiles of a size."""
    return rows * size[0], columns * size[1]
