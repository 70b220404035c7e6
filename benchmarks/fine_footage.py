"""Is footage of finer pictures, reduced, nearer to the truth? ``python -m benchmarks.fine_footage COARSE FINE``.

COARSE and FINE are folders of training clips of the same numbers, the latter a whole number of times as large, such as

- ``python -m sim2real.prepare COARSE --numbers 1500:1508 --moving-every 100000 --size 640x480 --spp 12``
- ``python -m sim2real.prepare FINE --numbers 1500:1508 --moving-every 100000 --size 1280x960 --spp 12``

The model that ships has seen no numbers from 1500 on. The truth is the path-traced picture of FINE, reduced: what larger pixels
see. Figures are those of ``benchmarks.embedded_model``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.embedded_model import TRUTH, ZERO, makers, measured, show
from benchmarks.held_out import HeldOut, Pictures
from sim2real.camera_effects import binned
from sim2real.metrics.perceptual import Vgg16

MODEL = Path(__file__).parents[1] / "assets" / "models" / "embedded"


@dataclass(frozen=True, eq=False)
class Pair(HeldOut):
    """A clip of COARSE, with the same scene of FINE."""

    fine: HeldOut

    @property
    def factor(self) -> int:
        """How many times as wide and high the latter is."""
        return self.fine.render.shape[1] // self.render.shape[1]

    @cached_property
    def truth(self) -> Pictures:
        """The finer path-traced picture, reduced."""
        return self.reduced(self.fine.truth)

    def reduced(self, pictures: Pictures) -> Pictures:
        """Finer pictures at the size of the clip."""
        return np.stack([binned(picture, self.factor) for picture in pictures])


def numbers(folder: Path) -> set[int]:
    """Of the clips in a folder."""
    return {int(path.stem) for path in folder.glob("[0-9]*.npz")}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("coarse", type=Path)
    parser.add_argument("fine", type=Path)
    parser.add_argument("--model", type=Path, default=MODEL, help="a model folder instead of the embedded one")
    options = parser.parse_args()
    both = sorted(numbers(options.coarse) & numbers(options.fine))
    if not both:
        parser.error(f"no clip is in both {options.coarse} and {options.fine}")
    pairs = [Pair(options.coarse, number, HeldOut(options.fine, number)) for number in both]
    plain = makers(options.model, [1], ["surface"])
    made = plain["surface noise, 1 step"]

    def finely(pair: Pair) -> Pictures:
        return pair.reduced(made(pair.fine))

    ways: dict[str, Callable[[Pair], Pictures]] = {
        ZERO: plain[ZERO],
        "as it is": made,
        f"{pairs[0].factor} times as wide and high, reduced": finely,
        TRUTH: plain[TRUTH],
    }
    show(pairs, measured(pairs, ways, Vgg16()), [])


if __name__ == "__main__":
    main()
