"""COLMAP's binary files, little-endian: ``cameras.bin`` and ``images.bin``."""

from __future__ import annotations

import struct
from io import BufferedIOBase
from pathlib import Path

from .colmap_models import PARAMETERS, CameraModel, Picture
from .records import unreadable

_MODELS = tuple(PARAMETERS)
_CAMERA, _IMAGE, _COUNT = struct.Struct("<iiQQ"), struct.Struct("<i7di"), struct.Struct("<Q")
_POINT_BYTES, _LONGEST_NAME, _AT_ONCE = 24, 4096, 1 << 20
_MOST = 1_000_000
"""Cameras or pictures; a larger count is a damaged one."""


def cameras_of(file: BufferedIOBase, path: Path) -> dict[int, CameraModel]:
    """Cameras by their number.

    Raises:
        UnreadableFileError: it ends early, or has a model of another number.
    """
    found = {}
    for _ in range(_count(file, path)):
        number, model, width, height = _CAMERA.unpack(_taken(file, _CAMERA.size, path))
        if not 0 <= model < len(_MODELS):
            raise unreadable(path, f"its camera model {model} is not one of COLMAP's (0 to {len(_MODELS) - 1})")
        many = PARAMETERS[_MODELS[model]]
        found[number] = CameraModel(_MODELS[model], width, height, struct.unpack(f"<{many}d", _taken(file, 8 * many, path)))
    return found


def images_of(file: BufferedIOBase, path: Path) -> list[Picture]:
    """Pictures with their poses; their points are passed over.

    Raises:
        UnreadableFileError: it ends early, or a count in it is damaged.
    """
    found = []
    for _ in range(_count(file, path)):
        _, *pose, camera = _IMAGE.unpack(_taken(file, _IMAGE.size, path))
        name = _name(file, path)
        _pass(file, _POINT_BYTES * _COUNT.unpack(_taken(file, _COUNT.size, path))[0], path)
        found.append(Picture(name, camera, tuple(pose[:4]), tuple(pose[4:])))
    return found


def _count(file: BufferedIOBase, path: Path) -> int:
    (count,) = _COUNT.unpack(_taken(file, _COUNT.size, path))
    if count > _MOST:
        raise unreadable(path, f"it says that it holds {count} entries, must be at most {_MOST}")
    return count


def _taken(file: BufferedIOBase, size: int, path: Path) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise unreadable(path, "it ends early", "copy it again")
    return data


def _name(file: BufferedIOBase, path: Path) -> str:
    """Bytes up to a zero."""
    letters = bytearray()
    while (letter := _taken(file, 1, path)) != b"\0":
        letters += letter
        if len(letters) > _LONGEST_NAME:
            raise unreadable(path, f"a name in it is longer than {_LONGEST_NAME} letters")
    return letters.decode("utf-8", "replace")


def _pass(file: BufferedIOBase, size: int, path: Path) -> None:
    """Read and forget."""
    while size > 0:
        taken = len(file.read(min(size, _AT_ONCE)))
        if not taken:
            raise unreadable(path, "it ends early", "copy it again")
        size -= taken
