"""How long light takes that is followed: ``python -m benchmarks.light [SCENE] [--light NAME] [--size HxW ...]``.

Seconds of one thread: the clip's cache of reflected light once, then every frame (median), also with ``gloss`` and quick.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.machine import machine
from sim2real.conditions import Sampler
from sim2real.conditions.light import LightTracer
from sim2real.raster import rasterizer
from sim2real.scene import LoadOptions, load, triangles_of

KITCHEN = Path(__file__).parent.parent / "scenes" / "kitchen.yaml"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scene", nargs="?", type=Path, default=KITCHEN)
    parser.add_argument("--light", help="as of sim2real render")
    parser.add_argument("--size", nargs="+", default=["192x256", "480x640"], help="HxW")
    parser.add_argument("--frames", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    scene = load(options.scene, LoadOptions(light=options.light))
    triangles = triangles_of(scene)
    views = rasterizer(triangles)
    sampler = Sampler(scene, triangles, views)
    LightTracer(scene, triangles, views, sampler=sampler)  # kernels are compiled by now
    print(f"{machine()}; {options.scene.name}, {len(triangles.faces)} triangles\n")
    print("| size | once, s | a frame, s | with gloss | quick |\n|---|---|---|---|---|")
    for text in options.size:
        height, width = (int(side) for side in text.split("x"))
        camera, medians = scene.cameras[0].resized((height, width)), []
        for how in ("usual", "gloss", "quick"):
            began = time.perf_counter()
            tracer = LightTracer(scene, triangles, views, sampler=sampler, gloss=how == "gloss", quick=how == "quick")
            once = time.perf_counter() - began
            tracer.gains(camera)
            seconds = []
            for frame in range(min(options.frames, scene.frames)):
                began = time.perf_counter()
                tracer.frame(camera, frame)
                seconds.append(time.perf_counter() - began)
            medians.append(f"{np.median(seconds):.2f}")
        print(f"| {text} | {once:.2f} | {' | '.join(medians)} |")


if __name__ == "__main__":
    main()
