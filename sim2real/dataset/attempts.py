"""What became of every try at a clip: a file of lines, written before work starts and when it ends, so that nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .locks import held

Ending = Literal["ok", "failed", "crashed", "timeout"]

MOST_CRASHES = 3
"""Tries that may kill their process, or hang, before a clip is put into quarantine."""
MOST_INTERRUPTIONS = 10
"""Tries that may never end, because the whole job died, before a clip is taken for the cause."""


@dataclass(frozen=True)
class Attempt:
    """One try: when it began (seconds since the epoch), how it ended (``None``: it never did), why, and after how long."""

    started: float
    ending: Ending | None = None
    reason: str = ""
    seconds: float = 0.0


class Attempts:
    """The tries at one clip, in a folder of their own.

    Args:
        folder: of the clip's state; made when first written to.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is read or written yet."""
        self.folder = folder
        self._path = folder / "attempts.jsonl"

    @property
    def work(self) -> Path:
        """Where a clip is made, with all temporary files of that, before it gets its place."""
        return self.folder / "work"

    def all(self) -> tuple[Attempt, ...]:
        """All tries, oldest first; a line that was cut off by a crash counts as one that never ended."""
        try:
            lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return ()
        found: list[Attempt] = []
        for line in lines:
            try:
                said = json.loads(line)
                started, ending = float(said["started"]), said.get("ending")
            except (ValueError, KeyError, TypeError):
                continue
            if ending is None:
                found.append(Attempt(started))
            elif found:
                found[-1] = Attempt(started, ending, str(said.get("reason", "")), float(said.get("seconds", 0)))
        return tuple(found)

    def begin(self) -> float:
        """Note a try before it starts; returns when."""
        started = time.time()
        self._append({"started": started})
        return started

    def end(self, started: float, ending: Ending, reason: str = "") -> Attempt:
        """Note how a try ended."""
        attempt = Attempt(started, ending, reason, round(time.time() - started, 3))
        self._append({"started": started, "ending": ending, "reason": reason, "seconds": attempt.seconds})
        return attempt

    def forget(self) -> None:
        """Begin anew, as ``sim2real dataset retry`` asks."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Hold the clip while it is made; yields whether it could be had, or another process has it."""
        with held(self.folder / "lock") as mine:
            yield mine

    @property
    def busy(self) -> bool:
        """Whether a process makes the clip now."""
        if not self.folder.is_dir():
            return False
        with self.held() as free:
            return not free

    def _append(self, said: dict) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            before = b"" if self._ends_whole() else b"\n"
            os.write(handle, before + json.dumps(said).encode() + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)

    def _ends_whole(self) -> bool:
        """Whether the file is empty or ends with a whole line."""
        data = self._path.read_bytes()
        return not data or data.endswith(b"\n")


def quarantined(attempts: tuple[Attempt, ...]) -> str:
    """Why a clip is not tried again; empty if it may be."""
    crashes = [a for a in attempts if a.ending in ("crashed", "timeout")]
    if len(crashes) >= MOST_CRASHES:
        return f"{crashes[-1].reason} ({len(crashes)} times)"
    if sum(a.ending is None for a in attempts) >= MOST_INTERRUPTIONS:
        return f"the job died {MOST_INTERRUPTIONS} times while this clip was made"
    return ""
