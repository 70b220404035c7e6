"""Text files of any origin: byte order marks, line ends and encodings never matter."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

from .errors import MissingFileError, UnreadableFileError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Longest first where one begins with another."""


def text_of(data: bytes) -> str:
    """The text of a file, without its mark, with plain line ends; what is no Unicode is read as Western European."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = data[len(mark) :].decode(encoding, "replace")
            break
    else:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_text(path: Path) -> str:
    """Read a text file, whatever wrote it."""
    return text_of(path.read_bytes())


def read_json(path: Path, *, what: str, fix: str) -> dict[str, Any]:
    """The JSON object that a file holds.

    Args:
        path: the file.
        what: its name in errors.
        fix: how to get a good one.

    Raises:
        MissingFileError: there is no such file.
        UnreadableFileError: it holds no JSON, or no object.
    """
    if not path.is_file():
        raise MissingFileError(path, what=what, fix=fix)
    try:
        data = json.loads(read_text(path))
    except RecursionError as error:
        raise UnreadableFileError(path, what=what, why="it is nested too deeply", fix=fix) from error
    except (ValueError, OSError) as error:
        raise UnreadableFileError(path, what=what, why=f"not JSON ({error})", fix=fix) from error
    if not isinstance(data, dict):
        raise UnreadableFileError(path, what=what, why=f"it holds a {type(data).__name__} in place of an object", fix=fix)
    return data
