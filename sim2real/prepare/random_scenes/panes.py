"""What is seen through a window: a cut-out of a photographed panorama, or a plain sky, as a material that emits light."""

from __future__ import annotations

import numpy as np

from ...scene.colors import srgb_from_linear
from ...scene.records import Material
from ..assets.library import Assets

_PEAK = 6.0
"""Brighter than this, relative to the panorama's mean, is white."""


def outdoor_pane(rng: np.random.Generator, assets: Assets | None, outside: str, shape: float) -> Material:
    """An emissive material whose texture fills UVs from 0 to 1.

    Args:
        rng: of the direction, curtains and brightness.
        assets: with environment maps; ``None``: a plain sky.
        outside: name of the map.
        shape: width of the pane over its height.
    """
    rows = 96
    columns = int(np.clip(rows * shape, 32, 256))
    if assets is None or outside not in assets.outdoor:
        up = np.linspace(1, 0, rows)[:, None, None]
        view = np.where(up > 0.4, np.array([0.9, 1.2, 1.6]) * (2 - up), np.array([0.25, 0.3, 0.2]) * (0.8 + up))
        view = np.broadcast_to(view, (rows, columns, 3))
    else:
        view = _crop(rng, assets.map(outside), rows, columns)
    if rng.random() < 0.3:  # a net curtain
        fold = 1 + 0.1 * np.sin(np.arange(columns) * rng.uniform(0.4, 0.9) + rng.uniform(0, 6))
        view = (0.25 * view + 0.75 * view.mean(axis=(0, 1))) * fold[None, :, None]
    level = float(rng.uniform(0.8, 2.2)) / max(float(view.mean()), 0.2)
    pixels = np.rint(255 * srgb_from_linear(np.clip(view / _PEAK, 0, 1))).astype(np.uint8)
    glow = _PEAK * level * 1.6
    return Material((0.02, 0.02, 0.02, 1.0), np.ascontiguousarray(pixels), 0.0, 0.1, (glow, glow, glow), "glass")


def _crop(rng: np.random.Generator, panorama: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """A stretch of the horizon, enlarged smoothly."""
    height, width = panorama.shape[:2]
    tall = 0.34 * height
    top, left = rng.uniform(0.24, 0.34) * height, rng.uniform(0, width)
    y = np.clip(top + tall * (np.arange(rows) + 0.5) / rows - 0.5, 0, height - 1.001)
    x = left + tall * (np.arange(columns) + 0.5) / rows - 0.5
    y0, x0 = np.floor(y).astype(int), np.floor(x).astype(int)
    fy, fx = (y - y0)[:, None, None], (x - x0)[None, :, None]
    grid = np.minimum(panorama, _PEAK)
    a, b = (grid[np.ix_(y0 + dy, x0 % width)] * (1 - fx) + grid[np.ix_(y0 + dy, (x0 + 1) % width)] * fx for dy in (0, 1))
    return a * (1 - fy) + b * fy
