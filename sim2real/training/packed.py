"""Training clips as the trainer holds them: every pixel's bytes side by side, mapped into memory, made once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, UInt8

from ..camera_effects import Development, develop
from ..diffusion.families.embedded.occlusion import occlusion
from ..errors import MissingFileError, UnreadableFileError
from ..scene.colors import linear_from_srgb

PIXEL = np.dtype(
    [
        ("target", "u1", 3),
        ("rgb", "u1", 3),
        ("albedo", "u1", 3),
        ("material", "u1", 3),
        ("normals", "u1", 3),
        ("edges", "u1"),
        ("hidden", "u1", 2),
        ("depth", "<f2"),
        ("light", "<f2", 3),
        ("reflection", "<f2", 3),
    ]
)
"""Of one pixel: the developed photograph, and what the conditions are made of."""
_ARRAYS = ("light", "rgb", "albedo", "material", "normals", "depth", "edges", "known_light", "known_reflection", "K")
_FORMAT = 5


@dataclass(frozen=True, eq=False)
class PackedClip:
    """A training clip on disk; opened when asked for, because a process may hold fewer open files than there are clips.

    - ``shape``: frames, height and width.
    - ``intrinsics``: pixels.
    """

    path: Path
    shape: tuple[int, int, int]
    intrinsics: Float64[np.ndarray, "frames 3 3"]

    def pixels(self, place: tuple[slice, slice, slice]) -> np.ndarray:
        """A copy of some frames, rows and columns, of :data:`PIXEL`."""
        return np.array(_record(self.path)["pixels"][place])


def _record(path: Path) -> Any:
    """The one record of a file, mapped into memory."""
    return np.load(path, mmap_mode="r")[0]


def packed_folder(clips: Path) -> Path:
    """Where the packed clips of a folder are: named after how light is developed, so that another way makes them anew."""
    key = hashlib.blake2b(f"{_FORMAT} {Development()}".encode(), digest_size=4).hexdigest()
    return clips / f"packed-{key}"


def packed_clip(path: Path) -> PackedClip:
    """A training clip, packed.

    Args:
        path: ``NNNNNN.npz``; its packed form is written into :func:`packed_folder` where it is missing.

    Raises:
        MissingFileError: no such file.
        UnreadableFileError: it lacks an array, or the arrays do not belong together.
    """
    target = packed_folder(path.parent) / f"{path.stem}.npy"
    if not target.is_file():
        if not path.is_file():
            raise MissingFileError(path, what="training clip", fix="make the clips first")
        target.parent.mkdir(exist_ok=True)
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with partial.open("wb") as file:
                np.save(file, _packed(_read(path)))
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    record = _record(target)
    return PackedClip(target, record["pixels"].shape, np.array(record["K"]))


def _read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a clip, checked."""
    fix = "make the clip again"
    try:
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in _ARRAYS}
    except (KeyError, ValueError, OSError) as error:
        raise UnreadableFileError(path, what="training clip", why=str(error), fix=fix) from error
    shape = arrays["rgb"].shape[:3]
    for name in _ARRAYS[:-1]:
        if arrays[name].shape[:3] != shape:
            why = f"{name} {arrays[name].shape} does not belong to rgb {arrays['rgb'].shape}"
            raise UnreadableFileError(path, what="training clip", why=why, fix=fix)
    return arrays


def _packed(clip: dict[str, np.ndarray]) -> np.ndarray:
    """The record of a clip, in an array of one."""
    shape = clip["rgb"].shape[:3]
    record = np.zeros(1, np.dtype([("K", "<f8", (shape[0], 3, 3)), ("pixels", PIXEL, shape)]))
    record["K"][0] = np.broadcast_to(clip["K"], (shape[0], 3, 3))
    pixels: Any = record["pixels"][0]
    pixels["target"] = photograph_of(clip)
    for name in ("rgb", "albedo", "material", "normals", "edges", "depth"):
        pixels[name] = clip[name]
    pixels["light"], pixels["reflection"] = clip["known_light"], clip["known_reflection"]
    pixels["hidden"] = occlusion(clip["depth"], clip["normals"], record["K"][0])
    return record


def photograph_of(clip: Mapping[str, np.ndarray]) -> UInt8[np.ndarray, "frames height width 3"]:
    """A training clip's path-traced light as a camera shows it."""
    base_color = linear_from_srgb(np.arange(256) / 255).astype(np.float32)[clip["albedo"]]
    return develop(clip["light"].astype(np.float32), base_color=base_color)
