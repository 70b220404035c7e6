"""The same clips from a Ray cluster as from this machine, and the same fate for those that fail."""

from __future__ import annotations

import os

import pytest

from sim2real.dataset.folder import gather, open_dataset

from .test_runs import by_task, environment, run, sums, write_config

pytest.importorskip("ray")
__all__ = ["environment"]


@pytest.mark.slow
@pytest.mark.timeout(280)
@pytest.mark.usefixtures("environment")
@pytest.mark.filterwarnings("ignore")
def test_ray_makes_the_same_bytes_and_survives_clips_that_kill(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    config = write_config(tmp_path, ["well", "die", "broken", "fine"], limit_s=20)
    for name, how in (("here", ["--workers", 2]), ("ray", ["--workers", 2, "--ray", "local"])):
        done = run(config, "-o", tmp_path / name, *how)
        assert done.exit_code == 1, done.output
    assert sums(tmp_path / "ray") == sums(tmp_path / "here")
    fates = [{task: (s.status, s.attempts) for task, s in by_task(tmp_path / name).items()} for name in ("here", "ray")]
    assert fates[0] == fates[1]
    again = run(config, "-o", tmp_path / "ray", "--workers", 2, "--ray", "local")
    assert again.exit_code == 1
    _, rows = open_dataset(tmp_path / "ray")
    attempts = {s.status: s.attempts for s in gather(rows, tmp_path / "ray")}
    assert attempts["ok"] == 1 and attempts["quarantined"] == 3 and attempts["failed"] == 2
    assert os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] == "0"
