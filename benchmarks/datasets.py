"""What making datasets costs, and that it is the same however it is done: ``python -m benchmarks.datasets [--clips N]``.

Clips of the kitchen and the tabletop with all labels and footage of the embedded model. One run is never disturbed; one is
killed with SIGKILL ten times at random moments and goes on; others have 1, 2 and 4 workers here and on Ray, for all clips or,
with ``--part N``, for every N-th. All files of all clips and of all formats must be the same, and no finished clip may be made
again. Then: how long a clip takes by stage, what the formats add, and how good ``--dry-run`` was. ``--memory N`` makes N tiny
clips instead and plots what that takes; ``--overhead N`` makes N clips with two workers and with two actors of Ray, in turns.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.machine import machine
from sim2real.dataset import make_clip as stages
from sim2real.dataset.attempts import Attempts
from sim2real.dataset.folder import open_dataset
from sim2real.dataset.plan import Row

ROOT = Path(__file__).parent.parent
FORMATS = ("coco", "youtube_vis", "bop", "webdataset", "cosmos", "nerfstudio", "mcap", "exr")
"""Those that take all clips; ``lerobot`` and ``robomimic`` take those of one scene."""
STAGES = {
    "read_scene": "scene read (kept for the next clip)",
    "randomized": "scene varied",
    "_rendered": "noise, pictures and labels",
    "_generated": "footage",
    "write_silhouettes": "whole silhouettes (coco, bop)",
    "write_models": "models (bop)",
    "write_pages": "contact sheet and report",
    "clip_figures": "figures of the gate",
    "write_done": "checksums",
}
"""What :func:`sim2real.dataset.make_clip.make_clip` calls, and what that is."""


def config(clips: int, formats: tuple[str, ...]) -> dict[str, Any]:
    """Half of the clips of the kitchen, half of the tabletop."""
    return {
        "sources": [
            {"scene": str(ROOT / "scenes" / "kitchen.yaml"), "cameras": ["counter"], "stride": 20},
            {"scene": str(ROOT / "scenes" / "tabletop.yaml")},
        ],
        "frames": 2,
        "size": [64, 96],
        "variations": {
            "sample": clips // 2,
            "use": ["keep", "restyle"],
            "materials": {"min": 0, "max": 0.5},
            "clutter": {"min": 0, "max": 3},
            "camera_jitter": [{"position_m": 0.02, "rotation_deg": 2}],
        },
        "generate": {},
        "formats": list(formats),
        "gate": {"labels": 1},
    }


def command(written: Path, out: Path, *options: object) -> list[str]:
    """``sim2real dataset``."""
    return [sys.executable, "-m", "sim2real", "dataset", str(written), "-o", str(out), *map(str, options)]


def seconds(written: Path, out: Path, *options: object) -> float:
    """How long a run takes that nobody disturbs."""
    begun = time.monotonic()
    done = subprocess.run(command(written, out, *options), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"sim2real dataset {' '.join(map(str, options))} failed:\n{done.stdout}{done.stderr}")
    return time.monotonic() - begun


def hashes(out: Path, formats: tuple[str, ...]) -> dict[str, str]:
    """Of all files of all clips and formats."""
    files = sorted(path for name in ("clips", *formats) for path in (out / name).rglob("*") if path.is_file())
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def finished(out: Path) -> dict[str, tuple[int, int]]:
    """Which file the record of every finished clip is, by inode and time: one that is made again has another."""
    records = (out / "clips").glob("*/done.json")
    return {path.parent.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in records}


def killed_run(written: Path, out: Path, kills: int, whole_s: float, workers: int) -> str:
    """Kill a run so many times, at random moments, then let it end; returns what was counted."""
    rng, there, again = random.Random(0), {}, 0
    for _ in range(kills):
        process = subprocess.Popen(
            command(written, out, "--workers", workers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(0.05, 1.6) * whole_s / kills)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(0.5)  # children end with their parent
        now = finished(out)
        again += sum(now.get(clip) != record for clip, record in there.items())
        there = now
    left = len(there)
    seconds(written, out, "--workers", workers)
    now = finished(out)
    again += sum(now.get(clip) != record for clip, record in there.items())
    tries = [Attempts(out / "state" / row.clip_id).all() for row in open_dataset(out)[1]]
    twice = sum(sum(one.ending == "ok" for one in of_clip) > 1 for of_clip in tries)
    lost = sum(one.ending is None for of_clip in tries for one in of_clip)
    return (
        f"{kills} times SIGKILL: {left} of {len(tries)} clips were there after the last, {lost} tries were lost, "
        f"{again} finished clips were made again, {twice} clips were finished twice"
    )


@contextmanager
def timed(found: dict[str, list[float]]) -> Iterator[None]:
    """Note how long each stage of a clip takes."""
    before = {name: getattr(stages, name) for name in STAGES}

    def timer(name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            begun = time.monotonic()
            try:
                return before[name](*args, **kwargs)
            finally:
                found[name].append(time.monotonic() - begun)

        return call

    for name in STAGES:
        setattr(stages, name, timer(name))
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(stages, name, function)


def by_stage(rows: tuple[Row, ...], most: int = 12) -> None:
    """Print how long a clip takes, on two cores and in one process, by stage; medians."""
    found: dict[str, list[float]] = defaultdict(list)
    whole = []
    with tempfile.TemporaryDirectory() as folder:
        stages.make_clip(rows[0], Path(folder) / "warm", threads=os.cpu_count() or 1)
        with timed(found):
            for row in rows[1 : most + 1]:
                begun = time.monotonic()
                stages.make_clip(row, Path(folder) / row.clip_id, threads=os.cpu_count() or 1)
                whole.append(time.monotonic() - begun)
    total = median(whole)
    print("\n| stage of a clip | s | share |\n|---|---|---|")
    for name, what in STAGES.items():
        if found[name]:
            print(f"| {what} | {median(found[name]):.3f} | {median(found[name]) / total:.0%} |")
    print(f"| whole, one process with all cores | {total:.2f} | {3600 / total:.0f} an hour |")


def formats_cost(out: Path, rows: tuple[Row, ...], whole_s: float) -> None:
    """Print how long each format takes to write, against all clips."""
    from sim2real.dataset.finished import FinishedClips, write_episode
    from sim2real.dataset.writers.registry import writer

    print("\n| format | s a clip | of the clips' time |\n|---|---|---|")
    one_scene = tuple(row for row in rows if row.scene == rows[0].scene)
    for name in (*FORMATS, "lerobot", "robomimic"):
        written = rows if name in FORMATS else one_scene
        for row in written if name == "robomimic" else ():
            frames = FinishedClips(out / "clips", (row,))[0].clip.frames
            write_episode(out / "clips" / row.clip_id, {"actions": np.zeros((frames, 7))}, {"task": ""})
        with tempfile.TemporaryDirectory(dir=out.parent) as folder:
            begun = time.monotonic()
            writer(name).write(FinishedClips(out / "clips", written), Path(folder))
            took = time.monotonic() - begun
        print(f"| {name} | {took / len(written):.3f} | {took / len(written) / (whole_s / len(rows)):.1%} |")


def memory(clips: int, picture: Path) -> None:
    """Make so many tiny clips and plot the memory of all processes over time."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    tiny = {**config(clips, ("coco", "webdataset")), "frames": 1, "size": [48, 64]}
    with tempfile.TemporaryDirectory(dir=ROOT / "out") as folder:
        written, out = Path(folder) / "config.yaml", Path(folder) / "out"
        written.write_text(json.dumps(tiny))
        begun, points = time.monotonic(), []
        process = subprocess.Popen(
            command(written, out, "--workers", 2), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        while process.poll() is None:
            done = sum(1 for _ in (out / "clips").glob("[!.]*")) if out.is_dir() else 0
            points.append((time.monotonic() - begun, done, *resident(process.pid)))
            time.sleep(2)
        if process.returncode:
            sys.exit(f"failed: {process.stderr.read() if process.stderr else ''}")
    figure, axes = pyplot.subplots(figsize=(7, 3), layout="constrained")
    done = [point[1] for point in points]
    axes.plot(done, [point[2] / 1e6 for point in points], label="the run")
    axes.plot(done, [point[3] / 1e6 for point in points], label="its largest worker")
    axes.set(xlabel="clips done", ylabel="resident memory, MB", ylim=(0, None))
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=120)
    print(f"| {'clips done':>10} | the run, MB | its largest worker, MB |\n|---|---|---|")
    for share in (0.1, 0.25, 0.5, 0.75, 0.99):
        point = next(point for point in points if point[1] >= share * clips)
        print(f"| {point[1]} | {point[2] / 1e6:.0f} | {point[3] / 1e6:.0f} |")
    print(f"\n{clips} clips in {points[-1][0]:.0f} s; plot: {picture}")


