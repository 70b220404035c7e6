"""Tables by which rasterizers see through a lens that bends rays: the rays of pixels, and the pixels of bundles of rays.

Rays are sorted into square cells by their angles. A cell's box says which pixels look into it, a coarser level's box holds
those of its four cells. The box of a triangle is the union of a few cells' boxes: it holds every pixel that may see the
triangle, whatever the lens does, because nothing is assumed about the map but its own values.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int, Int32
from torch import Tensor

from .lens import Lens
from .rays import bent_rays


@dataclass(frozen=True, eq=False)
class RayTables:
    """A bent view on one device.

    - ``rays``: through pixel centers, (x, y) at z = 1.
    - ``boxes``: first and last column, first and last row of a cell's pixels; empty where first > last. Levels from the
      finest (``cells`` x ``cells``, row-major) to a single cell.
    - ``low``: angles (about y, about x) at which cells begin; ``scale``: cells per radian along each axis.
    """

    rays: Float64[Tensor, "height width 2"]
    boxes: Int32[Tensor, "cells_of_all_levels 4"]
    cells: int
    low: tuple[float, float]
    scale: tuple[float, float]


def ray_tables(intrinsics: Float[np.ndarray, "3 3"], lens: Lens, size: tuple[int, int], device: str) -> RayTables:
    """Tables of a bent view; kept for the next frame.

    Intrinsics are rounded to float32, as fragments carry them, so that all who ask for a view share one table.

    Raises:
        BadValueError: the lens' map folds inside the picture.
    """
    return _tables(np.asarray(np.asarray(intrinsics, np.float32), np.float64).tobytes(), lens, size, device)


@functools.lru_cache(maxsize=8)
def _tables(intrinsics: bytes, lens: Lens, size: tuple[int, int], device: str) -> RayTables:
    rays = bent_rays(np.frombuffer(intrinsics).reshape(3, 3), lens, size)
    cells = 1 << max(0, int(np.log2(max(size) / 2)))
    angles = np.arctan(rays.reshape(-1, 2))
    low, high = angles.min(axis=0), angles.max(axis=0)
    scale = cells / np.maximum(high - low, 1e-9)
    at = np.minimum(np.floor((angles - low) * scale).astype(np.int64), cells - 1)
    boxes = np.concatenate(_levels(_finest(at[:, 1] * cells + at[:, 0], cells, size)))
    return RayTables(
        torch.as_tensor(rays.copy()).to(device),
        torch.as_tensor(boxes.astype(np.int32)).to(device),
        cells,
        (float(low[0]), float(low[1])),
        (float(scale[0]), float(scale[1])),
    )


def _finest(cell: Int[np.ndarray, "pixels"], cells: int, size: tuple[int, int]) -> Int[np.ndarray, "cells 4"]:
    """Boxes of the pixels (row-major) that lie in each cell."""
    order = np.argsort(cell, kind="stable")
    row, column = np.divmod(order, size[1])
    found, start = np.unique(cell[order], return_index=True)
    boxes = np.tile([size[1], -1, size[0], -1], (cells * cells, 1))
    boxes[found, 0], boxes[found, 1] = np.minimum.reduceat(column, start), np.maximum.reduceat(column, start)
    boxes[found, 2], boxes[found, 3] = np.minimum.reduceat(row, start), np.maximum.reduceat(row, start)
    return boxes


def _levels(finest: Int[np.ndarray, "cells 4"]) -> list[Int[np.ndarray, "_ 4"]]:
    levels = [finest]
    while len(levels[-1]) > 1:
        side = int(len(levels[-1]) ** 0.5) // 2
        quads = levels[-1].reshape(side, 2, side, 2, 4)
        least, most = quads.min(axis=(1, 3)), quads.max(axis=(1, 3))
        levels.append(np.stack([least[..., 0], most[..., 1], least[..., 2], most[..., 3]], axis=-1).reshape(-1, 4))
    return levels
