"""Pictures of any kind as eight bits a channel: what has more is scaled, never clipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from .arrays import reason
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


def pixels_of(picture: Image.Image, where: object, *, most_px: int | None = None) -> UInt8[np.ndarray, "height width channels"]:
    """A picture as RGB, or RGBA where it says anything of transparency.

    Args:
        picture: as Pillow opened it, perhaps not decoded yet.
        where: the file, for errors.
        most_px: made smaller where it is wider or higher.

    Raises:
        UnreadableFileError: it is damaged, or its numbers have no range that says what white is.
    """
    try:
        image = eight_bits(picture, where)
        if most_px is not None and max(image.size) > most_px:
            image = image.copy()
            image.thumbnail((most_px, most_px))
        alpha = "A" in image.getbands() or "transparency" in image.info
        return np.array(image.convert("RGBA" if alpha else "RGB"))
    except UnreadableFileError:
        raise
    except Exception as error:  # chunks, compression and palettes each have errors of their own
        fix = "use a whole PNG or JPEG picture"
        raise UnreadableFileError(where, what="the picture", why=reason(error), fix=fix) from error


def _scaled(values: np.ndarray) -> np.ndarray:
    return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
