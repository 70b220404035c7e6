"""From a track's world, axes and unit to those of a scene."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ...arrays import numbers, read_array, reason
from ...errors import BadValueError, MissingFileError
from ...text_files import read_text
from .records import FARTHEST, unreadable

UP_AXES = {
    "z-up": np.eye(4),
    "y-up": np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]),
    "y-down": np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]]),
}
"""The scene's world (z up) from worlds with other axes; ``y-down`` is that of a first camera, as KITTI and SLAM have it."""
Placement = str | tuple[float, ...]
_FIX = "write 4x4 numbers (numpy.save, or a text file), z-up, y-up or y-down"


def world_from_track(said: Placement | None, folder: Path | None = None) -> Float[np.ndarray, "4 4"]:
    """The map from a track's world to the scene's: a rotation, a translation, and perhaps one scale for all axes.

    Args:
        said: one of ``UP_AXES``, 12 or 16 numbers row by row (a text has commas between them), or a file with these;
            ``None``: the worlds are the same.
        folder: where a file is looked for.

    Raises:
        MissingFileError: there is no such file.
        UnreadableFileError: it holds no numbers.
        BadValueError: it is no such map.
    """
    if said is None:
        return np.eye(4)
    if isinstance(said, str) and said in UP_AXES:
        return UP_AXES[said]
    values = _numbers(said) if not isinstance(said, str) or "," in said else _from_file((folder or Path()) / said)
    if values.size not in (12, 16):
        raise BadValueError("world-from-track", f"{values.size} numbers", right="12 or 16 numbers, row by row", fix=_FIX)
    matrix = np.eye(4)
    matrix[: values.size // 4] = values.reshape(-1, 4)
    if not (np.abs(matrix) <= FARTHEST).all() or np.linalg.det(matrix[:3, :3]) <= 1e-12:
        raise BadValueError("world-from-track", matrix.tolist(), right="finite, not flat and not mirrored", fix=_FIX)
    linear = matrix[:3, :3] / np.cbrt(np.linalg.det(matrix[:3, :3]))
    if np.abs(linear @ linear.T - np.eye(3)).max() > 1e-3 or np.abs(matrix[3] - [0, 0, 0, 1]).max() > 1e-6:
        right = "a rotation with a translation, and one scale for all axes"
        raise BadValueError("world-from-track", matrix.tolist(), right=right, fix=_FIX)
    return matrix


def placed(
    poses: Float[np.ndarray, "poses 4 4"], world: Float[np.ndarray, "4 4"], scale: float
) -> Float[np.ndarray, "poses 4 4"]:
    """Poses in the scene's world.

    Args:
        poses: in the track's.
        world: from ``world_from_track``; it is applied to metres.
        scale: metres per unit of the track.
    """
    zoom = np.cbrt(np.linalg.det(world[:3, :3]))
    u, _, v = np.linalg.svd(world[:3, :3] / zoom)
    out = poses.copy()
    out[:, :3, :3] = (u @ v) @ poses[:, :3, :3]
    out[:, :3, 3] = scale * poses[:, :3, 3] @ world[:3, :3].T + world[:3, 3]
    return out


def _numbers(said: Placement) -> Float[np.ndarray, "numbers"]:
    try:
        return np.array([float(word) for word in (said.split(",") if isinstance(said, str) else said)])
    except (TypeError, ValueError):
        raise BadValueError("world-from-track", said, right="12 or 16 numbers, row by row", fix=_FIX) from None


def _from_file(path: Path) -> Float[np.ndarray, "numbers"]:
    if not path.is_file():
        raise MissingFileError(path, what="world-from-track", fix=_FIX)
    if path.suffix == ".npy":
        return numbers(read_array(path, what="world-from-track", fix=_FIX), "world-from-track", where=path).ravel()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a file without numbers, whose count is wrong
            return np.loadtxt(read_text(path).replace(",", " ").splitlines(), ndmin=1).ravel()
    except ValueError as error:
        raise unreadable(path, reason(error), _FIX) from error
