"""Masks of objects as runs of pixels, COCO's way: column by column, background and object in turn."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from jaxtyping import Bool, Integer, UInt32

from ..optional import require

Mask = Bool[np.ndarray, "height width"]
Runs = UInt32[np.ndarray, "runs"]
"""Lengths of runs in column-major order; the first is background, of length 0 where the first pixel is the object's."""


def runs_of(mask: Mask) -> Runs:
    """The runs of a mask."""
    flat = mask.ravel(order="F")
    ends = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    start = [0, 0] if flat[0] else [0]
    return np.diff(np.concatenate([start, ends, [flat.size]])).astype(np.uint32)


def mask_of(runs: Runs, size: tuple[int, int]) -> Mask:
    """The mask (height, width) of runs."""
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(size[::-1]).T


def coco_rle(mask: Mask) -> dict[str, Any]:
    """A mask as COCO's compressed run lengths, ready for JSON: ``size`` [height, width] and ``counts``, a string.

    Raises:
        MissingPackageError: pycocotools is not installed.
    """
    found = require("pycocotools.mask", "dataset").encode(np.asfortranarray(mask, np.uint8))
    return {"size": [int(n) for n in found["size"]], "counts": found["counts"].decode("ascii")}


def bounding_box(mask: Mask) -> tuple[int, int, int, int]:
    """First column, first row, width and height in pixels of what a mask holds; it must hold something."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)


def mask_png(mask: Mask) -> bytes:
    """A mask as a PNG file of 8 bits, 255 where it holds; rows are not filtered, which costs a fifth of what Pillow's cost.

    Reference: ISO/IEC 15948, Portable Network Graphics.
    """
    height, width = mask.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each row begins with its filter, 0
    np.multiply(mask, np.uint8(255), out=rows[:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b"")
    body = (struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def ids_in(ids: Integer[np.ndarray, "height width"]) -> dict[int, int]:
    """How many pixels every instance has in a picture of ids; 0 is none."""
    counts = np.bincount(ids.ravel())
    return {int(i): int(counts[i]) for i in np.flatnonzero(counts) if i != 0}
