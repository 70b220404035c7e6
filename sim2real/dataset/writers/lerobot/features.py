"""What a LeRobot dataset has per frame, and a clip's values of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Shaped

from ....errors import BadValueError
from ...clips import DatasetClip
from ...lerobot_layout import BOOKKEEPING, CAMERA

_RENAMED = {"actions": "action", "state": "observation.state", "states": "observation.state"}
_TIME_TOLERANCE_S = 1e-4  # LeRobot's own, for finding a frame in a video
_TYPES = ("bool", "float16", "float32", "float64", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))


@dataclass(frozen=True, eq=False)
class Column:
    """One array of a clip, one row per frame, as the dataset holds it.

    - ``dtype`` is a numpy type's name, or ``string``; ``shape`` that of a row, ``(1,)`` for a single value.
    - ``names`` are those of a row's elements, where somebody has said them.
    """

    values: Shaped[np.ndarray, "frames ..."]
    names: list[str] | None = None

    @property
    def dtype(self) -> str:
        """The type as ``info.json`` calls it."""
        return "string" if self.values.dtype.kind == "U" else self.values.dtype.name

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row."""
        return self.values.shape[1:] or (1,)

    def feature(self) -> dict[str, Any]:
        """The column's entry among the features of ``info.json``."""
        return {"dtype": self.dtype, "shape": list(self.shape), "names": self.names}


def frame_rate(fps: float) -> Fraction:
    """Frames per second as the ratio of whole numbers that a video can have."""
    return Fraction(fps).limit_denominator(1001)


def columns_of(item: DatasetClip) -> dict[str, Column]:
    """All columns of a clip but the counted ones and its videos, by name.

    - ``timestamp`` is the frame's time in the video, float32. The recording's own takes that place, to the bit, where it is
      float32 and says the same; otherwise it is the column ``source_timestamp``.
    - ``depth.CAMERA`` is the path of the frame's depth below the dataset (EXR, float32 metres, channel Z). It is not an image
      feature: policies take all of these as inputs, and most have no use for a fourth channel.
    - ``camera.CAMERA.K`` and ``camera.CAMERA.world_from_camera`` are float64, OpenCV axes, metres; not of clips of real
      videos, whose cameras nobody knows.

    Raises:
        BadValueError: an array has a name twice, or a type or shape that LeRobot has no column for.
    """
    columns = {"timestamp": Column(_timestamps(item))}
    names: Mapping[str, Any] = item.row.get("names") or {}
    for own, array in item.episode.items():
        if own == "timestamp" and array is columns["timestamp"].values:
            continue
        if not array.size:  # a model without actuators has controls of width 0
            continue
        name = _RENAMED.get(own, own).replace("/", ".")
        name = f"source_{name}" if name in (*BOOKKEEPING, "timestamp") else name
        if name in columns:
            right = f"one array, its clip has several that LeRobot calls so, of which one is {own}"
            raise BadValueError(f"the column {name}", "there twice", right=right, where=item.clip_id)
        columns[name] = Column(_checked(array, own, item.clip_id), _names(names.get(own), array))
    for camera, record in item.clip.record.cameras.items() if not item.clip.of_video else ():
        columns[f"camera.{camera}.K"] = Column(record.intrinsics)
        columns[f"camera.{camera}.world_from_camera"] = Column(record.world_from_camera)
    return columns


def video_feature(size: tuple[int, int], rate: Fraction) -> dict[str, Any]:
    """A camera's entry among the features of ``info.json``; ``size`` is (height, width) of the video."""
    fps = fps_number(rate)
    info = {
        "video.height": size[0],
        "video.width": size[1],
        "video.codec": "h264",
        "video.pix_fmt": "yuv420p",
        "video.is_depth_map": False,
        "video.fps": fps,
        "video.channels": 3,
        "has_audio": False,
    }
    return {"dtype": "video", "shape": [*size, 3], "names": ["height", "width", "channels"], "info": info}


def video_key(camera: str) -> str:
    """The feature of a camera's pictures; a name that is a feature already, such as ``observation.image``, stays."""
    return camera if camera.startswith("observation.") else f"{CAMERA}{camera}"


def fps_number(rate: Fraction) -> int | float:
    """Frames per second as JSON has them: whole where they are."""
    return int(rate) if rate.denominator == 1 else float(rate)


def _timestamps(item: DatasetClip) -> Shaped[np.ndarray, "frames"]:
    rate = frame_rate(item.clip.record.fps)
    regular = np.array([float(frame / rate) for frame in range(item.clip.frames)], np.float32)
    own = item.episode.get("timestamp")
    if own is not None and own.dtype == np.float32 and own.shape == regular.shape:
        if np.abs(own.astype(np.float64) - regular).max() < _TIME_TOLERANCE_S / 2:
            return own
    return regular


def _checked(array: np.ndarray, name: str, where: str) -> np.ndarray:
    """The array in the byte order of this machine."""
    if array.dtype.kind == "U" and array.ndim == 1:
        return array
    if array.dtype.newbyteorder("=").name not in _TYPES or array.ndim > 6:
        received = f"{array.dtype} of shape {array.shape}"
        right = "numbers of up to 5 axes per frame, or one text per frame"
        raise BadValueError(f"the array {name}", received, right=right, where=where)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _names(names: Any, array: np.ndarray) -> list[str] | None:
    """Names of a row's elements, where there are as many."""
    count = array.shape[1] if array.ndim == 2 else 1
    return [str(name) for name in names] if isinstance(names, (list, tuple)) and len(names) == count else None
