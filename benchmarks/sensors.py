"""Seconds per frame of sensors: ``python -m benchmarks.sensors [CLIP]``.

The kitchen at 480x640, rendered to a temporary clip unless one is given: its own render filmed by every preset, in one thread,
files not written; motion from poses and depth. Processor time, which other work on the machine does not change.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import machine
from sim2real.clip import Clip, read_clip
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import LoadOptions, load
from sim2real.sensors import NAMES, sensed_frames, sensor

FRAMES = 6
KINDS = frozenset({"rgb", "depth", "instances", "albedo", "material"})


def seconds(clip: Clip, camera: str, name: str) -> float:
    """Per frame; the first one, which loads what all need, is left out."""
    frames = sensed_frames(clip, camera, sensor(name), 0, (clip.rgb(camera, frame) for frame in range(FRAMES + 1)))
    next(frames)
    start = time.process_time()
    for _ in frames:
        pass
    return (time.process_time() - start) / FRAMES


def table(clip: Clip) -> None:
    """Print it."""
    height, width = clip.record.size
    print(f"{machine()}; {height}x{width}, one thread\n\n| sensor | s per frame |\n|---|---|")
    for name in NAMES:
        print(f"| {name} | {seconds(clip, clip.cameras[0], name):.2f} |", flush=True)


def main() -> None:
    """Print a table."""
    if len(sys.argv) > 1:
        table(read_clip(Path(sys.argv[1])))
        return
    scene = load(Path(__file__).parent.parent / "scenes" / "kitchen.yaml", LoadOptions(frames=FRAMES + 1))
    with tempfile.TemporaryDirectory() as folder:
        options = RenderOptions(cameras=["counter"], size=(480, 640), only=KINDS)
        table(render_clip(scene, Path(folder) / "clip", options))


if __name__ == "__main__":
    main()
