"""Files that are named by their paths on another machine."""

from __future__ import annotations

import ntpath
import posixpath
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath


def of_windows(name: str) -> bool:
    """Whether a path was written on Windows."""
    return "\\" in name or re.match(r"[A-Za-z]:", name) is not None


def normal(name: str) -> str:
    """A recorded name without ``.`` and ``..``; the folders that it goes through and back need not exist here."""
    return (ntpath if of_windows(name) else posixpath).normpath(name)


def found_file(name: str, roots: Iterable[Path]) -> Path | None:
    """Where a recorded file is here: at its own place, else under a root by the longest end of its path that exists."""
    plain = normal(name)
    own = Path(plain)
    if own.is_absolute() and own.is_file():
        return own
    parts = (PureWindowsPath(plain) if of_windows(name) else PurePosixPath(plain)).parts
    parts = tuple(part for part in parts if part not in ("/", "..", ".") and not part.endswith(("\\", ":")))
    folders = list(roots)
    for start in range(len(parts)):
        for root in folders:
            candidate = root.joinpath(*parts[start:])
            if candidate.is_file():
                return candidate.resolve()
    return None
