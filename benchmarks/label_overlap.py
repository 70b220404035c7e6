"""How far can a clip's labels be trusted? ``python -m benchmarks.label_overlap``.

``sim2real evaluate --noise --geometry labels`` knows footprints from depth and instances alone. Here its overlaps are held
against those of rays through the scene: the slope is what ideal noise would be given for its efficiency. Mean over phases of
the scene, with its standard error, at 1, 4 and 16 frames.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.machine import machine
from benchmarks.noise_suite import LEAST_OVERLAP, Phase
from benchmarks.other_noise import Stage
from benchmarks.suite_scenes import FRAMES, SIZE, case
from sim2real.metrics.covariance import transport_efficiency
from sim2real.metrics.footprints import labeled_overlap
from sim2real.metrics.overlap import footprint_overlap
from sim2real.noise import NoiseLayout

SCENES = (
    "full orbit and return",
    "occluder passing",
    "articulated robot (kitchen)",
    "grazing plane, 3 to 13 degrees",
    "dolly by 16 and back",
    "mirrored UVs",
)
WINDOWS = {8: None, 1: (120, 180)}
DISTANCES = (1, 4, 16)


def slopes(name: str, factor: int, phases: int) -> dict[int, list[float]]:
    """Slope of the labels' overlap against the rays', phase by phase, by distance."""
    found: dict[int, list[float]] = {}
    for number in range(phases):
        phase = Phase(case(name, number), SIZE, NoiseLayout(factor, 1), WINDOWS[factor])
        labels = Stage(phase, seed=0).labels
        camera = phase.cameras["camera"]
        for distance in DISTANCES:
            a = int(np.random.default_rng([number, distance]).integers(FRAMES - distance))
            b = a + distance
            rays = [
                footprint_overlap(phase.rays(a), camera, phase.rays(b), camera, factor=factor, per_pixel=8, seed=seed)
                for seed in (0, 1)
            ]
            if rays[0].multiply(rays[1]).sum() / phase.pixels < LEAST_OVERLAP:
                continue
            ours = labeled_overlap(labels("camera", a), labels("camera", b), factor=factor, seed=2)
            found.setdefault(distance, []).append(transport_efficiency(ours, *rays))
    return found


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phases", type=int, default=4)
    phases = parser.parse_args().phases
    print(machine() + "\n")
    columns = [f"{'latents of 8 px' if factor == 8 else 'pixels'}, {d}" for factor in WINDOWS for d in DISTANCES]
    print("| scene | " + " | ".join(columns) + " |\n|" + "---|" * (len(columns) + 1))
    for name in SCENES:
        cells = []
        for factor in WINDOWS:
            found = slopes(name, factor, phases)
            for distance in DISTANCES:
                values = found.get(distance, [])
                error = f" ± {np.std(values, ddof=1) / np.sqrt(len(values)):.3f}" if len(values) > 1 else ""
                cells.append(f"{np.mean(values):.3f}{error}" if values else "-")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
