"""Exposure over time: motion blur and rolling shutter, from one frame and the motion of its pixels."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, Float32, Int64

_MOST_TIMES = 31
_STEP_PX = 1.0
"""What moves fastest moves by so much from one time to the next."""
_STILL_PX = 0.02
_NEARER = 0.97
"""Where neighbors are nearer than this share of each other's depth, there is an edge."""
_PARTS_PX = 0.25
"""Neighbors whose ways differ by more part from each other."""


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
    moved whole, so that the sides do not mix. What a thing uncovers is filled with the surface beyond it, mirrored; what comes
    in over the border, with the border's.

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
    layers = _Layers(far, motion * np.float32(max(exposure, readout) / 2))
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
    """Light at places (row, column), linear in between, held at the border."""
    height, width = light.shape[1:]
    row, column = np.clip(places[0], 0, height - 1).ravel(), np.clip(places[1], 0, width - 1).ravel()
    top, left = row.astype(np.int64), column.astype(np.int64)
    down, across = row - top.astype(np.float32), column - left.astype(np.float32)
    at, below = top * width + left, np.minimum(top + 1, height - 1) * width + left
    step = (left < width - 1).astype(np.int64)
    beside, beyond = at + step, below + step
    out = np.empty((len(light), height * width), np.float32)
    for plane, taken in zip(light.reshape(len(light), -1), out, strict=True):
        upper, lower = plane[at], plane[below]
        upper += across * (plane[beside] - upper)
        lower += across * (plane[beyond] - lower)
        taken[:] = upper + down * (lower - upper)
    return out.reshape(light.shape)


class _Layers:
    """The pixels of a frame, from far to near, to be moved over each other.

    Pixels on the far side of an edge hold some of the near side's color. Where the two sides part, they are not moved: their
    places are filled like those that are uncovered.
    """

    def __init__(self, far: Float32[np.ndarray, "height width"], ways: Float32[np.ndarray, "height width 2"]) -> None:
        """Sort the pixels and find edges.

        Args:
            far: depth, infinite where there is nothing.
            ways: how far pixels move at most.
        """
        from scipy import ndimage  # half a second, that most commands do not need

        lowest, highest = ndimage.minimum_filter(far, 3), ndimage.maximum_filter(far, 3)
        self._edge = (lowest < _NEARER * highest).ravel()
        parts = sum(np.ptp([f(ways[..., k], 3) for f in (ndimage.minimum_filter, ndimage.maximum_filter)], 0) for k in (0, 1))
        mixed = (lowest < _NEARER * far) & (parts > _PARTS_PX)
        self._far = far.ravel()
        order = np.argsort(-self._far, kind="stable")
        self._order = order[~mixed.ravel()[order]]

    def sources(self, ways: Float32[np.ndarray, "height width 2"]) -> Float32[np.ndarray, "2 height width"]:
        """Where in the frame (row, column) every pixel of the moved picture comes from."""
        height, width = ways.shape[:2]
        row, column = np.indices((height, width), np.float32)
        to_row, to_column = (np.floor(at + ways[..., k] + 0.5).astype(np.int64) for at, k in ((row, 1), (column, 0)))
        inside = ((to_row >= 0) & (to_row < height) & (to_column >= 0) & (to_column < width)).ravel()
        order = self._order[inside[self._order]]
        owner = np.full(height * width, -1)
        owner[(to_row * width + to_column).ravel()[order]] = order  # of several the last one stays: the nearest
        self._close(owner.reshape(height, width))
        holes = np.flatnonzero(owner < 0)
        self._fill(owner, holes, width)
        own, way = np.stack([owner // width, owner % width]), ways.reshape(-1, 2)[owner].T[::-1]
        source = np.where(self._edge[owner], own, np.stack([row.ravel(), column.ravel()]) - way).astype(np.float32)
        if len(holes):
            went = np.stack([holes // width, holes % width]) - way[:, holes]
            source[:, holes] = self._beyond(own[:, holes], went, (height, width))
        return source.reshape(2, height, width)

    def _close(self, owner: Int64[np.ndarray, "height width"]) -> None:
        """Close the cracks of a surface that is stretched: both their sides belong to neighbors in the frame."""
        width = owner.shape[1]
        for ahead in (owner, owner.T, owner):  # down, across, and where cracks cross
            before, middle, after = ahead[:-2], ahead[1:-1], ahead[2:]
            row, column = np.nonzero((middle < 0) & (before >= 0) & (after >= 0))
            one, other = before[row, column], after[row, column]
            near = (np.abs(one // width - other // width) <= 2) & (np.abs(one % width - other % width) <= 2)
            low, high = np.minimum(self._far[one], self._far[other]), np.maximum(self._far[one], self._far[other])
            near &= low >= _NEARER * high
            middle[row[near], column[near]] = one[near]

    def _beyond(
        self, own: Int64[np.ndarray, "2 holes"], went: Float[np.ndarray, "2 holes"], size: tuple[int, int]
    ) -> Float[np.ndarray, "2 holes"]:
        """What holes show: the surface of their owner where that goes on, else its mirror image, else the owner itself."""
        last = np.array(size)[:, None] - 1
        out = own.astype(np.float64)
        for places in (2 * own - went, went):  # the better one last
            row, column = np.clip(np.rint(places), 0, last).astype(np.int64)
            at = row * size[1] + column
            good = ~self._edge[at] & (self._far[at] >= _NEARER * self._far[own[0] * size[1] + own[1]])
            out = np.where(good, places, out)
        return out

    def _fill(self, owner: Int64[np.ndarray, " pixels"], holes: Int64[np.ndarray, " holes"], width: int) -> None:
        """Give holes to their neighbors, ring by ring; then as many rings of farther owners take over from nearer ones."""
        pixels = len(owner)
        far = np.append(self._far, np.float32(-1))  # the owner -1 has a depth of -1
        column = holes % width
        sides = ((-1, column > 0), (1, column < width - 1), (-width, holes >= width), (width, holes < pixels - width))
        beside = [np.where(there, holes + step, holes) for step, there in sides]
        rings = after = 0
        while after <= rings:
            best = before = owner[holes]
            for at in beside:
                best = np.where(far[best] < _NEARER * far[owner[at]], owner[at], best)
            if np.array_equal(best, before):
                break
            owner[holes] = best
            rings, after = (rings + 1, after) if (before < 0).any() else (rings, after + 1)
        lost = holes[owner[holes] < 0]  # nothing at all stayed in the picture
        owner[lost] = lost
