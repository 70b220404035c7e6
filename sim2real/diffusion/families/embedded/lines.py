"""Lines that are thinner than a few pixels: grooves, rounded edges, cracks.

Pixels' centers meet them by chance, so that they would be rows of beads, and in a video the beads would run along them. What a
camera sees of a line changes little along it: where surfaces meet, and the picture is beaded, it is averaged along the border.
"""

from __future__ import annotations

import numpy as np
import warp as wp
from jaxtyping import Float, Float32, UInt8
from scipy import ndimage
from torch import Tensor

from ....devices import as_warp, device_of, launch, load, row_threads
from . import line_kernels
from .scale import pixels_per_cell

_TURNED = 0.95
"""Cosine between normals of one surface."""
_STEP = 0.02
"""How far inverse depth is off a plane from one pixel to the next, as a part of it, where one surface is before another."""
_MOST = 0.3
"""Change of the logarithm of depth per pixel that counts for a line's direction, at most."""
_FARTHEST = 1e-3
"""Inverse depth, 1/m, from which on all is as far."""
_BLUR_PX, _AROUND_PX, _ALONG_PX = 1.5, 2.0, 2.5
"""Standard deviations: of what pictures are blurred by before a line's direction is looked for, so that dashes join; of where
it is looked for; and of what is averaged along it."""
_LEAST, _SURE = 0.5, 0.75
"""How much more pictures change across a line than along it, of both: where nothing, and all, is averaged."""
_TURNS, _RANGE = (2.1, 3.2), (0.01, 0.03)
"""From where to where rows of beads are averaged: how far values go up and down along them, as a part of their range (1 for a
slope, 2 for a spot), and that range."""
_GAP_PX = 4
"""In each direction, between pixels whose centers meet a line: those that miss it belong to it, too."""


def lines(
    ids: np.ndarray, depth: Float[np.ndarray, "frames height width"], normals: UInt8[np.ndarray, "frames height width 3"]
) -> Float32[np.ndarray, "frames 2 height width"]:
    """Which way borders between surfaces run: (x, y), as long as that is sure, from 0 to 1; 0 away from borders.

    From the structure tensor (Foerstner and Guelch 1987) of normals, instances and inverse depth.

    Args:
        ids: of instances (frames, height, width).
        depth: metres along z, 0 without a surface.
        normals: camera frame, ``(n + 1) / 2``.
    """
    load(line_kernels, "cpu")
    out = np.zeros((len(ids), 2, *ids.shape[1:]), np.float32)
    tensors, borders = np.zeros((*ids.shape[1:], 3), np.float32), np.zeros(ids.shape[1:], np.uint8)
    blur, slope, around = (as_warp(taps) for taps in (_bell(_BLUR_PX), _slope(_BLUR_PX), _bell(_AROUND_PX)))
    for frame, ways in enumerate(out):
        inverse = _inverse(depth[frame])
        shapes = line_kernels.Shapes()
        shapes.normals, shapes.ids = as_warp(normals[frame]), as_warp(ids[frame].astype(np.int32))
        shapes.inverse, shapes.far = as_warp(inverse), as_warp(np.log(np.maximum(inverse, _FARTHEST)))
        shapes.turned, shapes.step, shapes.most, shapes.weights, shapes.slopes = _TURNED, _STEP, _MOST, blur, slope
        launch(line_kernels.borders_kernel, len(inverse), [shapes, as_warp(borders)], "cpu")
        found = np.argwhere(borders).astype(np.int32)
        if not len(found):
            continue
        tensors[:] = 0
        places, of_places = as_warp(found, wp.vec2i), as_warp(tensors, wp.vec3)
        launch(line_kernels.turns_kernel, len(found), [shapes, places, of_places], "cpu")
        inputs = [of_places, places, around, _LEAST, _SURE, as_warp(ways)]
        launch(line_kernels.along_kernel, len(found), inputs, "cpu")
        launch(line_kernels.gaps_kernel, 1, [as_warp(borders), places, _GAP_PX, as_warp(ways)], "cpu")
    return out


def lines_if_beaded(
    ids: np.ndarray, depth: Float[np.ndarray, "frames height width"], normals: UInt8[np.ndarray, "frames height width 3"]
) -> Float32[np.ndarray, "frames 2 height width"] | None:
    """``lines`` of pictures in which the network sees several pixels as one; else ``None``: it sees beads, and evens them."""
    return None if pixels_per_cell(*ids.shape[1:]) == 1 else lines(ids, depth, normals)


def averaged(
    pictures: Float32[Tensor, "n 3 height width"], along: Float32[Tensor, "n 2 height width"]
) -> Float32[Tensor, "n 3 height width"]:
    """Pictures (0 to 1) averaged along lines, in linear light.

    Args:
        pictures: of some frames.
        along: of ``lines``, on the same device.
    """
    device = device_of(pictures)
    load(line_kernels, device)
    pictures = pictures.contiguous()
    out = pictures.clone()
    beads = line_kernels.Beads()
    beads.weights = as_warp(pictures.new_tensor(_bell(_ALONG_PX)))
    (beads.once, beads.often), (beads.faint, beads.strong) = _TURNS, _RANGE
    shape, run = row_threads((pictures.shape[2], pictures.shape[3]), device)
    for picture, ways, into in zip(pictures, along.contiguous(), out, strict=True):
        launch(line_kernels.means_kernel, shape, [as_warp(picture), as_warp(ways), beads, run, as_warp(into)], device)
    return out


