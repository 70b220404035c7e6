"""Arrays of a glTF file: strided, normalized, sparse."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....memory import memory_bytes
from .document import Document

_COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_NUMBERS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
KINDS = tuple(_NUMBERS)
_PACKED = "EXT_meshopt_compression"


def array_of(document: Document, index: object, kinds: tuple[str, ...], what: str) -> np.ndarray:
    """An accessor's elements, one row each: integers as they are, floats and normalized integers as float32 or float64.

    Args:
        document: the file.
        index: the accessor's number.
        kinds: which types it may have, such as ``VEC3``.
        what: what it holds, for errors.

    Returns:
        An array of shape (elements, numbers of one), all finite.

    Raises:
        UnreadableFileError: it is of another type, reaches beyond its buffer, or holds what is not finite.
    """
    accessor = document.entry("accessors", index)
    kind, component, count = accessor.get("type"), accessor.get("componentType"), accessor.get("count")
    if kind not in kinds or component not in _COMPONENTS or type(count) is not int or count < 0:
        said = f"accessor {index} is {count!r} times {kind!r} of {component!r}"
        raise document.broken(f"{said}, but {what} must be {' or '.join(kinds)}")
    dtype, width = np.dtype(_COMPONENTS[component]), _NUMBERS[str(kind)]
    if count * width * dtype.itemsize > memory_bytes() // 8:
        raise document.broken(f"accessor {index} has {count} elements, more than memory holds")
    start = accessor.get("byteOffset", 0)
    if "bufferView" in accessor:
        values = _strided(document, accessor["bufferView"], start, count, width, dtype, f"accessor {index}").copy()
    else:
        values = np.zeros((count, width), dtype)
    if "sparse" in accessor:
        _substitute(document, accessor["sparse"], values, f"accessor {index}")
    if accessor.get("normalized") is True and dtype.kind in "iu":
        values = np.maximum(values / np.iinfo(dtype).max, -1.0)
    if dtype.kind == "f" and not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
        raise document.broken(f"row {row} of accessor {index}, {what}, is not finite")
    return values


def _strided(document: Document, view: object, start: Any, count: int, width: int, dtype: np.dtype, name: str) -> np.ndarray:
    """Rows of a buffer view, where they lie."""
    held = document.entry("bufferViews", view)
    document.entry("buffers", held.get("buffer"))
    buffer = document.buffers[held["buffer"]]
    if not buffer and _PACKED in (held.get("extensions") or {}):
        raise document.broken(f"its buffers are compressed with {_PACKED}, which is not read: export it without")
    offset, length, row = held.get("byteOffset", 0), held.get("byteLength", -1), width * dtype.itemsize
    stride = held.get("byteStride", row)
    if not all(type(n) is int and n >= 0 for n in (start, offset, length, stride)) or stride < row:
        raise document.broken(f"bufferView {view} has offsets, lengths or strides that fit nothing")
    needed = start + (count - 1) * stride + row if count else 0
    if needed > length or offset + needed > len(buffer):
        there = min(length, max(len(buffer) - offset, 0))
        raise document.broken(f"{name} needs {needed} bytes of bufferView {view}, which has {there}")
    if count == 0:
        return np.zeros((0, width), dtype)
    return np.ndarray((count, width), dtype, buffer[offset + start : offset + needed], 0, (stride, dtype.itemsize))


def _substitute(document: Document, sparse: dict[str, Any], values: np.ndarray, name: str) -> None:
    """Put the elements of a sparse accessor in their places."""
    count, at, new = sparse["count"], sparse["indices"], sparse["values"]
    if type(count) is not int or not 0 <= count <= len(values) or at.get("componentType") not in (5121, 5123, 5125):
        raise document.broken(f"{name} substitutes {count!r} of {len(values)} elements")
    places = _strided(
        document, at["bufferView"], at.get("byteOffset", 0), count, 1, np.dtype(_COMPONENTS[at["componentType"]]), name
    )[:, 0].astype(np.int64)
    if count and places.max() >= len(values):
        raise document.broken(f"{name} substitutes element {places.max()} of {len(values)}")
    values[places] = _strided(document, new["bufferView"], new.get("byteOffset", 0), count, values.shape[1], values.dtype, name)
