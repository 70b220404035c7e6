"""Runs the rows of a plan on a Ray cluster: Ray Data over the same ``run_clip``, one clip per block.

What Ray does by itself with failing or lost work (repeat it for ever, throw away what its block had finished) never happens
here: a clip that kills its process only kills the child of :class:`.worker.Worker`, every other failure is a row, and a row
that is asked for again finds its clip on disk.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import BadValueError
from ..optional import require
from .plan import Row, write_plan
from .run import Progress, Tell, _begun, in_order_of_trust
from .run_clip import StatusRow, run_clip
from .worker import Worker

_LEAST_CPUS = 4
"""Logical ones that a local Ray needs beside actors to read and to gather; with fewer it waits for itself."""


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

    def __call__(self, record: dict[str, Any]) -> dict[str, Any]:
        """One row of the plan to one row of the ledger."""
        row = Row.of_json(record["row"])
        try:
            status = run_clip(row, self._root, self._worker)
        except Exception as error:
            status = StatusRow(row.clip_id, "failed", 0, 0.0, f"{type(error).__name__}: {error}")
        return {**asdict(status), "figures": json.dumps(status.figures)}


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
        BadValueError: no cluster answers at the address.
    """
    ray = require("ray", "ray")
    data = require("ray.data", "ray")
    left = in_order_of_trust(rows, root)
    progress = _begun(rows, left, root)
    tell(progress)
    if not left:
        return progress
    started = _connect(ray, address, workers)
    plan = root / "state" / "ray-plan.parquet"
    plan.parent.mkdir(parents=True, exist_ok=True)
    write_plan(plan, left)
    try:
        context = data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = False
        cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))
        gpus = float(ray.cluster_resources().get("GPU", 0)) if device == "cuda" else 0.0
        cores = len(os.sched_getaffinity(0)) if address == "local" else cpus  # a local Ray is told of more than there are
        share = min(1.0, max(0.01, (cpus - 2) / workers)) if cpus > 2 else 0.25
        made = (
            data.read_parquet(str(plan))
            .repartition(target_num_rows_per_block=1)
            .map(
                Maker,
                fn_constructor_kwargs={"root": str(root), "threads": max(1, cores // workers), "device": device},
                compute=data.ActorPoolStrategy(size=workers),
                num_cpus=share,
                num_gpus=min(1.0, gpus / workers) if gpus else 0,
            )
        )
        for record in made.iter_rows():
            progress.add(StatusRow(**{**record, "figures": json.loads(record["figures"])}))
            tell(progress)
    finally:
        plan.unlink(missing_ok=True)
        if started:
            ray.shutdown()
    return progress


def _connect(ray: Any, address: str, workers: int) -> bool:
    """Join a cluster, or start one here; returns whether this call did either."""
    if ray.is_initialized():
        return False
    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address == "local":
            cpus = max(_LEAST_CPUS, workers + 2)
            ray.init(num_cpus=cpus, object_store_memory=200 * 2**20, _system_config=_WITHOUT_REPORTS, **quiet)
        else:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError) as error:
        why = str(error).splitlines()[0]
        raise BadValueError("--ray", address, right="local, auto, or HOST:PORT of a cluster that runs", fix=why) from error
    return True
