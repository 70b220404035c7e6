"""White noise on one surface, blurred by an ellipse of its own at every pixel.

What other surfaces hold is left out, as if their noise were zero: a blur is then the sum over all that is seen of the surface,
which is the expected value of the sum over the whole of it, and what moves before or beside a surface doesn't stir its texture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
import warp as wp
from jaxtyping import Bool, Float, Float32, Int, Int32
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from ....devices import as_warp, launch
from . import texture_kernels

FINEST_PX = 0.5
"""Standard deviation of the finest blur; every level doubles it."""
LEVELS = 10
"""The widest reaches over a picture of 640 pixels, and more."""
_WHOLE = 2
"""The last level at the size of the picture; every further one has half of the pixels along each axis."""
_PIXEL = 0.3
"""Variance of what a pixel itself blurs, in squared pixels."""
_APART = 1.5
"""Distance of places along a line, in standard deviations of the blur that each of them has."""
_MOST = 36
"""Places on either side of a pixel: an ellipse is at most 32 times as long as it is wide, as grain is."""


class Ellipses(NamedTuple):
    """A blur per pixel: an isotropic one at every place along a line.

    - ``minor``: standard deviation of the isotropic one, pixels.
    - ``way``: x, y from one place to the next, pixels; ``reach``: places on either side.
    - ``ratio``: share of a texture's standard deviation that is left where a pixel is coarser than the ellipse.
    """

    minor: Float32[Tensor, "height width"]
    way: Float32[Tensor, "2 height width"]
    reach: Int32[Tensor, "height width"]
    ratio: Float32[Tensor, "height width"]


def ellipses_of(first: Float[Tensor, "2 height width"], second: Float[Tensor, "2 height width"]) -> Ellipses:
    """Blurs with given half axes.

    Args:
        first: half axis of the ellipse (one standard deviation), pixels.
        second: another one, conjugate to it.
    """
    xx, xy = first[0].square() + second[0].square(), first[0] * first[1] + second[0] * second[1]
    yy = first[1].square() + second[1].square()
    ratio = ((xx * yy - xy * xy).clamp(min=0) / ((xx + _PIXEL) * (yy + _PIXEL) - xy * xy)).sqrt().sqrt()
    mean, half = (xx + yy) / 2 + _PIXEL, (((xx - yy) / 2).square() + xy * xy).sqrt()
    widest = FINEST_PX * 2 ** (LEVELS - 1)
    minor = (mean - half).clamp(min=_PIXEL).sqrt().clamp(max=widest)
    beyond = ((mean + half) / minor.square() - 1).clamp(min=0)  # variance along the line, in the isotropic one's
    # n places at a distance d have the variance d^2 (n^2 - 1) / 12
    reach = (((12 * beyond / _APART**2 + 1).sqrt() - 1) / 2).ceil().clamp(max=_MOST)
    count = 2 * reach + 1
    step = torch.minimum((12 * beyond / (count.square() - 1).clamp(min=1)).sqrt(), torch.tensor(_APART)) * minor
    angle = torch.atan2(2 * xy, xx - yy) / 2
    return Ellipses(minor, torch.stack([angle.cos(), angle.sin()]) * step, reach.to(torch.int32), ratio)


class Seen(NamedTuple):
    """What a picture shows of one surface: a box of rows and columns, and which of its pixels."""

    box: tuple[slice, slice]
    here: Bool[np.ndarray, "rows columns"]


def seen_of(owner: Int[np.ndarray, "height width"]) -> dict[int, Seen]:
    """What is seen of every surface, by the number that its pixels have; -1 is none."""
    boxes = enumerate(ndimage.find_objects(owner + 1))
    return {number: Seen(box, owner[box] == number) for number, box in boxes if box is not None}


AsWeights = Callable[[np.ndarray, int], np.ndarray]
"""Weights of a blur, from a kernel and how many pixels of the picture each of its pixels is wide."""


class Levels(NamedTuple):
    """A picture for each surface under wider and wider isotropic blurs, the wide ones of fewer pixels.

    - ``values``: of all surfaces and levels, one after the other.
    - ``places``: by surface and level: where it begins, its rows and columns (0 of surfaces that have no pictures), and how
      many pixels each of its pixels is wide.
    - ``corners``: row and column of the whole picture at which a surface's own ones begin.
    """

    values: Float32[np.ndarray, " total"]
    places: Int32[np.ndarray, "surfaces levels 4"]
    corners: Int32[np.ndarray, "surfaces 2"]


def levels_of(noise: Float32[np.ndarray, "height width"], seen: Mapping[int, Seen], by: Ellipses) -> Levels:
    """White noise of unit variance under blurs whose results have unit variance where all of a blur is on the surface.

    Args:
        noise: white.
        seen: the surfaces; a blur takes in none but its own.
        by: of the pixels; levels that they do not need are not made.
    """
    return _levels({number: noise[box] * here for number, (box, here) in seen.items()}, seen, by, _unit_variance)


def shares_of(seen: Mapping[int, Seen], by: Ellipses) -> Levels:
    """How much of each blur's variance comes from what is seen of its surface."""
    return _levels({number: here.astype(np.float32) for number, (_, here) in seen.items()}, seen, by, _squared)


