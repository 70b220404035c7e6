"""Which formats a dataset can be written in."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

from ...errors import UnknownNameError
from ..clips import DatasetClip


@runtime_checkable
class Writer(Protocol):
    """What the module of a format has: ``write``.

    It is called once, in one process, with all clips in sorted order; the folder exists and is empty, and is thrown away if
    ``write`` raises. What it writes depends on the clips alone: no times, no paths of this machine, no order of a dictionary
    that came from a schedule. It keeps one clip in memory at a time.
    """

    def write(self, clips: Sequence[DatasetClip], folder: Path) -> None:
        """Write the dataset.

        Raises:
            Sim2RealError: the clips lack what the format needs; said with the clip's id.
        """
        ...


WRITERS = {
    "coco": "coco",
    "youtube_vis": "youtube_vis",
    "bop": "bop",
    "lerobot": "lerobot",
    "webdataset": "webdataset",
    "cosmos": "cosmos",
    "robomimic": "robomimic",
    "nerfstudio": "nerfstudio",
    "mcap": "mcap",
    "exr": "exr",
}
"""The module of this package by the name of its format."""


def writer(name: str) -> Writer:
    """The writer of a format.

    Raises:
        UnknownNameError: there is none of that name.
        MissingPackageError: a package that it needs is not installed.
    """
    if name not in WRITERS:
        raise UnknownNameError(name, WRITERS, what="format")
    return cast(Writer, importlib.import_module(f"{__package__}.{WRITERS[name]}"))
