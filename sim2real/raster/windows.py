"""Where in a picture parts can be, by the boxes around them: what need not be looked at."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from ..camera.view import View
from ..scene import Triangles

_SPARE_PX = 2


def part_boxes(triangles: Triangles) -> Float64[np.ndarray, "parts 8 3"]:
    """The corners of the box around every part at rest, in its mesh frame; not a number where a part has no vertices."""
    count = len(triangles.part_instance)
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    starts = np.flatnonzero(np.diff(triangles.vertex_part, prepend=-1))
    if len(starts):
        part = triangles.vertex_part[starts]
        finite = np.where(np.isfinite(triangles.vertices).all(axis=1, keepdims=True), triangles.vertices, np.nan)
        low[part] = np.fmin.reduceat(finite, starts, axis=0)
        high[part] = np.fmax.reduceat(finite, starts, axis=0)
    low, high = np.where(low <= high, low, np.nan), np.where(low <= high, high, np.nan)
    pick = np.indices((2, 2, 2)).reshape(3, 8).T.astype(bool)
    return np.where(pick, high[:, None], low[:, None])


def window_of(view: View, boxes: Float64[np.ndarray, "parts 8 3"]) -> tuple[slice, slice]:
    """The rows and columns of a view in which its parts lie; all of them where that cannot be told.

    Args:
        view: of parts at rest.
        boxes: ``part_boxes`` of its triangles.
    """
    height, width = view.size
    everything = slice(0, height), slice(0, width)
    pose = view.camera_from_part[view.shown]
    points = (boxes[view.shown] @ pose[:, :3, :3].swapaxes(1, 2) + pose[:, None, :3, 3]).reshape(-1, 3)
    points = points[~np.isnan(points[:, 0])]
    if not len(points):
        return slice(0, 0), slice(0, 0)
    if view.lens.bent or view.lens.parallel or not (points[:, 2] > view.near).all():
        return everything
    at = points @ view.intrinsics.T
    at = at[:, :2] / at[:, 2:]
    low, high = np.floor(at.min(axis=0)) - _SPARE_PX, np.ceil(at.max(axis=0)) + _SPARE_PX
    (left, top), (right, bottom) = (np.clip(edge, 0, [width, height]).astype(int).tolist() for edge in (low, high))
    return slice(top, bottom), slice(left, right)
