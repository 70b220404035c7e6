"""One row of a plan to one finished clip, once: the unit of work of every way to run a dataset."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..errors import Sim2RealError
from .attempts import Attempts, Ending, quarantined
from .finished import Done, read_done
from .gate import refusal
from .plan import Row
from .worker import Answer, Worker

_ELSEWHERE = "another job makes it now"
Status = Literal["ok", "set aside", "failed", "quarantined", "busy"]


@dataclass(frozen=True)
class StatusRow:
    """What became of a clip: a row of the ledger.

    - ``status``: ``ok``; ``set aside`` by the gate; ``failed``, to be tried again by the next run; ``quarantined``, after
      ``attempts.MOST_CRASHES`` crashes; ``busy``: another job makes it now.
    - ``attempts``: how often it was tried; ``seconds``: how long the last try took.
    - ``made``: whether this call made it.
    """

    clip_id: str
    status: Status
    attempts: int
    seconds: float
    reason: str
    bytes: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    made: bool = False


@dataclass(frozen=True)
class Places:
    """Where a dataset keeps things.

    - ``clips``: one folder per finished clip; ``state``: one per clip that was tried.
    """

    root: Path

    @property
    def clips(self) -> Path:
        """Finished clips."""
        return self.root / "clips"

    @property
    def plan(self) -> Path:
        """All rows."""
        return self.root / "plan.parquet"

    @property
    def lock(self) -> Path:
        """Held while what all jobs share is written."""
        return self.root / ".lock"

    @property
    def ledger(self) -> Path:
        """What became of them."""
        return self.root / "ledger.parquet"

    def attempts(self, clip_id: str) -> Attempts:
        """The tries at a clip."""
        return Attempts(self.root / "state" / clip_id)


def run_clip(row: Row, root: Path, worker: Worker) -> StatusRow:
    """Make a clip if it is not there: whole or absent, never twice, never by two processes at once.

    A try is noted before it starts. One that kills its process or takes longer than ``row.limit_s`` is repeated up to
    ``attempts.MOST_CRASHES`` times; an error that was raised is not, because it would be raised again.

    Args:
        row: what to make.
        root: the dataset's folder.
        worker: the process that does the work; it is killed and replaced where it must be.

    Raises:
        UnreadableFileError: the clip is there with a damaged record.
    """
    places = Places(root)
    attempts = places.attempts(row.clip_id)
    with attempts.held() as mine:
        if not mine:
            return StatusRow(row.clip_id, "busy", len(attempts.all()), 0.0, _ELSEWHERE)
        final = places.clips / row.clip_id
        shutil.rmtree(attempts.work, ignore_errors=True)  # what a killed job left; the lock is ours, nobody works on it
        made = False
        while read_done(final) is None and not quarantined(attempts.all()):
            made = _try(row, final, attempts, worker)
            if made or attempts.all()[-1].ending == "failed":
                break
        return _status(row, places, made=made)


def _try(row: Row, final: Path, attempts: Attempts, worker: Worker) -> bool:
    """One try; returns whether the clip is there now."""
    started = attempts.begin()
    try:
        attempts.work.mkdir(exist_ok=True)
        answer = worker.ask(row, attempts.work / final.name, row.limit_s)
        if answer.ending == "ok":
            answer = _put(attempts.work / final.name, final)
    finally:
        shutil.rmtree(attempts.work, ignore_errors=True)
    attempts.end(started, answer.ending, answer.reason)
    return answer.ending == "ok"


def _put(work: Path, final: Path) -> Answer:
    """Give a finished clip its name."""
    try:
        os.rename(work, final)
        handle = os.open(final.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        return Answer("failed", f"the clip could not be put in its place: {error.strerror} ({final})")
    return Answer("ok")


def status_of(row: Row, places: Places) -> StatusRow:
    """What became of a clip so far, from what is on disk; ``failed`` with a reason if it was never tried."""
    status = _status(row, places)
    if status.status == "failed" and places.attempts(row.clip_id).busy:
        return StatusRow(row.clip_id, "busy", status.attempts, 0.0, _ELSEWHERE)
    return status


def _status(row: Row, places: Places, *, made: bool = False) -> StatusRow:
    attempts = places.attempts(row.clip_id).all()
    last = attempts[-1] if attempts else None
    seconds = last.seconds if last else 0.0
    try:
        done: Done | None = read_done(places.clips / row.clip_id)
    except Sim2RealError as error:
        return StatusRow(row.clip_id, "failed", len(attempts), seconds, str(error))
    if done is not None:
        refused, figures = refusal(done.figures, row.gate), dict(done.figures)
        status: Status = "set aside" if refused else "ok"
        return StatusRow(row.clip_id, status, len(attempts), seconds, refused, done.bytes, figures, made)
    if reason := quarantined(attempts):
        return StatusRow(row.clip_id, "quarantined", len(attempts), seconds, reason)
    return StatusRow(row.clip_id, "failed", len(attempts), seconds, _why(last.ending if last else None, attempts))


def _why(ending: Ending | None, attempts: tuple[Any, ...]) -> str:
    if not attempts:
        return "not tried yet"
    return attempts[-1].reason if ending else "interrupted"
