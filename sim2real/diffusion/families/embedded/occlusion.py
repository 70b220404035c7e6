"""Ambient occlusion from a picture's depth and normals: where corners are dark, and what stands on something touches it.

Directions are followed outward in the picture, and the highest that something stands there over the surface hides what lies
below it, weighted by the cosine (Bavoil, Sainz and Dimitrov 2008, "Image-space horizon-based ambient occlusion"). What is out
of the picture hides nothing.
"""

from __future__ import annotations

import numpy as np
import warp as wp
from jaxtyping import Float, Float32, Int, UInt8

from ....conditions.cells import cell_middles
from ....devices import as_warp, launch, load
from . import occlusion_kernels
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
) -> UInt8[np.ndarray, "frames height width 2"]:
    """How much of the hemisphere over each pixel is hidden, 0 to 255, within each of :data:`REACHES`; frames stand alone.

    Where the network sees several pixels as one (``scale``), one of them is looked at, and all have its value.

    Args:
        depth: metres along z, 0 without a surface (which nothing is hidden from).
        normals: camera frame, ``(n + 1) / 2``.
        K: pixels; one, or one per frame.
    """
    load(occlusion_kernels, "cpu")
    every = np.broadcast_to(np.asarray(K, np.float64), (len(depth), 3, 3))
    return np.stack([_of_frame(*frame) for frame in zip(depth.astype(np.float32), normals, every, strict=True)])


def _of_frame(
    depth: Float32[np.ndarray, "height width"],
    normals: UInt8[np.ndarray, "height width 3"],
    K: Float[np.ndarray, "3 3"],  # noqa: N803
) -> UInt8[np.ndarray, "height width 2"]:
    height, width = depth.shape
    by = pixels_per_cell(height, width)
    middle = cell_middles(depth.shape, by)
    fewer = np.array(K)
    fewer[:2] /= by
    fewer[:2, 2] += 0.5 - (by // 2 + 0.5) / by  # the looked-at pixel's center is its cell's
    hidden = _hidden(depth[middle], _unit(normals[middle]), fewer)
    shown = np.round(255 * np.clip(hidden, 0, 1)).astype(np.uint8)
    return shown.repeat(by, axis=0)[:height].repeat(by, axis=1)[:, :width]


def _unit(normals: UInt8[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "height width 3"]:
    n = normals.astype(np.float32) / 127.5 - 1
    return n / np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-3)


def _offsets(shape: tuple[int, ...]) -> Int[np.ndarray, "directions steps 2"]:
    """Pixels (x, y) that are looked at, evenly around and ever farther apart."""
    angles = 2 * np.pi * (np.arange(_DIRECTIONS) + 0.5) / _DIRECTIONS
    lengths = np.geomspace(1, max(2, _REACH * max(shape)), _STEPS)
    around = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return np.round(lengths[None, :, None] * around[:, None]).astype(np.int32)


def _hidden(
    depth: Float32[np.ndarray, "height width"],
    normals: Float32[np.ndarray, "height width 3"],
    K: Float[np.ndarray, "3 3"],  # noqa: N803
) -> Float32[np.ndarray, "height width 2"]:
    out = np.zeros((2, *depth.shape), np.float32)
    arrays = [as_warp(depth, wp.float32), as_warp(normals, wp.vec3)]
    lens = [wp.vec2(K[0, 0], K[1, 1]), wp.vec2(K[0, 2], K[1, 2])]
    offsets = as_warp(_offsets(depth.shape), wp.vec2i)
    target = as_warp(out, wp.float32)
    launch(occlusion_kernels.occlusion_kernel, depth.shape, [*arrays, *lens, offsets, wp.vec2(*REACHES), target], "cpu")
    return np.moveaxis(out, 0, -1)


def occlusion_reference(
    depth: Float32[np.ndarray, "height width"],
    normals: Float32[np.ndarray, "height width 3"],
    K: Float[np.ndarray, "3 3"],  # noqa: N803
) -> Float[np.ndarray, "height width 2"]:
    """What ``occlusion_kernels.occlusion_kernel`` computes, in numpy."""
    points = _points(depth, K)
    rows, columns = np.indices(depth.shape)
    total = np.zeros((*depth.shape, 2))
    for direction in _offsets(depth.shape):
        highest = np.zeros((*depth.shape, 2))
        for x, y in direction:
            i, j = rows + y, columns + x
            inside = (i >= 0) & (i < depth.shape[0]) & (j >= 0) & (j < depth.shape[1])
            i, j = np.where(inside, i, 0), np.where(inside, j, 0)
            way = points[i, j] - points
            square, high = np.maximum((way * way).sum(-1), 1e-30), (way * normals).sum(-1)
            share = np.where(inside & (depth[i, j] > 0) & (high > 0), high * high / square, 0)
            highest = np.maximum(highest, share[..., None] * (1 - square[..., None] / np.square(REACHES)))
        total += highest
    return np.where(depth[..., None] > 0, total / _DIRECTIONS, 0)


def _points(
    depth: Float32[np.ndarray, "height width"],
    K: Float[np.ndarray, "3 3"],  # noqa: N803
) -> Float[np.ndarray, "height width 3"]:
    """Where pixels' centers lie, camera frame."""
    y, x = np.indices(depth.shape) + 0.5
    rays = np.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1], np.ones(depth.shape)], axis=-1)
    return depth[..., None] * rays
