"""Recorded joint positions: a table whose columns have names, from CSV, ``.npz`` or Parquet (LeRobot's too)."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ....arrays import first_broken_row, numbers, read_arrays, reason
from ....errors import BadValueError, MissingFileError, UnreadableFileError
from ....optional import require
from ....text_files import read_json, read_text

SUFFIXES = (".csv", ".npz", ".parquet")
EPISODE = "episode_index"
_WHAT, _FIX = "joint table", "write a column per joint, with the joints' names in the first line"
_NAMES, _POSITIONS = ("names", "joint_names"), ("positions", "position", "joint_positions", "joint_pos", "qpos")
Column = list[str] | np.ndarray


@dataclass(frozen=True, eq=False)
class JointTable:
    """Columns by name, as text or numbers; ``chosen`` are the rows that count, ``None``: all."""

    path: Path
    columns: Mapping[str, Column]
    chosen: Int[np.ndarray, "rows"] | None = None

    def rows(self, name: str) -> int:
        """How many rows of a column count."""
        return len(self.columns[name]) if self.chosen is None else len(self.chosen)

    def column(self, name: str) -> Float[np.ndarray, "rows"]:
        """The numbers of a column.

        Raises:
            BadValueError: they are none, or not finite; names the row, counted from 0.
        """
        values, chosen = self.columns[name], self.chosen
        if isinstance(values, np.ndarray) and values.ndim != 1:
            raise BadValueError(f"{name} in row 0", f"a list of {values[0].size}", right="a number", where=self.path)
        if isinstance(values, np.ndarray):
            picked = numbers(values if chosen is None else values[chosen], name, where=self.path)
        else:
            picked = self._parsed(name, values if chosen is None else [values[k] for k in chosen])
        if (row := first_broken_row(picked)) is not None:
            at = row if chosen is None else int(chosen[row])
            raise BadValueError(f"{name} in row {at}", f"{picked[row]:g}", right="a finite number up to 1e30", where=self.path)
        return picked

    def _parsed(self, name: str, cells: Sequence[str]) -> Float[np.ndarray, "rows"]:
        found = np.empty(len(cells))
        for k, cell in enumerate(cells):
            try:
                found[k] = float(cell)
            except ValueError:
                row = k if self.chosen is None else int(self.chosen[k])
                received = repr(cell[:80]) if cell else "empty"
                raise BadValueError(f"{name} in row {row}", received, right="a number", where=self.path) from None
        return found

    def seconds(self, name: str) -> tuple[Float[np.ndarray, "rows"], bool]:
        """The times in a column from its first row on, and whether they were nanoseconds (or dates): steps of 1e5 and more."""
        values = self.columns[name]
        if isinstance(values, np.ndarray) and values.dtype.kind == "M":
            table = replace(self, columns={name: values.astype("datetime64[ns]").astype(np.int64)})
            return (table.column(name) - table.column(name)[:1]) * 1e-9, True
        times = self.column(name)
        times = times - times[:1]
        large = len(times) > 1 and float(np.median(np.diff(times))) >= 1e5
        return times * (1e-9 if large else 1.0), large

    def of_episode(self, episode: int | None) -> tuple[JointTable, str | None]:
        """The rows of one episode (``None``: the first there is) where the table holds several, and a note of that.

        Raises:
            BadValueError: it has no such episode, or does not tell episodes apart; a column is shorter or longer than others.
        """
        if EPISODE not in self.columns:
            if episode is not None:
                raise BadValueError("--episode", episode, right=f"left out: no column {EPISODE}", where=self.path)
            return self, None
        all_rows = self.column(EPISODE)
        for name, values in self.columns.items():
            if len(values) != len(all_rows):
                right = f"{len(all_rows)}, as {EPISODE} has"
                raise BadValueError(f"the number of rows of {name}", len(values), right=right, where=self.path)
        there = np.unique(all_rows)
        if not len(there):
            return self, None
        wanted = there[0] if episode is None else episode
        chosen = np.flatnonzero(all_rows == wanted)
        if not len(chosen):
            right = f"one of {', '.join(f'{k:g}' for k in there[:16])}" + (" …" if len(there) > 16 else "")
            raise BadValueError("--episode", episode, right=right, where=self.path)
        note = f"episode {wanted:g} of the {len(there)} in {self.path.name}" if len(there) > 1 else None
        return replace(self, chosen=chosen), note


def read_joint_table(path: Path) -> JointTable:
    """Read a table.

    - ``.csv``: names in the first line; commas, semicolons or tabs between columns.
    - ``.npz``: an array per column; or ``names`` and ``positions`` (frames, joints).
    - ``.parquet``: columns of numbers; a column of lists whose entries are named in the ``meta/info.json`` of a LeRobot
      dataset becomes a column for each.

    Raises:
        MissingFileError: no such file.
        UnreadableFileError: it is damaged, or of another kind.
        BadValueError: two columns have the same name, or names and positions do not fit each other.
        MissingPackageError: Parquet without pyarrow.
    """
    if not path.is_file():
        raise MissingFileError(path, what=_WHAT, fix="check --joints")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadValueError("the kind of joint table", repr(path.suffix), right=f"one of {', '.join(SUFFIXES)}", where=path)
    columns = {".csv": _from_csv, ".npz": _from_arrays, ".parquet": _from_parquet}[suffix](path)
    return JointTable(path, columns)


def _check_names(names: Sequence[str], path: Path) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise BadValueError("the names of columns", f"{twice[0]!r} twice", right="distinct", where=path)


def _from_csv(path: Path) -> dict[str, Column]:
    text = read_text(path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    between = max(",;\t", key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=between) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UnreadableFileError(path, what=_WHAT, why=reason(error), fix="write it again") from error
    header = [name.strip() for name in rows[0]] if rows else []
    _check_names(header, path)
    body = [[cell.strip() for cell in row] + [""] * (len(header) - len(row)) for row in rows[1:]]
    return {name: [row[k] for row in body] for k, name in enumerate(header) if name}


def _from_arrays(path: Path) -> dict[str, Column]:
    arrays = read_arrays(path, what=_WHAT, fix="write it with numpy.savez")
    if "" in arrays:
        raise UnreadableFileError(path, what=_WHAT, why="its one array has no name", fix="write it with numpy.savez")
    columns: dict[str, Column] = {name: array for name, array in arrays.items() if array.ndim == 1}
    names_key = next((key for key in _NAMES if key in columns), None)
    positions_key = next((key for key in _POSITIONS if key in arrays and arrays[key].ndim == 2), None)
    if positions_key is None:
        return columns
    positions = arrays[positions_key]
    if names_key is None:
        right = "beside an array 'names' with the joint of each column"
        raise BadValueError(f"the array {positions_key!r}", f"of shape {positions.shape}", right=right, where=path)
    names = [_text(name) for name in np.asarray(columns.pop(names_key))]
    if positions.shape[1] != len(names):
        right = f"(frames, {len(names)}), a column for each of the names"
        raise BadValueError(f"the shape of {positions_key!r}", positions.shape, right=right, where=path)
    _check_names([*columns, *names], path)
    return {**columns, **{name: positions[:, k] for k, name in enumerate(names)}}


def _text(name: Any) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)


def _from_parquet(path: Path) -> dict[str, Column]:
    parquet = require("pyarrow.parquet", "dataset")
    try:
        with parquet.ParquetFile(path) as file:
            table = file.read(use_threads=False)
            names = [str(name) for name in table.column_names]
            arrays = {name: _array(table.column(k)) for k, name in enumerate(names)}
    except Exception as error:  # Arrow's errors are of many kinds
        raise UnreadableFileError(path, what=_WHAT, why=reason(error), fix="copy it again") from error
    _check_names(names, path)
    columns: dict[str, Column] = {}
    for name, array in arrays.items():
        if array.ndim == 1:
            columns[name] = array
            continue
        parts = _lerobot_names(path, name)
        if parts is not None and len(parts) == array.shape[1]:
            columns |= {f"{name}.{part}": array[:, k] for k, part in enumerate(parts)}
        else:
            columns[name] = array
    return columns


def _array(column: Any) -> np.ndarray:
    """A column as an array; lists of one length are its rows, of other kinds there is one object per row."""
    kind = str(column.type)
    if not kind.startswith(("list", "fixed_size_list", "large_list")):
        return np.asarray(column.to_numpy())
    flat = np.asarray(column.combine_chunks().flatten().to_numpy(zero_copy_only=False))
    compute = require("pyarrow.compute", "dataset")
    lengths = set(compute.unique(compute.list_value_length(column)).to_pylist())
    (length,) = lengths if len(lengths) == 1 else (None,)
    if not length or len(flat) != length * len(column):
        return np.full(len(column), None, object)
    return flat.reshape(len(column), length)


def _lerobot_names(path: Path, feature: str) -> list[str] | None:
    """What the entries of a list are called, by the ``meta/info.json`` of the LeRobot dataset that a file lies in."""
    for folder in list(path.resolve().parents)[:4]:
        file = folder / "meta" / "info.json"
        if not file.is_file():
            continue
        features = read_json(file, what="the facts of the LeRobot dataset", fix="copy it again").get("features")
        said = features.get(feature) if isinstance(features, dict) else None
        names = said.get("names") if isinstance(said, dict) else None
        if isinstance(names, dict):
            names = next(iter(names.values()), None)
        return [str(name) for name in names] if isinstance(names, list) else None
    return None
