"""Bags of ROS: the SQLite files of ROS 2, and the bags of ROS 1."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from ....arrays import reason
from ....errors import UnreadableFileError
from ....optional import require
from .recording import Message, Topic, Wanted, Window, broken, kind_of

_ZSTD = b"\x28\xb5\x2f\xfd"
"""What compressed messages begin with."""
_LARGEST = 1 << 30


@dataclass
class SqliteFile:
    """A file of a rosbag2 recording in SQLite."""

    path: Path
    topics: set[Topic] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def began(self) -> int:
        """See ``Recording``."""
        try:
            with self._opened() as held:
                (first,) = held.execute("SELECT min(timestamp) FROM messages").fetchone()
        except sqlite3.Error as error:
            raise self._broken(error) from error
        return first if isinstance(first, int) else 0

    def _opened(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(f"file:{quote(str(self.path.absolute()))}?immutable=1", uri=True))

    def _broken(self, error: sqlite3.Error) -> UnreadableFileError:
        return broken(self.path, f"it is no rosbag2 database, or damaged ({reason(error)})")

    def messages(self, wanted: Wanted, window: Window) -> Iterator[Message]:
        """See ``Recording``."""
        self.notes.clear()
        try:
            with self._opened() as held:
                rows = held.execute("SELECT id, name, type, serialization_format FROM topics").fetchall()
                numbers = {n: Topic(str(name), kind_of(str(kind)), str(way)) for n, name, kind, way in rows}
                self.topics.update(numbers.values())
                chosen = {n: topic for n, topic in numbers.items() if wanted(topic)}
                yield from self._rows(held, chosen, window)
        except sqlite3.Error as error:
            raise self._broken(error) from error

    def _rows(self, held: sqlite3.Connection, chosen: dict[int, Topic], window: Window) -> Iterator[Message]:
        marks = ",".join("?" * len(chosen))
        low, high = (-(2**62), 2**62) if window is None else window
        query = (
            f"SELECT topic_id, timestamp, data FROM messages WHERE topic_id IN ({marks}) AND timestamp >= ? AND timestamp < ?"
        )
        found, lost = 0, 0
        rows = held.execute(query, (*chosen, low, high))
        while True:
            try:
                row = rows.fetchone()
            except sqlite3.Error as error:
                if not found:
                    raise
                self.notes.append(f"the file is damaged: the {found} messages before that were read ({reason(error)})")
                return
            if row is None:
                break
            number, time, data = row
            data = _plain(data) if isinstance(data, bytes) else None
            if data is None or not isinstance(time, int):
                lost += 1
                continue
            found += 1
            yield chosen[number], time, data
        if lost:
            self.notes.append(f"{lost} messages are damaged and were left out")


def _plain(data: bytes) -> bytes | None:
    """A message without its compression; ``None`` where that is damaged."""
    if not data.startswith(_ZSTD):
        return data
    zstandard = require("zstandard", "ros")
    try:
        plain = zstandard.ZstdDecompressor().stream_reader(data).read(_LARGEST + 1)
    except zstandard.ZstdError:
        return None
    return plain if len(plain) <= _LARGEST else None


@dataclass
class Ros1Bag:
    """A bag of ROS 1."""

    path: Path
    topics: set[Topic] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def began(self) -> int:
        """See ``Recording``."""
        return next((time for _, time, _ in self.messages(lambda topic: True, None)), 0)

    def messages(self, wanted: Wanted, window: Window) -> Iterator[Message]:
        """See ``Recording``."""
        self.notes.clear()
        found = 0
        try:
            with require("rosbags.rosbag1", "ros").Reader(self.path) as reader:
                topics = {one.id: Topic(one.topic, kind_of(one.msgtype), "ros1") for one in reader.connections}
                self.topics.update(topics.values())
                chosen = [one for one in reader.connections if wanted(topics[one.id])]
                start, stop = window or (None, None)
                for connection, time, data in reader.messages(chosen, start, stop) if chosen else ():
                    found += 1
                    yield topics[connection.id], time, bytes(data)
        except Exception as error:  # of the bag, its index, its compression
            if not found:
                fix = "run: rosbag reindex, where it was not closed; else copy it again"
                raise broken(self.path, f"it is no bag of ROS 1, or damaged ({reason(error)})", fix) from error
            self.notes.append(f"the file is damaged: the {found} messages before that were read ({reason(error)})")
