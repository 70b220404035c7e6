"""Does generated footage follow the geometry? ``python -m benchmarks.footage [SCENE] [--model DIR]``.

The kitchen rollout through the embedded model twice: driven by noise on surfaces, and by independent noise in every frame.
PSNR d: frame a against frame a + d fetched along the exact motion, over pixels visible in both; edges: agreement of the
footage's strongest gradients with the condition's edges. The synthetic render is measured the same way, as an upper mark.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.machine import machine
from sim2real.diffusion import generate
from sim2real.metrics.evaluate import evaluate
from sim2real.render import render_clip
from sim2real.scene import load

KITCHEN = Path(__file__).parent.parent / "scenes" / "kitchen.yaml"
NAMES = {"embedded-0": "embedded model, noise on surfaces", "embedded-iid-0": "embedded model, i.i.d. noise"}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scene", nargs="?", type=Path, default=KITCHEN)
    parser.add_argument("--model", type=Path, help="a model folder instead of the embedded one")
    parser.add_argument("--frames", type=int)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clip = render_clip(load(options.scene, frames=options.frames), Path(folder) / "clip").path
        for noise in ("clip", "iid"):
            generate(clip, model=options.model, noise=noise)
        figures = evaluate(clip)
    print(machine() + "\n")
    print("| camera | footage | PSNR 1 | PSNR 4 | PSNR 16 | edges |\n|---|---|---|---|---|---|")
    for camera, found in figures["cameras"].items():
        for name, made in {"synthetic render": found["rgb"], **found["generated"]}.items():
            psnr = " | ".join(f"{made['psnr_db'][d]:.2f}" if d in made["psnr_db"] else "-" for d in ("1", "4", "16"))
            print(f"| {camera} | {NAMES.get(name, name)} | {psnr} | {made['edge_agreement']:.3f} |")


if __name__ == "__main__":
    main()
