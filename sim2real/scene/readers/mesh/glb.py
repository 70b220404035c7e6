"""Where what is inside a GLB file lies, and parts of files that are read when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ....errors import UnreadableFileError

_HEAD, _CHUNK_HEAD = 12, 8


@dataclass(frozen=True)
class FilePart:
    """Bytes of a file; a slice of it reads those alone, so that large files are never in memory as a whole.

    - ``start``, ``size``: which bytes.
    """

    path: Path
    start: int
    size: int

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, which: slice) -> bytes:
        """Some of the bytes.

        Raises:
            UnreadableFileError: the file is shorter than it was.
        """
        first, end, _ = which.indices(self.size)
        with self.path.open("rb") as file:
            file.seek(self.start + first)
            found = file.read(max(end - first, 0))
        if len(found) < end - first:
            raise UnreadableFileError(self.path, what="glTF file", why="it was cut off while it was read", fix="load it again")
        return found


def json_chunk(path: Path) -> FilePart:
    """The text of a GLB file."""
    start = _HEAD + _CHUNK_HEAD
    return FilePart(path, start, max(min(_size_at(path, _HEAD), path.stat().st_size - start), 0))


def binary_chunk(path: Path) -> FilePart | None:
    """The first binary chunk of a GLB file; ``None`` where it has none, and for other files."""
    at, end = _HEAD, path.stat().st_size if path.suffix.lower() == ".glb" else 0
    while at + _CHUNK_HEAD <= end:
        size, start = _size_at(path, at), at + _CHUNK_HEAD
        if FilePart(path, at + 4, 4)[:] == b"BIN\0":
            return FilePart(path, start, min(size, end - start))
        at = start + size
    return None


def glb_of(path: Path, text: bytes, binary: bytes) -> bytes:
    """A GLB file of the same version as another, of a text and a binary chunk."""
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    body = len(text).to_bytes(4, "little") + b"JSON" + text
    if binary:
        body += len(binary).to_bytes(4, "little") + b"BIN\0" + binary
    return FilePart(path, 0, 8)[:] + (_HEAD + len(body)).to_bytes(4, "little") + body


def _size_at(path: Path, at: int) -> int:
    with path.open("rb") as file:
        file.seek(at)
        return int.from_bytes(file.read(4), "little")
