"""How much of the hemisphere over places in a picture is hidden by others in it (horizon-based ambient occlusion).

Directions are followed outward in the picture, and the highest that something stands there over the surface hides what lies
below it, weighted by the cosine (Bavoil, Sainz and Dimitrov 2008, "Image-space horizon-based ambient occlusion"). What is out
of the picture hides nothing.
"""

from __future__ import annotations

import functools

import numpy as np
import warp as wp
from jaxtyping import Float, Float32, Int

from ..devices import as_warp, launch, load
from ..native_code import LANES
from . import openness_kernels


@functools.cache
def offsets_around(directions: int, steps: int, farthest: float) -> Int[np.ndarray, "directions steps 2"]:
    """Columns and rows to the places that are looked at, evenly around and ever farther apart, from 1 to ``farthest``."""
    angles = 2 * np.pi * (np.arange(directions) + 0.5) / directions
    around = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return np.round(np.geomspace(1, farthest, steps)[None, :, None] * around[:, None]).astype(np.int32)


def hidden(
    points: Float[np.ndarray, "height width 3"],
    normals: Float32[np.ndarray, "height width 3"],
    offsets: Int[np.ndarray, "directions steps 2"],
    reaches: tuple[float, float],
) -> Float32[np.ndarray, "height width 2"]:
    """The share of the hemisphere over each place that is hidden, 0 to 1, by what lies within either reach.

    Args:
        points: metres, in any frame.
        normals: unit, in the same; 0 without a surface.
        offsets: of ``offsets_around``.
        reaches: metres from which on nothing hides anything.
    """
    load(openness_kernels, "cpu")
    height, width = points.shape[:2]
    margin = int(np.abs(offsets[..., 0]).max(initial=0))
    places, upward = (np.zeros((planes, height, width + 2 * margin + LANES - 1), np.float32) for planes in (4, 3))
    inner = slice(margin, margin + width)
    places[:3, :, inner], upward[:, :, inner] = np.moveaxis(points, -1, 0), np.moveaxis(normals, -1, 0)
    places[3, :, inner] = np.square(normals).sum(axis=-1) > 0.5
    out = np.zeros((height, width, 2), np.float32)
    inputs = [as_warp(places), as_warp(upward), margin, as_warp(offsets, wp.vec2i), wp.vec2(*reaches), as_warp(out, wp.vec2)]
    launch(openness_kernels.hidden_kernel, height, inputs, "cpu")
    return out


def hidden_reference(
    points: Float[np.ndarray, "height width 3"],
    normals: Float[np.ndarray, "height width 3"],
    offsets: Int[np.ndarray, "directions steps 2"],
    reaches: tuple[float, float],
) -> Float[np.ndarray, "height width 2"]:
    """What ``openness_kernels.hidden_kernel`` computes, in numpy."""
    (height, width), (rows, columns) = points.shape[:2], np.indices(points.shape[:2])
    solid, total = (normals * normals).sum(axis=-1) > 0.5, np.zeros((height, width, 2))
    for direction in offsets:
        highest = np.zeros((height, width, 2))
        for x, y in direction:
            i, j = rows + y, columns + x
            inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
            there = np.where(inside, i, 0), np.where(inside, j, 0)
            way = points[there] - points
            square, high = np.maximum((way * way).sum(-1), 1e-30), (way * normals).sum(-1)
            share = np.where(inside & solid[there] & (high > 0), high * high / square, 0)
            highest = np.maximum(highest, share[..., None] * (1 - square[..., None] / np.square(reaches)))
        total += highest
    return np.where(solid[..., None], total / len(offsets), 0)
