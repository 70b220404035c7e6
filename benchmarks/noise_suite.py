"""Is the noise white, and does it carry motion as well as theory allows? ``python -m benchmarks.noise_suite [--quick]``.

One row per scene of ``suite_scenes`` and resolution (latents: 60x90x16 of 480x720 pixels; pixels: a window of 120x180x4 in the
middle of as many), each averaged over random phases of the scene. Whiteness: standard scores of at least a million values, all
frames and seeds independent; independent normals stay below 4 or so. Transport efficiency: slope of the noise's exact
covariance (from the leaves of its hierarchy, no Monte Carlo) against the overlap of the pixels' footprints, which is computed
twice with Embree, from 8 x 8 rays per latent (6 x 6 per pixel) and no code of ours. "hidden": pixels whose surfaces an occluder
has covered between the two frames. "second": another camera at the same instant. "loop": after being far away.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_matrix, diags

from benchmarks.machine import machine
from benchmarks.suite_scenes import FRAMES, SCENES, SIZE, Case, case
from sim2real.metrics.covariance import model_covariance, transport_efficiency
from sim2real.metrics.overlap import RayScene, footprint_overlap
from sim2real.metrics.whiteness import Whiteness, whiteness
from sim2real.noise import NoiseLayout, SurfaceNoise, charts_of
from sim2real.raster import rasterizer, view_of
from sim2real.scene import triangles_of

View = tuple[str, int]
"""A camera's name and a frame."""
LEAST_OVERLAP = 0.02
"""Mean squared overlap per pixel below which there is nothing to carry."""
MEAN, WORST, SCORE = 0.98, 0.95, 5.0
"""What the noise must reach."""


@dataclass(frozen=True)
class Effort:
    """What a run spends: phases per scene, values per test of whiteness, distances in frames, size of pictures and windows."""

    phases: int
    values: int
    distances: tuple[int, ...]
    size: tuple[int, int]
    window: tuple[int, int]


FULL = Effort(6, 1_000_000, (1, 4, 16, 48), SIZE, (120, 180))
QUICK = Effort(2, 200_000, (1, 16), (240, 360), (64, 96))


class Phase:
    """One phase of a scene with its noise, at one picture size, or in a window in the middle of it."""

    def __init__(self, made: Case, size: tuple[int, int], layout: NoiseLayout, window: tuple[int, int] | None = None) -> None:
        self.case, self.scene, self.layout = made, made.scene, layout
        self.cameras = made.cameras(size, window)
        self.triangles = triangles_of(self.scene)
        self.charts = charts_of(self.scene, self.triangles)
        self.raster = rasterizer(self.triangles)
        self.noise = SurfaceNoise(self.charts, self.triangles, layout)
        self.latent_size = layout.latent_size(window or size)
        self.pixels = self.latent_size[0] * self.latent_size[1]
        self.rays = lru_cache(maxsize=3)(lambda frame: RayScene(self.scene, frame, self.triangles))
        self.leaves = lru_cache(maxsize=8)(lambda view: self.noise.leaves(*self.inputs(view)))

    def inputs(self, view: View) -> tuple:
        """What the noise of a view is computed from."""
        camera, frame = self.cameras[view[0]], view[1]
        asked = view_of(self.scene, camera, frame)
        return self.raster.visibility(asked), asked

    def drawn(self, view: View, seed: int) -> np.ndarray:
        """A frame of another field on the same surfaces."""
        noise = SurfaceNoise(self.charts, self.triangles, self.layout, seed=seed)
        return noise.frame(*self.inputs(view)).numpy()

    def efficiency(self, a: View, b: View, unseen_in: View | None = None) -> float | None:
        """Slope between two views.

        Args:
            a: one view.
            b: the other.
            unseen_in: count only those pixels of b that see nothing of what this view sees.

        Returns:
            ``None`` where the views share next to nothing.
        """
        overlap = self.overlaps(a, b, unseen_in)
        if overlap[0].multiply(overlap[1]).sum() / max(1, (overlap[0].getnnz(axis=1) > 0).sum()) < LEAST_OVERLAP:
            return None
        return transport_efficiency(model_covariance(self.leaves(b), self.leaves(a), self.pixels), *overlap)

    def overlaps(self, a: View, b: View, unseen_in: View | None = None) -> tuple[csr_matrix, csr_matrix]:
        """Two independent estimates of the overlap of two views; see ``efficiency``."""
        first, second = self._overlap(a, b, 0), self._overlap(a, b, 1)
        if unseen_in is None:
            return first, second
        seen = np.asarray(self._overlap(unseen_in, b, 2).sum(axis=1)).ravel() > 1e-3
        counts = csr_matrix(diags(np.where(seen, 0.0, 1.0)))
        return csr_matrix(counts @ first), csr_matrix(counts @ second)

    def _overlap(self, a: View, b: View, seed: int) -> csr_matrix:
        return footprint_overlap(
            self.rays(a[1]),
            self.cameras[a[0]],
            self.rays(b[1]),
            self.cameras[b[0]],
            factor=self.layout.factor,
            per_pixel=8 if self.layout.factor > 1 else 6,
            seed=seed,
        )


