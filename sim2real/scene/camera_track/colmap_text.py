"""COLMAP's text files: ``cameras.txt`` and ``images.txt``."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path

from .colmap_models import CameraModel, Picture
from .records import unreadable

_LONGEST_NAME, _AT_ONCE = 4096, 1 << 20


def cameras_of(file: BufferedIOBase, path: Path) -> dict[int, CameraModel]:
    """Cameras by their number: ``CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]``.

    Raises:
        UnreadableFileError: a line is none of these.
    """
    found = {}
    for line in _lines(file):
        words = line.split()
        if not words:
            continue
        try:
            found[int(words[0])] = CameraModel(words[1], int(words[2]), int(words[3]), tuple(float(w) for w in words[4:]))
        except (ValueError, IndexError):
            raise unreadable(
                path, f"a line of its cameras is {line[:80]!r}, must be CAMERA_ID MODEL WIDTH HEIGHT PARAMS"
            ) from None
    return found


def images_of(file: BufferedIOBase, path: Path) -> list[Picture]:
    """Pictures with their poses: ``IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME``, each followed by a line of points.

    Raises:
        UnreadableFileError: a line is none of these.
    """
    found, points = [], False
    for line in _lines(file):
        if points or not line.strip():
            points = False
            continue
        words = line.split(maxsplit=9)
        try:
            pose = tuple(float(word) for word in words[1:8])
            found.append(Picture(words[9].strip()[:_LONGEST_NAME], int(words[8]), pose[:4], pose[4:]))
        except (ValueError, IndexError):
            right = "IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME"
            raise unreadable(path, f"a line of its images is {line[:80]!r}, must be {right}") from None
        points = True
    return found


def _lines(file: BufferedIOBase) -> Iterator[str]:
    """Lines that are no comments; of lines of points, which may be long, the beginning."""
    while line := file.readline(_AT_ONCE):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(_AT_ONCE)
        if not line.startswith(b"#"):
            yield line[: 2 * _LONGEST_NAME].decode("utf-8", "replace").rstrip("\r\n")
