"""Ambient occlusion from a picture's depth and normals: where corners are dark, and what stands on something touches it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32, UInt8

from ....conditions.cells import cell_middles
from ....conditions.openness import hidden, offsets_around
from .scale import pixels_per_cell

REACHES = (0.15, 1.5)
"""Metres from which nothing hides light any more: contacts, and whole corners."""
_DIRECTIONS, _STEPS = 16, 12
_REACH = 0.5
"""Of the picture's longer side that is followed."""


def occlusion(
    depth: Float[np.ndarray, "frames height width"],
    normals: UInt8[np.ndarray, "frames height width 3"],
    K: Float[np.ndarray, "*frames 3 3"],  # noqa: N803
    *,
    quick: bool = False,
) -> UInt8[np.ndarray, "frames height width 2"]:
    """How much of the hemisphere over each pixel is hidden, 0 to 255, within each of :data:`REACHES`; frames stand alone.

    Where the network sees several pixels as one (``scale``), one of them is looked at, and all have its value.

    Args:
        depth: metres along z, 0 without a surface (which nothing is hidden from).
        normals: camera frame, ``(n + 1) / 2``.
        K: pixels; one, or one per frame.
        quick: as the network sees pictures of ``GenerateOptions.quick``.
    """
    by = pixels_per_cell(*depth.shape[1:], quick=quick)
    every = np.broadcast_to(np.asarray(K, np.float64), (len(depth), 3, 3))
    return np.stack([_of_frame(*frame, by) for frame in zip(depth.astype(np.float32), normals, every, strict=True)])


def _of_frame(
    depth: Float32[np.ndarray, "height width"],
    normals: UInt8[np.ndarray, "height width 3"],
    K: Float[np.ndarray, "3 3"],  # noqa: N803
    by: int,
) -> UInt8[np.ndarray, "height width 2"]:
    height, width = depth.shape
    middle = cell_middles(depth.shape, by)
    fewer = np.array(K)
    fewer[:2] /= by
    fewer[:2, 2] += 0.5 - (by // 2 + 0.5) / by  # the looked-at pixel's center is its cell's
    seen = depth[middle]
    offsets = offsets_around(_DIRECTIONS, _STEPS, max(2.0, _REACH * max(seen.shape)))
    share = hidden(_points(seen, fewer), _unit(normals[middle]) * (seen > 0)[..., None], offsets, REACHES)
    shown = np.round(255 * np.clip(share, 0, 1)).astype(np.uint8)
    return shown.repeat(by, axis=0)[:height].repeat(by, axis=1)[:, :width]


def _unit(normals: UInt8[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "height width 3"]:
    n = normals.astype(np.float32) / 127.5 - 1
    return n / np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-3)


def _points(
    depth: Float32[np.ndarray, "height width"],
    K: Float[np.ndarray, "3 3"],  # noqa: N803
) -> Float[np.ndarray, "height width 3"]:
    """Where pixels' centers lie, camera frame."""
    y, x = np.indices(depth.shape) + 0.5
    rays = np.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1], np.ones(depth.shape)], axis=-1)
    return depth[..., None] * rays
