"""COLMAP's camera models, and a picture as its files have it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ...camera.lens import Lens
from .records import checked_intrinsics, checked_size, unreadable

PARAMETERS = {
    "SIMPLE_PINHOLE": 3,
    "PINHOLE": 4,
    "SIMPLE_RADIAL": 4,
    "RADIAL": 5,
    "OPENCV": 8,
    "OPENCV_FISHEYE": 8,
    "FULL_OPENCV": 12,
    "FOV": 5,
    "SIMPLE_RADIAL_FISHEYE": 4,
    "RADIAL_FISHEYE": 5,
    "THIN_PRISM_FISHEYE": 12,
}
"""How many numbers each has, in the order of COLMAP's own numbers from 0."""
_UNREAD = ("FOV", "THIN_PRISM_FISHEYE")


@dataclass(frozen=True)
class CameraModel:
    """A camera: its model, the size of its pictures, and the model's numbers (focal lengths, principal point, coefficients)."""

    model: str
    width: int
    height: int
    numbers: tuple[float, ...]


@dataclass(frozen=True)
class Picture:
    """A picture with its pose ``camera_from_world``: quaternion (w, x, y, z) and translation."""

    name: str
    camera: int
    quaternion: tuple[float, ...]
    translation: tuple[float, ...]


def lens_of(camera: CameraModel, path: Path) -> tuple[tuple[int, int], Float[np.ndarray, "3 3"], Lens]:
    """(height, width), intrinsics and lens of a camera.

    Raises:
        UnreadableFileError: a model that is not read, or numbers that are none.
        BadValueError: coefficients that are not finite.
    """
    if camera.model not in PARAMETERS or camera.model in _UNREAD:
        read = [name for name in PARAMETERS if name not in _UNREAD]
        raise unreadable(path, f"its camera model {camera.model} is not read", f"use one of: {', '.join(read)}")
    numbers = camera.numbers
    if len(numbers) != PARAMETERS[camera.model]:
        raise unreadable(path, f"a camera {camera.model} has {len(numbers)} numbers, must be {PARAMETERS[camera.model]}")
    one = camera.model.startswith(("SIMPLE", "RADIAL"))
    fx, fy, cx, cy, *coefficients = (numbers[0], *numbers) if one else numbers
    k = checked_intrinsics(fx, fy, cx, cy, path)
    if camera.model.endswith("FISHEYE"):
        lens = Lens("fisheye", (*coefficients, *(0.0,) * (4 - len(coefficients))))
    elif not any(coefficients):
        lens = Lens()
    else:
        lens = Lens("perspective", (*coefficients, *(0.0,) * max(4 - len(coefficients), 0)))
    return checked_size(camera.width, camera.height, path), k, lens
