"""How near to the true camera does calibration come? ``python -m benchmarks.calibration [--cameras N]``.

Random cameras around two robots, a Franka arm and a Fetch beside a table (gymnasium-robotics), each in random joint states. The
first guess is 10 cm and 10 degrees off, in random directions. Masks are clean (every pixel robot or not), or 5 % of as many
pixels as the robot covers are wrong: discs of 2 to 8 px (at 480 rows) on the outline, added and taken away in turn.

``--results FILE`` keeps a line per calibration, and goes on after those that are there.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.calibration_robots import ROBOTS, noisy, off, random_camera, robot
from benchmarks.machine import machine
from sim2real.calibration import Estimate, Problem, calibrate
from sim2real.calibration.coarse import drawn
from sim2real.calibration.inputs import robot_parts
from sim2real.calibration.problem import angle_between
from sim2real.calibration.views import RobotViews
from sim2real.errors import Sim2RealError
from sim2real.transforms import inverse_rigid

NOISE = 0.05
OFF_M, OFF_DEG = 0.10, 10.0
WITHIN = {"clean": (2.0, 0.2, 0.95), "noisy": (5.0, 0.5, 0.9)}
"""Millimetres, degrees, and the share of cameras that must end within both."""


def results(number: int, size: tuple[int, int], states: int, folder: Path) -> Iterator[dict[str, Any]]:
    """Both calibrations of a camera; robots take turns."""
    name = list(ROBOTS)[number % len(ROBOTS)]
    random = np.random.default_rng([7, number])
    scene = robot(name, states, number, folder)
    frames = tuple(range(states))
    parts = robot_parts(scene, frames, ROBOTS[name])
    camera = random_camera(scene, parts, size, random)
    guess = off(camera, OFF_M, OFF_DEG, random)
    still = np.repeat(np.eye(4)[None], states, axis=0)
    blank = Problem(scene, camera, frames, still, parts, np.zeros((states, *size), np.float32))
    truth, start = (Estimate(inverse_rigid(one.world_from_camera[0])) for one in (camera, guess))
    masks = drawn(RobotViews(blank), truth)
    for kind in WITHIN:
        given = masks if kind == "clean" else np.stack([noisy(mask, NOISE, random) for mask in masks])
        began = time.process_time()
        row: dict[str, Any] = {"camera": number, "robot": name, "kind": kind, "share": float(masks.mean())}
        try:
            done = calibrate(Problem(scene, camera, frames, still, parts, given), start)
        except Sim2RealError as error:
            yield row | {"mm": np.inf, "deg": np.inf, "error": str(error)}
            continue
        a, b = done.found.carrier_from_camera, truth.carrier_from_camera
        sure = done.uncertainty
        yield row | {
            "mm": float(1000 * np.linalg.norm(a[:3, 3] - b[:3, 3])),
            "deg": float(np.rad2deg(angle_between(a[:3, :3], b[:3, :3]))),
            "std_mm": float(np.linalg.norm(sure.position_mm)),
            "std_deg": float(np.linalg.norm(sure.rotation_deg)),
            "before": float(np.mean(done.before)),
            "after": float(np.mean(done.after)),
            "distance_m": float(np.linalg.norm(truth.camera_from_carrier[:3, 3])),
            "seconds": time.process_time() - began,
        }


def table(rows: list[dict[str, Any]]) -> list[str]:
    """The rows of the table, per robot and kind of masks."""
    lines = [
        "| masks | robot | cameras | within | median mm | worst | median deg | worst | error / std | IoU before, after | CPU |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for kind, (mm, deg, _) in WITHIN.items():
        for name in (*ROBOTS, "both"):
            mine = [row for row in rows if row["kind"] == kind and name in (row["robot"], "both")]
            if not mine:
                continue
            far, turned = (np.array([row[key] for row in mine]) for key in ("mm", "deg"))
            share = np.mean((far <= mm) & (turned <= deg))
            sound = [row for row in mine if "std_mm" in row]
            ratio = np.median([row["mm"] / row["std_mm"] for row in sound])
            before, after, cpu = (np.mean([row[key] for row in sound]) for key in ("before", "after", "seconds"))
            lines.append(
                f"| {kind} | {name} | {len(mine)} | {100 * share:.0f} % in {mm:g} mm, {deg:g} deg | {np.median(far):.2f} | "
                f"{far.max():.2f} | {np.median(turned):.3f} | {turned.max():.3f} | {ratio:.1f} | {before:.2f}, {after:.3f} | "
                f"{cpu:.1f} |"
            )
    return lines


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=50)
    parser.add_argument("--size", type=int, nargs=2, default=(480, 640), metavar=("H", "W"))
    parser.add_argument("--states", type=int, default=4, help="joint states, and masks, per camera")
    parser.add_argument("--results", type=Path, help="a file to keep results in, and to go on from")
    options = parser.parse_args()
    rows = []
    if options.results is not None and options.results.exists():
        rows = [json.loads(line) for line in options.results.read_text().splitlines()]
    done = {row["camera"] for row in rows if row["kind"] == "noisy"}
    rows = [row for row in rows if row["camera"] in done]
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.cameras):
            if number in done:
                continue
            new = list(results(number, tuple(options.size), options.states, Path(folder)))
            rows += new
            if options.results is not None:
                with options.results.open("a") as file:
                    file.writelines(json.dumps(row) + "\n" for row in new)
    print(f"{machine()}; {options.size[0]}x{options.size[1]}, {options.states} joint states a camera\n")
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
