"""Seconds per frame and peak memory of rendering a clip to disk: ``python -m benchmarks.render``.

The kitchen rollout at 480x720: noise for latents (60x90x16), depth, instances, normals, edges and RGB, written with their
videos. Wall time of the frames alone, and of the whole call, and the peak of this process's memory.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from pathlib import Path

from benchmarks.machine import machine
from sim2real.noise import NoiseLayout
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import LoadOptions, load

FRAMES = 12
LAYOUTS = {"60x90x16, factor 8": NoiseLayout(8, 16), "480x720x3, factor 1": NoiseLayout(1, 3)}


def seconds(scene, layout: NoiseLayout, threads: int, only: set[str] | None = None) -> tuple[float, float]:
    """Per frame without the preparation, and in all."""
    marks: list[float] = []

    def mark(what: str, done: int, total: int) -> None:
        if what.startswith("rendering"):
            marks.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        render_clip(
            scene,
            Path(folder) / "clip",
            RenderOptions(cameras=["counter"], size=(480, 720), layout=layout, threads=threads, only=only),
            progress=mark,
        )
        return (marks[-1] - marks[0]) / scene.frames, time.perf_counter() - start


def main() -> None:
    """Print a table."""
    scene = load(Path(__file__).parent.parent / "scenes" / "kitchen.yaml", LoadOptions(frames=FRAMES))
    cores = len(os.sched_getaffinity(0))
    triangles = sum(len(scene.meshes[p.mesh].faces) for p in scene.parts)
    print(f"{machine()}; {triangles:,} triangles, 480x720, {FRAMES} frames, one camera\n")
    print("| noise | written | threads | s per frame | s in all |\n|---|---|---|---|---|")
    seconds(scene.sliced(slice(0, 2)), LAYOUTS["60x90x16, factor 8"], 1)  # kernels are compiled once per machine
    for name, layout in LAYOUTS.items():
        for threads in sorted({1, cores}):
            for written, only in (("noise", {"noise"}), ("all", None)):
                per_frame, total = seconds(scene, layout, threads, only)
                print(f"| {name} | {written} | {threads} | {per_frame:.3f} | {total:.1f} |", flush=True)
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
