"""The same clips from a Ray cluster as from this machine, and the same fate for those that fail."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from sim2real.dataset.attempts import Attempts
from sim2real.dataset.folder import open_dataset

from .test_runs import by_task, environment, run, sums, write_config

pytest.importorskip("ray")
__all__ = ["environment"]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("environment")
@pytest.mark.filterwarnings("ignore")
def test_ray_makes_the_same_bytes_and_survives_clips_that_kill(tmp_path):
    config = write_config(tmp_path, ["well", "die", "broken", "fine"], limit_s=30.0)
    for name, how in (("here", ["--workers", 2]), ("ray", ["--workers", 2, "--ray", "local"])):
        done = run(config, "-o", tmp_path / name, *how)
        assert done.exit_code == 1, done.output
    assert sums(tmp_path / "ray") == sums(tmp_path / "here")
    fates = [{task: (s.status, s.attempts) for task, s in by_task(tmp_path / name).items()} for name in ("here", "ray")]
    assert fates[0] == fates[1]
    assert fates[1]["die"] == ("quarantined", 3)


def actors() -> list[int]:
    """Processes of Ray that make clips."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            title = command.read_bytes()
        except OSError:
            continue
        if title.startswith(b"ray::") and b"Maker" in title:
            found.append(int(command.parent.name))
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("environment")
@pytest.mark.filterwarnings("ignore")
def test_a_worker_of_ray_that_is_lost_costs_a_try_and_no_clip(tmp_path):
    config = write_config(tmp_path, ["slow"], seeds=30, limit_s=30.0)
    killed: list[int] = []

    def kill_one() -> None:
        until = time.monotonic() + 300
        while not killed and time.monotonic() < until:
            time.sleep(0.2)
            if sum(1 for _ in (tmp_path / "ray" / "clips").glob("[!.]*")) >= 3:
                for process in actors()[:1]:
                    os.kill(process, signal.SIGKILL)
                    killed.append(process)

    thief = threading.Thread(target=kill_one)
    thief.start()
    done = run(config, "-o", tmp_path / "ray", "--workers", 2, "--ray", "local")
    thief.join()
    assert killed, "no actor was found"
    assert done.exit_code == 0, done.output
    assert "30 ok" in done.output
    _, rows = open_dataset(tmp_path / "ray")
    endings = [[a.ending for a in Attempts(tmp_path / "ray" / "state" / row.clip_id).all()] for row in rows]
    assert all(of_clip.count("ok") == 1 for of_clip in endings), "a finished clip was made again"
    assert run(config, "-o", tmp_path / "here", "--workers", 2).exit_code == 0
    assert sums(tmp_path / "ray") == sums(tmp_path / "here")
