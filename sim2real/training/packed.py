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

from ..arrays import reason
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
        ("coverage", "<u2"),
        ("light", "<f2", 3),
        ("reflection", "<f2", 3),
    ]
)
"""Of one pixel: the developed photograph, and what the conditions are made of."""
_ARRAYS = (
    "light",
    "rgb",
    "albedo",
    "material",
    "normals",
    "depth",
    "edges",
    "known_light",
    "known_reflection",
    "coverage",
    "K",
)
_INTEGERS = {**dict.fromkeys(("rgb", "albedo", "material", "normals", "edges"), "uint8"), "coverage": "uint16"}
_FORMAT = 7
_LARGEST = float(np.finfo(np.float16).max)


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
    """The one record of a file, mapped into memory.

    Raises:
        UnreadableFileError: it is damaged.
    """
    try:
        held = np.load(path, mmap_mode="r")
        if held.dtype.names != ("K", "pixels") or held.dtype["pixels"].base != PIXEL:
            raise ValueError(f"it holds {held.dtype}")
        return held[0]
    except Exception as error:  # headers and lengths each have errors of their own
        fix = "delete it, and it is made again"
        raise UnreadableFileError(path, what="packed training clip", why=reason(error), fix=fix) from error


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
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in _ARRAYS}
    except Exception as error:  # archives, headers and compression each have errors of their own
        raise UnreadableFileError(path, what="training clip", why=reason(error), fix=fix) from error
    shape = arrays["rgb"].shape[:3]
    for name in _ARRAYS:
        array, channels = arrays[name], () if name in ("depth", "edges", "coverage") else (3,)
        fits = array.shape in ((*shape[:1], 3, 3), (3, 3)) if name == "K" else array.shape == (*shape, *channels)
        if not fits or not array.size or array.dtype.kind not in "fiu" or not (np.abs(array) <= _LARGEST).all():
            why = f"{name} is {array.dtype} {array.shape}, not finite, or does not belong to rgb {arrays['rgb'].shape}"
            raise UnreadableFileError(path, what="training clip", why=why, fix=fix)
        if (wanted := _INTEGERS.get(name, array.dtype)) != array.dtype:
            raise UnreadableFileError(path, what="training clip", why=f"{name} is {array.dtype}, must be {wanted}", fix=fix)
    return arrays


def _packed(clip: dict[str, np.ndarray]) -> np.ndarray:
    """The record of a clip, in an array of one."""
    shape = clip["rgb"].shape[:3]
    record = np.zeros(1, np.dtype([("K", "<f8", (shape[0], 3, 3)), ("pixels", PIXEL, shape)]))
    record["K"][0] = np.broadcast_to(clip["K"], (shape[0], 3, 3))
    pixels: Any = record["pixels"][0]
    pixels["target"] = photograph_of(clip)
    for name in ("rgb", "albedo", "material", "normals", "edges", "depth", "coverage"):
        pixels[name] = clip[name]
    pixels["light"], pixels["reflection"] = clip["known_light"], clip["known_reflection"]
    pixels["hidden"] = occlusion(clip["depth"], clip["normals"], record["K"][0])
    return record


def photograph_of(clip: Mapping[str, np.ndarray]) -> UInt8[np.ndarray, "frames height width 3"]:
    """A training clip's path-traced light as a camera shows it."""
    base_color = linear_from_srgb(np.arange(256) / 255).astype(np.float32)[clip["albedo"]]
    return develop(clip["light"].astype(np.float32), base_color=base_color)
