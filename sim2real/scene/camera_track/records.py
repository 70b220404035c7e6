"""What a file of a camera path holds, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ...arrays import first_broken_row
from ...camera.lens import PINHOLE, Lens
from ...errors import BadValueError, UnreadableFileError

FARTHEST = 1e9
"""Of a camera from the track's origin, in the track's unit."""
WIDEST_PX = 100_000
MOST_CAMERAS = 64


@dataclass(frozen=True, eq=False)
class Track:
    """The path of one camera, in the track's own world and unit.

    - ``world_from_camera``: rigid, OpenCV axes.
    - ``intrinsics``: in pixels of ``size``, centers at 0.5, one per pose; both ``None`` where the file does not say.
    """

    name: str
    world_from_camera: Float[np.ndarray, "poses 4 4"]
    size: tuple[int, int] | None = None
    intrinsics: Float[np.ndarray, "poses 3 3"] | None = None
    lens: Lens = PINHOLE


@dataclass(frozen=True, eq=False)
class TrackFile:
    """What was read.

    - ``tracks``: one per camera, at least one; they may differ in length where there are no times.
    - ``seconds``: times of the poses, going up, where they are known; all cameras have the same.
    - ``files``: all that were read.
    """

    tracks: tuple[Track, ...]
    seconds: Float[np.ndarray, "poses"] | None
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()

    @property
    def poses(self) -> int:
        """How many the longest track has."""
        return max(len(track.world_from_camera) for track in self.tracks)


def unreadable(path: Path, why: str, fix: str = "export it again") -> UnreadableFileError:
    """The error of a file that is no camera track, or a broken one."""
    return UnreadableFileError(path, what="camera track", why=why, fix=fix)


def rigid_poses(poses: Float[np.ndarray, "poses 4 4"], path: Path, slack: float = 1e-2) -> Float[np.ndarray, "poses 4 4"]:
    """Poses with exact rotations, those nearest to what a file has rounded.

    Args:
        poses: as the file has them.
        path: the file.
        slack: how far rows of a rotation may be from orthonormal.

    Raises:
        BadValueError: one is not finite, mirrored, or no rotation.
    """
    if (row := first_broken_row(poses, FARTHEST)) is not None:
        raise BadValueError(f"pose {row} of the camera track", "not finite, or huge", right="finite numbers", where=path)
    u, stretch, v = np.linalg.svd(poses[:, :3, :3])
    wrong = (np.abs(stretch - 1) > slack).any(axis=1) | (np.linalg.det(poses[:, :3, :3]) <= 0)
    wrong |= (np.abs(poses[:, 3] - [0, 0, 0, 1]) > slack).any(axis=1)
    if wrong.any():
        right = "a rotation and a translation"
        raise BadValueError(f"pose {int(wrong.argmax())} of the camera track", "not rigid", right=right, where=path)
    exact = poses.copy()
    exact[:, :3, :3], exact[:, 3] = u @ v, [0, 0, 0, 1]
    return exact


def checked_size(width: object, height: object, path: Path) -> tuple[int, int]:
    """(height, width) of a picture as a file says it.

    Raises:
        UnreadableFileError: it is no size of a picture.
    """
    try:
        size = int(float(str(height))), int(float(str(width)))
    except (ValueError, OverflowError):
        size = 0, 0
    if not all(1 <= side <= WIDEST_PX for side in size):
        raise unreadable(path, f"a picture of it is {width} wide and {height} high")
    return size


def checked_intrinsics(fx: float, fy: float, cx: float, cy: float, path: Path) -> Float[np.ndarray, "3 3"]:
    """A matrix of intrinsics in pixels.

    Raises:
        UnreadableFileError: a number is not finite, or a focal length not positive.
    """
    k = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])
    if not (np.abs(k) <= FARTHEST).all() or min(fx, fy) <= 1e-6:
        raise unreadable(path, f"its focal lengths are {fx:g}, {fy:g} and its principal point {cx:g}, {cy:g} pixels")
    return k
