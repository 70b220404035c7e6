"""Rows of numbers in text files, and the two formats of camera paths that are nothing else: TUM and KITTI.

References:
    TUM: Sturm et al., A benchmark for the evaluation of RGB-D SLAM systems, 2012: ``timestamp tx ty tz qx qy qz qw``, seconds.
    KITTI: Geiger et al., Are we ready for autonomous driving?, 2012, odometry: rows of a 3x4 matrix, the left gray camera's
    poses in the frame of its first; ``calib.txt`` with the rectified projections P0 ... P3, ``times.txt`` with seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ...arrays import lengths_of
from ...transforms import rigid, rotation_from_quaternion
from .records import Track, TrackFile, checked_intrinsics, checked_size, rigid_poses, unreadable

_LONGEST_LINE = 4096
_CENTER_PX = 0.5
"""KITTI counts pixels from their centers, sim2real from the picture's corner."""


def read_tum(path: Path) -> TrackFile:
    """Read TUM's format.

    Raises:
        UnreadableFileError: a row has other numbers, a quaternion is zero, or times do not go up.
    """
    rows = _rows(path, 8, "timestamp tx ty tz qx qy qz qw")
    seconds, quaternion = rows[:, 0], rows[:, [7, 4, 5, 6]]
    back = np.flatnonzero(np.diff(seconds) <= 0)
    if len(back):
        k = int(back[0])
        raise unreadable(path, f"its times do not go up: {seconds[k]:.9g} is followed by {seconds[k + 1]:.9g}", "sort it")
    length = lengths_of(quaternion)
    if (odd := ~(np.abs(length - 1) <= 0.1)).any():
        k = int(odd.argmax())
        raise unreadable(path, f"the quaternion of pose {k} has the length {length[k]:g}, not 1")
    poses = rigid_poses(rigid(rotation_from_quaternion(quaternion), rows[:, 1:4]), path)
    return TrackFile((Track("track", poses),), seconds, (path,))


def read_kitti(path: Path) -> TrackFile:
    """Read KITTI's format, with the cameras of ``calib.txt`` and the times of ``times.txt`` where these files are at hand.

    They are looked for beside the file, and in ``../sequences/<name>/``, where KITTI has them. The size of pictures is that of
    ``image_0/000000.png`` there; without pictures, the principal points are taken for their centers.

    Raises:
        UnreadableFileError: a row has other numbers, or one of the files beside it is broken.
    """
    poses = _matrices(_rows(path, 12, "the rows of a 3x4 matrix"))
    poses = rigid_poses(poses, path)
    folders = (path.parent, path.parent.parent / "sequences" / path.stem)
    calibration = next((f / "calib.txt" for f in folders if (f / "calib.txt").is_file()), None)
    times = next((f / "times.txt" for f in folders if (f / "times.txt").is_file()), None)
    seconds = None if times is None else _times(times, len(poses))
    files = tuple(file for file in (path, calibration, times) if file is not None)
    if calibration is None:
        return TrackFile((Track("track", poses),), seconds, files)
    found = [_kitti_camera(name, p, poses, calibration) for name, p in _projections(calibration).items()]
    guessed = any(size_known is False for _, size_known in found)
    notes = ("KITTI's pictures are not at hand: their size is guessed from the principal points",) if guessed else ()
    return TrackFile(tuple(track for track, _ in found), seconds, files, notes)


def _kitti_camera(
    name: str, projection: Float[np.ndarray, "3 4"], poses: Float[np.ndarray, "poses 4 4"], calibration: Path
) -> tuple[Track, bool]:
    """A camera of the rig, K [I | t] from the left gray one, and whether the size of its pictures is known."""
    fx, fy, cx, cy = projection[0, 0], projection[1, 1], projection[0, 2], projection[1, 2]
    k = checked_intrinsics(fx, fy, cx + _CENTER_PX, cy + _CENTER_PX, calibration)
    pinhole = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    if np.abs(projection[:, :3] - pinhole).max() > 1e-3 * fx:
        raise unreadable(calibration, f"{name} is no rectified projection [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]")
    own_from_left = rigid(np.eye(3), np.linalg.solve(pinhole, projection[:, 3]))
    way = poses @ np.linalg.inv(own_from_left)
    picture = next((calibration.parent / f"image_{name[1:]}").glob("*.png"), None)
    size = (max(round(2 * k[1, 2]), 1), max(round(2 * k[0, 2]), 1))
    if picture is not None:
        from PIL import Image

        with Image.open(picture) as opened:
            size = opened.size[::-1]
    size = checked_size(size[1], size[0], calibration)
    return Track(name, rigid_poses(way, calibration), size, np.repeat(k[None], len(poses), axis=0)), picture is not None


def _projections(path: Path) -> dict[str, Float[np.ndarray, "3 4"]]:
    found = {}
    for number, line in _lines(path):
        name, _, rest = line.partition(":")
        if re.fullmatch(r"P(rect_0)?[0-9]", name.strip()):
            values = _numbers(rest, number, path)
            if len(values) != 12:
                raise unreadable(path, f"{name.strip()} has {len(values)} numbers, must be 12")
            found[f"P{name.strip()[-1]}"] = np.array(values).reshape(3, 4)
    if not found:
        raise unreadable(path, "it has no P0 to P3", "put KITTI's own calib.txt there, or take the file away")
    return found


def _times(path: Path, poses: int) -> Float[np.ndarray, "poses"]:
    seconds = _rows(path, 1, "a time in seconds")[:, 0]
    if len(seconds) < poses or (np.diff(seconds) <= 0).any():
        raise unreadable(path, f"it has {len(seconds)} times for {poses} poses, or they do not go up")
    return seconds[:poses]


def _matrices(rows: Float[np.ndarray, "poses 12"]) -> Float[np.ndarray, "poses 4 4"]:
    matrices = np.tile(np.eye(4), (len(rows), 1, 1))
    matrices[:, :3] = rows.reshape(-1, 3, 4)
    return matrices


def columns_of(path: Path) -> int:
    """How many numbers the first row of a text file has; 0 where it is no number."""
    for _, line in _lines(path):
        words = line.split()
        try:
            [float(word) for word in words]
        except ValueError:
            return 0
        return len(words)
    return 0


def _rows(path: Path, columns: int, what: str) -> Float[np.ndarray, "rows {columns}"]:
    """All rows of a text file; lines that begin with # are comments."""
    rows = []
    for number, line in _lines(path):
        values = _numbers(line, number, path)
        if len(values) != columns:
            raise unreadable(path, f"line {number} has {len(values)} numbers, must be {columns}: {what}")
        rows.append(values)
    if not rows:
        raise unreadable(path, "it has no rows", f"write {what}, a line per pose")
    return np.array(rows, np.float64)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that say something, with their numbers from 1."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        number = 0
        while line := file.readline(_LONGEST_LINE):
            number += 1
            if len(line) == _LONGEST_LINE and not line.endswith("\n"):
                raise unreadable(path, f"line {number} is longer than {_LONGEST_LINE} characters")
            if (text := line.strip()) and not text.startswith("#"):
                yield number, text


def _numbers(text: str, line: int, path: Path) -> list[float]:
    try:
        values = [float(word) for word in text.split()]
    except ValueError:
        raise unreadable(path, f"line {line} is {text[:80]!r}, must be numbers separated by spaces") from None
    if not np.isfinite(values).all():
        raise unreadable(path, f"line {line} has a number that is not finite")
    return values
