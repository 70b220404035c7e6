"""Exposure over time: motion blur and rolling shutter, from one frame and the motion of its pixels."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32, Int64

_MOST_TIMES = 31
_STEP_PX = 1.0
"""What moves fastest moves by so much from one time to the next."""
_STILL_PX = 0.02
_NEARER = 0.97
"""Where neighbors are nearer than this share of each other's depth, there is an edge."""


def exposed(
    light: Float32[np.ndarray, "channels height width"],
    motion: Float32[np.ndarray, "height width 2"],
    depth: Float32[np.ndarray, "height width"] | None,
    *,
    exposure: float,
    readout: float,
) -> Float32[np.ndarray, "channels height width"]:
    """What a sensor gathers while its shutter is open, row after row; the middle row's middle is the frame itself.

    At each of several times every pixel is moved along its motion, nearer ones over farther ones; at edges of depth they are
    moved whole, so that the sides do not mix. What a thing uncovers is filled with the surface beyond it, continued; what
    comes in over the border, with the border's.

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
    layers = _Layers(far)
    row_time = (readout * ((np.arange(height, dtype=np.float32) + 0.5) / height - 0.5))[:, None]
    later = 1 - np.float32(readout / height) * motion[..., 1]  # a pixel that moves down is read later: time runs with the row
    count = min(2 * math.ceil(fastest * exposure / _STEP_PX / 2) + 1, _MOST_TIMES)  # odd: one of them is the frame's own
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
    """The pixels of a frame, from far to near, to be moved over each other.

    ``far`` is depth, infinite where there is nothing.
    """

    def __init__(self, far: Float32[np.ndarray, "height width"]) -> None:
        from scipy import ndimage  # as above

        self._far, self._order = far.ravel(), np.argsort(-far.ravel(), kind="stable")
        lowest, highest = ndimage.minimum_filter(far, 3), ndimage.maximum_filter(far, 3)
        self._edge = (lowest < _NEARER * highest).ravel()

    def sources(self, ways: Float32[np.ndarray, "height width 2"]) -> Float32[np.ndarray, "2 height width"]:
        """Where in the frame (row, column) every pixel of the moved picture comes from."""
        height, width = ways.shape[:2]
        row, column = np.indices((height, width), np.float32)
        to_row, to_column = (np.floor(at + ways[..., k] + 0.5).astype(np.int64) for at, k in ((row, 1), (column, 0)))
        inside = ((to_row >= 0) & (to_row < height) & (to_column >= 0) & (to_column < width)).ravel()
        order = self._order[inside[self._order]]
        owner = np.full(height * width, -1)
        owner[(to_row * width + to_column).ravel()[order]] = order  # of several the last one stays: the nearest
        self._fill(owner, np.flatnonzero(owner < 0), width)
        whole, way = self._edge[owner], ways.reshape(-1, 2)[owner]
        source_row = np.where(whole, owner // width, row.ravel() - way[:, 1])
        source_column = np.where(whole, owner % width, column.ravel() - way[:, 0])
        return np.stack([source_row, source_column]).astype(np.float32).reshape(2, height, width)

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
