"""Files that appear whole at the end, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Written:
    """A file that was written, and what to know of it."""

    path: Path
    notes: tuple[str, ...]


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Fill a file that is put in place when the body ends; until then, and if it fails, an older one is still there.

    Args:
        path: the file to be; its folder is made if need be.

    Yields:
        A hidden neighbor to write to, renamed at the end. If anything goes wrong, it is removed, and so are new folders.
    """
    new_parents = [parent for parent in path.parents if not parent.exists()]
    partial = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        for parent in new_parents:
            with suppress(OSError):
                parent.rmdir()
        raise
