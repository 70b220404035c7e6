"""Pictures with more than eight bits a channel, as eight bits: scaled, never clipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .errors import UnreadableFileError

if TYPE_CHECKING:
    from PIL import Image


def eight_bits(picture: Image.Image, where: object) -> Image.Image:
    """A picture of at most eight bits a channel; others than gray of 16 or more bits come back as they are.

    Args:
        picture: as Pillow opened it.
        where: the file, for errors.

    Raises:
        UnreadableFileError: its numbers have no range that says what white is.
    """
    from PIL import Image

    if picture.mode.startswith("I;16"):
        return Image.fromarray(_scaled(np.array(picture).astype(np.uint16)))
    if picture.mode not in ("I", "F"):
        return picture
    values = np.array(picture)
    if picture.mode == "I" and picture.format == "PNG":  # how some versions of Pillow open 16 bits
        return Image.fromarray(_scaled(values))
    kind = "floating-point" if picture.mode == "F" else "32-bit"
    fix = "write it with 8 or 16 bits a channel"
    raise UnreadableFileError(where, what="the picture", why=f"its {kind} numbers do not say what white is", fix=fix)


def _scaled(values: np.ndarray) -> np.ndarray:
    return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
