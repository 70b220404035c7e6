"""Arrays that come out of files: read in one place, and checked before anything is computed with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from .errors import BadValueError, UnreadableFileError

_LONGEST = 300


def read_arrays(path: Path, *, what: str, fix: str) -> dict[str, np.ndarray]:
    """All arrays of a ``.npy`` file, whose one array is called "", or of a ``.npz`` file.

    Args:
        path: the file; what it holds decides, not its suffix.
        what: the file's name in errors.
        fix: how to write it right.

    Raises:
        UnreadableFileError: it is damaged, or neither.
    """
    try:
        with path.open("rb") as file:
            held: Any = np.load(file, allow_pickle=False)
            return {"": held} if isinstance(held, np.ndarray) else {name: held[name] for name in held.files}
    except Exception as error:  # headers, archives and compression each have errors of their own
        raise UnreadableFileError(path, what=what, why=reason(error), fix=fix) from error


def read_array(path: Path, *, what: str, fix: str) -> np.ndarray:
    """The one array of a ``.npy`` file.

    Raises:
        UnreadableFileError: it is damaged, or holds several arrays.
    """
    arrays = read_arrays(path, what=what, fix=fix)
    if list(arrays) != [""]:
        raise UnreadableFileError(path, what=what, why=f"it holds {', '.join(arrays) or 'nothing'}", fix=fix)
    return arrays[""]


def reason(error: Exception) -> str:
    """What a library says about an error, in one line that is never empty; a dump of the file in it is cut off."""
    said = str(error.args[0] if isinstance(error, KeyError) and error.args else error).strip().splitlines()
    line = said[0] if said else type(error).__name__
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …"


def numbers(array: np.ndarray, name: str, *, where: object = "") -> Float64[np.ndarray, "..."]:
    """An array as float64.

    Raises:
        BadValueError: its values are no real numbers; ``name`` says whose.
    """
    if array.dtype.kind not in "fiu":
        raise BadValueError(f"the type of {name}", array.dtype, right="real numbers", where=where)
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large becomes infinite: refused where it matters
        return array.astype(np.float64)


def first_broken_row(values: Float[np.ndarray, "rows ..."], most: float = 1e30) -> int | None:
    """The first row with a value that is not finite, or so large that its square might not be; ``None`` if there is none."""
    good = np.abs(values) <= most
    broken = np.flatnonzero(~good.all(axis=tuple(range(1, values.ndim))))
    return int(broken[0]) if len(broken) else None


def first_not_rigid(matrices: Float64[np.ndarray, "rows 4 4"]) -> int | None:
    """The first matrix that is no rotation with a translation; ``None`` if all are."""
    rotation = matrices[:, :3, :3]
    with np.errstate(over="ignore", invalid="ignore"):
        slant = np.abs(rotation @ np.swapaxes(rotation, 1, 2) - np.eye(3)).max(axis=(1, 2))
        turns = np.linalg.det(rotation) > 0
    below = np.abs(matrices[:, 3] - [0, 0, 0, 1]).max(axis=1)
    broken = np.flatnonzero(~((slant <= 1e-3) & turns & (below <= 1e-3)))
    return int(broken[0]) if len(broken) else None


def lengths_of(vectors: Float[np.ndarray, "*shape n"]) -> Float[np.ndarray, "*shape"]:
    """Euclidean lengths of whatever a file holds, without overflow on the way; not a number where a vector is not finite."""
    largest = np.abs(vectors).max(axis=-1, keepdims=True, initial=0)
    usual = np.isfinite(largest) & (largest > 0)
    scale = np.where(usual, largest, 1)
    with np.errstate(over="ignore", invalid="ignore"):
        found = scale[..., 0] * np.linalg.norm(np.where(usual, vectors / scale, 0), axis=-1)
    return np.where(np.isfinite(largest[..., 0]), found, np.nan)
