"""From light on a few cells, with noise, to light on all pixels: along surfaces, and with what is too fine for cells."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import warp as wp
from jaxtyping import Bool, Float, Float32, Int32

from ...devices import as_warp, launch
from ...native_code import LANES
from ..openness import hidden, offsets_around
from . import filter_kernels

BENT = 0.7
"""Cosine between normals at an edge."""
_TURNED, _FEW, _AROUND_EDGES = 0.95, 5, 2
"""Cosine between normals at a rounded edge; most alike neighbors of eight there; pixels that are looked at on every side."""
_LINE, _STEP = 2, 4
"""Pixels around one of a line that are alike, at most; of a groove or bevel in one part, which may slant in steps."""
AROUND = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j)
BESIDE = ((-1, 0), (1, 0), (0, -1), (0, 1))
"""Rows and columns to all eight neighbors, and to those above, below, left and right."""
_DIRECTIONS, _STEPS, _FARTHEST_PX = 8, 6, 40.0
"""In which openness is looked for."""
_MARGIN = 8
"""Columns that the widest step leads aside."""


class Grid:
    """Places on surfaces, side by side as a camera sees them.

    Args:
        points: world.
        normals: world, 0 without a surface.
        sizes: metres between neighbors; ``None`` where nothing is asked that needs them.
        bends: how little places that are turned to each other share of their light, 0 for light that falls on them.
    """

    def __init__(
        self,
        points: Float[np.ndarray, "height width 3"],
        normals: Float32[np.ndarray, "height width 3"],
        sizes: Float32[np.ndarray, "height width"] | None = None,
        bends: Float32[np.ndarray, "height width"] | None = None,
    ) -> None:
        self.shape = points.shape[:2]
        self._points, self._normals = vectors(points), vectors(normals)
        self._sizes = None if sizes is None else as_warp(sizes, wp.float32)
        self._bends, self._planes = bends, None

    def smoothed(
        self, light: Float32[np.ndarray, "height width 3"], steps: tuple[int, ...], contrast: float = 1e6
    ) -> Float32[np.ndarray, "height width 3"]:
        """Light after rounds of ``smooth_kernel``; what is negative is not known, and is filled from around."""
        if self._planes is None:
            if self._sizes is None:
                raise ValueError("a grid without sizes cannot be smoothed")
            bends = np.zeros(self.shape, np.float32) if self._bends is None else self._bends
            sizes = np.stack([self._sizes.numpy(), bends], axis=-1)
            self._planes = _planes(np.concatenate([self._points.numpy(), self._normals.numpy(), sizes], axis=-1))
        for step in steps:
            out = np.zeros_like(light)
            inputs = [self._planes, _planes(light), _MARGIN, step, contrast, vectors(out)]
            launch(filter_kernels.smooth_kernel, self.shape[0], inputs, "cpu")
            light = out
        return light

    def spread(
        self, pictures: tuple[Float32[np.ndarray, "height width 3"], ...], finer: Grid, by: float | int
    ) -> tuple[Float32[np.ndarray, "rows columns 3"], ...]:
        """One or two pictures on a finer grid over the same view, along surfaces.

        Args:
            pictures: on this grid.
            finer: ``by`` times as many places along each axis.
            by: how many.
        """
        out = [np.zeros((*finer.shape, 3), np.float32) for _ in range(2)]
        first = vectors(pictures[0])
        given = [first, first if len(pictures) == 1 else vectors(pictures[1]), float(by), finer._points, finer._normals]
        inputs = [self._points, self._normals, self._sizes, *given, *map(vectors, out)]
        launch(filter_kernels.spread_kernel, finer.shape[0], inputs, "cpu")
        return tuple(out[: len(pictures)])

    def openness(self, reach: float) -> Float32[np.ndarray, "height width"]:
        """The share of the hemisphere over each place that nothing in view hides within ``reach`` metres.

        A single place deep between its neighbors, seen by one center alone, is as open as the least open of them.
        """
        offsets = offsets_around(_DIRECTIONS, _STEPS, _FARTHEST_PX)
        out = 1 - hidden(self._points.numpy(), self._normals.numpy(), offsets, (reach, reach))[..., 0]
        padded = np.pad(out, 1, constant_values=1)
        return np.maximum(out, functools.reduce(np.minimum, [beside(padded, way) for way in AROUND]))


def _planes(picture: Float32[np.ndarray, "height width channels"]) -> Any:
    """Channels one after the other, as ``smooth_kernel`` takes them."""
    return as_warp(np.pad(np.moveaxis(picture, -1, 0), ((0, 0), (0, 0), (_MARGIN, _MARGIN + LANES - 1)), mode="edge"))


def beside(padded: np.ndarray, way: tuple[int, int]) -> np.ndarray:
    """What an array that is padded by one row and column on every side holds so many rows and columns from each place."""
    (i, j), (height, width) = way, padded.shape[:2]
    return padded[1 + i : height - 1 + i, 1 + j : width - 1 + j]


def vectors(array: np.ndarray) -> Any:
    """A Warp array of vec3 over an array (..., 3)."""
    return as_warp(np.ascontiguousarray(array, np.float32), wp.vec3)


def alike_around(
    normals: Float32[np.ndarray, "height width 3"],
    picture: np.ndarray,
    same: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> Int32[np.ndarray, "height width"]:
    """How many of each pixel's eight neighbors are hardly turned from it, and of the ``same`` value in a picture."""
    padded, planes = np.pad(picture, 1, mode="edge"), np.ascontiguousarray(np.moveaxis(normals, -1, 0))
    around = np.pad(planes, ((0, 0), (1, 1), (1, 1)), mode="edge")
    count = np.zeros(picture.shape, np.int32)
    for way in AROUND[4:]:  # the other four are these, seen from there
        straightness = sum(beside(there, way) * here for there, here in zip(around, planes, strict=True))
        alike = same(beside(padded, way), picture) & (straightness > _TURNED)
        count += alike
        count += beside(np.pad(alike, 1, mode="edge"), (-way[0], -way[1]))
    return count


