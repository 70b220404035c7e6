"""How long a dataset will take and how large it will be, measured on its first clip of every source."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import BadValueError, Sim2RealError
from .finished import FinishedClips, read_done
from .plan import Row
from .worker import Worker
from .writers.registry import writer

MOST_TRIALS = 4
"""Sources that are tried; the others are taken to be like the mean of these."""


@dataclass(frozen=True)
class Estimate:
    """What a plan will take.

    - ``seconds``: until all clips and formats are done; ``bytes``: of both.
    - ``per_clip_s``: of one worker; ``start_s``: before the first clip, packages and models; ``merge_s``: of all formats.
    """

    clips: int
    seconds: float
    bytes: int
    per_clip_s: float
    start_s: float
    merge_s: float


def estimate(rows: Sequence[Row], root: Path, *, workers: int, device: str, tell: Callable[[int, int], None]) -> Estimate:
    """Make the first clip of every source in a folder that is thrown away, and reckon from it.

    Each trial is preceded by one of as few frames as can be, so that what is loaded or compiled once is not counted for
    every clip.

    Args:
        rows: the plan.
        root: where the dataset is going to be; the trial uses its disk.
        workers: processes that will share this machine.
        device: where each renders and generates.
        tell: called with how many trials are done, and of how many.

    Raises:
        Sim2RealError: a clip cannot be made; says why.
    """
    if not rows:
        raise BadValueError("the plan", "empty", right="at least one clip")
    firsts = list({(row.scene, row.generate is None): row for row in reversed(rows)}.values())[::-1][:MOST_TRIALS]
    threads = max(1, len(os.sched_getaffinity(0)) // workers)
    seconds, sizes, merging, merged, start = {}, {}, 0.0, 0, 0.0
    place = next(folder for folder in (root.absolute(), *root.absolute().parents) if folder.is_dir())
    with (
        tempfile.TemporaryDirectory(prefix=".sim2real-trial-", dir=place) as trial,
        Worker(threads=threads, device=device) as worker,
    ):
        for number, row in enumerate(firsts):
            tell(number, len(firsts))
            begun = time.monotonic()
            _made(worker, replace(row, reading={**row.reading, "frames": fewest_frames(row)}), Path(trial) / "warm")
            warm = time.monotonic()
            _made(worker, row, Path(trial) / row.clip_id)
            took = time.monotonic() - warm
            start = max(start, warm - begun)
            done = read_done(Path(trial) / row.clip_id)
            seconds[row.scene], sizes[row.scene] = took, done.bytes if done else 0
        tell(len(firsts), len(firsts))
        for name in rows[0].formats:
            folder = Path(trial) / f"format-{name}"
            folder.mkdir()
            begun = time.monotonic()
            writer(name).write(FinishedClips(Path(trial), firsts), folder)
            merging += (time.monotonic() - begun) / len(firsts)
            merged += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) // len(firsts)
    mean_s, mean_size = sum(seconds.values()) / len(seconds), sum(sizes.values()) / len(sizes)
    working = sum(seconds.get(row.scene, mean_s) for row in rows)
    size = sum(sizes.get(row.scene, mean_size) for row in rows) + merged * len(rows)
    waves = working / min(workers, len(rows))
    return Estimate(
        clips=len(rows),
        seconds=start + waves + merging * len(rows),
        bytes=int(size),
        per_clip_s=working / len(rows),
        start_s=start,
        merge_s=merging * len(rows),
    )


def fewest_frames(row: Row) -> int:
    """The smallest number of frames that a clip of the row can have; models whose latents span several take two latents."""
    from ..diffusion.families import layout_for

    span = 1 if row.generate is None else layout_for(row.generate.get("model")).temporal_factor
    return 1 if span == 1 else span + 1


def _made(worker: Worker, row: Row, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    answer = worker.ask(row, folder, row.limit_s)
    if answer.ending != "ok":
        raise Sim2RealError(f"the trial clip {row.clip_id} could not be made: {answer.reason}")
