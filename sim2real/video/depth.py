"""Depth and camera of a video, where somebody supplies them."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float32

from ..arrays import first_broken_row, first_not_rigid, numbers, read_array, reason
from ..errors import BadValueError, MissingFileError, Sim2RealError, UnreadableFileError
from ..exr import read_exr
from ..file_order import gap_note, in_order, natural_key
from ..text_files import read_text
from ..transforms import OPENCV_FROM_OPENGL

_MEND = "write world_from_camera of every frame as .npy (frames, 4, 4), .json, or .txt with 16 numbers a row"
SUFFIXES = (".exr", ".npy", ".png")
_FARTHEST_M = 1e30
"""Greater depth stands for none, as infinite depth does."""
NOMINAL_FOCAL = 1.0
"""Focal length over the longer side of a picture whose camera is unknown: a view of 53 degrees."""


class DepthFiles:
    """Metric depth, a file per frame."""

    def __init__(self, folder: Path, frames: int, size: tuple[int, int]) -> None:
        """Look for the files; the first one is read to see that it fits.

        Args:
            folder: with ``.exr`` (channel Z, metres), ``.npy`` (metres) or 16-bit ``.png`` (millimetres), in natural order.
            frames: of the video.
            size: (height, width) of its frames.

        Raises:
            MissingFileError: there is no such folder, or it has no depth.
            BadValueError: the number of files, or a file's shape, does not fit.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise MissingFileError(folder, what="folder of depth")
        files = in_order(f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith("."))
        if not files:
            raise MissingFileError(folder, what="depth", fix=f"the folder must hold one of {', '.join(SUFFIXES)} per frame")
        if len(files) != frames:
            raise BadValueError("the number of depth files", len(files), right=f"{frames}, one per frame", where=folder)
        self._files, self._size, self.gap = files, size, gap_note(files)
        self.frame(0)

    def frame(self, frame: int) -> Float32[np.ndarray, "height width"]:
        """Metres along z; 0 where there is none."""
        path = self._files[frame]
        depth = numbers(_read(path), "the depth", where=path)
        if depth.shape != self._size:
            raise BadValueError("the shape of the depth", depth.shape, right=str(self._size), where=path)
        return np.where((depth > 0) & (depth < _FARTHEST_M), depth, 0).astype(np.float32)


def _read(path: Path) -> np.ndarray:
    if path.suffix.lower() == ".exr":
        return _exr_depth(path)
    fix = "write metres as .exr or .npy, or millimetres as 16-bit .png"
    if path.suffix.lower() == ".npy":
        return _metres(read_array(path, what="the depth", fix=fix), path)
    from PIL import Image

    try:
        with Image.open(path) as picture:
            gray = np.array(picture)
    except Exception as error:  # headers, chunks and compression each have errors of their own
        raise UnreadableFileError(path, what="the depth", why=reason(error), fix=fix) from error
    if gray.dtype not in (np.uint16, np.int32) or gray.ndim != 2:
        raise UnreadableFileError(path, what="the depth", why=f"it is {gray.dtype} {gray.shape}", fix=fix)
    return gray.astype(np.float32) / 1000


def _metres(depth: np.ndarray, path: Path) -> np.ndarray:
    if depth.dtype.kind != "f":
        right = "floating-point metres"
        raise BadValueError("the type of the depth", depth.dtype, right=right, fix="divide millimetres by 1000", where=path)
    return depth


def _exr_depth(path: Path) -> np.ndarray:
    """Channel Z, of any layer; else the only channel, or one of several that are all the same."""
    fix = "write metres as channel Z"
    channels = read_exr(path, what="the depth", fix=fix)
    named = [name for name in channels if name == "Z"] or [name for name in channels if name.split(".")[-1] == "Z"]
    others = [name for name in channels if name.split(".")[-1] != "A"]
    same = others if all(np.array_equal(channels[n], channels[others[0]], equal_nan=True) for n in others) else []
    if len(named or same[:1]) != 1:
        why = f"its channels {', '.join(sorted(channels))} do not say which is depth"
        raise UnreadableFileError(path, what="the depth", why=why, fix=fix)
    depth = channels[(named or same)[0]]
    return _metres(depth, path)


