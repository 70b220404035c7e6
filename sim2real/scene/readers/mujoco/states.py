"""Rows of simulator state, as people store them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ....arrays import first_broken_row, numbers, read_arrays, reason
from ....errors import BadValueError, MissingFileError, UnreadableFileError
from ....text_files import read_text

_TIMES = ("time", "t", "timestamp", "seconds", "time_s")
"""What the first column of a table is called where it is one of times."""


@dataclass(frozen=True, eq=False)
class Recording:
    """What a file of states holds: one row per frame, and where moved by hand, the mocap bodies' poses.

    - ``mocap`` rows are (x, y, z, qw, qx, qy, qz) per mocap body.
    - ``seconds`` are the frames' times where they are known.
    - ``timed``: the first number of a row is called a time.
    """

    rows: Float[np.ndarray, "frames width"]
    mocap: Float[np.ndarray, "frames bodies 7"] | None = None
    seconds: Float[np.ndarray, "frames"] | None = None
    where: str = ""
    timed: bool = False


def read_states(states: Path | str | np.ndarray, *, where: object = "") -> Recording:
    """Read a recording.

    ``.npy`` and ``.csv`` hold the rows; a first line of names in ``.csv`` may say that the first column is a time, and is
    skipped otherwise. ``.npz`` holds them as ``states`` or ``qpos``, and may hold ``time``, and where mocap bodies are:
    ``mocap``, or ``mocap_pos`` and ``mocap_quat``.

    Args:
        states: a file, or the rows themselves.
        where: what the rows themselves belong to, for errors.

    Raises:
        MissingFileError: there is no such file.
        UnreadableFileError: it is no array file, or has neither ``states`` nor ``qpos``.
        BadValueError: rows, poses or times are no tables of numbers that fit each other, or hold NaN or infinity.
    """
    if isinstance(states, np.ndarray):
        return _checked(_table(states, str(where)), None, None, str(where))
    path = Path(states)
    if not path.is_file():
        raise MissingFileError(path, what="states file", fix="check --states")
    if path.suffix.lower() not in (".npy", ".npz", ".csv"):
        received, right = repr(path.suffix), ".npy, .npz or .csv"
        fix = "write them with numpy.save, numpy.loadtxt reads tables of text"
        raise BadValueError("the kind of states file", received, right=right, fix=fix, where=path)
    if path.suffix.lower() == ".csv":
        rows, timed = _csv_rows(path)
        return replace(_checked(_table(rows, str(path)), None, None, str(path)), timed=timed)
    arrays = read_arrays(path, what="states file", fix="write it with numpy.save or numpy.savez")
    rows = next((arrays[name] for name in ("", "states", "qpos") if name in arrays), None)
    if rows is None:
        why = f"it holds {', '.join(arrays) or 'nothing'}"
        raise UnreadableFileError(path, what="states file", why=why, fix="name the rows 'states' or 'qpos'")
    mocap, seconds = _mocap_arrays(arrays, str(path)), arrays.get("time")
    mocap = None if mocap is None else _mocap(mocap, str(path))
    seconds = None if seconds is None else _seconds(seconds, str(path))
    return _checked(_table(rows, str(path)), mocap, seconds, str(path))


def _table(rows: np.ndarray, where: str) -> np.ndarray:
    if rows.dtype.kind not in "fiu" or rows.ndim not in (1, 2) or rows.size == 0:
        received = f"an array of shape {rows.shape} and type {rows.dtype}"
        raise BadValueError("the states array", received, right="a table of numbers with one row per frame", where=where)
    return np.atleast_2d(numbers(rows, "the states", where=where))


def _csv_rows(path: Path) -> tuple[np.ndarray, bool]:
    """The numbers of a table of text, one row per line that is not empty, and whether the first column is called a time."""
    try:
        lines = [row for row in csv.reader(io.StringIO(read_text(path))) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UnreadableFileError(path, what="states file", why=reason(error), fix="write it again") from error
    timed = False
    if lines and not any(_is_number(cell) for cell in lines[0]):
        timed = lines[0][0].strip().lower() in _TIMES
        lines = lines[1:]
    widths = {len(row) for row in lines}
    for k, row in enumerate(lines):
        if len(row) != len(lines[0]) or not all(map(_is_number, row)):
            right = f"{len(lines[0])} numbers" if len(widths) == 1 else f"{len(lines[0])} numbers, as row 0 has"
            shown = ",".join(row) if len(row) < 9 else f"{len(row)} cells"
            raise BadValueError(f"row {k} of states", repr(shown), right=right, where=path)
    return np.array(lines, np.float64) if lines else np.zeros((0, 0)), timed


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _mocap_arrays(arrays: dict[str, np.ndarray], where: str) -> np.ndarray | None:
    """Poses of mocap bodies, by either name; ``None`` where there are none."""
    if "mocap" in arrays or not {"mocap_pos", "mocap_quat"} & set(arrays):
        return arrays.get("mocap")
    found = {name: arrays[name].shape for name in ("mocap_pos", "mocap_quat") if name in arrays}
    shapes = {name: shape[:-1] for name, shape in found.items()}
    if len(found) < 2 or len(set(shapes.values())) > 1 or [shape[-1:] for shape in found.values()] != [(3,), (4,)]:
        received = " and ".join(f"{name} of {shape}" for name, shape in found.items())
        right = "mocap_pos of (frames, bodies, 3) and mocap_quat of (frames, bodies, 4)"
        raise BadValueError("the poses of mocap bodies", received, right=right, where=where)
    return np.concatenate([numbers(arrays[name], name, where=where) for name in found], axis=-1)


def _mocap(poses: np.ndarray, where: str) -> np.ndarray:
    if poses.ndim not in (2, 3) or not poses.size or poses.shape[-1] % 7 or poses.ndim == 3 and poses.shape[2] != 7:
        raise BadValueError("the shape of mocap", poses.shape, right="(frames, bodies, 7)", where=where)
    return numbers(poses, "mocap", where=where).reshape(len(poses), -1, 7)


def _seconds(times: np.ndarray, where: str) -> np.ndarray:
    if times.shape not in ((times.size,), (times.size, 1)):
        raise BadValueError("the shape of time", times.shape, right="(frames,)", where=where)
    return numbers(times, "time", where=where).reshape(-1)


def _checked(rows: np.ndarray, mocap: np.ndarray | None, seconds: np.ndarray | None, where: str) -> Recording:
    tables = {"states": rows, "mocap": mocap, "time": seconds}
    for name, table in tables.items():
        if table is None:
            continue
        if len(table) != len(rows):
            right = f"{len(rows)}, one per row of states"
            raise BadValueError(f"the number of rows of {name}", len(table), right=right, where=where)
        if (row := first_broken_row(table)) is not None:
            fix = f"cut the recording before row {row}" if row else "record it again"
            received = "NaN, infinite or beyond 1e30"
            raise BadValueError(f"row {row} of {name}", received, right="finite", fix=fix, where=where)
    return Recording(rows, mocap, seconds, where)
