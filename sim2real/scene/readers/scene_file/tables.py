"""Tables of transforms, one row per frame: ``.npy``, or ``.csv`` with a header. Columns: see ``scene.schema``."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ....arrays import first_broken_row, first_not_rigid, lengths_of, numbers, read_array, reason
from ....errors import BadValueError, MissingFileError, UnreadableFileError
from ....text_files import read_text
from ....transforms import rigid, rotation_from_quaternion

POSITION, ROTATION, INTRINSICS = ("x", "y", "z"), ("qw", "qx", "qy", "qz"), ("fx", "fy", "cx", "cy")
_LAYOUTS = (POSITION, POSITION + ROTATION, POSITION + ROTATION + INTRINSICS)


@dataclass(frozen=True, eq=False)
class Table:
    """What a table says; ``rotation`` and ``intrinsics`` (fx, fy, cx, cy) are ``None`` where it has no such columns."""

    position: Float[np.ndarray, "rows 3"]
    rotation: Float[np.ndarray, "rows 3 3"] | None = None
    intrinsics: Float[np.ndarray, "rows 4"] | None = None

    def matrices(self, otherwise: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "rows 4 4"]:
        """Transforms, with a fixed rotation where the table has none."""
        return rigid(otherwise if self.rotation is None else self.rotation, self.position)


def read_table(path: Path) -> Table:
    """Read a table.

    Raises:
        MissingFileError: no such file.
        UnreadableFileError: it is neither an array nor a CSV file.
        BadValueError: wrong columns, no rows, or values that are not finite.
    """
    if not path.is_file():
        raise MissingFileError(path, what="table")
    if path.suffix == ".npy":
        values = read_array(path, what="table", fix="write it with numpy.save")
    elif path.suffix == ".csv":
        values = _csv_values(path)
    else:
        raise BadValueError("the kind of table", repr(path.suffix), right=".npy or .csv", where=path)
    values = numbers(values, "the table's values", where=path)
    _check_shape(path, values)
    if (row := first_broken_row(values)) is not None:
        raise BadValueError(f"row {row} of the table", "not finite, or huge", right="finite numbers up to 1e30", where=path)
    return _from_array(path, values)


def _check_shape(path: Path, values: np.ndarray) -> None:
    known = values.ndim == 2 and values.shape[1] in map(len, _LAYOUTS) or values.ndim == 3 and values.shape[1:] == (4, 4)
    if not known:
        right = "(frames, 3), (frames, 7), (frames, 11) or (frames, 4, 4)"
        fix = "see sim2real.scene.readers.scene_file.schema"
        raise BadValueError("the shape of the table", values.shape, right=right, fix=fix, where=path)
    if not len(values):
        raise BadValueError("the number of rows of the table", 0, right="at least 1, one per frame", where=path)


def _from_array(path: Path, values: np.ndarray) -> Table:
    if values.ndim == 3:
        if (row := first_not_rigid(values)) is not None:
            raise BadValueError(f"row {row} of the table", "no rotation", right="rigid 4x4 matrices", where=path)
        return Table(values[:, :3, 3], values[:, :3, :3])
    if values.shape[1] == 3:
        return Table(values)
    norms = lengths_of(values[:, 3:7])
    if (norms < 1e-6).any():
        row = int(np.argmin(norms))
        raise BadValueError(f"the quaternion in row {row}", values[row, 3:7].tolist(), right="not zero", where=path)
    intrinsics = values[:, 7:] if values.shape[1] == 11 else None
    if intrinsics is not None and (intrinsics[:, :2] <= 0).any():
        row = int(np.argmax((intrinsics[:, :2] <= 0).any(axis=1)))
        raise BadValueError(f"fx, fy in row {row} of the table", intrinsics[row, :2].tolist(), right="positive", where=path)
    return Table(values[:, :3], rotation_from_quaternion(values[:, 3:7]), intrinsics)


def _csv_values(path: Path) -> np.ndarray:
    try:
        lines = io.StringIO(read_text(path))
        rows = [row for row in csv.reader(lines) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UnreadableFileError(path, what="table", why=reason(error), fix="write it again") from error
    header = [name.strip() for name in rows[0]] if rows else []
    layout = next((names for names in reversed(_LAYOUTS) if set(names) <= set(header)), None)
    if layout is None:
        right = f"a first line with {','.join(POSITION)} and possibly {','.join(ROTATION)} and {','.join(INTRINSICS)}"
        raise BadValueError("the header of the table", repr(",".join(header)), right=right, where=path)
    columns = [header.index(name) for name in layout]
    values = np.empty((len(rows) - 1, len(columns)))
    for k, row in enumerate(rows[1:]):
        try:
            values[k] = [float(row[c]) for c in columns]
        except (ValueError, IndexError):
            right = f"{len(header)} numbers"
            raise BadValueError(f"row {k} of the table", repr(",".join(row)), right=right, where=path) from None
    return values
