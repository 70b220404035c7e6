"""JSON files of datasets: plain ASCII, and long lists written entry by entry."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any


def write_json(path: Path, data: Any) -> None:
    """Write JSON, one line per entry of the outermost object or list."""
    if isinstance(data, Mapping):
        rows = [f"{json.dumps(str(key))}: {_text(value)}" for key, value in data.items()]
        begin, end = "{", "}"
    else:
        rows, begin, end = [_text(value) for value in data], "[", "]"
    path.write_text(f"{begin}\n" + ",\n".join(rows) + f"\n{end}\n", encoding="ascii")


class JsonList:
    """Writes a long list to a JSON file, entry by entry."""

    def __init__(self, path: Path) -> None:
        self.path, self._begun = path, False

    def __enter__(self) -> JsonList:
        self._file = self.path.open("w", encoding="ascii", newline="\n")
        self._file.write("[")
        return self

    def add(self, entry: Any) -> None:
        """Append an entry."""
        self._file.write((",\n" if self._begun else "\n") + _text(entry))
        self._begun = True

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.write("\n]\n")
        self._file.close()


class JsonLists:
    """Writes a JSON object whose long lists never are in memory.

    Each list waits in a hidden file of its own; the file itself appears when the block ends without an error.
    """

    def __init__(self, path: Path, names: Sequence[str], head: Mapping[str, Any]) -> None:
        """Begin.

        Args:
            path: of the file.
            names: of the long lists, in the order in which they stand in the file.
            head: everything else; stands before the lists.
        """
        self._path, self._head = path, head
        self._lists = {name: JsonList(path.with_name(f".{path.name}.{place}")) for place, name in enumerate(names)}
        self._stack = ExitStack()

    def __enter__(self) -> JsonLists:
        for part in self._lists.values():
            self._stack.enter_context(part)
        return self

    def add(self, name: str, entry: Any) -> None:
        """Append an entry to a list."""
        self._lists[name].add(entry)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()
        if kind is None:
            self._join()
        for part in self._lists.values():
            part.path.unlink()

    def _join(self) -> None:
        with self._path.open("w", encoding="ascii", newline="\n") as whole:
            whole.write("{\n" + ",\n".join(f"{json.dumps(key)}: {_text(value)}" for key, value in self._head.items()))
            for place, (name, part) in enumerate(self._lists.items()):
                whole.write(("" if place == 0 and not self._head else ",\n") + f"{json.dumps(name)}: ")
                with part.path.open(encoding="ascii") as file:
                    shutil.copyfileobj(file, whole)
            whole.write("}\n")


def _text(value: Any) -> str:
    return json.dumps(value, allow_nan=False)
