"""Cameras of nerfstudio, instant-ngp and Blender exports: ``transforms.json``.

Reference: nerfstudio, Data conventions: ``transform_matrix`` is ``world_from_camera`` with OpenGL's axes; intrinsics stand at
the top or with a frame; ``applied_transform`` has been applied to the world of the original poses, and is taken back here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import Image

from ...arrays import reason
from ...camera.lens import Lens
from ...errors import Sim2RealError
from ...text_files import read_json
from ...transforms import OPENCV_FROM_OPENGL
from .grouping import Shot, tracks_of
from .records import FARTHEST, TrackFile, checked_intrinsics, checked_size, rigid_poses, unreadable

_MODELS = {"OPENCV": "perspective", "PINHOLE": "perspective", "SIMPLE_PINHOLE": "perspective", "OPENCV_FISHEYE": "fisheye"}
_MODELS |= {"SIMPLE_RADIAL": "perspective", "RADIAL": "perspective", "FULL_OPENCV": "perspective"}
_BESIDE_PICTURES = (".png", ".jpg", ".exr")
"""Endings that Blender's exports leave out."""


def read_nerfstudio(path: Path, size: tuple[int, int]) -> TrackFile:
    """Read a ``transforms.json``.

    Args:
        path: the file.
        size: (height, width) of pictures for which only an angle of view is given.

    Raises:
        UnreadableFileError: it is no such file, or a value in it is of another kind.
        BadValueError: a pose is not rigid.
    """
    data = read_json(path, what="camera track", fix="export it again")
    try:
        frames = data["frames"]
        if not isinstance(frames, list) or not frames:
            raise unreadable(path, "it has no frames")
        model = str(data.get("camera_model", "OPENCV"))
        if model not in _MODELS:
            raise unreadable(path, f"its camera model {model} is not read", f"use one of: {', '.join(_MODELS)}")
        undone, notes = _undone(data, path)
        poses = undone.posed(np.stack([_matrix(frame["transform_matrix"]) for frame in frames]))
        poses = rigid_poses(poses @ OPENCV_FROM_OPENGL, path)
        sizes = _Sizes(path, size)
        shots = [
            _shot({**data, **frame}, pose, model, sizes, k) for k, (frame, pose) in enumerate(zip(frames, poses, strict=True))
        ]
    except Sim2RealError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        raise unreadable(path, f"it has values of another kind ({reason(error)})") from error
    return TrackFile(tracks_of(shots, path), None, (path,), notes)


class _Undone:
    """Takes back what was applied to the original poses: a transform, then a scale."""

    def __init__(self, applied: Float[np.ndarray, "4 4"], scale: float) -> None:
        self._original_from_applied, self._scale = np.linalg.inv(applied), scale

    def posed(self, poses: Float[np.ndarray, "poses 4 4"]) -> Float[np.ndarray, "poses 4 4"]:
        """Where the cameras were before."""
        before = poses.copy()
        before[:, :3, 3] /= self._scale
        return self._original_from_applied @ before


def _undone(data: Mapping[str, Any], path: Path) -> tuple[_Undone, tuple[str, ...]]:
    applied = _matrix(data.get("applied_transform", np.eye(4)))
    scale = float(data.get("applied_scale", 1.0))
    if abs(np.linalg.det(applied[:3, :3])) < 1e-9 or not 1e-9 < abs(scale) < 1e9:
        raise unreadable(path, "its applied_transform or applied_scale cannot be taken back")
    changed = not np.allclose(applied, np.eye(4)) or scale != 1
    said = f"{path.name}: its applied_transform was taken back: cameras are in the world of the original poses"
    return _Undone(applied, scale), (said,) if changed else ()


def _matrix(rows: Any) -> Float[np.ndarray, "4 4"]:
    given = np.asarray(rows, np.float64)
    if given.shape not in ((3, 4), (4, 4)):
        raise ValueError(f"a matrix has the shape {given.shape}")
    if not (np.abs(given) <= FARTHEST).all():
        raise ValueError("a matrix is not finite, or huge")
    matrix = np.eye(4)
    matrix[: len(given)] = given
    return matrix


class _Sizes:
    """Sizes of pictures: as said, those of the pictures beside the file, or the one that the user has."""

    def __init__(self, path: Path, usual: tuple[int, int]) -> None:
        self.path, self._usual = path, usual
        self._of_folder: dict[str, tuple[int, int] | None] = {}

    def of(self, said: Mapping[str, Any]) -> tuple[int, int]:
        """(height, width) of a frame."""
        if "w" in said and "h" in said:
            return checked_size(said["w"], said["h"], self.path)
        name = str(said.get("file_path", ""))
        folder = name.rpartition("/")[0]
        if folder not in self._of_folder:
            self._of_folder[folder] = self._opened(name)
        found = self._of_folder[folder]
        if found is not None:
            return found
        if "camera_angle_x" in said or "camera_angle_y" in said:
            return self._usual
        if "cx" in said and "cy" in said:
            return checked_size(round(2 * float(said["cx"])), round(2 * float(said["cy"])), self.path)
        raise unreadable(self.path, "it has neither w and h nor pictures", "put its pictures beside it, or add w and h")

    def _opened(self, name: str) -> tuple[int, int] | None:
        for ending in ("", *_BESIDE_PICTURES):
            place = self.path.parent / f"{name}{ending}"
            if name and "\0" not in name and place.is_file():
                try:
                    with Image.open(place) as picture:
                        return picture.size[1], picture.size[0]
                except Exception as error:  # headers of every format have errors of their own
                    raise unreadable(place, f"a picture of the track: {reason(error)}") from error
        return None


def _shot(said: Mapping[str, Any], pose: Float[np.ndarray, "4 4"], model: str, sizes: _Sizes, number: int) -> Shot:
    """A frame, with what stands at the top where it does not say otherwise."""
    height, width = sizes.of(said)
    fx, fy = _focal(said, "x", width), _focal(said, "y", height)
    if fx is None and fy is None:
        raise unreadable(sizes.path, f"frame {number} has no focal length (fl_x or camera_angle_x)")
    fx, fy = fx or fy or 0.0, fy or fx or 0.0
    k = checked_intrinsics(fx, fy, float(said.get("cx", width / 2)), float(said.get("cy", height / 2)), sizes.path)
    projection = "fisheye" if _MODELS[model] == "fisheye" or said.get("is_fisheye") is True else "perspective"
    return Shot(str(said.get("file_path", f"{number:06d}")), pose, (height, width), k, _lens(said, projection), None)


def _focal(said: Mapping[str, Any], axis: str, length_px: int) -> float | None:
    if f"fl_{axis}" in said:
        return float(said[f"fl_{axis}"])
    if f"camera_angle_{axis}" not in said:
        return None
    return length_px / 2 / math.tan(float(said[f"camera_angle_{axis}"]) / 2)


def _lens(said: Mapping[str, Any], projection: str) -> Lens:
    def given(*names: str) -> list[float]:
        return [float(said.get(name, 0.0)) for name in names]

    if projection == "fisheye":
        return Lens("fisheye", tuple(given("k1", "k2", "k3", "k4")))
    coefficients = given("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")
    while len(coefficients) > 5 and not coefficients[-1]:
        coefficients.pop()
    if len(coefficients) > 5:
        coefficients += [0.0] * (8 - len(coefficients))
    elif not coefficients[4]:
        coefficients.pop()
    return Lens("perspective", tuple(coefficients) if any(coefficients) else ())