def lines_reference(
    ids: np.ndarray, depth: Float[np.ndarray, "height width"], normals: UInt8[np.ndarray, "height width 3"]
) -> Float[np.ndarray, "2 height width"]:
    """What ``line_kernels`` find in one frame, in scipy."""
    inverse, n = _inverse(depth).astype(np.float64), normals / 127.5 - 1
    labels = np.modf((ids % 4096)[..., None] * [0.618034, 0.754878])[0]
    features = np.concatenate([n, labels, np.log(np.maximum(inverse, _FARTHEST))[..., None]], axis=-1)
    blurred = [ndimage.correlate1d(features, _bell(_BLUR_PX), axis=axis, mode="nearest") for axis in (1, 0)]
    down, right = (ndimage.correlate1d(blurred[k], _slope(_BLUR_PX), axis=k, mode="nearest") for k in (0, 1))
    less = np.minimum(1, _MOST / np.maximum(np.hypot(down[..., -1], right[..., -1]), 1e-6))
    down[..., -1] *= less
    right[..., -1] *= less
    border = _borders_reference(ids, inverse, n)
    tensors = np.stack([(down * down).sum(-1), (down * right).sum(-1), (right * right).sum(-1)]) * border
    for axis in (1, 2):
        tensors = ndimage.correlate1d(tensors, _bell(_AROUND_PX), axis=axis, mode="constant")
    across = 0.5 * np.arctan2(2 * tensors[1], tensors[2] - tensors[0])
    apart = np.sqrt((tensors[0] - tensors[2]) ** 2 + 4 * tensors[1] ** 2) / np.maximum(tensors[0] + tensors[2], 1e-9)
    out = border * np.clip((apart - _LEAST) / (_SURE - _LEAST), 0, 1) * np.stack([-np.sin(across), np.cos(across)])
    _fill_gaps_reference(out, border)
    return out


def _borders_reference(ids: np.ndarray, inverse: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Pixels whose surface does not go on above, below, on the left and on the right."""
    border = np.zeros(ids.shape, np.bool_)
    for axis in (0, 1):
        one, other = (tuple(slice(*k) if a == axis else slice(None) for a in (0, 1)) for k in ((None, -1), (1, None)))
        parts = (ids[one] != ids[other]) | (((n[one] * n[other]).sum(-1) < _TURNED) & (n[one] != n[other]).any(-1))
        border[one] |= parts
        border[other] |= parts
        here = np.moveaxis(inverse, axis, 0)
        np.moveaxis(border, axis, 0)[1:-1] |= np.abs(here[:-2] + here[2:] - 2 * here[1:-1]) > _STEP * here[1:-1]
    return border


def _fill_gaps_reference(ways: np.ndarray, border: np.ndarray) -> None:
    for y, x in np.argwhere(border):
        way = ways[:, y, x].copy()
        for to in (way, -way) if way.any() else ():
            steps = np.arange(1, _GAP_PX + 2)[:, None] * (to / np.hypot(*to))[::-1]
            at = np.floor((y, x) + steps + 0.5).astype(int)
            inside = ((at >= 0) & (at < border.shape)).all(axis=1)
            ends = inside & border[tuple(np.where(inside[:, None], at, 0).T)]
            for p in at[: ends.argmax()] if ends.any() else ():
                if not ways[:, p[0], p[1]].any():
                    ways[:, p[0], p[1]] = way


def averaged_reference(
    picture: Float[np.ndarray, "3 height width"], along: Float[np.ndarray, "2 height width"]
) -> Float[np.ndarray, "3 height width"]:
    """What ``means_kernel`` makes of one picture, in scipy."""
    light, (y, x), strength = picture.astype(np.float64) ** 2, np.indices(picture.shape[1:]), np.hypot(*along)
    (right, down), taps = along / np.maximum(strength, 1e-30), np.arange(len(_bell(_ALONG_PX))) - round(2 * _ALONG_PX)
    seen = np.stack(
        [
            [ndimage.map_coordinates(channel, [y + k * down, x + k * right], order=1, mode="nearest") for channel in light]
            for k in taps
        ]
    )
    bright = np.sqrt(seen.mean(axis=1))
    extent = np.ptp(bright, axis=0)
    turns = np.abs(np.diff(bright, axis=0)).sum(axis=0) / np.maximum(extent, 1e-6)
    for value, (first, last) in ((turns, _TURNS), (extent, _RANGE)):
        strength = strength * np.clip((value - first) / (last - first), 0, 1)
    mean = np.tensordot(_bell(_ALONG_PX).astype(np.float64), seen, axes=1)
    return np.sqrt(light + strength * (mean - light))


def _bell(deviation: float) -> Float32[np.ndarray, " taps"]:
    """Weights of a normal distribution, two deviations to each side."""
    at = np.arange(-round(2 * deviation), round(2 * deviation) + 1)
    weights = np.exp(-0.5 * (at / deviation) ** 2)
    return (weights / weights.sum()).astype(np.float32)


def _slope(deviation: float) -> Float32[np.ndarray, " taps"]:
    """Weights of the derivative of what has been blurred by ``_bell``."""
    weights = _bell(deviation)
    at = np.arange(len(weights)) - len(weights) // 2
    return (weights * at / (weights * at * at).sum()).astype(np.float32)


def _inverse(depth: Float[np.ndarray, "height width"]) -> Float32[np.ndarray, "height width"]:
    return np.where(depth > 0, 1 / np.maximum(depth, 1e-3), 0).astype(np.float32)
