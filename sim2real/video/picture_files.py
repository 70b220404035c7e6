"""Pictures in files, one each or several in an animation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, ImageSequence

from ..arrays import reason
from ..eight_bits import eight_bits
from ..errors import MissingFileError, Sim2RealError, UnreadableFileError
from ..file_order import in_order

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
"""Pictures that a folder may hold."""
ANIMATED = ("WEBP", "PNG", "GIF", "TIFF")
"""Formats in which several pictures are frames or pages; in others they are views of one."""


def picture_files(folder: Path) -> list[Path]:
    """The pictures of a folder in the natural order of their names.

    Raises:
        MissingFileError: it has none.
    """
    files = in_order(f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith("."))
    if not files:
        raise MissingFileError(folder, what="pictures in the folder", fix=f"it must hold some of {', '.join(SUFFIXES)}")
    return files


def picture_of(file: Path) -> UInt8[np.ndarray, "height width 3"]:
    """Read a picture.

    Raises:
        UnreadableFileError: it is none, it is several, or its numbers do not say what white is.
    """
    try:
        with Image.open(file) as picture:
            several = getattr(picture, "n_frames", 1) if picture.format in ANIMATED else 1
            if several == 1:
                return _rgb(picture, file)
    except Sim2RealError:
        raise
    except Exception as error:  # headers, chunks and compression each have errors of their own
        fix = "remove it from the folder"
        raise UnreadableFileError(file, what="the picture", why=reason(error).split(" '")[0], fix=fix) from error
    fix = "write a file per frame, or pass the animation itself"
    raise UnreadableFileError(file, what="the picture", why=f"it is {several} pictures", fix=fix)


def animation_fps(file: Path) -> float | None:
    """Frames per second of an animated WebP; ``None`` for every other file."""
    try:
        with Image.open(file) as animation:
            if animation.format != "WEBP" or not getattr(animation, "is_animated", False):
                return None
            lasting = 0
            for frame in ImageSequence.Iterator(animation):
                frame.load()  # which fills in its duration
                lasting += int(frame.info.get("duration", 0))
            return 1000 * getattr(animation, "n_frames", 1) / lasting if lasting else 10.0
    except Exception:  # as above; what is wrong is said when its frames are read
        return None


def animation_pictures(file: Path) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """The frames of an animated WebP.

    Raises:
        UnreadableFileError: it is damaged.
    """
    count = 0
    try:
        with Image.open(file) as animation:
            for frame in ImageSequence.Iterator(animation):
                yield np.array(frame.convert("RGB"))
                count += 1
    except Exception as error:  # as above
        why = f"it is damaged after {count} frames"
        raise UnreadableFileError(file, what="the animation", why=why, fix="write it again") from error


def _rgb(picture: Image.Image, file: Path) -> UInt8[np.ndarray, "height width 3"]:
    return np.array(ImageOps.exif_transpose(eight_bits(picture, file)).convert("RGB"))
