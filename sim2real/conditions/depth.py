"""Metric depth, and the control video made from it: inverse depth in one fixed range, near bright, background black."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, UInt8

from ..errors import BadValueError
from ..raster import Fragments, Rasterizer, view_of
from ..scene import Camera, Scene

_TAIL = 0.02  # of a frame's pixels at each end that its range leaves out
_FRAME_TAIL = 0.1  # of the frames at each end that the clip's range leaves out


def metric_depth(fragments: Fragments) -> Float32[np.ndarray, "height width"]:
    """Metres along the camera's z; 0 where there is no surface."""
    return fragments.depth.detach().cpu().numpy()


@dataclass(frozen=True)
class DepthRange:
    """What the control video shows: ``near`` metres is white, ``far`` metres almost black."""

    near: float
    far: float

    def __post_init__(self) -> None:
        """Refuse a range without extent."""
        if not 0 < self.near < self.far < float("inf"):
            raise BadValueError("the depth range", f"[{self.near}, {self.far}]", right="0 < near < far, in metres")

    def as_list(self) -> list[float]:
        """``[near, far]``, for ``depth_range_m`` of a clip's record."""
        return [self.near, self.far]


def control_depth(
    depth: Float[np.ndarray, "*frames height width"], depth_range: DepthRange
) -> UInt8[np.ndarray, "*frames height width"]:
    """Inverse depth as gray: 255 at ``near`` and before, 1 at ``far`` and beyond, 0 only where there is no surface.

    Inverse depth is what monocular estimators (and the models trained with them) call depth; equal steps of gray are equal
    steps of parallax.

    Args:
        depth: metres, 0 = no surface.
        depth_range: the clip's range; one for all frames, or the video would pump.
    """
    depth = np.asarray(depth, np.float32)
    surface = depth > 0
    near, far = np.float32(1 / depth_range.near), np.float32(1 / depth_range.far)
    share = np.divide(np.float32(1), depth, out=np.zeros_like(depth), where=surface)
    share = np.clip((share - far) / (near - far), 0, 1)
    return np.where(surface, np.rint(1 + 254 * share), 0).astype(np.uint8)


class DepthRangeEstimate:
    """Collects a clip's range frame by frame, in any order and from any thread, in a few bytes per frame.

    - A frame contributes its 2nd and 98th percentile: specks do not count.
    - A camera spans the 10th percentile of the former to the 90th of the latter over its frames: a moment in which something
      passes close by does not darken the rest of the clip.
    - The clip reaches from the median of its cameras' nears to the largest of their fars: a camera on a hand, which looks at
      its own fingers, would leave only black for the others. Depths outside the range saturate.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ranges: dict[str, list[tuple[float, float]]] = {}

    def add(self, depth: Float[np.ndarray, "height width"], camera: str = "") -> None:
        """Take one frame's metric depth into account; a frame without surfaces changes nothing."""
        seen = depth[::2, ::2] if depth.size > 100_000 else depth
        seen = seen[seen > 0]
        if not len(seen):
            return
        low, high = (round(q * (len(seen) - 1)) for q in (_TAIL, 1 - _TAIL))
        ordered = np.partition(seen, (low, high))
        with self._lock:
            self._ranges.setdefault(camera, []).append((float(ordered[low]), float(ordered[high])))

    def result(self) -> DepthRange:
        """The range so far; [0.1, 10] metres where nothing was seen, and never thinner than 5 %."""
        with self._lock:
            cameras = [np.array(ranges) for ranges in self._ranges.values()]
        if not cameras:
            return DepthRange(0.1, 10.0)
        near = float(np.median([np.quantile(ranges[:, 0], _FRAME_TAIL) for ranges in cameras]))
        far = float(np.max([np.quantile(ranges[:, 1], 1 - _FRAME_TAIL) for ranges in cameras]))
        return DepthRange(near, max(far, near * 1.05))


def estimate_depth_range(
    scene: Scene, rasterizer: Rasterizer, cameras: Sequence[Camera], *, frames: int = 12, rows: int = 60
) -> DepthRange:
    """The clip's range from a few small pictures, before anything is rendered, so that frames may stream to disk.

    Args:
        scene: the rollout.
        rasterizer: of the scene's triangles.
        cameras: all cameras of the clip; they share one range.
        frames: at most this many frames, evenly spread, are looked at per camera.
        rows: height of the small pictures, px.
    """
    estimate = DepthRangeEstimate()
    for camera in cameras:
        height, width = camera.size
        small = camera.resized((rows, max(1, round(rows * width / height))))
        for frame in np.unique(np.linspace(0, scene.frames - 1, min(frames, scene.frames)).round().astype(int)):
            seen = rasterizer.fragments(view_of(scene, small, int(frame)))
            estimate.add(metric_depth(seen), camera.name)
    return estimate.result()
