"""How near to photographs pictures are, by two distances that keep watch over each other.

Graying alone lowers that of VGG features, blur alone raises that of natural-scene statistics: neither judges alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import Image, ImageOps

from ..arrays import reason
from ..errors import BadValueError, MissingFileError, UnreadableFileError
from ..file_order import in_order
from .frechet import Moments, frechet, picture_moments, pooled
from .perceptual import FeatureNetwork
from .scene_statistics import scene_statistics, statistics_distance

Picture = UInt8[np.ndarray, "height width 3"]
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
LEAST = 4
"""Pictures of a set: fewer say nothing of how photographs differ from each other."""


@dataclass(frozen=True, eq=False)
class Appearance:
    """What is measured of one picture: its patches' statistics, and the moments of its features."""

    statistics: Float64[np.ndarray, "patches 36"]
    moments: Moments


@dataclass(frozen=True)
class Distances:
    """Of one set of pictures to another: natural-scene statistics, and squared Frechet distance of VGG16's relu3_3."""

    statistics: float
    vgg: float


def appearance(picture: Picture, network: FeatureNetwork) -> Appearance:
    """Measure one picture."""
    return Appearance(scene_statistics(picture), picture_moments(network, picture))


def distances(a: Iterable[Appearance], b: Iterable[Appearance]) -> Distances:
    """Between two sets of pictures; those that are flat everywhere have no statistics, which is then not a number."""
    a, b = list(a), list(b)
    patches = [np.concatenate([one.statistics for one in many]) for many in (a, b)]
    enough = min(len(p) for p in patches) > 1
    return Distances(
        statistics_distance(*patches) if enough else float("nan"),
        frechet(pooled(one.moments for one in a), pooled(one.moments for one in b)),
    )


def photograph_files(folder: Path) -> list[Path]:
    """All pictures at any depth of a folder, in order.

    Raises:
        MissingFileError: there is no such folder.
        BadValueError: it holds too few pictures.
    """
    if not folder.is_dir():
        raise MissingFileError(folder, what="folder of photographs")
    files = in_order(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    if len(files) < LEAST:
        right = f"at least {LEAST} ({', '.join(SUFFIXES)})"
        raise BadValueError("the number of photographs", len(files), right=right, where=folder)
    return files


def photograph(file: Path, size: tuple[int, int]) -> Picture:
    """A photograph at the size (height, width) of the pictures it is compared with: made to cover it, the rest cut off.

    Raises:
        UnreadableFileError: it is not a picture.
    """
    height, width = size
    try:
        with Image.open(file) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except Exception as error:  # headers, chunks and compression each have errors of their own
        why = reason(error).split(" '")[0]
        raise UnreadableFileError(file, what="the photograph", why=why, fix="take it out of the folder") from error
    scale = max(height / picture.height, width / picture.width)
    if picture.size != (width, height):
        fitted = (max(round(picture.width * scale), width), max(round(picture.height * scale), height))
        picture = picture.resize(fitted, Image.Resampling.LANCZOS)
    return np.array(picture)[:height, :width]