@dataclass
class Row:
    """What was found about a scene at one resolution: slopes of every phase by column, and whiteness."""

    scene: str
    noise: str
    slopes: dict[str, list[float]] = field(default_factory=dict)
    white: Whiteness | None = None

    def add(self, column: str, slope: float | None) -> None:
        """Note a slope; nothing to carry is not noted."""
        if slope is not None:
            self.slopes.setdefault(column, []).append(slope)

    def cells(self, columns: list[str]) -> list[str]:
        """Text of a row."""
        assert self.white is not None
        scores = self.white.scores()
        neighbors = max(abs(v) for k, v in scores.items() if k.startswith(("neighbor", "lag")))
        tests = [f"{self.white.worst():.2f}", f"{self.white.ks_p:.2f}", f"{neighbors:.2f}", f"{scores['spectrum']:.2f}"]
        return [self.scene, self.noise, *tests, *(self.cell(column) for column in columns)]

    def cell(self, column: str) -> str:
        """Mean over phases and its standard error."""
        slopes = self.slopes.get(column, [])
        if not slopes:
            return "-"
        error = f" ± {np.std(slopes, ddof=1) / np.sqrt(len(slopes)):.3f}" if len(slopes) > 1 else ""
        return f"{np.mean(slopes):.3f}{error}"


def measured(name: str, resolution: str, effort: Effort) -> Row:
    """One row of the table."""
    layout, window = (NoiseLayout(8, 16), None) if resolution == "latents" else (NoiseLayout(1, 4), effort.window)
    height, width = layout.latent_size(window or effort.size)
    row = Row(name, f"{height}x{width}x{layout.channels}")
    draws: list[np.ndarray] = []
    seeds = -(-effort.values // (height * width * layout.channels * effort.phases))
    for number in range(effort.phases):
        phase = Phase(case(name, number), effort.size, layout, window)
        rng = np.random.default_rng([number, 5])
        shown = int(rng.integers(FRAMES))
        draws += [phase.drawn(("camera", shown), number * seeds + k) for k in range(seeds)]
        for distance in effort.distances:
            start = int(rng.integers(FRAMES - distance))
            row.add(str(distance), phase.efficiency(("camera", start), ("camera", start + distance)))
        row.add("second", phase.efficiency(("camera", shown), ("second", shown)))
        if phase.case.hidden:
            before, during, after = (("camera", frame) for frame in phase.case.hidden)
            row.add("hidden", phase.efficiency(before, after, unseen_in=during))
        if phase.case.loop:
            row.add("loop", phase.efficiency(*(("camera", frame) for frame in phase.case.loop)))
    row.white = whiteness(np.stack(draws))
    return row


def verdict(rows: list[Row]) -> tuple[list[str], bool]:
    """The thresholds, and which rows miss them."""
    means = {(r.scene, r.noise, c): float(np.mean(s)) for r in rows for c, s in r.slopes.items()}
    lines = [f"{len(means)} efficiencies: mean {np.mean(list(means.values())):.3f} (must reach {MEAN})"]
    misses = [f"{' | '.join(key)}: {value:.3f} < {WORST}" for key, value in means.items() if value < WORST]
    misses += [f"{r.scene} | {r.noise}: score {r.white.worst():.2f}" for r in rows if r.white and r.white.worst() >= SCORE]
    lines += misses or [f"all at least {WORST}, all scores below {SCORE:g}"]
    return lines, not misses and bool(np.mean(list(means.values())) >= MEAN)


def main() -> None:
    """Print a table, and what misses the thresholds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scene", help="only scenes whose name holds this")
    parser.add_argument("--resolution", choices=["latents", "pixels"], help="only this one")
    parser.add_argument("--quick", action="store_true", help="smaller pictures, two phases, two distances")
    parser.add_argument("--phases", type=int, metavar="N", help="phases of every scene")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a threshold is missed")
    options = parser.parse_args()
    effort = QUICK if options.quick else FULL
    effort = replace(effort, phases=options.phases or effort.phases)
    columns = [*(str(d) for d in effort.distances), "hidden", "second", "loop"]
    head = ["scene", "noise", "worst score", "KS p", "neighbors", "spectrum", *columns]
    print(machine() + "\n")
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    rows = []
    for resolution in [options.resolution] if options.resolution else ["latents", "pixels"]:
        for name in SCENES:
            if options.scene and options.scene not in name:
                continue
            rows.append(measured(name, resolution, effort))
            print("| " + " | ".join(rows[-1].cells(columns)) + " |", flush=True)
    lines, reached = verdict(rows)
    print("\n" + "\n".join(lines))
    if options.check and not reached:
        sys.exit(1)


if __name__ == "__main__":
    main()
