"""Runs the rows of a plan on a Ray cluster: actors that each have one clip at a time, over the same ``run_clip``.

What Ray does by itself with failing or lost work (repeat it for ever, throw away what was finished beside it) never happens
here: a clip that kills its process only kills the child of :class:`.worker.Worker`, every other failure is a row, an actor that
is lost is replaced, and a row that is asked for again finds its clip on disk.

Ray Data would keep a loop and four actors of its own busy beside ours: on two cores, a twelfth of all clips.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import BadValueError
from ..optional import require
from .plan import Row
from .run import Progress, Tell, _begun, in_order_of_trust
from .run_clip import StatusRow, run_clip
from .worker import Worker

_LOSSES = 3
"""Actors that may be lost for each that is asked for, before the job gives up."""
_WITHOUT_REPORTS = {"enable_metrics_collection": False, "task_events_report_interval_ms": 0}
"""Nobody looks at what a local Ray tells of itself; telling it takes every one of its processes time, all the time."""


class Maker:
    """A Ray actor: one worker process, kept for all clips that come here.

    Args:
        root: the dataset's folder, on a disk that all nodes see.
        threads: cores that a clip may use.
        device: ``cpu`` or ``cuda``.
    """

    def __init__(self, root: str, threads: int, device: str) -> None:
        """Start nothing yet."""
        self._root = Path(root)
        self._worker = Worker(threads=threads, device=device, log=self._root / "log.txt")

    def ready(self) -> None:
        """Answers once the actor has its place on a node."""

    def make(self, row: str) -> StatusRow:
        """One row of the plan, as JSON, to one row of the ledger."""
        asked = Row.of_json(row)
        try:
            return run_clip(asked, self._root, self._worker)
        except Exception as error:
            return StatusRow(asked.clip_id, "failed", 0, 0.0, f"{type(error).__name__}: {error}")


def run_rows_on_ray(rows: Sequence[Row], root: Path, address: str, *, workers: int, device: str, tell: Tell) -> Progress:
    """Make all clips of some rows on a Ray cluster.

    Args:
        rows: the clips.
        root: the dataset's folder, on a disk that all nodes see.
        address: of the cluster, ``auto`` for the one that this machine belongs to, ``local`` for one that is started here and
            stopped again.
        workers: actors; each has one clip at a time.
        device: where each renders and generates; with ``cuda`` every actor gets its share of the GPUs.
        tell: called whenever a clip is settled.

    Raises:
        MissingPackageError: Ray is not installed.
        BadValueError: no cluster answers at the address, or it loses actors again and again.
    """
    ray = require("ray", "ray")
    left = in_order_of_trust(rows, root)
    progress = _begun(rows, left, root)
    tell(progress)
    if not left:
        return progress
    started = _connect(ray, address, workers)
    try:
        have = ray.cluster_resources()
        cpus, gpus = max(1, int(have.get("CPU", 1))), float(have.get("GPU", 0)) if device == "cuda" else 0.0
        cores = len(os.sched_getaffinity(0)) if address == "local" else cpus  # a local Ray is told of more than there are
        actor = ray.remote(Maker).options(
            num_cpus=min(1.0, int(1e4 * cpus / workers) / 1e4),  # Ray counts in ten-thousandths
            num_gpus=min(1.0, gpus / workers) if gpus else 0,
            max_restarts=0,
            max_task_retries=0,
        )
        arguments = (str(root), max(1, cores // workers), device)
        for status in _made(ray, lambda: actor.remote(*arguments), left, workers):
            progress.add(status)
            tell(progress)
    finally:
        if started:
            ray.shutdown()
    return progress


def _made(ray: Any, start: Any, rows: Sequence[Row], workers: int) -> Iterator[StatusRow]:
    """Rows of the ledger as they come, from actors of which each gets the next row when it is free.

    An actor that has no place on the cluster yet gets no row, so that nobody waits for it.
    """
    queue, busy, lost = deque(rows), {}, 0

    def hire() -> None:
        maker = start()
        busy[maker.ready.remote()] = maker, None

    for _ in range(min(workers, len(queue))):
        hire()
    while queue or any(row is not None for _, row in busy.values()):
        (done, *_), _ = ray.wait(list(busy), num_returns=1)
        maker, row = busy.pop(done)
        try:
            status = ray.get(done)
        except ray.exceptions.RayError as error:
            lost += 1
            if lost > _LOSSES * workers:
                why = f"{lost} actors were lost, the last one so: {str(error).splitlines()[0]}"
                raise BadValueError("--ray", "the cluster", right="one whose nodes stay", fix=why) from error
            queue.extendleft([] if row is None else [row])
            if queue:
                hire()
            continue
        if row is not None:
            yield status
        if queue:
            following = queue.popleft()
            busy[maker.make.remote(following.to_json())] = maker, following


def _connect(ray: Any, address: str, workers: int) -> bool:
    """Join a cluster, or start one here; returns whether this call did either."""
    if ray.is_initialized():
        return False
    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address == "local":
            ray.init(num_cpus=workers, object_store_memory=200 * 2**20, _system_config=_WITHOUT_REPORTS, **quiet)
        else:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError) as error:
        why = str(error).splitlines()[0]
        raise BadValueError("--ray", address, right="local, auto, or HOST:PORT of a cluster that runs", fix=why) from error
    return True
