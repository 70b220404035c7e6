"""Exposure over time: motion blur and rolling shutter, from one frame and the motion of its pixels."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32, Int64

_MOST_TIMES = 32
_STEP_PX = 1.0
"""What moves fastest moves by so much from one time to the next."""
_STILL_PX = 0.02
_NEARER = 0.97
"""What is nearer than this share of another depth hides it."""


def exposed(
    light: Float32[np.ndarray, "channels height width"],
    motion: Float32[np.ndarray, "height width 2"],
    depth: Float32[np.ndarray, "height width"] | None,
    *,
    exposure: float,
    readout: float,
) -> Float32[np.ndarray, "channels height width"]:
    """What a sensor gathers while its shutter is open, row after row; the middle row's middle is the frame itself.

    At each of several times every pixel is moved along its motion, nearer ones over farther ones. What a thing uncovers is
    filled with the surface beyond it, continued; what comes in over the border, with the border's.

    Args:
        light: linear, at the frame's time.
        motion: (x, y) in pixels from one frame to the next.
        depth: metres, 0 where there is nothing (infinitely far); None: all is equally far.
        exposure: share of the time between frames for which a row gathers light.
        readout: share of that time by which the last row is later than the first.
    """
    speed = np.hypot(motion[..., 0], motion[..., 1])
    fastest = float(speed.max(initial=0))
    if fastest * max(exposure, readout) / 2 < _STILL_PX:
        return light
    height, width = light.shape[1:]
    far = np.full((height, width), np.inf, np.float32) if depth is None else np.where(depth > 0, depth, np.inf)
    layers = _Layers(far.ravel(), np.argsort(-far.ravel(), kind="stable"))
    row_time = (readout * ((np.arange(height, dtype=np.float32) + 0.5) / height - 0.5))[:, None]
    later = 1 - np.float32(readout / height) * motion[..., 1]  # a pixel that moves down is read later: time runs with the row
    count = min(max(1, math.ceil(fastest * exposure / _STEP_PX)), _MOST_TIMES)
    total = np.zeros_like(light)
    for time in ((np.arange(count) + 0.5) / count - 0.5) * exposure:
        ways = motion * ((row_time + np.float32(time)) / np.maximum(later, np.float32(0.2)))[..., None]
        total += _taken(light, layers.sources(ways))
    return total / np.float32(count)


def _taken(
    light: Float32[np.ndarray, "channels height width"], places: Float32[np.ndarray, "2 height width"]
) -> Float32[np.ndarray, "channels height width"]:
    from scipy import ndimage  # half a second, that most commands do not need

    return np.stack([ndimage.map_coordinates(plane, places, order=1, mode="nearest") for plane in light])


class _Layers:
    """The pixels of a frame, from far to near, to be moved over each other."""

    def __init__(self, far: Float32[np.ndarray, " pixels"], order: Int64[np.ndarray, " pixels"]) -> None:
        self._far, self._order = far, order

    def sources(self, ways: Float32[np.ndarray, "height width 2"]) -> Float32[np.ndarray, "2 height width"]:
        """Where in the frame (row, column) every pixel of the moved picture comes from."""
        height, width = ways.shape[:2]
        row, column = np.indices((height, width), np.float32)
        to_row, to_column = (np.rint(at + ways[..., k]).astype(np.int64) for at, k in ((row, 1), (column, 0)))
        inside = ((to_row >= 0) & (to_row < height) & (to_column >= 0) & (to_column < width)).ravel()
        order = self._order[inside[self._order]]
        owner = np.full(height * width, -1)
        owner[(to_row * width + to_column).ravel()[order]] = order  # of several the last one stays: the nearest
        holes = np.flatnonzero(owner < 0)
        self._fill(owner, holes, width)
        flat = ways.reshape(-1, 2)
        source_row = row.ravel() - flat[owner, 1]
        source_column = column.ravel() - flat[owner, 0]
        if len(holes):
            self._uncover(holes, owner, source_row, source_column, (height, width))
        return np.stack([source_row, source_column]).reshape(2, height, width)

    def _fill(self, owner: Int64[np.ndarray, " pixels"], holes: Int64[np.ndarray, " holes"], width: int) -> None:
        """Give holes to their neighbors, ring by ring; of several neighbors the farthest gets it."""
        pixels = len(owner)
        far = np.append(self._far, np.float32(-1))  # the owner -1 has a depth of -1
        while len(holes):
            best = np.full(len(holes), -1)
            column = holes % width
            for step, there in ((-1, column > 0), (1, column < width - 1), (-width, holes >= width), (width, True)):
                at = holes + step
                beside = np.where(there & (at < pixels), owner[np.clip(at, 0, pixels - 1)], -1)
                best = np.where(far[beside] > far[best], beside, best)
            if (best < 0).all():  # nothing at all stayed in the picture
                owner[holes] = holes
                return
            owner[holes] = best
            holes = holes[best < 0]

    def _uncover(
        self,
        holes: Int64[np.ndarray, " holes"],
        owner: Int64[np.ndarray, " pixels"],
        source_row: Float32[np.ndarray, " pixels"],
        source_column: Float32[np.ndarray, " pixels"],
        size: tuple[int, int],
    ) -> None:
        """Where a filled pixel would show what hid it, it shows the owner's own place instead."""
        height, width = size
        row = np.clip(np.rint(source_row[holes]), 0, height - 1).astype(np.int64)
        column = np.clip(np.rint(source_column[holes]), 0, width - 1).astype(np.int64)
        own = owner[holes]
        hidden = self._far[row * width + column] < _NEARER * self._far[own]
        source_row[holes[hidden]] = own[hidden] // width
        source_column[holes[hidden]] = own[hidden] % width