def even_edges(
    mirrored: Float32[np.ndarray, "height width 3"],
    parts: Int32[np.ndarray, "height width"],
    normals: Float32[np.ndarray, "height width 3"],
    chosen: Bool[np.ndarray, "height width"],
) -> None:
    """Give what is a few pixels wide and turned from all around, in place, the mean of what its part mirrors there.

    Rounded edges mirror everything at once, and centers of pixels meet them now and then: they would be rows of sparks.
    """
    height, width = parts.shape
    y, x = np.nonzero(chosen & (alike_around(normals, parts, np.equal) <= _FEW))
    total, count = np.zeros((len(y), 3), np.float32), np.zeros((len(y), 1), np.float32)
    for i, j in np.ndindex(2 * _AROUND_EDGES + 1, 2 * _AROUND_EDGES + 1):
        there = np.clip(y + i - _AROUND_EDGES, 0, height - 1), np.clip(x + j - _AROUND_EDGES, 0, width - 1)
        same = (parts[there] == parts[y, x])[:, None]
        total += same * mirrored[there]
        count += same
    mirrored[y, x] = total / count


def fill_lines(
    pictures: tuple[Float32[np.ndarray, "height width 3"], ...],
    parts: Int32[np.ndarray, "height width"],
    all_normals: Float32[np.ndarray, "height width 3"],
) -> None:
    """Give what is one pixel wide the light of what is beside it, in place: seen by some centers only, it would be dashes.

    Args:
        pictures: of light.
        parts: that pixels show; -1 is none.
        all_normals: of surfaces.
    """
    height, width = parts.shape
    part, normals = np.pad(parts, 1, mode="edge"), np.pad(all_normals, ((1, 1), (1, 1), (0, 0)), mode="edge")
    meets: Bool[np.ndarray, "height width"] = np.zeros(parts.shape, bool)
    for way in BESIDE:
        other = beside(part, way)
        apart = (other != parts) | (np.einsum("hwc,hwc->hw", beside(normals, way), all_normals) < BENT)
        meets |= apart & (other >= 0)
    y, x = np.nonzero(meets & (parts >= 0))
    own_part, own_normal = parts[y, x], all_normals[y, x]
    alike, own = {}, {}
    for i, j in AROUND:
        there = (1 + y + i, 1 + x + j)
        same = part[there] == own_part
        alike[i, j] = same & ((normals[there] * own_normal).sum(axis=-1) > BENT)
        own[i, j] = same & ~alike[i, j]
    others = np.stack([(part[1 + y + i, 1 + x + j] >= 0) & ~alike[i, j] for i, j in BESIDE])
    groove = np.any([own[i, j] & own[-i, -j] for i, j in AROUND[:4]], axis=0)  # the same part goes on on both sides
    others = np.where(groove, np.stack([own[way] for way in BESIDE]), others)
    line = (np.sum(list(alike.values()), axis=0) <= np.where(groove, _STEP, _LINE)) & others.any(axis=0)
    y, x, weights = y[line], x[line], (others / np.maximum(others.sum(axis=0), 1)).astype(np.float32)[:, line, None]
    for picture in pictures:
        around = [picture[np.clip(y + i, 0, height - 1), np.clip(x + j, 0, width - 1)] for i, j in BESIDE]
        picture[y, x] = sum(weight * light for weight, light in zip(weights, around, strict=True))
