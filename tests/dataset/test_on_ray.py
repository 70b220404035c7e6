"""The same clips from a Ray cluster as from this machine, and the same fate for those that fail."""

from __future__ import annotations

import pytest

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
