"""HDF5 files of any origin: opened, looked through and read, with errors of one line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ...arrays import first_broken_row, numbers, reason
from ...errors import BadValueError, Sim2RealError, UnreadableFileError
from ...memory import memory_bytes
from ...optional import require

EXTRA = "mujoco"
KINDS = "a recording of robosuite, robomimic, Isaac Lab, Isaac Sim or ManiSkill"


@contextmanager
def opened(source: Path) -> Iterator[Any]:
    """An HDF5 file, for reading.

    Raises:
        UnreadableFileError: it is none, or was not copied whole.
        MissingPackageError: h5py is not installed.
    """
    h5py = require("h5py", EXTRA)
    try:
        file = h5py.File(source, "r")
    except OSError as error:
        fix = f"give {KINDS}"
        cut = re.search(r"truncated file: eof = (\d+).*stored_eof = (\d+)", str(error))
        if cut:
            why, fix = f"it is truncated, {cut[1]} of {cut[2]} bytes are there", "copy it again"
        else:
            why = "it is no HDF5 file"
        raise UnreadableFileError(source, what="recording", why=why, fix=fix) from error
    with file:
        yield file


@contextmanager
def readable(source: Path, what: str = "recording", fix: str = "copy the file again") -> Iterator[None]:
    """Turn whatever HDF5 trips over in a damaged file into one line.

    Raises:
        UnreadableFileError: it tripped.
    """
    try:
        yield
    except Sim2RealError:
        raise
    except Exception as error:  # h5py raises whatever HDF5 trips over
        raise UnreadableFileError(source, what=what, why=reason(error), fix=fix) from error


def member(group: Any, name: str) -> Any:
    """A member of a group; ``None`` where there is none, or a link that leads nowhere."""
    try:
        return group.get(name)
    except (RuntimeError, OSError, KeyError, ValueError):
        return None


def subgroup(group: Any, name: str) -> Any:
    """A member that is a group; ``None`` where it is none."""
    found = None if group is None else member(group, name)
    return found if isinstance(found, require("h5py", EXTRA).Group) else None


def dataset(group: Any, name: str) -> Any:
    """A member that is a dataset; ``None`` where it is none."""
    found = None if group is None else member(group, name)
    return found if isinstance(found, require("h5py", EXTRA).Dataset) else None


def text_of(value: Any) -> str:
    """Text, however it was stored."""
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def json_of(attributes: Any, key: str) -> dict[str, Any]:
    """The JSON object that an attribute holds, also where it was encoded twice; empty where it holds none."""
    try:
        held = json.loads(text_of(attributes[key])) if key in attributes else {}
        held = json.loads(held) if isinstance(held, str) else held
    except (ValueError, RecursionError, OSError, TypeError):  # neither text nor JSON, or of a type that h5py does not know
        return {}
    return held if isinstance(held, dict) else {}


def rows_of(table: Any, what: str, where: object, *, width: int | None = None) -> Float[np.ndarray, "rows width"]:
    """The rows of a dataset, whatever its axes after the first.

    Args:
        table: the dataset.
        what: whose numbers they are, for errors.
        where: the file, for errors.
        width: how many numbers a row must have; ``None``: any.

    Raises:
        BadValueError: they are no numbers, not finite, too many for the memory here, or not as wide.
    """
    shape = table.shape
    if shape is None or len(shape) < 2 or table.dtype.kind not in "fiu":
        received = f"of the shape {shape} and the type {table.dtype}"
        raise BadValueError(what, received, right="a table of numbers, a row per frame", where=where)
    across = int(np.prod(shape[1:]))
    if width is not None and across != width:
        raise BadValueError(f"the width of {what}", across, right=str(width), where=where)
    needed = int(np.prod(shape, dtype=object)) * 8
    if needed > memory_bytes() // 4:
        right = "at most a quarter of the memory here"
        raise BadValueError(f"the size of {what}", f"{needed / 1e9:.0f} GB, of shape {shape}", right=right, where=where)
    values = numbers(np.asarray(table).reshape(shape[0], across), what, where=where)
    if (row := first_broken_row(values)) is not None:
        right = "finite numbers"
        raise BadValueError(f"{what} in frame {row}", "NaN, infinite or beyond 1e30", right=right, where=where)
    return values
