"""How fast rays go through our trees, beside Warp's: ``python -m benchmarks.rays [--triangles N] [--rays N]``.

A cloud of small triangles, rays from places in it in all directions, one thread: seconds to build a tree, to ask whether each
ray meets anything, and to ask what it meets first (medians of five); and how many rays the two disagree about.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any, no_type_check

import numpy as np
import warp as wp

from benchmarks.machine import machine
from sim2real.conditions.light.rays import kernels
from sim2real.conditions.light.rays.trees import Body, bodies_of, tree_of
from sim2real.devices import as_warp, launch, load

FAR = 1e5


@wp.kernel
@no_type_check
def any_ours(
    bodies: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    ways: wp.array(dtype=wp.vec3),
    far: float,
    found: wp.array(dtype=wp.int32),
):
    """1 where something is met."""
    i = wp.tid()
    found[i] = 0
    if kernels.hidden(bodies, points[i], ways[i], far):
        found[i] = 1


@wp.kernel
@no_type_check
def first_ours(
    bodies: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    ways: wp.array(dtype=wp.vec3),
    far: float,
    found: wp.array(dtype=wp.int32),
):
    """The triangle that is met first, or -1."""
    i = wp.tid()
    found[i] = kernels.face_of(kernels.nearest(bodies, points[i], ways[i], far))


@wp.kernel
@no_type_check
def any_of_warp(
    mesh: wp.uint64, points: wp.array(dtype=wp.vec3), ways: wp.array(dtype=wp.vec3), far: float, found: wp.array(dtype=wp.int32)
):
    """1 where something is met."""
    i = wp.tid()
    found[i] = 0
    if wp.mesh_query_ray_anyhit(mesh, points[i], ways[i], far):
        found[i] = 1


@wp.kernel
@no_type_check
def first_of_warp(
    mesh: wp.uint64, points: wp.array(dtype=wp.vec3), ways: wp.array(dtype=wp.vec3), far: float, found: wp.array(dtype=wp.int32)
):
    """The triangle that is met first, or -1."""
    i = wp.tid()
    found[i] = -1
    query = wp.mesh_query_ray(mesh, points[i], ways[i], far)
    if query.result:
        found[i] = query.face


def timed(work: Callable[[], Any], times: int = 5) -> tuple[float, Any]:
    """Median seconds, and what came of it."""
    seconds, made = [], None
    for _ in range(times):
        began = time.perf_counter()
        made = work()
        seconds.append(time.perf_counter() - began)
    return median(seconds), made


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triangles", type=int, default=100_000)
    parser.add_argument("--rays", type=int, default=200_000)
    options = parser.parse_args()
    load(kernels, "cpu")
    rng = np.random.default_rng(0)
    middle, count = rng.uniform(-5, 5, (options.triangles, 1, 3)), options.rays
    corners = (middle + rng.normal(0, 0.03, (options.triangles, 3, 3))).astype(np.float32)
    ways = rng.normal(size=(count, 3))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    rays = [as_warp(array.astype(np.float32), wp.vec3) for array in (rng.uniform(-5, 5, (count, 3)), ways)]
    numbers = np.arange(3 * options.triangles, dtype=np.int32)

    def ours() -> Any:
        tree = tree_of(corners, numbers[: options.triangles])
        return bodies_of([Body(tree)], np.zeros(1, bool), np.zeros(options.triangles, np.int32))

    def of_warp() -> Any:
        points = wp.array(corners.reshape(-1, 3), dtype=wp.vec3, device="cpu")
        return wp.Mesh(points=points, indices=wp.array(numbers, device="cpu"), bvh_constructor="sah")

    print(f"{machine()}; {options.triangles} triangles, {count} rays, one thread\n")
    print("| tree | built, s | anything met, s | first met, s |\n|---|---|---|---|")
    all_found = []
    for name, build, whether, first in (("ours", ours, any_ours, first_ours), ("Warp's", of_warp, any_of_warp, first_of_warp)):
        row, found = [], []
        built, made = timed(build)
        for kernel in (whether, first):
            out = np.zeros(count, np.int32)
            inputs = [made.address if name == "ours" else made.id, *rays, FAR, as_warp(out)]
            launch(kernel, count, inputs, "cpu")  # compiled by now
            seconds, _ = timed(lambda kernel=kernel, inputs=inputs: launch(kernel, count, inputs, "cpu"))
            row.append(f"{seconds:.3f}")
            found.append(out)
        all_found.append(found)
        print(f"| {name} | {built:.3f} | {' | '.join(row)} |", flush=True)
    differ = [int((a != b).sum()) for a, b in zip(*all_found, strict=True)]
    print(f"\nrays that differ: {differ[0]} in whether, {differ[1]} in which")


if __name__ == "__main__":
    main()
