"""Runs the rows of a plan: order, workers on this machine, progress, and how much is left."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from ..errors import BadValueError
from .plan import Row
from .run_clip import Places, StatusRow, run_clip, status_of
from .worker import Worker

Tell = Callable[["Progress"], None]


@dataclass
class Progress:
    """How far a run is.

    - ``done``: clips that are settled, those of earlier runs too; ``made``: by this run; ``failed``: not ``ok`` for good.
    - ``rate``: clips per hour of this run; ``left_s``: seconds that the rest will take; both 0 while nothing is known.
    - ``free_bytes``: on the disk.
    """

    total: int
    root: Path
    done: int = 0
    made: int = 0
    failed: int = 0
    set_aside: int = 0
    latest: StatusRow | None = None
    began: float = field(default_factory=time.monotonic)

    def add(self, status: StatusRow) -> None:
        """Count a clip that is settled."""
        self.done += 1
        self.made += status.made
        self.failed += status.status in ("failed", "quarantined")
        self.set_aside += status.status == "set aside"
        self.latest = status

    @property
    def rate(self) -> float:
        """Clips per hour that this run makes."""
        return 3600 * self.made / max(time.monotonic() - self.began, 1e-9)

    @property
    def left_s(self) -> float:
        """Seconds that the rest will take."""
        return 3600 * (self.total - self.done) / self.rate if self.made else 0.0

    @property
    def free_bytes(self) -> int:
        """Room on the disk."""
        return shutil.disk_usage(self.root).free


def in_order_of_trust(rows: Sequence[Row], root: Path) -> list[Row]:
    """Rows that are not finished, those last whose earlier tries never ended: one of them may have killed the job."""
    places = Places(root)

    def unended(row: Row) -> int:
        return sum(a.ending is None for a in places.attempts(row.clip_id).all())

    left = [row for row in rows if status_of(row, places).status not in ("ok", "set aside")]
    return sorted(left, key=unended)


def shard_of(rows: Sequence[Row], shard: tuple[int, int] | None) -> tuple[Row, ...]:
    """Every n-th row; any n numbers in a row make a whole, whether they begin at 0 or at 1.

    Raises:
        BadValueError: a number that is not from 0 to n.
    """
    if shard is None:
        return tuple(rows)
    index, count = shard
    if count < 1 or not 0 <= index <= count:
        raise BadValueError("--shard", f"{index}/{count}", right="i/n with i from 0 to n - 1, or from 1 to n")
    return tuple(rows[index % count :: count])


def run_rows(rows: Sequence[Row], root: Path, *, workers: int, device: str, tell: Tell) -> Progress:
    """Make all clips of some rows with processes on this machine.

    Args:
        rows: the clips.
        root: the dataset's folder.
        workers: processes.
        device: where each renders and generates.
        tell: called whenever a clip is settled.
    """
    left = in_order_of_trust(rows, root)
    progress = _begun(rows, left, root)
    tell(progress)
    threads = max(1, len(os.sched_getaffinity(0)) // workers)
    idle: SimpleQueue[Worker] = SimpleQueue()
    hired = [Worker(threads=threads, device=device, log=root / "log.txt") for _ in range(min(workers, max(len(left), 1)))]
    for worker in hired:
        idle.put(worker)

    def work(row: Row) -> StatusRow:
        worker = idle.get()
        try:
            return run_clip(row, root, worker)
        finally:
            idle.put(worker)

    pool = ThreadPoolExecutor(len(hired), "clip")
    try:
        for status in _as_they_come(pool, work, left, 2 * len(hired)):
            progress.add(status)
            tell(progress)
    finally:
        for worker in hired:
            worker.close()
        pool.shutdown(wait=True, cancel_futures=True)
    return progress


def _begun(rows: Iterable[Row], left: Sequence[Row], root: Path) -> Progress:
    """Progress that counts what earlier runs have settled."""
    waiting = {row.clip_id for row in left}
    rows = tuple(rows)
    progress = Progress(total=len(rows), root=root)
    for row in rows:
        if row.clip_id not in waiting:
            progress.add(status_of(row, Places(root)))
    return progress


def _as_they_come(
    pool: ThreadPoolExecutor, work: Callable[[Row], StatusRow], rows: Sequence[Row], ahead: int
) -> Iterator[StatusRow]:
    """Results in the order in which they are ready, a few rows in the pool at a time."""
    waiting: set[Future[StatusRow]] = set()
    rest = iter(rows)
    for row in rest:
        waiting.add(pool.submit(work, row))
        if len(waiting) >= ahead:
            break
    while waiting:
        ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for future in ready:
            following = next(rest, None)
            if following is not None:
                waiting.add(pool.submit(work, following))
            yield future.result()
