"""Cameras that a foreign renderer cannot have, put together from pictures of cameras that it can.

A lens' picture is gathered from one pinhole, or from the sides of a cube where it looks far to the side. They are drawn
finer than the picture; every one of their pixels is a bundle of rays, and counts for the pixel to which the lens brings it.
So the picture is the lens' own, not a pinhole's that is bent afterwards, and places are exact to a fraction of a pixel.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from ...camera import px_from_camera, ray_from_px
from ...camera.lens import Lens
from ...camera.view import Camera
from ...errors import BadValueError

_WIDEST = 1.6
"""Slope of the rays up to which one pinhole serves; beyond, its pixels would be large in the middle or too many at the rim."""
_SIDES = (np.eye(3), *(np.array(m, float) for m in (
    [[0, 0, 1], [0, 1, 0], [-1, 0, 0]],
    [[0, 0, -1], [0, 1, 0], [1, 0, 0]],
    [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
    [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
)))  # fmt: skip
"""Axes of a cube's sides (columns) that look forward, right, left, down and up, in the camera's."""
_MOST_PIXELS = 1 << 26


@dataclass(frozen=True, eq=False)
class Pinhole:
    """One of the cameras that are drawn, and where its pixels belong.

    - ``axes``: its own in the camera's, as columns; ``intrinsics`` and ``size``: with square pixels; ``parallel``: rays are.
    - ``pixel``: the picture's pixel (row-major) that each of its own belongs to, -1 for none; ``weight``: how much it counts,
      in pixels of the picture.
    """

    axes: Float[np.ndarray, "3 3"]
    intrinsics: Float[np.ndarray, "3 3"]
    size: tuple[int, int]
    parallel: bool
    pixel: Int[np.ndarray, "fine_height fine_width"]
    weight: Float[np.ndarray, "fine_height fine_width"]

    def camera(self, camera: Camera, frame: int) -> Camera:
        """It, in the place of a camera at a frame."""
        turned = np.eye(4)
        turned[:3, :3] = self.axes
        count = len(camera.world_from_camera)
        return replace(
            camera,
            size=self.size,
            intrinsics=np.broadcast_to(self.intrinsics, (count, 3, 3)),
            world_from_camera=np.broadcast_to(camera.world_from_camera[frame] @ turned, (count, 4, 4)),
            distortion=None,
            projection="orthographic" if self.parallel else "perspective",
        )


def gathered(
    camera: Camera,
    frame: int,
    drawn: Callable[[Camera], Float[np.ndarray, "fine_height fine_width channels"]],
    *,
    finer: int = 3,
) -> Float[np.ndarray, "height width channels"]:
    """A camera's picture from pictures of pinholes.

    Args:
        camera: of any kind.
        frame: of the scene.
        drawn: draws what a pinhole (or an orthographic camera) with square pixels sees then: values that may be averaged.
        finer: how many of its pixels lie across the smallest one of the picture, at least.

    Raises:
        BadValueError: it would take too many pixels.
    """
    height, width = camera.size
    parts = pinholes(np.ascontiguousarray(camera.intrinsics[frame], np.float64).tobytes(), camera.lens, camera.size, finer)
    total: np.ndarray | float = 0.0
    weights = np.zeros(height * width)
    for part in parts:
        values = drawn(part.camera(camera, frame))
        inside = part.pixel >= 0
        pixel, weight = part.pixel[inside], part.weight[inside]
        weights += np.bincount(pixel, weight, height * width)
        channels = [np.bincount(pixel, weight * values[..., c][inside], height * width) for c in range(values.shape[-1])]
        total = total + np.stack(channels, axis=-1)
    return (total / np.maximum(weights, 1e-12)[:, None]).reshape(height, width, -1)


@functools.lru_cache(maxsize=8)
def pinholes(intrinsics: bytes, lens: Lens, size: tuple[int, int], finer: int) -> tuple[Pinhole, ...]:
    """The pinholes that a picture is gathered from; kept for the next frame.

    Args:
        intrinsics: the bytes of a 3x3 float64 matrix.
        lens: of the camera.
        size: (height, width) of the picture.
        finer: how many of their pixels lie across the smallest one of the picture, at least.

    Raises:
        BadValueError: it would take too many pixels.
    """
    k = np.frombuffer(intrinsics).reshape(3, 3)
    y, x = np.meshgrid(np.arange(size[0] + 1.0), np.arange(size[1] + 1.0), indexing="ij")
    rays = ray_from_px(np.stack([x, y], axis=-1), k, lens)
    if lens.parallel or np.abs(rays).max() <= _WIDEST:
        return (_pinhole(_SIDES[0], rays, k, lens, size, finer),)
    toward = np.concatenate([rays, np.ones_like(rays[..., :1])], axis=-1)
    parts = []
    for axes in _SIDES:
        own = toward @ axes
        ahead = own[..., 2] > 0
        slopes = np.where(ahead[..., None], own[..., :2] / np.where(ahead, own[..., 2], 1)[..., None], np.nan)
        slopes[~(np.abs(slopes) <= 1.2).all(axis=-1)] = np.nan  # a little beyond the side's own, which ends within a pixel
        if np.isfinite(slopes).any():
            parts.append(_pinhole(axes, slopes, k, lens, size, finer, whole=False))
    return tuple(parts)


def _pinhole(
    axes: np.ndarray, rays: np.ndarray, k: np.ndarray, lens: Lens, size: tuple[int, int], finer: int, *, whole: bool = True
) -> Pinhole:
    """One that covers rays (its own axes, not a number where it need not see), ``finer`` than they lie apart."""
    steps = [np.linalg.norm(np.diff(rays, axis=axis), axis=-1) for axis in (0, 1)]
    apart = min(float(np.nanmin(step)) for step in steps if np.isfinite(step).any())
    low, high = np.nanmin(rays, axis=(0, 1)), np.nanmax(rays, axis=(0, 1))
    if not whole:
        low, high = np.maximum(low, -1), np.minimum(high, 1)
    focal = finer / apart
    columns, rows = (max(int(np.ceil(n)), 1) for n in (high - low) * focal)
    if rows * columns > _MOST_PIXELS:
        received = f"one that takes {rows}x{columns} px to draw as a pinhole"
        raise BadValueError("the lens", received, right="less wide", fix="pass a smaller --size, or --rgb ours")
    y, x = np.meshgrid(np.arange(rows + 1.0), np.arange(columns + 1.0), indexing="ij")
    at = np.stack([x, y], axis=-1) / focal + low
    corners = _in_picture(at, axes, k, lens)
    middles = _in_picture((at[:-1, :-1] + at[1:, 1:]) / 2, axes, k, lens)
    one, two = corners[1:, 1:] - corners[:-1, :-1], corners[:-1, 1:] - corners[1:, :-1]
    weight = np.abs(one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0]) / 2
    inside = np.isfinite(middles).all(axis=-1) & np.isfinite(weight)
    inside &= (np.nan_to_num(middles, nan=-1) >= 0).all(axis=-1) & (middles < [size[1], size[0]]).all(axis=-1)
    if not whole:  # the cube's sides meet where a ray has two equal coordinates
        inside &= (np.abs((at[:-1, :-1] + at[1:, 1:]) / 2) <= 1).all(axis=-1)
    place = np.floor(np.where(inside[..., None], middles, 0)).astype(np.int64)
    return Pinhole(
        axes,
        np.array([[focal, 0, -low[0] * focal], [0, focal, -low[1] * focal], [0, 0, 1.0]]),
        (rows, columns),
        lens.parallel,
        np.where(inside, place[..., 1] * size[1] + place[..., 0], -1),
        np.where(inside, weight, 0),
    )


def _in_picture(rays: np.ndarray, axes: np.ndarray, k: np.ndarray, lens: Lens) -> Float[np.ndarray, "rows columns 2"]:
    """Where the picture shows rays of a pinhole, px; not a number where it does not."""
    return px_from_camera(np.concatenate([rays, np.ones_like(rays[..., :1])], axis=-1) @ axes.T, k, lens)
