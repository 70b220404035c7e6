"""The masks and pictures that a camera has made, from files."""

from __future__ import annotations

from collections.abc import Sequence
from glob import glob
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image, ImageOps

from ..arrays import reason
from ..eight_bits import pixels_of
from ..errors import BadValueError, MissingFileError, UnreadableFileError
from ..file_order import in_order

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


def files_of(pattern: str, *, what: str, option: str) -> list[Path]:
    """Files in the natural order of their names: a pattern with ``*``, a folder of pictures, or one file.

    Raises:
        MissingFileError: there are none.
    """
    if Path(pattern).is_dir():
        found = [path for path in Path(pattern).iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != "."]
    else:
        found = [Path(name) for name in glob(pattern) if Path(name).is_file()]
        found = found or [path for path in [Path(pattern)] if path.is_file()]
    if not found:
        raise MissingFileError(pattern, what=what, fix=f"{option} is a pattern in quotes, a folder or a file")
    return in_order(found)


def read_masks(files: Sequence[Path], size: tuple[int, int]) -> Float32[np.ndarray, "masks height width"]:
    """The share of every pixel that is robot; the largest value of a file is all of it, so 0 and 1 will do as 0 and 255.

    Args:
        files: one per frame.
        size: (height, width) of the camera.

    Raises:
        UnreadableFileError: a file is no picture.
        BadValueError: a mask is of another size, or says nothing.
    """
    return np.stack([_mask(path, size) for path in files])


def read_pictures(files: Sequence[Path], size: tuple[int, int]) -> list[UInt8[np.ndarray, "height width 3"]]:
    """Photographs.

    Raises:
        UnreadableFileError: a file is no picture.
        BadValueError: it is of another size.
    """
    found = []
    for path in files:
        with _readable(path, "the picture") as opened:
            picture = pixels_of(opened, path)[..., :3]
        _check_size(picture, size, "the picture", path)
        found.append(np.ascontiguousarray(picture))
    return found


class _readable:
    """Opens a picture, turned as its camera was held; what is wrong with it becomes one line."""

    def __init__(self, path: Path, what: str) -> None:
        self._path, self._what = path, what

    def __enter__(self) -> Image.Image:
        try:
            with Image.open(self._path) as opened:
                opened.load()
                return ImageOps.exif_transpose(opened)
        except Exception as error:  # headers, chunks and compression each have errors of their own
            why = reason(error).split(" '")[0]
            fix = "use a whole PNG or JPEG picture"
            raise UnreadableFileError(self._path, what=self._what, why=why, fix=fix) from error

    def __exit__(self, *error: object) -> None:
        return None


def _mask(path: Path, size: tuple[int, int]) -> Float32[np.ndarray, "height width"]:
    with _readable(path, "the mask") as opened:
        if opened.mode in ("P", "PA", "CMYK", "YCbCr", "LAB", "HSV"):
            opened = opened.convert("RGB")
        values = np.asarray(opened).astype(np.float32)
        bands = opened.getbands()
    if values.ndim == 3:
        values = values[..., [k for k, band in enumerate(bands) if band != "A"]].max(axis=2)
    _check_size(values, size, "the mask", path)
    if not np.isfinite(values).all() or values.min() < 0:
        raise BadValueError("a value of the mask", "negative or not finite", right="0 or more", where=path)
    if values.max() == 0:
        fix = "leave out frames in which the robot is not seen (--frames)"
        raise BadValueError("the mask", "empty", right="greater than 0 where the robot is", fix=fix, where=path)
    if values.min() == values.max():
        raise BadValueError("the mask", f"{values.max():g} everywhere", right="0 where the robot is not", where=path)
    return values / values.max()


def _check_size(picture: np.ndarray, size: tuple[int, int], what: str, path: Path) -> None:
    if picture.shape[:2] != tuple(size):
        received, right = (f"{height}x{width}" for height, width in (picture.shape[:2], size))
        fix = "pass --size HxW with --intrinsics, or a camera of the pictures' size"
        raise BadValueError(f"the size of {what}", received, right=f"{right}, as the camera's", fix=fix, where=path)
