"""Where in a picture parts can be, by the boxes around them: what need not be looked at."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

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


def parts_in_view(view: View, boxes: Float64[np.ndarray, "parts 8 3"]) -> Int64[np.ndarray, "some"]:
    """The numbers of the parts that a view may show, those in front first.

    Args:
        view: of parts at rest.
        boxes: ``part_boxes`` of its triangles.
    """
    shown = np.flatnonzero(view.shown)
    points, at = _placed(view, boxes, shown)
    depth = points[..., 2]
    sure = np.isfinite(depth).all(axis=1)
    missed = np.isnan(depth).all(axis=1) | (sure & (depth.max(axis=1, initial=-np.inf) < view.near))
    if not (view.lens.bent or view.lens.parallel):
        height, width = view.size
        ahead = sure & (depth.min(axis=1, initial=np.inf) >= view.near)
        low = np.any(np.all(at < -_SPARE_PX, axis=1), axis=1)
        high = np.any(np.all(at > np.array([width, height]) + _SPARE_PX, axis=1), axis=1)
        missed |= ahead & (low | high)
    middle = np.where(sure, depth.sum(axis=1), -np.inf)
    return shown[np.argsort(np.where(missed, np.inf, middle), kind="stable")[: len(shown) - int(missed.sum())]]


def window_of(view: View, boxes: Float64[np.ndarray, "parts 8 3"]) -> tuple[slice, slice]:
    """The rows and columns of a view in which its parts lie; all of them where that cannot be told.

    Args:
        view: of parts at rest.
        boxes: ``part_boxes`` of its triangles.
    """
    height, width = view.size
    points, at = (array.reshape(-1, array.shape[-1]) for array in _placed(view, boxes, np.flatnonzero(view.shown)))
    there = ~np.isnan(points[:, 0])
    points, at = points[there], at[there]
    if not len(points):
        return slice(0, 0), slice(0, 0)
    if view.lens.bent or view.lens.parallel or not (points[:, 2] > view.near).all():
        return slice(0, height), slice(0, width)
    low, high = np.floor(at.min(axis=0)) - _SPARE_PX, np.ceil(at.max(axis=0)) + _SPARE_PX
    (left, top), (right, bottom) = (np.clip(edge, 0, [width, height]).astype(int).tolist() for edge in (low, high))
    return slice(top, bottom), slice(left, right)


def _placed(
    view: View, boxes: Float64[np.ndarray, "parts 8 3"], parts: Int64[np.ndarray, "some"]
) -> tuple[Float64[np.ndarray, "some 8 3"], Float64[np.ndarray, "some 8 2"]]:
    """Corners of boxes in the camera's frame, and in the picture if they are in front of a camera that bends no rays, px."""
    pose = view.camera_from_part[parts]
    points = boxes[parts] @ pose[:, :3, :3].swapaxes(1, 2) + pose[:, None, :3, 3]
    k = view.intrinsics
    z = np.where(points[..., 2] > 0, points[..., 2], np.nan)
    x, y = points[..., 0] / z, points[..., 1] / z
    return points, np.stack([k[0, 0] * x + k[0, 1] * y + k[0, 2], k[1, 1] * y + k[1, 2]], axis=-1)
