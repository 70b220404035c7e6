"""The ledger: a table of what became of every clip, made from what is on disk, so that it can be made again at any time."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import UnreadableFileError
from ..optional import require
from .plan import Row
from .run_clip import Places, StatusRow, status_of


def gather(rows: Sequence[Row], root: Path) -> tuple[StatusRow, ...]:
    """What became of all clips that were tried, in the plan's order."""
    places = Places(root)
    found = (status_of(row, places) for row in rows)
    return tuple(status for status in found if status.attempts or status.status != "failed")


def write_ledger(path: Path, statuses: Sequence[StatusRow]) -> None:
    """Write ``ledger.parquet``: clip_id, status, attempts, seconds, reason, bytes, figures (JSON)."""
    arrow, parquet = require("pyarrow", "dataset"), require("pyarrow.parquet", "dataset")
    columns = {
        "clip_id": ([s.clip_id for s in statuses], arrow.string()),
        "status": ([s.status for s in statuses], arrow.string()),
        "attempts": ([s.attempts for s in statuses], arrow.int32()),
        "seconds": ([s.seconds for s in statuses], arrow.float64()),
        "reason": ([s.reason for s in statuses], arrow.string()),
        "bytes": ([s.bytes for s in statuses], arrow.int64()),
        "figures": ([json.dumps(s.figures, sort_keys=True) for s in statuses], arrow.string()),
    }
    table = arrow.table({name: arrow.array(values, kind) for name, (values, kind) in columns.items()})
    work = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        parquet.write_table(table, work)
        os.replace(work, path)
    finally:
        work.unlink(missing_ok=True)


def read_ledger(path: Path) -> tuple[StatusRow, ...]:
    """Read what ``write_ledger`` wrote.

    Raises:
        UnreadableFileError: it is damaged, or not there.
    """
    try:
        rows = require("pyarrow.parquet", "dataset").read_table(path).to_pylist()
        return tuple(StatusRow(**{**row, "figures": json.loads(row["figures"])}) for row in rows)
    except (OSError, KeyError, TypeError, ValueError) as error:
        why = str(error).splitlines()[0]
        raise UnreadableFileError(path, what="a dataset's ledger", why=why, fix="run: sim2real dataset status DIR") from error
