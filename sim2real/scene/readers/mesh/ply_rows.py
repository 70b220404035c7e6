"""Rows of a PLY file as columns: numbers and lists, binary or as text.

Of a list ``name``, the column ``name`` has the entries of all rows one after the other, and ``name#`` how many each row has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import Int

from ....errors import UnreadableFileError

_MOST_ENTRIES = 10_000
"""Of a list: a polygon with more corners is a damaged count."""
_AT_ONCE, _ROWS_AT_ONCE = 1 << 24, 500_000
Table = dict[str, np.ndarray]


@dataclass(frozen=True)
class Property:
    """A number of a row, of a numpy kind; of a list, also the kind of its count."""

    name: str
    kind: str
    count: str | None


@dataclass(frozen=True)
class Element:
    """A kind of rows, and how many there are."""

    name: str
    rows: int
    properties: tuple[Property, ...]

    def with_property(self, new: Property) -> Element:
        """The element with one more number in its rows."""
        return replace(self, properties=(*self.properties, new))

    def has(self, *names: str) -> bool:
        """Whether its rows have numbers of these names."""
        return set(names) <= {p.name for p in self.properties if p.count is None}

    @property
    def least_bytes(self) -> int:
        """What a row takes if its lists are empty."""
        return sum(int((p.kind if p.count is None else p.count)[1]) for p in self.properties)


def read_binary(file: BinaryIO, elements: tuple[Element, ...], order: str, path: Path) -> dict[str, Table]:
    """The tables of all elements up to the faces, which are the last that count."""
    tables: dict[str, Table] = {}
    for element in elements:
        lists = [p for p in element.properties if p.count is not None]
        tables[element.name] = _fixed(file, element, order, path) if not lists else _with_lists(file, element, order, path)
        if {"vertex", "face"} <= set(tables):
            break
    return tables


def _fixed(file: BinaryIO, element: Element, order: str, path: Path) -> Table:
    dtype = np.dtype([(f"{k}", order + p.kind) for k, p in enumerate(element.properties)])
    rows = np.fromfile(file, dtype, element.rows) if dtype.itemsize else np.zeros(element.rows, dtype)
    if len(rows) < element.rows:
        raise _ended(path, element, len(rows))
    return {p.name: rows[f"{k}"] for k, p in enumerate(element.properties)}


def _with_lists(file: BinaryIO, element: Element, order: str, path: Path) -> Table:
    """Rows whose lists are all as long as those of the first are read at once, others one by one."""
    start = file.tell()
    first = file.read(_AT_ONCE)
    lengths = _row(first, 0, element, order)
    if lengths is not None and element.rows:
        fields = []
        for k, p in enumerate(element.properties):
            if p.count is None:
                fields.append((f"{k}", order + p.kind))
            else:
                fields += [(f"{k}#", order + p.count), (f"{k}", order + p.kind, (lengths[k],))]
        dtype = np.dtype(fields)
        if start + element.rows * dtype.itemsize <= path.stat().st_size:
            file.seek(start)
            rows = np.fromfile(file, dtype, element.rows)
            if all((rows[f"{k}#"] == lengths[k]).all() for k, p in enumerate(element.properties) if p.count is not None):
                return _columns_of_rows(rows, element)
            del rows
    file.seek(start)
    return _walked(file, element, order, path)


def _columns_of_rows(rows: np.ndarray, element: Element) -> Table:
    table: Table = {}
    for k, p in enumerate(element.properties):
        table[p.name] = np.ascontiguousarray(rows[f"{k}"]).ravel()
        if p.count is not None:
            table[f"{p.name}#"] = rows[f"{k}#"].astype(np.int64)
    return table


def _row(data: bytes, at: int, element: Element, order: str) -> dict[int, int] | None:
    """How many entries the lists of a row have that begins at some place; ``None`` where it does not end in the data."""
    lengths: dict[int, int] = {}
    for k, p in enumerate(element.properties):
        if p.count is None:
            at += int(p.kind[1])
            continue
        size = int(p.count[1])
        if p.count[0] == "f" or at + size > len(data):
            return None
        lengths[k] = int(np.frombuffer(data, order + p.count, 1, at)[0])
        if not 0 <= lengths[k] <= _MOST_ENTRIES:
            return None
        at += size + lengths[k] * int(p.kind[1])
    return lengths


def _walked(file: BinaryIO, element: Element, order: str, path: Path) -> Table:
    """Rows one after the other, where lists differ in length."""
    steps = [(int(p.kind[1]), 0 if p.count is None else int(p.count[1])) for p in element.properties]
    if any(p.count is not None and p.count[0] == "f" for p in element.properties):
        raise UnreadableFileError(path, what="mesh file", why="the count of a list is no integer", fix="export it again")
    data = file.read()
    byte_order = "big" if order == ">" else "little"
    starts = [np.empty(element.rows, np.int64) for _ in steps]
    counts = [np.ones(element.rows, np.int64) for _ in steps]
    at, end = 0, len(data)
    for row in range(element.rows):
        for k, (size, counted) in enumerate(steps):
            if counted:
                many = data[at] if counted == 1 else int.from_bytes(data[at : at + counted], byte_order)
                if at + counted > end or many > _MOST_ENTRIES:
                    raise _ended(path, element, row)
                counts[k][row] = many
                at += counted
                starts[k][row] = at
                at += many * size
            else:
                starts[k][row] = at
                at += size
        if at > end or (at == end and row + 1 < element.rows):
            raise _ended(path, element, row)
    whole = np.frombuffer(data, np.uint8)
    table: Table = {}
    for p, begin, count in zip(element.properties, starts, counts, strict=True):
        table[p.name] = _gathered(whole, begin, count, order + p.kind)
        if p.count is not None:
            table[f"{p.name}#"] = count
    return table


def _gathered(data: np.ndarray, starts: Int[np.ndarray, "rows"], counts: Int[np.ndarray, "rows"], kind: str) -> np.ndarray:
    """Numbers of some kind that lie in bytes, so many of them from each start."""
    size, found = np.dtype(kind).itemsize, [np.zeros(0, kind)]
    for row in range(0, len(starts), _ROWS_AT_ONCE):
        count = counts[row : row + _ROWS_AT_ONCE]
        within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        place = np.repeat(starts[row : row + _ROWS_AT_ONCE], count) + size * within
        found.append(np.stack([data[place + k] for k in range(size)], axis=1).reshape(-1).view(kind))
    return np.concatenate(found)


def read_ascii(file: BinaryIO, elements: tuple[Element, ...], order: str, path: Path) -> dict[str, Table]:
    """The tables of all elements up to the faces, from text."""
    words = _words(file, path)
    tables: dict[str, Table] = {}
    at = 0
    for element in elements:
        lists = any(p.count is not None for p in element.properties)
        width = len(element.properties)
        if not lists:
            if at + width * element.rows > len(words):
                raise _ended(path, element, (len(words) - at) // max(width, 1))
            rows = words[at : at + width * element.rows].reshape(element.rows, width)
            tables[element.name] = {p.name: _as(rows[:, k], p.kind) for k, p in enumerate(element.properties)}
            at += width * element.rows
        else:
            tables[element.name], at = _lists_of_words(words, at, element, path)
        if {"vertex", "face"} <= set(tables):
            break
    return tables


def _words(file: BinaryIO, path: Path) -> np.ndarray:
    """All numbers of a text."""
    found = []
    rest = b""
    while True:
        piece = file.read(_AT_ONCE)
        text = rest + piece
        cut = len(text) if not piece else max(text.rfind(b"\n"), text.rfind(b" ")) + 1
        rest = text[cut:]
        if len(rest) > _AT_ONCE:
            raise UnreadableFileError(path, what="mesh file", why="it holds something that is no number", fix="export it again")
        try:
            found.append(np.array(text[:cut].split(), np.float64))
        except ValueError as error:
            why = f"a number of it is none ({str(error)[:60]})"
            raise UnreadableFileError(path, what="mesh file", why=why, fix="export it again") from None
        if not piece:
            return np.concatenate(found)


def _lists_of_words(words: np.ndarray, at: int, element: Element, path: Path) -> tuple[Table, int]:
    """Rows with lists, one by one; places in the words are found first."""
    places: list[list[int]] = [[] for _ in element.properties]
    counts: list[list[int]] = [[] for _ in element.properties]
    for row in range(element.rows):
        for k, p in enumerate(element.properties):
            many = 1
            if p.count is not None:
                many = words[at] if at < len(words) else -1
                if not (0 <= many <= _MOST_ENTRIES and many == int(many)):
                    raise _ended(path, element, row)
                many, at = int(many), at + 1
            places[k].append(at)
            counts[k].append(many)
            at += many
        if at > len(words):
            raise _ended(path, element, row)
    table: Table = {}
    for k, p in enumerate(element.properties):
        count = np.array(counts[k], np.int64)
        within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        table[p.name] = _as(words[np.repeat(np.array(places[k], np.int64), count) + within], p.kind)
        if p.count is not None:
            table[f"{p.name}#"] = count
    return table, at


def _as(values: np.ndarray, kind: str) -> np.ndarray:
    """Numbers of a text as their kind; what does not fit an integer is none of its values, and refused where it counts."""
    if kind[0] == "f":
        with np.errstate(over="ignore"):
            return values.astype(kind)
    limits = np.iinfo(kind)
    good = np.isfinite(values) & (values >= limits.min) & (values <= limits.max)
    return np.where(good, values, limits.max).astype(kind)


def _ended(path: Path, element: Element, row: int) -> UnreadableFileError:
    why = f"it ends early or is damaged, in row {row} of the {element.rows} rows of {element.name}"
    return UnreadableFileError(path, what="mesh file", why=why, fix="copy it again")
