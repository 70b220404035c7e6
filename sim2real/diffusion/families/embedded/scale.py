"""How large pictures are shown to the network: as large as those that it learned from, about."""

from __future__ import annotations

LONGEST_PX = 400
"""Of the longer side up to which it sees every pixel: it learned from pictures of 256."""


def pixels_per_cell(height: int, width: int, *, quick: bool = False) -> int:
    """How many pixels, along each axis, the network sees as one; ``quick``: of half as long pictures, at most."""
    return -(-max(height, width) // (LONGEST_PX // 2 if quick else LONGEST_PX))
