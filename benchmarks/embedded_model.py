"""Figures of an embedded-type model on clips it never saw: ``python -m benchmarks.embedded_model CLIPS [--model DIR]``.

Of the training clips in CLIPS those that recipes hold out are made again from their conditions, with different steps and noise.

- PSNR, SSIM and LPIPS (VGG16) against the path-traced picture; Frechet distance of VGG features to all of these pictures.
- next frame: cross-frame PSNR along exact motion; what the path-traced pictures have is to be reached, not passed.
- color: mean CIEDE2000 of the mean color of instances, against the path-traced picture and against the render.
- borders, explained: see ``sim2real evaluate``.
- statistics, VGG: distances to the photographs of ``--photographs``; statistics alone say little (``benchmarks.photographs``).

Without ``--model`` only the rows that need none are made: the render as it is (the zero line), its surfaces in the light that
is followed (what the network is given), and the truth.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from benchmarks.held_out import NOISES, HeldOut, Pictures, held_out_numbers
from benchmarks.machine import machine
from sim2real.diffusion.families.embedded.conditions import ALONG
from sim2real.diffusion.families.embedded.folder import load_model
from sim2real.diffusion.families.embedded.sample import sample
from sim2real.metrics.frechet import frechet, pooled, tensor_of
from sim2real.metrics.labels import BorderCounts, border_counts, color_errors
from sim2real.metrics.perceptual import Vgg16
from sim2real.metrics.photographs import Appearance, appearance, distances, photograph, photograph_files
from sim2real.metrics.pictures import psnr, ssim

Clip = TypeVar("Clip", bound=HeldOut)
Maker = Callable[[HeldOut], Pictures]
ZERO, GIVEN, TRUTH = "render as it is (zero line)", "light followed, no network", "path-traced"
BEADS = "surface noise, lines not averaged"


@dataclass
class Row:
    """What is gathered of one way to make footage."""

    psnr: list[float] = field(default_factory=list)
    ssim: list[float] = field(default_factory=list)
    lpips: list[float] = field(default_factory=list)
    next_frame: list[float] = field(default_factory=list)
    true_color: list[float] = field(default_factory=list)
    color: list[float] = field(default_factory=list)
    borders: BorderCounts = field(default_factory=BorderCounts)
    looks: list[Appearance] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, clip: HeldOut, footage: Pictures, network: Vgg16) -> None:
        """Measure the footage of one clip."""
        for picture, true, render, ids in zip(footage, clip.truth, clip.render, clip.instances, strict=True):
            self.psnr.append(psnr(picture, true))
            self.ssim.append(ssim(picture, true))
            with torch.inference_mode():
                self.lpips.append(float(network.lpips(tensor_of(picture), tensor_of(true))))
            self.true_color += color_errors(picture, true, ids).values()
            self.color += color_errors(picture, render, ids).values()
            self.borders += border_counts(picture, render, ids)
            self.looks.append(appearance(picture, network))
        self.next_frame += clip.cross_frame_errors(footage)

    def cells(self, truth: Row, photographs: list[Appearance]) -> list[str]:
        """As text, in the order of the table's columns."""
        means = [float(np.mean(values)) for values in (self.psnr, self.ssim, self.lpips)]
        apart = frechet(*(pooled(look.moments for look in row.looks) for row in (self, truth)))
        cells = ["-" if self is truth else f"{mean:.{digits}f}" for mean, digits in zip(means, (2, 3, 3), strict=True)]
        cells += [f"{apart:.1f}", f"{-10 * np.log10(np.mean(self.next_frame)):.2f}" if self.next_frame else "-"]
        cells += [f"{np.mean(colors):.1f}" if colors else "-" for colors in (self.true_color, self.color)]
        cells += [f"{self.borders.share_kept:.3f}", f"{self.borders.share_explained:.3f}"]
        if photographs:
            found = distances(self.looks, photographs)
            cells += [f"{found.statistics:.2f}", f"{found.vgg:.0f}"]
        return [*cells, f"{np.mean(self.seconds):.2f}" if self.seconds else "-"]


def makers(model: Path | None, steps: list[int], noises: list[str], *, beads: bool = False) -> dict[str, Maker]:
    """Ways to make footage, by their names: with every noise in the fewest steps, with surface noise in all."""
    found: dict[str, Maker] = {ZERO: lambda clip: clip.render, GIVEN: lambda clip: clip.lit, TRUTH: lambda clip: clip.truth}
    if model is None:
        return found
    denoiser, _ = load_model(model)

    def generated(noise: str, count: int, channels: int = ALONG.stop) -> Maker:
        def make(clip: HeldOut) -> Pictures:
            drawn, known = clip.noise(noise), clip.conditions[:, :channels]
            frames = sample(denoiser, lambda s: drawn[s], lambda s, _: known[s], len(known), steps=count)
            return np.stack(list(frames))

        return make

    for noise in noises:
        for count in steps if noise == "surface" else steps[:1]:
            found[f"{noise} noise, {count} step{'s' * (count > 1)}"] = generated(noise, count)
    if beads:
        found[BEADS] = generated("surface", steps[0], ALONG.start)
    return found


def measured(clips: Sequence[Clip], ways: Mapping[str, Callable[[Clip], Pictures]], network: Vgg16) -> dict[str, Row]:
    """All rows over all clips."""
    rows: dict[str, Row] = defaultdict(Row)
    for clip in clips:
        for name, make in ways.items():
            start = time.perf_counter()
            footage = make(clip)
            seconds = (time.perf_counter() - start) / len(footage)
            if name not in (ZERO, GIVEN, TRUTH):
                rows[name].seconds.append(seconds)
            rows[name].add(clip, footage, network)
        print(f"clip {clip.number}", file=sys.stderr)
    return rows


def show(clips: Sequence[HeldOut], rows: Mapping[str, Row], photographs: list[Appearance]) -> None:
    """Print the table of some clips."""
    titles = ["footage", "PSNR", "SSIM", "LPIPS", "Frechet", "next frame", "color", "of the render", "borders", "explained"]
    titles += ["statistics", "VGG"] if photographs else []
    titles.append("seconds a frame")
    frames, height, width = clips[0].render.shape[:3]
    print(f"{machine()}; {len(clips)} clips of {frames} frame{'s' * (frames > 1)} of {height}x{width}\n")
    print("| " + " | ".join(titles) + " |\n" + "|---" * len(titles) + "|")
    for name, row in rows.items():
        print("| " + " | ".join([name, *row.cells(rows[TRUTH], photographs)]) + " |")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, help="folder of training clips, with recipe.json")
    parser.add_argument("--model", type=Path, help="a model folder")
    parser.add_argument("--hold-out", type=int, default=15, help="of so many clips the last is held out, as in the recipe")
    parser.add_argument("--most", type=int, default=24, help="clips to measure")
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--steps", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--noises", nargs="+", choices=NOISES, default=list(NOISES))
    parser.add_argument("--beads", action="store_true", help="add a row without means along lines")
    options = parser.parse_args()
    clips = [HeldOut(options.clips, n) for n in held_out_numbers(options.clips, options.hold_out, options.most)]
    if not clips:
        parser.error(f"no clip is held out in {options.clips}: there must be at least {options.hold_out}")
    network, size = Vgg16(), clips[0].render.shape[1:3]
    files = photograph_files(options.photographs) if options.photographs else []
    photographs = [appearance(photograph(file, (size[0], size[1])), network) for file in files]
    rows = measured(clips, makers(options.model, options.steps, options.noises, beads=options.beads), network)
    show(clips, rows, photographs)


if __name__ == "__main__":
    main()
