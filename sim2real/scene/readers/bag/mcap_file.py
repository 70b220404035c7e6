"""MCAP files: only the chunks that hold what is wanted, by the file's index; whatever is whole, where it has lost that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ....arrays import reason
from ....errors import UnreadableFileError
from ....optional import require
from .recording import Message, Topic, Wanted, Window, broken, kind_of

_COMPRESSIONS = ("", "zstd", "lz4")
_LARGEST = 1 << 30
"""Bytes of a chunk or a record: recorders write chunks of a few megabytes."""
_ENCODINGS = {"ros2msg": "cdr", "ros2idl": "cdr", "ros1msg": "ros1"}


class _Damaged(Exception):
    """A chunk that is not what it says."""


@dataclass
class McapFile:
    """An MCAP file."""

    path: Path
    topics: set[Topic] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    _schemas: dict[int, Any] = field(default_factory=dict)
    _channels: dict[int, Topic] = field(default_factory=dict)

    def began(self) -> int:
        """See ``Recording``."""
        with self.path.open("rb") as file:
            summary = self._summary(file)
        if summary is not None and summary.statistics is not None:
            return summary.statistics.message_start_time
        return next((time for _, time, _ in self.messages(lambda topic: True, None)), 0)

    def messages(self, wanted: Wanted, window: Window) -> Iterator[Message]:
        """See ``Recording``."""
        self.notes.clear()
        with self.path.open("rb") as file:
            if file.read(8) != b"\x89MCAP0\r\n":
                raise broken(self.path, "it is no MCAP file", "check that it was copied whole")
            chunks = self._index(file, wanted, window)
            records = self._in_order(file) if chunks is None else self._chosen(file, chunks)
            for record in records:
                yield from self._message(record, wanted, window)

    def _index(self, file: IO[bytes], wanted: Wanted, window: Window) -> list[Any] | None:
        """Where the chunks are that hold what is wanted; ``None`` where the file has no index."""
        summary = self._summary(file)
        if summary is None or not summary.chunk_indexes:
            return None
        for record in (*summary.schemas.values(), *summary.channels.values()):
            self._learn(record)
        return [chunk for chunk in summary.chunk_indexes if self._matches(chunk, wanted, window)]

    def _summary(self, file: IO[bytes]) -> Any:
        """The file's index; ``None`` where it has none, or a damaged one."""
        file.seek(0)
        reader = require("mcap.reader", "ros")
        try:
            return reader.SeekingReader(file, record_size_limit=_LARGEST).get_summary()
        except Exception:  # whatever is at the file's end instead
            return None

    def _matches(self, chunk: Any, wanted: Wanted, window: Window) -> bool:
        """Whether a chunk may hold something that is wanted; one that does not say what it holds may."""
        if window is not None and (chunk.message_end_time < window[0] or chunk.message_start_time >= window[1]):
            return False
        inside = [self._channels.get(number) for number in chunk.message_index_offsets]
        return not inside or any(topic is None or wanted(topic) for topic in inside)

    def _chosen(self, file: IO[bytes], indexes: list[Any]) -> Iterator[Any]:
        """The records of some chunks."""
        records, streams = require("mcap.records", "ros"), require("mcap.data_stream", "ros")
        damaged, why = 0, ""
        for index in indexes:
            try:
                file.seek(index.chunk_start_offset + 9)
                inside = list(_records_in(records.Chunk.read(streams.ReadDataStream(file)), self.path))
            except UnreadableFileError:
                raise
            except Exception as error:  # of the index, of the chunk, of its compression: each has errors of its own
                damaged, why = damaged + 1, reason(error)
                continue
            yield from inside
        if damaged:
            self.notes.append(f"{damaged} of {len(indexes)} chunks are damaged and were left out ({why})")

    def _in_order(self, file: IO[bytes]) -> Iterator[Any]:
        """All records of a file without an index, up to where it is cut off."""
        file.seek(0)
        reading = require("mcap.stream_reader", "ros")
        stream, found, why = reading.StreamReader(file, emit_chunks=True, record_size_limit=_LARGEST), 0, ""
        records = iter(stream.records)
        while True:
            try:
                record = next(records)
                inside = list(_records_in(record, self.path)) if type(record).__name__ == "Chunk" else [record]
            except StopIteration:
                break
            except UnreadableFileError:
                raise
            except Exception as error:
                why = reason(error)
                break
            found += sum(type(one).__name__ == "Message" for one in inside)
            yield from inside
        if why:
            if not found:
                raise broken(self.path, f"it is cut off or damaged before its first message ({why})")
            self.notes.append(f"the file is cut off or damaged: the {found} messages before that were read ({why})")

    def _message(self, record: Any, wanted: Wanted, window: Window) -> Iterator[Message]:
        """A record's message, if it is one that is wanted."""
        if type(record).__name__ != "Message":
            self._learn(record)
            return
        topic = self._channels.get(record.channel_id)
        if topic is not None and wanted(topic) and (window is None or window[0] <= record.log_time < window[1]):
            yield topic, record.log_time, record.data

    def _learn(self, record: Any) -> None:
        """Remember schemas and channels."""
        if type(record).__name__ == "Schema":
            self._schemas[record.id] = record
        elif type(record).__name__ == "Channel":
            schema = self._schemas.get(record.schema_id)
            kind = "" if schema is None else kind_of(schema.name)
            encoding = record.message_encoding or ("" if schema is None else _ENCODINGS.get(schema.encoding, ""))
            topic = Topic(record.topic, kind, encoding, schema if encoding == "protobuf" else None)
            self._channels[record.id] = topic
            self.topics.add(topic)


def _records_in(chunk: Any, path: Path) -> Iterable[Any]:
    """The records of a chunk.

    Raises:
        UnreadableFileError: it is compressed in a way that is not known.
    """
    if chunk.compression not in _COMPRESSIONS:
        known = "zstd, lz4 or none"
        raise broken(path, f"its chunks are compressed by {chunk.compression[:40]!r}, must be {known}", "write it again")
    if chunk.uncompressed_size > _LARGEST:
        raise _Damaged(f"a chunk of {chunk.uncompressed_size} bytes")
    data = _plain(chunk.compression, chunk.data, chunk.uncompressed_size)
    if len(data) != chunk.uncompressed_size:
        raise _Damaged(f"a chunk that is not of {chunk.uncompressed_size} bytes, as it says")
    plain = require("mcap.records", "ros").Chunk(
        compression="",
        data=data,
        message_start_time=chunk.message_start_time,
        message_end_time=chunk.message_end_time,
        uncompressed_crc=chunk.uncompressed_crc,
        uncompressed_size=chunk.uncompressed_size,
    )
    return require("mcap.stream_reader", "ros").breakup_chunk(plain, validate_crc=True)


def _plain(compression: str, data: bytes, size: int) -> bytes:
    """Bytes without their compression, one more than there may be at most."""
    if compression == "zstd":
        return require("zstandard", "ros").ZstdDecompressor().stream_reader(data).read(size + 1)
    if compression == "lz4":
        return require("lz4.frame", "ros").LZ4FrameDecompressor().decompress(data, max_length=size + 1)
    return data
