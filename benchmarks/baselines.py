"""Surface noise beside other ways to make noise move: ``python -m benchmarks.baselines [--quick]``.

Two scenes of the suite, latents 60x90x16 of 480x720 pixels. All methods get exact motion; all are ours, written from the
mathematics. Variance and the correlation of neighbors are those of frame 16; transport efficiency is measured on the drawn
noise, from frame 0 on, against the overlap of footprints computed with Embree. "16 to 20": between these two, when much is seen
that was not in frame 0. "hidden": pixels that an occluder has covered in between. "second": another camera at the same instant.
"loop": once around and back. Milliseconds per frame are processor time of one thread that a method adds to the visibility of a
view; standard errors are over channels and parts of the picture.
"""

from __future__ import annotations

import argparse
import time
from statistics import median

import numpy as np

from benchmarks.machine import machine
from benchmarks.noise_suite import LEAST_OVERLAP, Phase, View
from benchmarks.other_noise import METHODS, Method, Stage
from benchmarks.suite_scenes import SIZE, case
from sim2real.metrics.transport import Slope
from sim2real.metrics.whiteness import estimates
from sim2real.noise import NoiseLayout

LAYOUT = NoiseLayout(8, 16)
SCENES = ("occluder passing", "full orbit and return")
DISTANCES = (1, 4, 16, 48)


class Judge:
    """The overlaps of one phase of a scene, computed once for all methods."""

    def __init__(self, name: str, number: int, size: tuple[int, int]) -> None:
        self.phase = Phase(case(name, number), size, LAYOUT)
        self.columns: dict[str, tuple[View, View]] = {str(d): (("camera", 0), ("camera", d)) for d in DISTANCES}
        self.columns["16 to 20"] = ("camera", 16), ("camera", 20)
        self.columns["second"] = ("camera", 0), ("second", 0)
        during: View | None = None
        if self.phase.case.hidden:
            before, covered, after = self.phase.case.hidden
            self.columns["hidden"], during = (("camera", before), ("camera", after)), ("camera", covered)
        if self.phase.case.loop:
            first, last = self.phase.case.loop
            self.columns["loop"] = ("camera", first), ("camera", last)
        self.overlaps = {
            column: self.phase.overlaps(*pair, during if column == "hidden" else None) for column, pair in self.columns.items()
        }
        self.frames = 1 + max(view[1] for pair in self.columns.values() for view in pair)


def measured(method: Method, judges: list[Judge]) -> dict[str, str]:
    """One row: figures by column."""
    slopes: dict[str, Slope] = {}
    milliseconds, sixteenth = [], []
    for judge in judges:
        stage = Stage(judge.phase, seed=7)
        kept: dict[View, np.ndarray] = {}
        wanted = {view for pair in judge.columns.values() for view in pair} | {("camera", 16)}
        video = method.video(stage, "camera", judge.frames)
        for frame in range(judge.frames):
            for back in (max(frame - 1, 0), frame):  # visibility and labels are not on the clock
                _ = stage.labels("camera", back).planes
            start = time.thread_time()
            noise = next(video)
            milliseconds += [1e3 * (time.thread_time() - start)] if frame else []
            if ("camera", frame) in wanted:
                kept["camera", frame] = noise.astype(np.float64)
        kept["second", 0] = next(method.video(stage, "second", 1)).astype(np.float64)
        sixteenth.append(kept["camera", 16])
        for column, (a, b) in judge.columns.items():
            slopes.setdefault(column, Slope()).add(kept[b], kept[a], judge.overlaps[column])
    figures = {name: estimate.value for name, estimate in estimates(np.stack(sixteenth)).items()}
    cells = {"method": method.name, "variance": f"{figures['variance']:.3f}"}
    cells["neighbors"] = f"{(figures['neighbor_right'] + figures['neighbor_below']) / 2 / figures['variance']:.3f}"
    for column, slope in slopes.items():
        result = slope.result(0)
        enough = result is not None and (result.overlap >= LEAST_OVERLAP or column == "hidden")
        cells[column] = f"{result.efficiency:.3f} ± {result.error:.3f}" if result and enough else "-"
    cells["ms"] = f"{median(milliseconds):.0f}"
    return cells


def main() -> None:
    """Print a table per scene."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scene", help="only scenes whose name holds this")
    parser.add_argument("--quick", action="store_true", help="one phase, half the picture's size")
    options = parser.parse_args()
    size, phases = ((240, 360), 1) if options.quick else (SIZE, 2)
    print(machine())
    for name in SCENES:
        if options.scene and options.scene not in name:
            continue
        judges = [Judge(name, number, size) for number in range(phases)]
        columns = ["method", "variance", "neighbors", *judges[0].columns, "ms"]
        print(f"\n{name}\n\n| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
        for method in METHODS:
            cells = measured(method, judges)
            print("| " + " | ".join(cells.get(column, "-") for column in columns) + " |", flush=True)


if __name__ == "__main__":
    main()
