"""What is seen through clear things: the file of the kind ``behind``, a row per pixel whose center looks through some."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from jaxtyping import Float16, Float32, UInt8, UInt16, UInt32

from ..arrays import read_arrays
from ..errors import MissingFileError, UnreadableFileError

_FIX = "render the clip again"


@dataclass(frozen=True, eq=False)
class SeenBehind:
    """The first surface that is not clear, and what the clear things before it add, in the types that files hold.

    - ``at``: the pixels, counted row by row from the upper left, ascending.
    - ``share``: of what is behind that is seen: the product of ``1 - alpha`` of the clear things.
    - ``color``: what the clear things add to the linear base color of the pixel, weighted by what is seen of each.
    - ``material``: likewise roughness, metallic and emissive strength, 0 to 1.
    - ``ids``: of the instance behind, 0 where there is none.
    - ``depth``: metres along the camera's z, 0 where there is no surface behind.
    - ``normals``: camera frame, ``(n + 1) / 2`` in 8 bits.
    - ``noise``: of the surface behind, three channels of unit variance, a value per pixel: what the noise of factor 1 would be
      without the clear things, but for roundings.
    """

    at: UInt32[np.ndarray, " pixels"]
    share: Float16[np.ndarray, " pixels"]
    color: Float16[np.ndarray, "pixels 3"]
    material: Float16[np.ndarray, "pixels 3"]
    ids: UInt16[np.ndarray, " pixels"]
    depth: Float32[np.ndarray, " pixels"]
    normals: UInt8[np.ndarray, "pixels 3"]
    noise: Float16[np.ndarray, "pixels 3"]

    def __len__(self) -> int:
        return len(self.at)


_ROW: dict[str, tuple[tuple[int, ...], str]] = {
    "at": ((), "uint32"),
    "share": ((), "float16"),
    "color": ((3,), "float16"),
    "material": ((3,), "float16"),
    "ids": ((), "uint16"),
    "depth": ((), "float32"),
    "normals": ((3,), "uint8"),
    "noise": ((3,), "float16"),
}
"""Shape and type of every array's row."""


def nothing_behind() -> SeenBehind:
    """Of a picture in which nothing is clear."""
    return SeenBehind(**{name: np.zeros((0, *shape), dtype) for name, (shape, dtype) in _ROW.items()})


def write_behind(path: Path, behind: SeenBehind) -> None:
    """Write an array per field."""
    np.savez_compressed(path, **{field.name: getattr(behind, field.name) for field in fields(behind)})


def read_behind(path: Path) -> SeenBehind:
    """Read what ``write_behind`` wrote.

    Raises:
        MissingFileError: there is no such file.
        UnreadableFileError: it is damaged, or arrays are missing, of another type, not finite, or do not fit each other.
    """
    what = "what is behind clear things"
    if not Path(path).is_file():
        raise MissingFileError(path, what=what, fix=_FIX)
    arrays = read_arrays(Path(path), what=what, fix=_FIX)
    count = len(arrays["at"]) if arrays.get("at", np.zeros(())).ndim else 0
    for name, (shape, dtype) in _ROW.items():
        if name not in arrays:
            raise UnreadableFileError(path, what=what, why=f"it has no array {name}", fix=_FIX)
        array = arrays[name]
        if array.shape != (count, *shape) or array.dtype != dtype:
            why = f"{name} is {array.dtype} {array.shape}, must be {dtype} {(count, *shape)}"
            raise UnreadableFileError(path, what=what, why=why, fix=_FIX)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise UnreadableFileError(path, what=what, why=f"{name} has numbers that are not finite", fix=_FIX)
    if (np.diff(arrays["at"].astype(np.int64)) <= 0).any():
        raise UnreadableFileError(path, what=what, why="at does not ascend", fix=_FIX)
    return SeenBehind(**{name: arrays[name] for name in _ROW})


def fitting(behind: SeenBehind, size: tuple[int, int], path: Path) -> SeenBehind:
    """What was read from a file of a clip whose pictures are of this size.

    Raises:
        UnreadableFileError: it names pixels that they do not have.
    """
    if len(behind) and behind.at[-1] >= size[0] * size[1]:
        why = f"it has a pixel {behind.at[-1]}, the picture {size[0]} x {size[1]}"
        raise UnreadableFileError(path, what="what is behind clear things", why=why, fix=_FIX)
    return behind