def read_poses(path: Path, frames: int) -> Float[np.ndarray, "frames 4 4"]:
    """Read ``world_from_camera`` of every frame: OpenCV axes, metres.

    - ``.npy``: (frames, 4, 4) or (frames, 3, 4);
    - ``.json``: the same as nested lists, a ``clip.json`` with one camera, or nerfstudio's ``transforms.json``;
    - ``.txt``: a row of 12 or 16 numbers per frame.

    Raises:
        MissingFileError: there is no such file.
        UnreadableFileError: it cannot be understood.
        BadValueError: its shape does not fit, or a transform is not rigid.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(path, what="file of poses")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of empty text, which has the wrong shape
            poses = np.asarray(_poses(path))
    except Sim2RealError:
        raise
    except Exception as error:  # whatever the file's nesting, names and numbers trip over
        raise UnreadableFileError(path, what="the poses", why=reason(error), fix=_MEND) from error
    poses = numbers(poses, "the poses", where=path)
    if poses.ndim == 2 and poses.shape[1] in (12, 16):
        poses = poses.reshape(len(poses), poses.shape[1] // 4, 4)
    if poses.ndim == 3 and poses.shape[1:] == (3, 4):
        poses = np.concatenate([poses, np.broadcast_to([[[0.0, 0, 0, 1]]], (len(poses), 1, 4))], axis=1)
    if poses.shape != (frames, 4, 4):
        raise BadValueError("the shape of the poses", poses.shape, right=f"({frames}, 4, 4)", where=path)
    if (frame := first_broken_row(poses)) is not None:
        raise BadValueError(f"the pose of frame {frame}", "not finite, or huge", right="finite numbers up to 1e30", where=path)
    mirrored = np.flatnonzero(np.linalg.det(poses[:, :3, :3]) < 0)
    if len(mirrored):
        right = "a rotation, whose determinant is 1"
        raise BadValueError(f"the pose of frame {mirrored[0]}", "mirrored", right=right, where=path)
    if (frame := first_not_rigid(poses)) is not None:
        right = "a rotation and a translation in metres"
        raise BadValueError(f"the pose of frame {frame}", "not rigid", right=right, where=path)
    return poses


def _poses(path: Path) -> object:
    if path.suffix.lower() == ".npy":
        return read_array(path, what="the poses", fix=_MEND)
    if path.suffix.lower() != ".json":
        return np.loadtxt(io.StringIO(read_text(path)), ndmin=2)
    data = json.loads(read_text(path))
    if isinstance(data, dict) and "frames" in data and "cameras" not in data:
        return _nerfstudio_poses(data["frames"])
    if isinstance(data, dict):
        cameras = data["cameras"]
        if len(cameras) != 1:
            raise ValueError(f"it has {len(cameras)} cameras, must have one")
        return next(iter(cameras.values()))["world_from_camera"]
    return data


def _nerfstudio_poses(frames: list[dict[str, Any]]) -> Float[np.ndarray, "frames 4 4"]:
    """Poses in the natural order of their pictures' names, which name all or none; OpenGL's camera axes turned to ours."""
    if all("file_path" in frame for frame in frames):
        frames = sorted(frames, key=lambda frame: natural_key(frame["file_path"]))
    matrices = np.array([frame["transform_matrix"] for frame in frames], np.float64)
    return matrices @ OPENCV_FROM_OPENGL


def camera_matrix(intrinsics: tuple[float, float, float, float] | None, size: tuple[int, int]) -> Float[np.ndarray, "3 3"]:
    """``K`` from fx, fy, cx, cy; a nominal one where nobody knows."""
    focal = NOMINAL_FOCAL * max(size)
    fx, fy, cx, cy = intrinsics or (focal, focal, size[1] / 2, size[0] / 2)
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])