def _levels(
    pictures: Mapping[int, Float32[np.ndarray, "rows columns"]], seen: Mapping[int, Seen], by: Ellipses, as_weights: AsWeights
) -> Levels:
    places = np.zeros((max(pictures, default=-1) + 1, LEVELS, 4), np.int32)
    corners = np.zeros((len(places), 2), np.int32)
    minor, first, begins, jobs = by.minor.numpy(), 1, 0, []
    for number, picture in pictures.items():
        box, here = seen[number]
        wanted = _levels_between(minor[box][here])
        corners[number] = box[0].start, box[1].start
        places[number] = 0, 1, 1, 1
        for level in wanted:
            rows, columns = (-(-side // _shrunk(level)) for side in picture.shape)
            places[number, level] = first, rows, columns, _shrunk(level)
            first += rows * columns
        jobs.append((number, begins, *picture.shape, wanted.start, wanted.stop))
        begins += picture.size
    values = np.zeros(first, np.float32)
    if jobs:
        flat = np.concatenate([picture.ravel() for picture in pictures.values()])
        room = np.empty(2 * max(picture.size for picture in pictures.values()), np.float32)
        given = [as_warp(np.array(jobs, np.int32)), as_warp(flat), as_warp(_table(as_weights)), _WHOLE]
        launch(texture_kernels.levels_kernel, 1, [*given, as_warp(places), as_warp(room), as_warp(values)], "cpu")
    return Levels(values, places, corners)


def levels_reference(
    pictures: Mapping[int, Float32[np.ndarray, "rows columns"]], like: Levels, as_weights: AsWeights
) -> Float32[np.ndarray, " total"]:
    """The values of levels, in scipy: each of ``pictures`` where ``like`` has it."""
    parts: list[np.ndarray] = [np.zeros(1, np.float32)]
    for number, picture in pictures.items():
        wanted, small = np.flatnonzero(like.places[number, :, 0]), picture
        for level in range(wanted.max() + 1):
            if level > _WHOLE:
                small = _halved(small)
            if level in wanted:
                rows = ndimage.correlate1d(small, _weights(level, as_weights), 1, mode="constant")
                parts.append(ndimage.correlate1d(rows, _weights(level, as_weights), 0, mode="constant").ravel())
    return np.concatenate(parts)


def _levels_between(minor: Float32[np.ndarray, " pixels"]) -> range:
    """The levels between which blurs of these standard deviations lie."""
    least, most = (int(math.log2(float(end) / FINEST_PX)) for end in (minor.min(), minor.max()))
    return range(least, min(LEVELS, most + 2))


def _shrunk(level: int) -> int:
    """How many pixels a pixel of a level is wide."""
    return 2 ** max(0, level - _WHOLE)


def _halved(picture: Float32[np.ndarray, "rows columns"]) -> Float32[np.ndarray, "half_rows half_columns"]:
    """Means of 2 x 2 pixels; outside are zeros."""
    height, width = picture.shape
    even = np.zeros((height + height % 2, width + width % 2), np.float32)
    even[:height, :width] = picture
    rows = even[::2] + even[1::2]
    return (rows[:, ::2] + rows[:, 1::2]) / 4


@cache
def _table(as_weights: AsWeights) -> Float32[np.ndarray, "levels taps"]:
    """The weights of all levels, in the middle of rows."""
    rows = [_weights(level, as_weights) for level in range(LEVELS)]
    out = np.zeros((LEVELS, max(map(len, rows))), np.float32)
    for row, weights in zip(out, rows, strict=True):
        start = (len(row) - len(weights)) // 2
        row[start : start + len(weights)] = weights
    return out


@cache
def _weights(level: int, as_weights: AsWeights) -> Float[np.ndarray, " taps"]:
    shrunk = _shrunk(level)
    # halving by means of 2 x 2 pixels blurs by itself: variance (4^n - 1) / 12 pixels of the full size
    sigma = math.sqrt((FINEST_PX * 2**level / shrunk) ** 2 - (1 - 1 / shrunk**2) / 12)
    radius = math.ceil(3 * sigma)
    return as_weights(np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2), shrunk)


def _unit_variance(kernel: Float[np.ndarray, " taps"], shrunk: int) -> Float[np.ndarray, " taps"]:
    """Weights whose squares add up to the variance that means of ``shrunk`` pixels along an axis have lost."""
    return kernel * math.sqrt(shrunk / np.square(kernel).sum())


def _squared(kernel: Float[np.ndarray, " taps"], shrunk: int) -> Float[np.ndarray, " taps"]:
    """The weights of variances; together 1."""
    return np.square(kernel) / np.square(kernel).sum()


def blurred(levels: Levels, by: Ellipses, owner: Int[np.ndarray, "height width"]) -> Float32[Tensor, "height width"]:
    """The mean of the places of every pixel's line in the pictures of its own surface; 0 where it has none.

    Of noise it has to be multiplied with :func:`gain_of` for unit variance; shares are as they should be.
    """
    out = torch.zeros_like(by.minor)
    given = [as_warp(levels.values, wp.float32), as_warp(levels.places, wp.int32), as_warp(levels.corners, wp.int32)]
    given += [as_warp(owner.astype(np.int32), wp.int32), as_warp(by.minor, wp.float32)]
    given += [as_warp(by.way, wp.float32), as_warp(by.reach, wp.int32), FINEST_PX, as_warp(out, wp.float32)]
    launch(texture_kernels.taps_kernel, out.shape[0], given, "cpu")
    return out


def taps_reference(levels: Levels, by: Ellipses, owner: Int[np.ndarray, "height width"]) -> Float32[Tensor, "height width"]:
    """What :func:`blurred` computes, in torch alone."""
    height, width = by.minor.shape
    deep = torch.log2(by.minor / FINEST_PX).clamp(0, LEVELS - 1)
    out = torch.zeros(height, width)
    for number, (places, (top, left)) in enumerate(zip(levels.places.tolist(), levels.corners.tolist(), strict=True)):
        y, x = torch.meshgrid(torch.arange(height) - top + 0.5, torch.arange(width) - left + 0.5, indexing="ij")
        total = torch.zeros(height, width)
        for level in range(len(places) if places[0][1] else 0):
            first, rows, columns, scale = places[level]
            picture = torch.from_numpy(levels.values[first : first + rows * columns]).view(1, 1, rows, columns)
            weight = (1 - (deep - level).abs()).clamp(min=0)
            for k in range(-_MOST, _MOST + 1):
                across, down = (x + k * by.way[0]) / scale / columns, (y + k * by.way[1]) / scale / rows
                grid = torch.stack([2 * across - 1, 2 * down - 1], dim=-1)[None]
                value = functional.grid_sample(picture, grid, padding_mode="border", align_corners=False)[0, 0]
                inside = (across >= 0) & (across <= 1) & (down >= 0) & (down <= 1)
                total += weight * value * inside * (abs(k) <= by.reach)
        out = torch.where(torch.from_numpy(owner == number), total / (2 * by.reach + 1), out)
    return out


def gain_of(by: Ellipses) -> Float32[Tensor, "height width"]:
    """What means along a line have to be multiplied with to have the variance of one place again."""
    count = 2.0 * by.reach + 1
    line = by.way.square().sum(0) * (count.square() - 1) / 12
    return (1 + line / by.minor.square()).sqrt().sqrt()
