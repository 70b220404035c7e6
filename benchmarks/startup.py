"""Seconds that commands take to start: ``python -m benchmarks.startup [--runs N] [--core K]``.

Each command runs as a process of its own, on one core, with warm caches of kernels, charts and bytecode; commands take
turns, so that a busy moment meets all of them. Medians of wall and of processor time. The first row is what torch and Warp
take to be imported; the last columns are what commands take beyond that. Rendering and generating are of one frame.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

import sim2real
from benchmarks.machine import machine

BARE = "import torch, warp"
BOX = """<mujoco><worldbody>
  <light pos="0 0 3"/>
  <camera name="front" pos="0 -2 1" xyaxes="1 0 0 0 0.45 0.9"/>
  <geom name="floor" type="plane" size="2 2 0.1" rgba="0.8 0.8 0.8 1"/>
  <body name="box" pos="0 0 0.3"><freejoint/><geom name="box" type="box" size="0.2 0.2 0.2" rgba="0.8 0.2 0.2 1"/></body>
</worldbody></mujoco>"""
MESH = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 3 1 4\n"
STATES = "--states states.npy"
SIZE = "--size 120x160"
COMMANDS = {
    "--help": "--help",
    "inspect, MuJoCo": f"inspect box.xml {STATES}",
    "inspect, mesh": "inspect mesh.obj --orbit --frames 1",
    "render, MuJoCo": f"render box.xml {STATES} {SIZE} -o box --overwrite",
    "render, mesh": f"render mesh.obj --orbit --frames 1 {SIZE} -o mesh --overwrite",
    "generate": "generate box",
    "view": "view box",
}
"""Arguments of ``sim2real`` in a folder that has the model, its states and the mesh, by name of the row."""


def rows() -> dict[str, list[str]]:
    """What is measured, bare imports first."""
    bare = [sys.executable, "-c", f"{BARE}; warp.init()"]
    return {BARE: bare} | {name: [sys.executable, "-m", "sim2real", *line.split()] for name, line in COMMANDS.items()}


def seconds(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall and processor time of a process, with its children."""
    root = str(Path(sim2real.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": root, "SIM2REAL_CACHE": str(folder / "cache")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    with open(folder / "output", "w+b") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)  # it is waited for already
        if process.returncode:
            output.seek(0)
            sys.exit(f"{' '.join(command)} failed:\n{output.read().decode()}")
    return wall, used.ru_utime + used.ru_stime


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of every command, after one that fills the caches")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="that everything runs on")
    chosen = parser.parse_args()
    print(f"{machine()}; one core, {chosen.runs} runs\n")
    os.sched_setaffinity(0, {chosen.core})
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in rows()}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "box.xml").write_text(BOX)
        Path(folder, "mesh.obj").write_text(MESH)
        np.save(Path(folder, "states.npy"), np.array([[0, 0, 0.3, 1, 0, 0, 0]]))
        for run in range(chosen.runs + 1):
            for name, command in rows().items():
                found = seconds(command, Path(folder))
                measured[name] += [found] if run else []
    bare = [median(values) for values in zip(*measured[BARE], strict=True)]
    print("| command | s | processor, s | s beyond the bare imports | processor, s |\n|---|---|---|---|---|")
    for name, found in measured.items():
        wall, used = (median(values) for values in zip(*found, strict=True))
        print(f"| {name} | {wall:.2f} | {used:.2f} | {wall - bare[0]:+.2f} | {used - bare[1]:+.2f} |")


if __name__ == "__main__":
    main()
