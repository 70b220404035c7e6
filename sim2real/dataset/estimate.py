"""How long a dataset will take and how large it will be, measured on the first clip of every source and kind of footage."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from ..errors import BadValueError, Sim2RealError
from .finished import FinishedClips, read_done
from .plan import Row
from .worker import Worker
from .writers.registry import writer

MOST_TRIALS = 6
"""Clips that are tried; the others are taken to be like the mean of these."""


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


def estimate(
    rows: Sequence[Row],
    root: Path,
    *,
    workers: int,
    device: str,
    tell: Callable[[int, int], None],
    elsewhere: bool = False,
) -> Estimate:
    """Make the first clip of every source and kind of footage in a folder that is thrown away, and reckon from it.

    Each trial is preceded by one of as few frames as can be, so that what is loaded or compiled once is not counted for
    every clip.

    Args:
        rows: the plan.
        root: where the dataset is going to be; the trial uses its disk.
        workers: processes that will make clips.
        device: where each renders and generates.
        tell: called with how many trials are done, and of how many.
        elsewhere: workers have machines of their own; otherwise no more work at once than this one has cores.

    Raises:
        Sim2RealError: a clip cannot be made; says why.
    """
    if not rows:
        raise BadValueError("the plan", "empty", right="at least one clip")
    firsts = list({kind_of(row): row for row in reversed(rows)}.values())[::-1][:MOST_TRIALS]
    cores = len(os.sched_getaffinity(0))
    threads, beside = max(1, cores // workers), min(workers, cores)
    seconds, sizes, merging, merged, start = {}, {}, 0.0, 0, 0.0
    place = next(folder for folder in (root.absolute(), *root.absolute().parents) if folder.is_dir())
    with (
        tempfile.TemporaryDirectory(prefix=".sim2real-trial-", dir=place) as trial,
        ExitStack() as stack,
    ):
        hired = [stack.enter_context(Worker(threads=threads, device=device)) for _ in range(beside)]
        for number, row in enumerate(firsts):
            tell(number, len(firsts))
            begun = time.monotonic()
            _beside(hired, replace(row, reading={**row.reading, "frames": fewest_frames(row)}), Path(trial))
            start = max(start, time.monotonic() - begun)
            took = _beside(hired, row, Path(trial))
            done = read_done(Path(trial) / row.clip_id)
            seconds[kind_of(row)], sizes[kind_of(row)] = took, done.bytes if done else 0
        tell(len(firsts), len(firsts))
        for name in rows[0].formats:
            for again in (False, True):  # the first time packages are loaded
                folder = Path(trial) / f"format-{name}-{again}"
                folder.mkdir()
                begun = time.monotonic()
                writer(name).write(FinishedClips(Path(trial), firsts), folder)
            merging += (time.monotonic() - begun) / len(firsts)
            merged += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) // len(firsts)
    mean_s, mean_size = sum(seconds.values()) / len(seconds), sum(sizes.values()) / len(sizes)
    working = sum(seconds.get(kind_of(row), mean_s) for row in rows)
    size = sum(sizes.get(kind_of(row), mean_size) for row in rows) + merged * len(rows)
    waves = working / min(workers if elsewhere else beside, len(rows))
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
    from ..diffusion.families import family_of

    family = None if row.generate is None else family_of(row.generate.get("model"))
    span = 1 if family is None else family.frames_step or family.layout.temporal_factor
    return 1 if span == 1 else span + 1


def kind_of(row: Row) -> tuple[str, ...]:
    """What clips have in common that take about as long as each other: scene, motion, renderer, model and its use."""
    footage = row.generate or {"use": "none"}
    renderer = row.values.get("rgb", "ours")
    return row.scene, str(row.lerobot), str(renderer), str(footage.get("model")), str(footage.get("use"))


def _beside(hired: Sequence[Worker], row: Row, trial: Path) -> float:
    """Make a clip with every worker at once, as they will work; returns how long one takes, seconds."""

    def made(number: int) -> float:
        folder = trial / (f"beside-{number}" if number else row.clip_id)
        shutil.rmtree(folder, ignore_errors=True)
        begun = time.monotonic()
        answer = hired[number].ask(row, folder, row.limit_s)
        if answer.ending != "ok":
            raise Sim2RealError(f"the trial clip {row.clip_id} could not be made: {answer.reason}")
        return time.monotonic() - begun

    with ThreadPoolExecutor(len(hired)) as pool:
        return fmean(pool.map(made, range(len(hired))))
