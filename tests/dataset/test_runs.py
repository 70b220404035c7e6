"""Runs of many clips: killed, repeated, shared; what a clip does to its process never reaches the others."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sim2real.cli import main
from sim2real.dataset.attempts import Attempts
from sim2real.dataset.config import read_config
from sim2real.dataset.folder import check_dataset, open_dataset
from sim2real.dataset.ledger import read_ledger
from sim2real.dataset.plan import Row, make_plan, write_plan
from sim2real.dataset.run import shard_of
from sim2real.dataset.run_clip import StatusRow
from sim2real.dataset.worker import Worker

REPOSITORY = Path(__file__).parents[2]
KILLED_BEFORE = """
import os, signal, sys
left = int(os.environ.get("KILLED_BEFORE", 0))
def watch(event, given):
    global left
    if event in ("os.mkdir", "os.rename") and os.environ["KILLED_IN"] in str(given[0]):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
if left and sys.orig_argv[1:4] == ["-m", "sim2real", "dataset"]:
    sys.addaudithook(watch)
"""
SITE = """
import sys, types
def make_clip(*args):
    from tests.dataset.pretend import make_clip
    return make_clip(*args)
sys.modules["sim2real.dataset.make_clip"] = types.SimpleNamespace(make_clip=make_clip)
"""


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In which every new Python process has a ``make_clip`` that makes next to nothing."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SITE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), str(REPOSITORY)]))


def write_config(folder: Path, tasks: Sequence[str], *, seeds: int = 1, **more: object) -> Path:
    """A config with one scene per task."""
    sources = []
    for number, task in enumerate(tasks):
        (folder / f"scene{number}.yaml").write_text(f"# {number}\n")
        sources.append({"scene": f"scene{number}.yaml", "task": task})
    config = {"sources": sources, "variations": {"grid": {"seed": list(range(seeds))}}, **more}
    (folder / "config.yaml").write_text(json.dumps(config))
    return folder / "config.yaml"


def start(*words: object) -> subprocess.Popen[bytes]:
    """``sim2real dataset`` in a process of its own."""
    command = [sys.executable, "-m", "sim2real", "dataset", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def run(*words: object) -> Result:
    """``sim2real dataset`` here."""
    return CliRunner().invoke(main, ["dataset", *map(str, words)])


def sums(folder: Path) -> dict[str, str]:
    """Hashes of all files of the finished clips."""
    files = sorted(path for path in (folder / "clips").rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def by_task(folder: Path) -> dict[str, StatusRow]:
    """The ledger by the first word of each clip's task."""
    _, rows = open_dataset(folder)
    ledger = {status.clip_id: status for status in read_ledger(folder / "ledger.parquet")}
    return {row.task: ledger[row.clip_id] for row in rows}


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_what_a_clip_does_to_its_process_harms_no_other_and_is_said(tmp_path):
    config = write_config(tmp_path, ["die", "well", "hang", "broken", "full", "fine"], limit_s=1.0)
    done = run(config, "-o", tmp_path / "out", "--workers", 2)
    assert done.exit_code == 1, done.stderr
    assert "Traceback" not in done.stderr
    found = by_task(tmp_path / "out")
    assert {task: status.status for task, status in found.items()} == {
        "die": "quarantined",
        "well": "ok",
        "hang": "quarantined",
        "broken": "failed",
        "full": "failed",
        "fine": "ok",
    }
    assert "SIGSEGV" in found["die"].reason
    assert found["die"].attempts == 3
    assert "limit_s" in found["hang"].reason
    assert "mesh" in found["broken"].reason
    assert found["broken"].attempts == 1
    assert "No space left" in found["full"].reason
    assert sorted(p.name for p in (tmp_path / "out" / "clips").iterdir()) == sorted(
        status.clip_id for status in found.values() if status.status == "ok"
    )
    again = run("status", tmp_path / "out")
    assert "2 ok" in again.stdout
    assert "2 quarantined" in again.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_killed_ten_times_it_ends_with_the_same_bytes_and_makes_no_clip_twice(tmp_path):
    config = write_config(tmp_path, ["slow"], seeds=24)
    assert run(config, "-o", tmp_path / "whole", "--workers", 2).exit_code == 0
    rng = random.Random(5)
    for _ in range(10):
        process = start(config, "-o", tmp_path / "killed", "--workers", 2)
        time.sleep(rng.uniform(0.5, 2.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
    last = run(config, "-o", tmp_path / "killed", "--workers", 1)
    assert last.exit_code == 0, last.output
    assert sums(tmp_path / "killed") == sums(tmp_path / "whole")
    assert sorted(os.listdir(tmp_path / "killed" / "clips")) == sorted(os.listdir(tmp_path / "whole" / "clips"))
    assert not list((tmp_path / "killed" / "state").glob("*/work"))
    _, rows = open_dataset(tmp_path / "killed")
    for row in rows:
        endings = [a.ending for a in Attempts(tmp_path / "killed" / "state" / row.clip_id).all()]
        assert endings.count("ok") <= 1, endings
        assert None not in endings[endings.index("ok") :] if "ok" in endings else True
    assert check_dataset(rows, tmp_path / "killed", lambda done, total: None) == []


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_killed_before_any_of_its_folders_or_files_is_put_in_place_it_goes_on(tmp_path, monkeypatch):
    with open(tmp_path / "site" / "sitecustomize.py", "a") as file:
        file.write(KILLED_BEFORE)
    config = write_config(tmp_path, [""])
    monkeypatch.setenv("KILLED_IN", str(tmp_path / "out"))
    for moment in range(1, 30):
        monkeypatch.setenv("KILLED_BEFORE", str(moment))
        code = start(config, "-o", tmp_path / "out", "--workers", 1).wait(60)
        left = sorted(str(path.relative_to(tmp_path)) for path in (tmp_path / "out").rglob("*"))
        monkeypatch.delenv("KILLED_BEFORE")
        last = run(config, "-o", tmp_path / "out", "--workers", 1)
        assert last.exit_code == 0, (moment, left, last.output)
        shutil.rmtree(tmp_path / "out")
        if code == 0:
            break
        assert code == -signal.SIGKILL, (moment, left)
    assert moment > 5, "folder, plan, config, state, clip, ledger and report were to be put in place"


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_a_worker_outlives_the_thread_that_asked_it_first(tmp_path):
    rows = make_plan(read_config(write_config(tmp_path, ["slow"], seeds=3)), tmp_path)
    processes = set()
    with Worker() as worker:
        for number, row in enumerate(rows):
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(worker.ask, row, tmp_path / f"{number}", 60.0).result().ending == "ok"
            time.sleep(0.2)  # in which a child that dies with a thread would
            assert worker._process is not None and worker._process.poll() is None
            processes.add(worker._process.pid)
    assert len(processes) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_two_jobs_on_one_folder_share_the_work(tmp_path):
    config = write_config(tmp_path, ["slow"], seeds=10)
    first, second = (start(config, "-o", tmp_path / "out", "--workers", 1) for _ in range(2))
    assert {first.wait(60), second.wait(60)} == {0}
    _, rows = open_dataset(tmp_path / "out")
    tries = [len(Attempts(tmp_path / "out" / "state" / row.clip_id).all()) for row in rows]
    assert tries == [1] * 10


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_shards_make_a_whole_and_merge_finds_it(tmp_path):
    config = write_config(tmp_path, [""], seeds=5)
    for shard in ("1/2", "2/2"):
        assert run(config, "-o", tmp_path / "out", "--shard", shard, "--workers", 1).exit_code == 0
    assert "5 ok" in run("merge", tmp_path / "out").stdout


@pytest.mark.parametrize("first", [0, 1])
def test_any_n_shards_in_a_row_have_every_row_once(first):
    rows = tuple(Row("clip", "scene.yaml", "", {}, (), seed, {}, None) for seed in range(17))
    parts = [shard_of(rows, (index, 4)) for index in range(first, first + 4)]
    assert sorted(row.seed for part in parts for row in part) == list(range(17))


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_retry_gives_quarantined_clips_another_chance(tmp_path):
    config = write_config(tmp_path, ["die"])
    assert run(config, "-o", tmp_path / "out").exit_code == 1
    _, rows = open_dataset(tmp_path / "out")
    write_plan(tmp_path / "out" / "plan.parquet", [replace(rows[0], task="well")])  # as if its cause were gone
    assert run("retry", tmp_path / "out").exit_code == 0


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_the_gate_sets_aside_with_a_reason_and_may_be_changed_later(tmp_path):
    config = write_config(tmp_path, [""], seeds=10, gate={"borders": 0.45})
    done = run(config, "-o", tmp_path / "out", "--workers", 1)
    assert done.exit_code == 0
    assert "5 ok, 5 set aside" in done.stdout
    aside = [s for s in read_ledger(tmp_path / "out" / "ledger.parquet") if s.status == "set aside"]
    assert {s.reason for s in aside} >= {"borders is 0.4, must be at least 0.45"}
    write_config(tmp_path, [""], seeds=10, gate={"borders": 0.15})
    assert "8 ok, 2 set aside" in run(config, "-o", tmp_path / "out").stdout


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_check_names_what_changed(tmp_path):
    config = write_config(tmp_path, [""], seeds=2)
    run(config, "-o", tmp_path / "out", "--workers", 1)
    folder = sorted((tmp_path / "out" / "clips").iterdir())[0]
    (folder / "noise.bin").write_bytes(b"other")
    (folder / "more.txt").write_text("?")
    done = run("check", tmp_path / "out")
    assert done.exit_code == 1
    assert f"{folder.name}: noise.bin has changed" in done.stdout
    assert f"{folder.name}: more.txt does not belong" in done.stdout


@pytest.mark.usefixtures("environment")
def test_a_folder_that_is_something_else_is_left_alone(tmp_path):
    config = write_config(tmp_path, [""])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("years of work")
    done = run(config, "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["thesis.tex"]


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_a_disk_that_is_full_costs_the_clip_that_filled_it_and_no_other(tmp_path):
    config = write_config(tmp_path, ["small", "big", "fine"])
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    for folder in (disk, kept):
        folder.mkdir()
    command = [sys.executable, "-m", "sim2real", "dataset", str(config), "-o", str(disk / "out"), "--workers", "1"]
    script = (
        f"mount -t tmpfs -o size=3m none {disk} && {{ {shlex.join(command)}; code=$?; cp -r {disk}/out {kept}; exit $code; }}"
    )
    if subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", str(disk)], capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    found = by_task(kept / "out")
    assert {task: status.status for task, status in found.items()} == {"small": "ok", "big": "failed", "fine": "ok"}
    assert "the disk is full" in found["big"].reason and found["big"].attempts == 1
    assert "the disk is full" in (kept / "out" / "report.html").read_text()
    _, rows = open_dataset(kept / "out")
    assert check_dataset(rows, kept / "out", lambda done, total: None) == []
    assert len(list((kept / "out" / "clips").iterdir())) == 2, "nothing half written is left"


@pytest.mark.slow
def test_a_scene_that_is_broken_fails_alone_and_is_named(tmp_path):
    (tmp_path / "broken.yaml").write_text("objects:\n  - {name: ball, mesh: absent.obj}\n")
    source = {"frames": 1, "size": [32, 48]}
    sources = [{"scene": "broken.yaml", **source}, {"scene": str(REPOSITORY / "scenes" / "tabletop.yaml"), **source}]
    (tmp_path / "config.yaml").write_text(json.dumps({"sources": sources, "only": ["rgb", "depth", "instances"]}))
    done = run(tmp_path / "config.yaml", "-o", tmp_path / "out", "--workers", 1)
    assert done.exit_code == 1, done.output
    assert "1 ok, 1 failed" in done.stdout
    (failed,) = (s for s in read_ledger(tmp_path / "out" / "ledger.parquet") if s.status == "failed")
    assert "absent.obj" in failed.reason and failed.attempts == 1
    assert "absent.obj" in (tmp_path / "out" / "report.html").read_text()
