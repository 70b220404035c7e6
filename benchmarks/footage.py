"""Does generated footage follow its geometry and look like photographs? ``python -m benchmarks.footage [CLIP...]``.

A CLIP is a clip folder, which is copied and not changed, or a scene, which is rendered; the kitchen by default. Each goes
through the embedded model (or ``--model``) with every use, number of steps and noise that is asked for, and is measured as by
``sim2real evaluate``: PSNR d compares frames d apart along the exact motion, back what was hidden in between; the rest compares
with the render, and, with ``--photographs``, with photographs (in parentheses: as a share of the render's).

``--seeds N`` makes N looks of restyled footage and prints how unlike each other they are.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from sim2real.clip import read_clip
from sim2real.diffusion import GenerateOptions, family_of, generate
from sim2real.metrics.evaluate import evaluate
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import LoadOptions, load

KITCHEN = Path(__file__).parent.parent / "scenes" / "kitchen.yaml"
NOISES = {"clip": "surface noise", "flow": "flow-warped noise", "iid": "i.i.d. noise"}
COLUMNS = {
    "canny_f1_score": ("canny F1", 3),
    "blur_ssim": ("blur SSIM", 3),
    "color_error": ("color", 1),
    "borders_kept": ("borders", 3),
    "edges_explained": ("explained", 3),
    "scene_statistics": ("statistics", 2),
    "vgg_frechet": ("VGG", 0),
}
TO_PHOTOGRAPHS = ("scene_statistics", "vgg_frechet")


@dataclass(frozen=True)
class Way:
    """One way to make footage."""

    use: str
    steps: int
    noise: str
    seed: int = 0

    @property
    def name(self) -> str:
        """Of its folder; seeds of one way differ in the last number alone."""
        return f"{self.use}, {NOISES[self.noise]}, {self.steps} step{'s' * (self.steps > 1)}-{self.seed}"


def ways(uses: list[str], steps: list[int], noises: list[str], seeds: int) -> Iterator[Way]:
    """Every noise in the fewest steps, surface noise in all; more seeds of restyled footage in the fewest."""
    for use in uses:
        for noise in noises:
            for count in steps if noise == "clip" else steps[:1]:
                many = seeds if (use, noise, count) == ("restyle", "clip", steps[0]) else 1
                yield from (Way(use, count, noise, seed) for seed in range(many))


def working_copy(source: Path, folder: Path, frames: int | None) -> Path:
    """A clip folder of our own: a copy without footage, or a scene rendered with all that the model and the noises need."""
    if source.is_dir():
        return Path(shutil.copytree(source, folder, ignore=shutil.ignore_patterns("generated", "*.mp4")))
    family = family_of(None)
    only = {*family.needs, "noise", "flow", "instances"}
    return render_clip(load(source, LoadOptions(frames=frames)), folder, RenderOptions(layout=family.layout, only=only)).path


def make(clip: Path, way: Way, options: dict[str, Any]) -> None:
    """Footage of all cameras, in a folder with the way's name."""
    generate(clip, GenerateOptions(use=way.use, steps=way.steps, noise=way.noise, seed=way.seed, **options))
    for camera in read_clip(clip).cameras:
        newest = read_clip(clip).generated(camera)[-1]
        newest.rename(newest.with_name(way.name))


def cells(made: dict[str, Any], render: dict[str, Any], columns: list[str]) -> list[str]:
    """A row's figures as text."""
    found = [made["psnr_db"].get(d) for d in ("1", "4", "16")] + [made.get("psnr_returned_db")]
    texts = ["-" if value is None else f"{value:.2f}" for value in found]
    for key in columns:
        value = made.get(key)
        text = "-" if value is None else f"{value:.{COLUMNS[key][1]}f}"
        compared = key in TO_PHOTOGRAPHS and value is not None and made is not render
        texts.append(f"{text} ({value / render[key]:.2f})" if compared else text)
    return texts


def show(name: str, figures: dict[str, Any]) -> None:
    """Print the rows of one clip."""
    for camera, found in figures["cameras"].items():
        footage = {"the render": found["rgb"], **found.get("generated", {})}
        columns = [key for key in COLUMNS if any(key in made for made in footage.values())]
        titles = [f"{name}, {camera}", "PSNR 1", "PSNR 4", "PSNR 16", "back", *(COLUMNS[key][0] for key in columns)]
        print("\n| " + " | ".join(titles) + " |\n" + "|---" * len(titles) + "|")
        for title, made in footage.items():
            shown = title.removesuffix("-0")
            print("| " + " | ".join([shown, *cells(made, found["rgb"], columns)]) + " |", flush=True)
        for way, score in found.get("diversity_score_lpips", {}).items():
            print(f"\n{way}: LPIPS between seeds {score:.3f}")


def main() -> None:
    """Print a table per clip and camera."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, default=[KITCHEN], help="clip folders or scenes")
    parser.add_argument("--model", type=Path, help="a model folder instead of the embedded one")
    parser.add_argument("--frames", type=int, help="of scenes: the first so many")
    parser.add_argument("--uses", nargs="*", choices=["keep", "restyle"], default=["keep", "restyle"])
    parser.add_argument("--steps", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--noises", nargs="+", choices=NOISES, default=list(NOISES))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--camera-effects", help="as of sim2real generate")
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--stride", type=int, default=1)
    options = parser.parse_args()
    print(machine())
    for source in options.clips:
        with tempfile.TemporaryDirectory() as folder:
            clip = working_copy(source, Path(folder) / "clip", options.frames)
            for way in ways(options.uses, options.steps, options.noises, options.seeds):
                make(clip, way, {"model": options.model, "camera_effects": options.camera_effects})
            diversity = options.seeds > 1
            show(source.stem, evaluate(clip, stride=options.stride, photographs=options.photographs, diversity=diversity))


if __name__ == "__main__":
    main()
