"""Panoramas by name, which ship with the package, or from a file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from ...errors import BadValueError, MissingFileError, UnknownNameError, UnreadableFileError
from ...exr import read_exr
from .environment import Environment

_FILE = Path(__file__).with_name("panoramas.npz")
"""Written by ``scripts/make_panoramas.py``: photographs (CC0), mean luminance 1."""
MODEL = "model"
"""The light that a model has itself, in the place of a panorama."""
_FILES = (".exr", ".hdr")
_ROWS = 256
_BRIGHTEST = 6e4


def environment_of(
    text: str,
    up: tuple[float, float, float] = (0.0, 0.0, 1.0),
    *,
    folder: Path | None = None,
    where: object = "",
) -> Environment:
    """The light that ``--light`` or a scene file names.

    Args:
        text: ``NAME`` or ``FILE.exr`` (equirectangular, linear), and ``:DEGREES`` if it is to be turned about the vertical.
        up: the direction of its zenith.
        folder: what a file's path is relative to.
        where: named in errors.

    Raises:
        UnknownNameError: no panorama of that name; the message lists those that there are.
        MissingFileError: no such file.
        UnreadableFileError: the file is no panorama.
        BadValueError: the angle is no number, or the light is ``model``, which is no panorama.
    """
    name, degrees = name_and_angle(text, where=where)
    if name == MODEL:
        raise BadValueError("the light", text, right=f"{MODEL} alone: only panoramas are turned", where=where)
    if Path(name).suffix.lower() in _FILES:
        pixels = _read((folder or Path()) / name)
    elif name in panorama_names():
        with np.load(_FILE) as stored:
            pixels = stored[name].astype(np.float32)
    else:
        raise UnknownNameError(name, (MODEL, *panorama_names(), "FILE.exr"), what="light", where=where)
    turned = np.roll(pixels, round(degrees / 360 * pixels.shape[1]), axis=1)
    return Environment(text, np.ascontiguousarray(turned), up=up)


def name_and_angle(text: str, *, where: object = "") -> tuple[str, float]:
    """A panorama's name or file, and by how many degrees it is turned.

    Raises:
        BadValueError: the angle is no number.
    """
    name, colon, angle = text.rpartition(":")
    if not colon or Path(text).suffix.lower() in _FILES:
        return text, 0.0
    try:
        degrees = float(angle)
    except ValueError:
        degrees = float("nan")
    if not np.isfinite(degrees):
        right = "NAME, FILE.exr, or one of them and :DEGREES, such as studio:90"
        raise BadValueError("the light", text, right=right, where=where)
    return name, degrees


@cache
def panorama_names() -> tuple[str, ...]:
    """The panoramas that ship."""
    with np.load(_FILE) as stored:
        return tuple(stored.files)


def read_radiance(path: Path) -> Float32[np.ndarray, "height width 3"]:
    """Red, green and blue of an OpenEXR file, however they are stored: finite, from 0 to what half floats can hold.

    Raises:
        UnreadableFileError: it is damaged, or has no such channels.
    """
    fix = "save it as OpenEXR with channels R, G and B"
    channels = read_exr(path, what="the panorama", fix=fix)
    if not set("RGB") <= channels.keys() or len({channels[key].shape for key in "RGB"}) != 1:
        raise UnreadableFileError(path, what="the panorama", why="it has no channels R, G and B", fix=fix)
    pixels = np.stack([channels[key] for key in "RGB"], axis=-1).astype(np.float32)
    return np.clip(np.nan_to_num(pixels, nan=0.0, posinf=_BRIGHTEST), 0, _BRIGHTEST)


def _read(path: Path) -> Float32[np.ndarray, "height width 3"]:
    """A panorama of at most 256 rows from an OpenEXR file."""
    if path.suffix.lower() == ".hdr":
        raise BadValueError("the light", path.name, right="an .exr file", fix="save the panorama as OpenEXR", where=path)
    if not path.is_file():
        raise MissingFileError(path, what="panorama", fix="check the path")
    pixels = read_radiance(path)
    height, width = pixels.shape[:2]
    if width != 2 * height:
        received, right = f"{width} x {height} pixels", "twice as wide as high, all around and from zenith to nadir"
        raise BadValueError("the panorama", received, right=right, where=path)
    by = -(-height // _ROWS)
    rows = height // by
    return pixels[: rows * by, : 2 * rows * by].reshape(rows, by, 2 * rows, by, 3).mean(axis=(1, 3))
