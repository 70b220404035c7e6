"""OpenEXR files: their channels as arrays, whatever is wrong with them in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .arrays import reason
from .errors import UnreadableFileError


def read_exr(path: Path, *, what: str, fix: str, separate: bool = True) -> dict[str, np.ndarray]:
    """The channels of an OpenEXR file by name.

    Args:
        path: the file.
        what: the file's name in errors.
        fix: how to write it right.
        separate: R, G and B, which otherwise come as one array of the name ``RGB`` (or ``RGBA``).

    Raises:
        UnreadableFileError: it is damaged, cut off, or something else.
    """
    import OpenEXR

    try:
        with OpenEXR.File(str(path), separate_channels=separate) as file:
            parts = len(file.parts)
            return {name: np.array(channel.pixels) for name, channel in file.channels().items()} if parts else _refused()
    except Exception as error:  # headers, chunks and names each have errors of their own
        raise UnreadableFileError(path, what=what, why=reason(error), fix=fix) from error


def _refused() -> dict[str, np.ndarray]:
    """What becomes of a file whose pixels OpenEXR gave up on, with a warning only."""
    raise ValueError("its pixels are damaged or cut off")
