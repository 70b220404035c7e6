"""Writes the formats of a dataset from its finished clips, in one process and the plan's order: no schedule shows in them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from ..clip import readable_write_errors
from ..errors import Sim2RealError
from .finished import DONE, FinishedClips
from .locks import held
from .plan import Row
from .run_clip import Places, status_of
from .writers.registry import writer

_RECORD = ".merged.json"


def merge(
    rows: Sequence[Row], formats: Sequence[str], root: Path, tell: Callable[[str], None] = lambda name: None
) -> list[str]:
    """Write every format that does not hold exactly the clips that are ``ok`` by now.

    Args:
        rows: the plan.
        formats: names of ``writers.registry.WRITERS``.
        root: the dataset's folder; a format's folder is ``root/<format>``, whole or as it was.
        tell: called with the name of a format before it is written.

    Returns:
        The formats that were written.

    Raises:
        Sim2RealError: the clips lack what a format needs, or the disk does not take it; the other formats are written before.
    """
    places = Places(root)
    with held(places.lock, wait=True):
        return _merge(rows, formats, places, tell)


def _merge(rows: Sequence[Row], formats: Sequence[str], places: Places, tell: Callable[[str], None]) -> list[str]:
    root = places.root
    good = [row for row in rows if status_of(row, places).status == "ok"]
    record = _record(good, places)
    written, refused = [], []
    for name in formats:
        if _is_merged(root / name, record):
            continue
        tell(name)
        try:
            _write(name, FinishedClips(places.clips, good), root, record)
            written.append(name)
        except Sim2RealError as error:
            refused.append((name, error))
    if refused:
        name, error = refused[0]
        more = f" (and {', '.join(name for name, _ in refused[1:])})" if len(refused) > 1 else ""
        raise Sim2RealError(f"{name}{more} cannot be written: {error}") from error
    return written


def _is_merged(folder: Path, record: str) -> bool:
    """Whether a format's folder was made from the clips of a record."""
    path = folder / _RECORD
    return path.is_file() and path.read_text(encoding="utf-8") == record


def _write(name: str, clips: FinishedClips, root: Path, record: str) -> None:
    """Write one format whole, or leave it as it was."""
    final, work, aside = root / name, root / f".{name}.part", root / f".{name}.old"
    with readable_write_errors(final):
        for left in (work, aside):
            shutil.rmtree(left, ignore_errors=True)
        work.mkdir()
        try:
            writer(name).write(clips, work)
            (work / _RECORD).write_text(record, encoding="utf-8")
            if final.exists():
                final.rename(aside)
            work.rename(final)
        finally:
            shutil.rmtree(work, ignore_errors=True)
            if final.exists():
                shutil.rmtree(aside, ignore_errors=True)


def _record(rows: Sequence[Row], places: Places) -> str:
    """What a format's folder was made from: its clips and a hash of each one's record."""
    sums = {row.clip_id: hashlib.sha256((places.clips / row.clip_id / DONE).read_bytes()).hexdigest() for row in rows}
    return json.dumps(sums, indent=1) + "\n"
