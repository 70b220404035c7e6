"""Milliseconds per picture of every condition: ``python -m benchmarks.conditions [scenes/kitchen.yaml]``.

Processor time of one thread at 480x720, median over the clip's frames, for each camera. ``rgb`` includes its own
visibility at 2x2 samples per pixel and the frame's shadow map; ``fragments`` is shared with noise.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.machine import machine
from sim2real import conditions
from sim2real.raster import rasterizer, view_of
from sim2real.scene import Camera, Scene, load, triangles_of

SIZE = (480, 720)
FRAMES = 8
KITCHEN = Path(__file__).parent.parent / "scenes" / "kitchen.yaml"


class Bench:
    """A scene, its rasterizer and shader, and the clock."""

    def __init__(self, scene: Scene) -> None:
        """Compile, upload, fit the sun."""
        self.scene = scene
        self.triangles = triangles_of(scene)
        self.draw = rasterizer(self.triangles)
        start = time.perf_counter()
        self.shader = conditions.Shader(scene, self.triangles, self.draw)
        self.setup_s = time.perf_counter() - start
        self.depth_range = conditions.estimate_depth_range(scene, self.draw, scene.cameras)
        self.times: dict[str, list[float]] = {}

    def timed(self, name: str, work: Callable[[], Any]) -> Any:
        """The result of ``work``; its processor time is noted under ``name``."""
        start = time.thread_time()
        result = work()
        self.times.setdefault(name, []).append(time.thread_time() - start)
        return result

    def frame(self, camera: Camera, frame: int) -> None:
        """All conditions of one frame."""
        scene, triangles = self.scene, self.triangles
        view = view_of(scene, camera, frame)
        pose = view.camera_from_part
        seen = self.timed("fragments", lambda: self.draw.fragments(view))
        depth = self.timed("depth", lambda: conditions.metric_depth(seen))
        self.timed("control depth", lambda: conditions.control_depth(depth, self.depth_range))
        normals = self.timed("normals", lambda: conditions.camera_normals(seen, triangles, pose))
        self.timed("normals, 8 bit", lambda: conditions.encode_normals(normals))
        self.timed("instances", lambda: conditions.instance_ids(seen.face, triangles))
        self.timed("edges", lambda: conditions.edges(seen, triangles, pose))
        self.timed("rgb", lambda: self.shader.frame(camera, frame))


def measured(bench: Bench, camera: Camera) -> dict[str, float]:
    """Median milliseconds per condition."""
    frames = np.linspace(0, bench.scene.frames - 1, min(FRAMES, bench.scene.frames)).astype(int)
    bench.frame(camera, int(frames[-1]))  # kernels are compiled or loaded here
    bench.times.clear()
    for frame in frames:
        bench.frame(camera, int(frame))
    return {name: 1e3 * median(times) for name, times in bench.times.items()}


def rgb_per_frame_ms(bench: Bench, camera: Camera, threads: int) -> float:
    """Wall-clock milliseconds per RGB frame with a pool of threads."""
    frames = [k % bench.scene.frames for k in range(4 * threads)]
    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda frame: bench.shader.frame(camera, frame), frames))
    return 1e3 * (time.perf_counter() - start) / len(frames)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scene", nargs="?", type=Path, default=KITCHEN)
    scene = load(parser.parse_args().scene)
    scene = replace(scene, cameras=tuple(c.resized(SIZE) for c in scene.cameras))
    bench = Bench(scene)
    tables = {camera.name: measured(bench, camera) for camera in scene.cameras}
    print(f"{machine()}; {scene.source.name}, {len(bench.triangles.faces)} triangles, {SIZE[0]}x{SIZE[1]}, ms of one thread\n")
    print("| | " + " | ".join(tables) + " |\n|---|" + "---|" * len(tables))
    for name in next(iter(tables.values())):
        print(f"| {name} | " + " | ".join(f"{table[name]:.1f}" for table in tables.values()) + " |")
    walls = [f"{threads}: {rgb_per_frame_ms(bench, scene.cameras[0], threads):.0f}" for threads in (1, 2)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"\nrgb, wall-clock ms per frame by threads: {', '.join(walls)}; setup {bench.setup_s:.1f} s; peak memory {peak:.0f} MB"
    )


if __name__ == "__main__":
    main()
