"""What a recording says of a camera: intrinsics, lens and size of its pictures, over time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from ....camera.lens import Projection
from .keys import Series

_MOST_PX = 16384
_FISHEYES = ("equidistant", "fisheye", "kannala_brandt")
_PLAIN = ("plumb_bob", "rational_polynomial", "")
_COUNTS = (0, 4, 5, 8, 12)


@dataclass(frozen=True)
class Calibration:
    """A message of a camera, in numbers; matrices are row by row.

    - ``size``: (height, width) of its pictures; ``model`` is what it calls its lens, ``d`` are the coefficients.
    - ``k``: of the picture as it was taken, ``r``, ``p``: of the rectified one.
    """

    size: tuple[int, int]
    model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]

    def projection(self) -> tuple[Projection, tuple[float, ...], str | None]:
        """The projection and the coefficients that ``Lens`` has for the model, and why it has none for it."""
        d = self.d
        while d and self.model not in _FISHEYES and d[-1] == 0:
            d = d[:-1]
        if not any(d) and self.model not in _FISHEYES:
            return "perspective", (), None
        if self.model in _FISHEYES:
            good = len(d) >= 4 and not any(d[4:])
            return "fisheye", d[:4] if good else (0.0,) * 4, None if good or not any(d) else f"{len(d)} coefficients"
        if self.model not in _PLAIN:
            return "perspective", (), f"the model {self.model[:40]!r}"
        count = next((count for count in _COUNTS if count >= len(d)), None)
        if count is None:
            return "perspective", (), f"{len(d)} coefficients"
        return "perspective", (*d, *(0.0,) * (count - len(d))), None

    @property
    def flaw(self) -> str | None:
        """Why there can be no camera of these numbers; ``None``: there can."""
        if not all(1 <= side <= _MOST_PX for side in self.size):
            return f"its pictures are {self.size[1]} by {self.size[0]} pixels"
        if not np.isfinite([*self.d, *self.k, *self.r, *self.p]).all():
            return "its calibration is not finite"
        if len(self.k) != 9 or len(self.p) != 12:
            return "its calibration is incomplete"
        good = self.k[0] > 0 and self.k[4] > 0 or self.p[0] > 0 and self.p[5] > 0
        return None if good else "it is not calibrated (K is 0)"

    def intrinsics(self, *, rectified: bool) -> Float[np.ndarray, "3 3"]:
        """Of the picture as it was taken (of the rectified one where K is 0), or of the rectified one."""
        k, p = np.reshape(self.k, (3, 3)), np.reshape(self.p, (3, 4))[:, :3]
        return p if (rectified or not k[0, 0] > 0) and p[0, 0] > 0 else k

    def rotation(self) -> Float[np.ndarray, "3 3"]:
        """Axes of the rectified camera from those of the camera as it is."""
        r = np.reshape(self.r, (3, 3)) if len(self.r) == 9 else np.zeros((3, 3))
        return r if np.abs(r @ r.T - np.eye(3)).max() < 1e-3 else np.eye(3)


@dataclass(eq=False)
class CameraLog:
    """All that was said of a camera: its frame, calibrations, and the number of the one that counts at a time."""

    frame: str
    calibrations: list[Calibration] = field(default_factory=list)
    numbers: Series = field(default_factory=Series)

    def add(self, time_ns: int, found: Calibration) -> None:
        """Append what a message says."""
        if found not in self.calibrations[-1:]:
            self.calibrations.append(found)
        self.numbers.add(time_ns, [float(len(self.calibrations) - 1)])


def calibration_of(message: Any) -> Calibration:
    """What a message of ROS (1 or 2) or of Foxglove says, at the binning and in the region that it was taken with."""

    def numbers(name: str) -> tuple[float, ...]:
        """K, D, R and P, which ROS 2 spells small."""
        values = getattr(message, name, None)
        return tuple(float(v) for v in (getattr(message, name.upper(), ()) if values is None else values))

    k, p = np.array(numbers("k"), np.float64), np.array(numbers("p"), np.float64)
    size = np.array([int(message.height), int(message.width)])
    roi = getattr(message, "roi", None)
    if roi is not None and roi.width and roi.height:
        for matrix, places in ((k, (2, 5)), (p, (2, 6))):
            if len(matrix) > max(places):
                matrix[list(places)] -= (roi.x_offset, roi.y_offset)
        size = np.array([int(roi.height), int(roi.width)])
    binning = np.maximum([int(getattr(message, "binning_y", 0)), int(getattr(message, "binning_x", 0))], 1)
    for matrix, row in ((k, 3), (p, 4)):
        if len(matrix) == 3 * row:
            matrix[:row] /= binning[1]
            matrix[row : 2 * row] /= binning[0]
    height, width = (size // binning).tolist()
    return Calibration(
        (height, width), str(message.distortion_model), numbers("d"), tuple(k.tolist()), numbers("r"), tuple(p.tolist())
    )
