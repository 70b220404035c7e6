"""Milliseconds per frame of surface noise alone: ``python -m benchmarks.noise_speed [--profile]``.

A bumpy ball over a floor, 480x720 pixels. The time includes the visibility of the frame, which render shares with all
conditions, and everything else between a camera and a frame of noise. Medians; ratios hold within one run.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import trimesh

from benchmarks.machine import machine
from sim2real.camera import Camera
from sim2real.noise import NoiseLayout, SurfaceNoise, charts_of
from sim2real.raster import rasterizer, view_of
from sim2real.scene import triangles_of
from sim2real.scene.records import Instance, Mesh, Part, Scene
from sim2real.transforms import look_at

SIZE, FRAMES = (480, 720), 24
LAYOUTS = {"60x90x16": NoiseLayout(8, 16), "60x90x64": NoiseLayout(8, 64), "480x720x4": NoiseLayout(1, 4)}
SUBDIVISIONS = {"5k": 4, "100k": 6, "1M": 8}


def ball_and_floor(subdivisions: int) -> Scene:
    """A bumpy ball over a floor; the camera moves around it."""
    ball = trimesh.creation.icosphere(subdivisions)
    bumps = 1 + 0.04 * np.sin(20 * ball.vertices[:, :1]) * np.sin(17 * ball.vertices[:, 1:2])
    line = np.linspace(-4, 4, 101)
    floor = np.stack([*(a.ravel() for a in np.meshgrid(line, line, indexing="ij")), np.full(101**2, -1.0)], 1)
    corner = (np.arange(100)[:, None] * 101 + np.arange(100)).ravel()
    faces = np.concatenate(
        [np.stack([corner, corner + 101, corner + 1], 1), np.stack([corner + 1, corner + 101, corner + 102], 1)]
    )
    angle = np.linspace(0, 0.4, FRAMES)
    eye = np.stack([3 * np.cos(angle), 3 * np.sin(angle), np.full(FRAMES, 1.2)], 1)
    k = np.tile(np.array([[700.0, 0, 360], [0, 700.0, 240], [0, 0, 1]]), (FRAMES, 1, 1))
    camera = Camera("camera", SIZE, k, look_at(eye, np.zeros(3), np.array([0, 0, 1.0])))
    return Scene(
        source=Path("ball and floor"),
        sha256="",
        meshes=(
            Mesh("ball", (ball.vertices * bumps).astype(np.float32), ball.faces),
            Mesh("floor", floor.astype(np.float32), faces),
        ),
        parts=(Part(0, 0), Part(1, 1)),
        instances=(Instance("ball", "ball"), Instance("floor", "floor")),
        world_from_instance=np.tile(np.eye(4), (FRAMES, 2, 1, 1)),
        visible=np.ones((FRAMES, 2), bool),
        cameras=(camera,),
    )


def per_frame_ms(scene: Scene, layout: NoiseLayout, threads: int, frames: int) -> tuple[float, float]:
    """Median over three passes of milliseconds per frame, and how long the charts took (seconds)."""
    triangles = triangles_of(scene)
    start = time.perf_counter()
    charts = charts_of(scene, triangles)
    chart_seconds = time.perf_counter() - start
    views, noise, camera = rasterizer(triangles), SurfaceNoise(charts, triangles, layout), scene.cameras[0]

    def one(frame: int) -> None:
        view = view_of(scene, camera, frame)
        noise.frame(views.visibility(view), view)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(2 * threads)))  # compiles, allocates
        passes = []
        for _ in range(3):
            start = time.perf_counter()
            list(pool.map(one, range(frames)))
            passes.append((time.perf_counter() - start) / frames * 1e3)
    return median(passes), chart_seconds


def profile(scene: Scene, layout: NoiseLayout) -> dict[str, float]:
    """Median milliseconds of one thread by kernel; ``visibility`` is the rasterizer's, ``frame`` all of the noise."""
    triangles, camera = triangles_of(scene), scene.cameras[0]
    views, noise = rasterizer(triangles), SurfaceNoise(charts_of(scene, triangles), triangles, layout)
    times: dict[str, list[float]] = defaultdict(list)

    def timed(what: str, work: Callable, *arguments: Any, **named: Any) -> Any:
        start = time.perf_counter()
        done = work(*arguments, **named)
        times[what].append((time.perf_counter() - start) * 1e3)
        return done

    def one(frame: int) -> None:
        view = view_of(scene, camera, frame)
        timed("frame", noise.frame, timed("visibility", views.visibility, view), view)

    one(0)  # compiles, allocates
    times.clear()
    (work,) = noise.workspaces.idle
    launch = work.launch
    work.launch = lambda kernel, dim, inputs: timed(kernel.key, launch, kernel, dim, inputs)
    for frame in range(1, FRAMES):
        one(frame)
    return {what: median(found) for what, found in times.items()}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="store_true", help="by kernel, for 60x90x16 and 100k triangles")
    os.environ["SIM2REAL_CACHE"] = "off"  # charts are built, not read
    if parser.parse_args().profile:
        print(machine() + "\n\n| kernel | ms |\n|---|---|")
        for what, milliseconds in profile(ball_and_floor(SUBDIVISIONS["100k"]), LAYOUTS["60x90x16"]).items():
            print(f"| {what} | {milliseconds:.1f} |")
        return
    cores = len(os.sched_getaffinity(0))
    print(machine() + "\n")
    print("| noise | triangles | 1 thread | threads | all cores | charts, once |\n|---|---|---|---|---|---|")
    for name, subdivisions in SUBDIVISIONS.items():
        scene = ball_and_floor(subdivisions)
        for noise, layout in LAYOUTS.items():
            frames = FRAMES if layout.factor > 1 else 4
            one, charts = per_frame_ms(scene, layout, 1, frames)
            many, _ = per_frame_ms(scene, layout, cores, frames)
            print(f"| {noise} | {name} | {one:.1f} ms | {cores} | {many:.1f} ms | {charts:.2f} s |", flush=True)
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
