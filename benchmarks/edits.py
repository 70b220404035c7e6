"""Footage of the embedded model, made larger, changed in part, and taken part of the way: ``python -m benchmarks.edits``.

The kitchen's counter (``--scene``). Small footage is brought to four times its size and compared with footage that the model
makes at that size, as is what bicubic interpolation makes of it. One class is made anew in footage that is there: by how much
do other pixels change? Restyling goes a quarter, half and all of the way: how unlike the simulator's colors it is, and whether
surfaces hold still and borders stay.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.machine import machine
from sim2real.clip import Clip, read_clip
from sim2real.clip.footage import FrameOf, generated_frames
from sim2real.diffusion import GenerateOptions, LargeModelOptions, family_of, generate
from sim2real.diffusion.edits.part import changed_ids, untouched
from sim2real.diffusion.edits.upsampling import upsample
from sim2real.kinds import usual_names
from sim2real.metrics.footage import footage_figures
from sim2real.metrics.labels import BorderCounts, border_counts
from sim2real.metrics.perceptual import Perceptual
from sim2real.render import RenderOptions, render_clip
from sim2real.scene import LoadOptions, load

BY = 4
PLAIN: dict[str, Any] = {"camera_effects": "none"}
"""The camera's grain would be counted as a difference."""


def rendered(scene: Path, camera: str, folder: Path, size: tuple[int, int], frames: int, stride: int) -> Clip:
    """A clip with all that the embedded model needs."""
    wanted = frozenset(usual_names()).union(family_of(None).rendered_for(GenerateOptions()))
    options = RenderOptions(cameras=[camera], only=wanted, pages=False)
    return render_clip(load(scene, LoadOptions(frames=frames, stride=stride, size=size)), folder, options)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Of pictures of 8 bits, dB."""
    return float(-10 * np.log10(max(np.mean((a.astype(float) - b) ** 2) / 255**2, 1e-12)))


class Likeness:
    """LPIPS of pictures of 8 bits."""

    def __init__(self) -> None:
        """Load the network once."""
        self._distance = Perceptual()

    def __call__(self, a: np.ndarray, b: np.ndarray) -> float:
        """Of one pair."""
        tensors = (torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1 for picture in (a, b))
        with torch.inference_mode():
            return float(self._distance(*tensors))


def borders_kept(clip: Clip, camera: str, frames: FrameOf) -> float:
    """Share of the borders of instances that footage shows."""
    counts = [border_counts(frames(k), clip.rgb(camera, k), clip.instances(camera, k)) for k in range(clip.frames)]
    return sum(counts, BorderCounts()).share_kept


def bicubic(frames: FrameOf, size: tuple[int, int]) -> FrameOf:
    """Footage at another size, as any viewer shows it."""
    way = Image.Resampling.BICUBIC
    return lambda k: np.asarray(Image.fromarray(frames(k)).resize(size[::-1], way))


def larger(small: Clip, large: Clip, camera: str, finisher: str | None = None) -> None:
    """Print how near footage that is made larger comes to footage that is made large."""
    unlike, size = Likeness(), large.record.size
    print(f"\n| {BY} times as large, to {size[0]}x{size[1]} | PSNR | LPIPS | borders |\n|---|---|---|---|")
    for name, ask in (("embedded-0", {"use": "keep"}), ("embedded-restyle-1", {"use": "restyle", "seed": 1})):
        for clip in (small, large):
            generate(clip.path, GenerateOptions(**PLAIN, **ask))
        upsample(large.path, small.path, name)
        folder = large.folder(camera) / "generated"
        truth, few = generated_frames(folder / name), generated_frames(small.folder(camera) / "generated" / name)
        rows = {"bicubic": bicubic(few, size), "sim2real upsample": generated_frames(folder / f"{name}-upsampled")}
        if finisher is not None:
            upsample(large.path, small.path, name, finisher=finisher)
            rows[f"--finisher {finisher}"] = generated_frames(folder / f"{name}-{finisher}")
        for row, frames in rows.items():
            pairs = [(frames(k), truth(k)) for k in range(large.frames)]
            near, far = np.mean([psnr(*pair) for pair in pairs]), np.mean([unlike(*pair) for pair in pairs])
            print(f"| {ask['use']}, {row} | {near:.2f} | {far:.3f} | {borders_kept(large, camera, frames):.3f} |")


def in_part(clip: Clip, camera: str, change: str) -> None:
    """Print what an edit does to the pixels that it is to leave alone."""
    asked: dict[str, Any] = {"use": "restyle", "seed": 1, "onto": "embedded-0", "change": (change,)}
    generate(clip.path, GenerateOptions(**PLAIN, **asked))
    folder, ids = clip.folder(camera) / "generated", changed_ids(clip, [change])
    old, new = generated_frames(folder / "embedded-0"), generated_frames(folder / "embedded-restyle-1-onto-embedded-0")
    still = np.stack([untouched(clip, camera, k, ids) for k in range(clip.frames)])
    apart = np.stack([np.abs(old(k).astype(int) - new(k)).max(axis=-1) for k in range(clip.frames)])
    print(f"\n{change} made anew: {1 - still.mean():.1%} of the pixels, by {apart[~still].mean():.1f} of 255 in the mean;")
    print(f"of all others the largest change is {apart[still].max()}; borders kept {borders_kept(clip, camera, new):.3f}")


def part_of_the_way(clip: Clip, camera: str) -> None:
    """Print how unlike the kept footage restyled footage is, by strength."""
    unlike, folder = Likeness(), clip.folder(camera) / "generated"
    kept = generated_frames(folder / "embedded-0")
    print("\n| restyle, strength | LPIPS to keep | next frame | borders |\n|---|---|---|---|")
    for strength in (0.25, 0.5, 1.0):
        generate(clip.path, GenerateOptions(use="restyle", seed=1, large=LargeModelOptions(strength=strength), **PLAIN))
        frames = generated_frames(folder / "embedded-restyle-1")
        far, steady = np.mean([unlike(frames(k), kept(k)) for k in range(clip.frames)]), footage_figures(clip, camera, frames)
        print(f"| {strength:g} | {far:.3f} | {steady.psnr_db[1]:.2f} | {borders_kept(clip, camera, frames):.3f} |")


def main() -> None:
    """Print three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", type=Path, default=Path(__file__).parent.parent / "scenes" / "kitchen.yaml")
    parser.add_argument("--camera", default="counter")
    parser.add_argument("--change", default="microwave", help="the class that is made anew")
    parser.add_argument("--frames", type=int, default=2)
    parser.add_argument("--stride", type=int, default=4)
    parser.add_argument("--size", type=int, nargs=2, default=(480, 640), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--finisher", help="also measured: realesrgan (minutes)")
    asked = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        few = tuple(length // BY for length in asked.size)
        sizes = {"small": few, "large": tuple(asked.size)}
        clips = [
            rendered(asked.scene, asked.camera, Path(folder) / name, size, asked.frames, asked.stride)
            for name, size in sizes.items()
        ]
        larger(*clips, asked.camera, asked.finisher)
        in_part(read_clip(clips[1].path), asked.camera, asked.change)
        part_of_the_way(clips[1], asked.camera)


if __name__ == "__main__":
    main()
