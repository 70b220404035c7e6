"""A glTF file as its JSON and its buffers, and what is looked up in them by number."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from ....errors import MissingFileError, UnreadableFileError
from ..mesh.glb import FilePart, binary_chunk
from ..mesh.gltf import gltf_of

MOST = 1e9
"""Metres, or whatever else a file counts: a million kilometres."""


@dataclass(frozen=True, eq=False)
class Document:
    """A glTF file.

    - ``tree`` is its JSON; ``buffers`` are in the order of its ``buffers``, empty where it does not say where they are.
    - ``files``: all files that were read.
    - ``instance_of``: of nodes that stand for one instance of many (``instances``), which node of the file has them.
    """

    path: Path
    tree: dict[str, Any]
    buffers: tuple[bytes | FilePart, ...]
    files: tuple[Path, ...]
    instance_of: dict[int, int] = field(default_factory=dict)

    def broken(self, why: str) -> UnreadableFileError:
        """The error that this file cannot be read."""
        return broken(self.path, why)

    def count(self, kind: str) -> int:
        """How many entries of a kind (``nodes``, ``meshes``, ...) there are."""
        held = self.tree.get(kind)
        return len(held) if isinstance(held, list) else 0

    def entry(self, kind: str, index: object) -> dict[str, Any]:
        """An entry by its number.

        Raises:
            UnreadableFileError: there is none.
        """
        if type(index) is int and 0 <= index < self.count(kind) and isinstance(self.tree[kind][index], dict):
            return self.tree[kind][index]
        raise self.broken(f"it names number {index!r} of its {self.count(kind)} {kind}")

    def numbers(self, values: object, count: int, what: str) -> list[float]:
        """So many finite numbers.

        Raises:
            UnreadableFileError: they are others, or beyond ``MOST``.
        """
        if isinstance(values, list) and len(values) == count:
            good = [float(v) for v in values if isinstance(v, (int, float)) and not isinstance(v, bool) and abs(v) <= MOST]
            if len(good) == count:
                return good
        raise self.broken(f"{what} is not {count} finite number{'s' if count > 1 else ''}")

    def number(self, value: object, what: str, *, least: float = -MOST) -> float:
        """A finite number above ``least``.

        Raises:
            UnreadableFileError: it is something else.
        """
        (found,) = self.numbers([value], 1, what)
        if found <= least:
            raise self.broken(f"{what} is {found:g}, must be above {least:g}")
        return found


def broken(path: Path, why: str) -> UnreadableFileError:
    """The error that a glTF file cannot be read."""
    return UnreadableFileError(path, what="glTF file", why=why, fix="check that it opens elsewhere, export it again")


def open_document(path: Path) -> Document:
    """Read a glTF file's JSON, and find all of its buffers.

    Raises:
        MissingFileError: a buffer's file does not exist.
        UnreadableFileError: a buffer is cut off.
    """
    tree, files = gltf_of(path), [path]
    held = tree.get("buffers")
    buffers = [_buffer(path, k, entry, files) for k, entry in enumerate(held if isinstance(held, list) else [])]
    return Document(path, tree, tuple(buffers), tuple(files))


def _buffer(path: Path, index: int, entry: Any, files: list[Path]) -> bytes | FilePart:
    if not isinstance(entry, dict):
        raise broken(path, f"buffer {index} is no object")
    uri, size = entry.get("uri"), entry.get("byteLength")
    if uri is None:
        data: bytes | FilePart = (binary_chunk(path) if index == 0 else None) or b""
        if not data:  # what stands in for compressed data, or an error where it is needed
            return data
    elif isinstance(uri, str) and uri.startswith("data:"):
        data = _inline(path, index, uri)
    else:
        data = _neighbor(path, str(uri), files)
    if type(size) is int and len(data) < size:
        raise broken(path, f"buffer {index} is cut off, {len(data)} of {size} bytes are there")
    return data


def _inline(path: Path, index: int, uri: str) -> bytes:
    head, _, body = uri.partition(",")
    if not head.endswith(";base64"):
        return unquote_to_bytes(body)
    try:
        return base64.b64decode(body, validate=False)
    except (binascii.Error, ValueError) as error:
        raise broken(path, f"buffer {index} is no base64") from error


def _neighbor(path: Path, uri: str, files: list[Path]) -> FilePart:
    place = path.parent / unquote(uri).strip().replace("\\", "/")
    if "\0" in uri or not place.is_file():
        raise MissingFileError(path.parent / uri, what=f"a file that {path.name} names")
    files.append(place)
    return FilePart(place, 0, place.stat().st_size)
