"""Milliseconds per frame of the rasterizer and of exact flow, by number of triangles.

python benchmarks/raster.py [--device cpu] [--size 480x720] [--repeats 15] [--clock wall|cpu]
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
import trimesh

from sim2real.camera import View
from sim2real.flow import exact_flow
from sim2real.raster import rasterizer
from sim2real.scene import Triangles
from sim2real.transforms import inverse_rigid, look_at

UP = np.array([0, -1.0, 0])


def stage(count: int) -> Triangles:
    """A bumpy ball of about ``count`` triangles above a floor of two."""
    ball = trimesh.creation.uv_sphere(count=(max(4, int((count / 8) ** 0.5)), max(4, int((count / 2) ** 0.5))))
    ball.vertices *= 1 + 0.1 * np.sin(8 * ball.vertices).prod(1, keepdims=True)
    floor = np.array([[-5, 1.1, -5], [5, 1.1, -5], [5, 1.1, 5], [-5, 1.1, 5]])
    n = len(ball.vertices)
    vertices = np.concatenate([ball.vertices, floor]).astype(np.float32)
    faces = np.concatenate([ball.faces, [[n, n + 1, n + 2], [n, n + 2, n + 3]]]).astype(np.int32)
    corners = np.zeros((len(faces), 3, 3), np.float32)
    zeros = np.zeros(len(vertices), np.int32)
    return Triangles(vertices, faces, corners[..., :2], corners, np.zeros(len(faces), np.int32), zeros, np.ones(1, np.int32))


def milliseconds(work: Callable[[], object], repeats: int, device: str, clock: Callable[[], float]) -> float:
    """Median of several runs after one that does not count."""
    times = []
    for _ in range(repeats + 1):
        if device != "cpu":
            torch.cuda.synchronize()
        start = clock()
        work()
        if device != "cpu":
            torch.cuda.synchronize()
        times.append(1e3 * (clock() - start))
    return statistics.median(times[1:])


def row(
    mesh: Triangles, k: np.ndarray, size: tuple[int, int], device: str, repeats: int, clock: Callable[[], float]
) -> list[float]:
    """Visibility, fragments, fragments by two threads, exact flow."""
    one = rasterizer(mesh, device=device)
    faces = torch.as_tensor(mesh.faces).to(device)
    a, b = (look_at(np.array([x, -1.0, -3.0]), np.zeros(3), UP) for x in (0.0, 0.1))
    view = View(inverse_rigid(a)[None], k, size)
    first, second = one.fragments(view), one.fragments(View(inverse_rigid(b)[None], k, size))
    with ThreadPoolExecutor(2) as pool:
        return [
            milliseconds(lambda: one.visibility(view), repeats, device, clock),
            milliseconds(lambda: one.fragments(view), repeats, device, clock),
            milliseconds(lambda: list(pool.map(lambda _: one.fragments(view), range(8))), repeats, device, clock) / 8,
            milliseconds(lambda: exact_flow(first, second, faces, a, b), repeats, device, clock),
        ]


def main() -> None:
    """Print one row per number of triangles."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--size", default="480x720")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: processor time, for a busy machine")
    options = parser.parse_args()
    clock = time.perf_counter if options.clock == "wall" else time.process_time
    height, width = map(int, options.size.split("x"))
    size = (height, width)
    torch.set_num_threads(1)
    k = np.array([[600.0 * width / 720, 0, width / 2], [0, 600.0 * width / 720, height / 2], [0, 0, 1]])
    print(f"{options.size}, {options.device}, {platform.machine()}, medians of {options.repeats}, ms of {options.clock} time\n")
    print("| triangles | visibility | fragments | fragments, 2 threads | exact flow |\n|---|---|---|---|---|")
    for count in (5_000, 100_000, 1_000_000):
        mesh = stage(count)
        cells = row(mesh, k, size, options.device, options.repeats, clock)
        print(f"| {len(mesh.faces):,} | " + " | ".join(f"{cell:.1f}" for cell in cells) + " |", flush=True)


if __name__ == "__main__":
    main()
