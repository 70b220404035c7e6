"""What is printed on packaging: fields of color, lines that look like writing, a barcode. No words, no marks."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_SIDE = 192


def _strokes(rng: np.random.Generator, rows: int, columns: int) -> Float[np.ndarray, "rows columns"]:
    """Ink (0..1) of one line of writing: upright, round and slanted strokes in words."""
    ink = np.zeros((rows, columns))
    pen = max(1, rows // 6)
    x, width = 0, max(3, int(0.6 * rows))
    y = np.arange(rows)[:, None] / max(rows - 1, 1)
    while x + width < columns:
        if rng.random() < 0.17:
            x += width
            continue
        across = np.arange(width)[None, :] / max(width - 1, 1)
        low = 0.0 if rng.random() < 0.35 else 0.35
        cell = np.zeros((rows, width), bool)
        for _ in range(int(rng.integers(1, 4))):
            shape = rng.integers(4)
            if shape == 0:
                cell |= (np.abs(across - rng.choice([0.1, 0.5, 0.85])) * width < 0.6 * pen) & (y >= low)
            elif shape == 1:
                cell |= (np.abs(y - rng.choice([low, 0.65, 0.97])) * rows < 0.6 * pen) & (across < 0.9)
            elif shape == 2:
                ring = np.hypot((across - 0.45) / 0.42, (y - (1 + low) / 2) / ((1 - low) / 2))
                cell |= np.abs(ring - 0.85) < 0.22
            else:
                cell |= np.abs(across - rng.choice([y, 1 - y])) * width < 0.8 * pen
        ink[:, x : x + width] = np.maximum(ink[:, x : x + width], cell)
        x += width + pen
    return ink


def _write(rng: np.random.Generator, page: np.ndarray, box: tuple[int, int, int, int], color: np.ndarray) -> None:
    """Writing into a box (top, left, rows, columns) of the page."""
    top, left, rows, columns = box
    ink = _strokes(rng, rows, columns)[..., None]
    part = page[top : top + rows, left : left + columns]
    part[:] = part * (1 - ink[: len(part), : part.shape[1]]) + color * ink[: len(part), : part.shape[1]]


def design(
    rng: np.random.Generator, base: Float[np.ndarray, "3"], other: Float[np.ndarray, "3"], side: int = _SIDE
) -> Float[np.ndarray, "side side 3"]:
    """One side of a package, sRGB values, row 0 at the top.

    Args:
        rng: of the layout.
        base: color of the ground.
        other: color of the field on it.
        side: pixels.
    """
    y, x = np.mgrid[:side, :side] / side
    page = np.broadcast_to(base, (side, side, 3)).copy()
    kind = rng.integers(5)
    middle, half = rng.uniform(0.3, 0.6), rng.uniform(0.12, 0.25)
    if kind == 0:
        field = np.abs(y - middle) < half
    elif kind == 1:
        field = np.hypot(x - 0.5, (y - middle) * 1.1) < half * 1.5
    elif kind == 2:
        field = y > middle + 0.1 * np.sin(2 * np.pi * (x + rng.random()))
    elif kind == 3:
        field = (np.abs(x - 0.5) < 0.42) & (np.abs(y - 0.5) < 0.42)
    else:
        field = (x + y + rng.random()) * 5 % 1 < rng.uniform(0.1, 0.4)
    page[field] = other
    ink = base * 0.25 if base.mean() > 110 else np.full(3, 238.0)
    title = int(side * rng.uniform(0.1, 0.16))
    _write(rng, page, (int(side * (middle - 0.08)), int(0.12 * side), title, int(side * rng.uniform(0.5, 0.76))), ink)
    small, first = max(5, side // 34), int(side * rng.uniform(0.6, 0.7))
    for k in range(int(rng.integers(2, 6))):
        _write(rng, page, (first + 2 * k * small, int(0.12 * side), small, int(side * rng.uniform(0.3, 0.76))), ink * 0.8 + 20)
    if rng.random() < 0.5:
        bars = np.repeat(rng.random(side // 8) < 0.5, 2)
        page[int(0.86 * side) : int(0.95 * side), int(0.7 * side) : int(0.7 * side) + len(bars)] = np.where(bars, 25, 240)[
            None, :, None
        ]
    return page
