"""Which format a camera track has, by what is in it, and its reader."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from ...errors import MissingFileError, UnknownNameError
from ..readers.registry import readable_errors
from .records import TrackFile, unreadable

FORMATS = ("tum", "kitti", "nerfstudio", "colmap")
_HEAD = 4096


def read_track(path: Path, format_name: str | None, size: tuple[int, int]) -> TrackFile:
    """Read the camera paths of a file or folder.

    Args:
        path: TUM's or KITTI's rows, nerfstudio's ``transforms.json`` (or its folder), or COLMAP's sparse model (its folder, a
            zip file, or one of its files).
        format_name: one of ``FORMATS``; ``None``: found by what is in the file.
        size: (height, width) of pictures that only an angle of view is known of.

    Raises:
        MissingFileError: there is nothing of that name.
        UnknownNameError: there is no such format.
        UnreadableFileError: it is damaged, or of none of these formats.
        BadValueError: a pose or a lens in it cannot be used.
    """
    with readable_errors(path, "camera track"):
        if not path.exists():
            raise MissingFileError(path, what="camera track")
        name = _format_of(path) if format_name is None else format_name
        if name not in FORMATS:
            raise UnknownNameError(name, FORMATS, what="format of a camera track")
        try:
            return _reader(name, size)(path)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise unreadable(path, f"it cannot be unpacked ({error})", "pack it again") from error


def _reader(name: str, size: tuple[int, int]) -> Callable[[Path], TrackFile]:
    if name == "nerfstudio":
        from .nerfstudio import read_nerfstudio

        return lambda path: read_nerfstudio(path / "transforms.json" if path.is_dir() else path, size)
    if name == "colmap":
        from .colmap import read_colmap

        return read_colmap
    from .tables import read_kitti, read_tum

    return _of_file(read_tum if name == "tum" else read_kitti)


def _of_file(read: Callable[[Path], TrackFile]) -> Callable[[Path], TrackFile]:
    def checked(path: Path) -> TrackFile:
        if path.is_dir():
            raise unreadable(path, "it is a folder", "choose the text file in it")
        return read(path)

    return checked


def _format_of(path: Path) -> str:
    from .colmap import has_model

    if path.is_dir():
        if (path / "transforms.json").is_file():
            return "nerfstudio"
        if has_model(path):
            return "colmap"
        raise unreadable(path, "the folder has neither transforms.json nor a sparse model", "choose another, or --track-format")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"PK") or path.name in ("images.bin", "cameras.bin", "images.txt", "cameras.txt"):
        return "colmap"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return "nerfstudio"
    from .tables import columns_of

    found = {8: "tum", 12: "kitti"}.get(columns_of(path))
    if found is None:
        right = "8 numbers a line (TUM), 12 (KITTI), transforms.json (nerfstudio), or a sparse model (COLMAP)"
        raise unreadable(path, "it is of no known format", f"use {right}")
    return found