def overhead(clips: int, rounds: int = 3) -> None:
    """Print what a clip takes with two workers and with two actors of Ray, in turns, once the first quarter is there."""
    runs = {"2 workers": ("--workers", 2), "Ray, 2 actors": ("--ray", "local", "--workers", 2)}
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(dir=ROOT / "out") as folder:
        written, out = Path(folder) / "config.yaml", Path(folder) / "out"
        written.write_text(json.dumps(config(clips, ())))
        for _ in range(rounds):
            for name, options in runs.items():
                begun = time.time()
                seconds(written, out, *options)
                ends = sorted(ns / 1e9 for _, ns in finished(out).values())
                first = len(ends) // 4
                found[name].append(((ends[-1] - ends[first]) / (len(ends) - 1 - first), ends[0] - begun))
                shutil.rmtree(out)
    print(f"{clips} clips, {rounds} times each\n\n| run | s a clip, medians | the first clip after, s |\n|---|---|---|")
    for name, pairs in found.items():
        print(f"| {name} | {median(pace for pace, _ in pairs):.2f} | {median(start for _, start in pairs):.0f} |")


def resident(parent: int) -> tuple[int, int]:
    """Bytes that a process has in memory, and the largest of its children."""

    def bytes_of(pid: int) -> int:
        try:
            return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) * 1024  # type: ignore[index]
        except (FileNotFoundError, ProcessLookupError, TypeError):
            return 0

    children = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == parent:
                children.append(int(stat.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return bytes_of(parent), max(map(bytes_of, children), default=0)


def main() -> None:
    """Print tables; exits with 1 if two runs differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--part", type=int, default=1, metavar="N", help="runs with other workers make every N-th clip alone")
    parser.add_argument("--memory", type=int, metavar="N", help="make N tiny clips and plot the memory that takes")
    parser.add_argument("--overhead", type=int, metavar="N", help="make N clips without Ray and with it, in turns")
    parser.add_argument("--picture", type=Path, default=ROOT / "docs" / "images" / "dataset-memory.png")
    chosen = parser.parse_args()
    print(f"{machine()}\n")
    (ROOT / "out").mkdir(exist_ok=True)
    if chosen.memory:
        memory(chosen.memory, chosen.picture)
        return
    if chosen.overhead:
        overhead(chosen.overhead)
        return

    with tempfile.TemporaryDirectory(dir=ROOT / "out", prefix="datasets-") as folder:
        written, whole = Path(folder) / "config.yaml", Path(folder) / "whole"
        written.write_text(json.dumps(config(chosen.clips, FORMATS)))
        dry = subprocess.run(command(written, Path(folder) / "dry", "--dry-run"), capture_output=True, text=True, check=True)
        took = {"2 workers": seconds(written, whole, "--workers", 2)}
        wanted, size = hashes(whole, FORMATS), sum(p.stat().st_size for p in whole.rglob("*") if p.is_file())
        print(dry.stdout.splitlines()[-1])
        print(f"came: {took['2 workers'] / 60:.1f} min and {size / 1e9:.2f} GB\n")
        differ: Counter[str] = Counter()
        runs: dict[str, tuple[object, ...]] = {
            "1 worker": ("--workers", 1),
            "2 workers again": ("--workers", 2),
            "4 workers": ("--workers", 4),
            "Ray, 1 actor": ("--ray", "local", "--workers", 1),
            "Ray, 2 actors": ("--ray", "local", "--workers", 2),
            "Ray, 4 actors": ("--ray", "local", "--workers", 4),
        }
        other = Path(folder) / "killed"
        counted = killed_run(written, other, chosen.kills, took["2 workers"], 2)
        found = hashes(other, FORMATS)
        differ["killed"] = sum(found.get(path) != wanted.get(path) for path in {*found, *wanted})
        print(f"{counted}; {len(wanted) - differ['killed']} of {len(wanted)} files are the same\n", flush=True)
        print("| run | clips | s | clips an hour | files that are the same |\n|---|---|---|---|---|")
        rate = 3600 * chosen.clips / took["2 workers"]
        print(f"| 2 workers | {chosen.clips} | {took['2 workers']:.0f} | {rate:.0f} | {len(wanted)} |")
        shard = ("--shard", f"1/{chosen.part}") if chosen.part > 1 else ()
        for name, options in runs.items():
            other = Path(folder) / "other"
            took[name] = seconds(written, other, *options, *shard)
            made, found = len(finished(other)), hashes(other, FORMATS)
            differ[name] = sum(wanted.get(path) != value for path, value in found.items())
            differ[name] += abs(made - chosen.clips // chosen.part)
            same = f"{len(found) - differ[name]} of {len(found)}"
            print(f"| {name} | {made} | {took[name]:.0f} | {3600 * made / took[name]:.0f} | {same} |", flush=True)
            shutil.rmtree(other)
        rows = open_dataset(whole)[1]
        by_stage(rows)
        formats_cost(whole, rows, took["2 workers"])
    if any(differ.values()):
        sys.exit("error: runs differ")


if __name__ == "__main__":
    main()
