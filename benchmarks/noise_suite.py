"""Is the noise white, and does it carry motion as well as theory allows? ``python -m benchmarks.noise_suite``.

Whiteness: standard scores of one frame under several independent seeds (at least a million values); independent normals stay
below 4 or so. Transport efficiency: slope of the noise's exact covariance (from the leaves of its hierarchy, no Monte Carlo)
against the overlap of the pixels' footprints, which is computed twice with Embree from 8 x 8 rays per latent, no code of ours;
1 is the ceiling of any method whose frames are white.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.machine import machine
from sim2real.metrics.overlap import RayScene, footprint_overlap
from sim2real.noise import NoiseLayout, SurfaceNoise, charts_of
from sim2real.noise.covariance import model_covariance, transport_efficiency
from sim2real.noise.statistics import whiteness
from sim2real.raster import rasterizer
from sim2real.scene import Scene, load, triangles_of

SCENES = Path(__file__).parent.parent / "scenes"
DISTANCES = (1, 4, 16, 48)
STARTS = 3
LATENT, PIXEL = NoiseLayout(8, 16), NoiseLayout(1, 4)


@dataclass(frozen=True)
class Row:
    """What is measured: a scene, a camera, a picture size, a layout."""

    scene: str
    camera: str
    size: tuple[int, int]
    layout: NoiseLayout


ROWS = [
    Row("kitchen", "counter", (480, 640), LATENT),
    Row("kitchen", "wrist", (480, 640), LATENT),
    Row("kitchen", "counter", (480, 640), NoiseLayout(8, 64)),
    Row("kitchen", "counter", (120, 160), PIXEL),
    Row("tabletop", "", (480, 640), LATENT),
    Row("tabletop", "", (120, 160), PIXEL),
    Row("mirrored", "", (480, 640), LATENT),
    Row("empty", "", (480, 640), LATENT),
]


class Measured:
    """A scene at one size with its noise."""

    def __init__(self, row: Row) -> None:
        scene = load(SCENES / f"{row.scene}.yaml")
        self.camera = (scene.camera(row.camera) if row.camera else scene.cameras[0]).resized(row.size)
        self.scene: Scene = replace(scene, cameras=(self.camera,))
        self.layout = row.layout
        self.triangles = triangles_of(scene)
        self.charts = charts_of(scene, self.triangles)
        self.view = rasterizer(self.triangles)
        height, width = row.layout.latent_size(row.size)
        self.pixels = height * width
        self.engine = self.noise(0)

    def noise(self, seed: int) -> SurfaceNoise:
        """Another field on the same surfaces."""
        return SurfaceNoise(self.charts, self.triangles, self.layout, seed=seed)

    def inputs(self, frame: int) -> tuple:
        """What the noise of a frame is computed from."""
        camera = self.camera
        seen = self.view.visibility(
            self.scene.camera_from_part(camera, frame),
            camera.intrinsics[frame],
            camera.size,
            near=camera.near,
            part_visible=self.scene.part_visible(frame),
        )
        return seen.face, seen.camera_vertices, camera.intrinsics[frame], camera.world_from_camera[frame]

    def white(self, frame: int) -> tuple[float, float, int]:
        """Worst score, p-value of Kolmogorov-Smirnov, number of values."""
        inputs = self.inputs(frame)
        draws, seed = [], 0
        while sum(d.size for d in draws) < 1_000_000:
            draws.append(self.noise(seed).frame(*inputs).numpy())
            seed += 1
        result = whiteness(np.stack(draws))
        return result.worst(), result.ks_p, result.values

    def efficiency(self, distance: int) -> str:
        """Mean over several places of the clip, with its standard error."""
        last = self.scene.frames - 1 - distance
        if last < 0 or not len(self.triangles.faces):
            return "-"
        slopes = []
        for start in np.unique(np.linspace(0, last, STARTS).astype(int)):
            a, b = RayScene(self.scene, int(start), self.triangles), RayScene(self.scene, int(start) + distance, self.triangles)
            overlap = [
                footprint_overlap(a, self.camera, b, self.camera, factor=self.layout.factor, seed=seed) for seed in (0, 1)
            ]
            leaves = [self.engine.leaves(*self.inputs(k)) for k in (b.frame, a.frame)]
            slopes.append(transport_efficiency(model_covariance(leaves[0], leaves[1], self.pixels), *overlap))
        if len(slopes) == 1:
            return f"{slopes[0]:.3f}"
        return f"{np.mean(slopes):.3f} ± {np.std(slopes, ddof=1) / np.sqrt(len(slopes)):.3f}"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", help="only rows of this scene")
    chosen = parser.parse_args().scene
    print(machine() + "\n")
    head = " | ".join(f"efficiency {d}" for d in DISTANCES)
    print(f"| scene | camera | noise | worst score | KS p | values | {head} |\n|{'---|' * (6 + len(DISTANCES))}")
    for row in ROWS:
        if chosen and row.scene != chosen:
            continue
        measured = Measured(row)
        worst, ks, values = measured.white(measured.scene.frames // 2)
        height, width = row.layout.latent_size(row.size)
        slopes = " | ".join(measured.efficiency(d) for d in DISTANCES)
        noise = f"{height}x{width}x{row.layout.channels}"
        print(
            f"| {row.scene} | {measured.camera.name} | {noise} | {worst:.2f} | {ks:.2f} | {values:,} | {slopes} |", flush=True
        )


if __name__ == "__main__":
    main()
