"""White noise on one surface, blurred by an ellipse of its own at every pixel.

What other surfaces hold is left out, as if their noise were zero: a blur is then the sum over all that is seen of the surface,
which is the expected value of the sum over the whole of it, and what moves before or beside a surface doesn't stir its texture.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
import warp as wp
from jaxtyping import Bool, Float, Float32, Int32
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
_MOST = 12
"""Places on either side of a pixel: an ellipse is at most eleven times as long as it is wide."""


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

    def cut(self, rows: slice, columns: slice) -> Ellipses:
        """A part of the picture."""
        return Ellipses(*(tensor[..., rows, columns] for tensor in self))


def ellipses_of(first: Float[Tensor, "2 height width"], second: Float[Tensor, "2 height width"]) -> Ellipses:
    """Blurs with given half axes.

    Args:
        first: half axis of the ellipse (one standard deviation), pixels.
        second: another one, conjugate to it.
    """
    xx, xy = first[0] ** 2 + second[0] ** 2, first[0] * first[1] + second[0] * second[1]
    yy = first[1] ** 2 + second[1] ** 2
    ratio = ((xx * yy - xy * xy).clamp(min=0) / ((xx + _PIXEL) * (yy + _PIXEL) - xy * xy)) ** 0.25
    mean, half = (xx + yy) / 2 + _PIXEL, (((xx - yy) / 2) ** 2 + xy * xy).sqrt()
    widest = FINEST_PX * 2 ** (LEVELS - 1)
    minor = (mean - half).clamp(min=_PIXEL).sqrt().clamp(max=widest)
    beyond = ((mean + half) / minor.square() - 1).clamp(min=0)  # variance along the line, in the isotropic one's
    # n places at a distance d have the variance d^2 (n^2 - 1) / 12
    reach = (((12 * beyond / _APART**2 + 1).sqrt() - 1) / 2).ceil().clamp(max=_MOST)
    count = 2 * reach + 1
    step = torch.minimum((12 * beyond / (count.square() - 1).clamp(min=1)).sqrt(), torch.tensor(_APART)) * minor
    angle = torch.atan2(2 * xy, xx - yy) / 2
    return Ellipses(minor, torch.stack([angle.cos(), angle.sin()]) * step, reach.to(torch.int32), ratio)


class Levels(NamedTuple):
    """A picture under wider and wider isotropic blurs, the wide ones of fewer pixels.

    - ``values``: of all levels, one after the other.
    - ``places``: where a level begins, its rows and columns, and how many pixels each of its pixels is wide.
    """

    values: Float32[Tensor, " total"]
    places: Int32[Tensor, "levels 4"]


def levels_for(minor: Float32[Tensor, " pixels"]) -> range:
    """The levels between which blurs of these standard deviations lie."""
    least, most = (int(math.log2(float(end) / FINEST_PX)) for end in (minor.min(), minor.max()))
    return range(least, min(LEVELS, most + 2))


def levels_of(noise: Float[Tensor, "height width"], wanted: range) -> Levels:
    """White noise of unit variance, and zeros, under blurs whose results have unit variance where there are no zeros.

    Args:
        noise: white, or 0.
        wanted: levels from where to where; finer ones are empty.
    """
    return _levels(noise, wanted, _unit_variance)


def shares_of(here: Float[Tensor, "height width"], wanted: range) -> Levels:
    """How much of each blur's variance comes from where there are ones, not zeros."""
    return _levels(here, wanted, _squared)


def _levels(
    picture: Float[Tensor, "height width"], wanted: range, as_weights: Callable[[np.ndarray, int], np.ndarray]
) -> Levels:
    small = picture.numpy()
    parts, places, first = [], [], 0
    for level in range(wanted.stop):
        shrunk = 2 ** max(0, level - _WHOLE)
        if level > _WHOLE:
            even = np.pad(small, [(0, length % 2) for length in small.shape])
            rows = even[::2] + even[1::2]
            small = (rows[:, ::2] + rows[:, 1::2]) / 4
        if level < wanted.start:
            places.append((0, 1, 1, shrunk))
            continue
        # halving by means of 2 x 2 pixels blurs by itself: variance (4^n - 1) / 12 pixels of the full size
        variance = (FINEST_PX * 2**level / shrunk) ** 2 - (1 - 1 / shrunk**2) / 12
        kernel = as_weights(_gaussian(math.sqrt(variance)), shrunk)
        wide = ndimage.correlate1d(ndimage.correlate1d(small, kernel, 1, mode="constant"), kernel, 0, mode="constant")
        parts.append(wide.ravel())
        places.append((first, *wide.shape, shrunk))
        first += wide.size
    return Levels(torch.from_numpy(np.concatenate(parts)), torch.tensor(places, dtype=torch.int32))


@cache
def _gaussian(sigma: float) -> Float[np.ndarray, " taps"]:
    radius = math.ceil(3 * sigma)
    return np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)


def _unit_variance(kernel: Float[np.ndarray, " taps"], shrunk: int) -> Float[np.ndarray, " taps"]:
    """Weights whose squares add up to the variance that means of ``shrunk`` pixels along an axis have lost."""
    return kernel * math.sqrt(shrunk / np.square(kernel).sum())


def _squared(kernel: Float[np.ndarray, " taps"], shrunk: int) -> Float[np.ndarray, " taps"]:
    """The weights of variances; together 1."""
    return np.square(kernel) / np.square(kernel).sum()


def blurred(levels: Levels, by: Ellipses, here: Bool[Tensor, "height width"]) -> Float32[Tensor, "height width"]:
    """A picture under the blur of every pixel that is asked for; 0 elsewhere.

    Noise has about unit variance; shares have to be divided by :func:`gain_of`.
    """
    deep = torch.log2(by.minor / FINEST_PX)
    reach = torch.where(here, by.reach, -1).to(torch.int32)
    out = torch.zeros_like(by.minor)
    given = [as_warp(levels.values, wp.float32), as_warp(levels.places, wp.int32)]
    given += [as_warp(deep.contiguous(), wp.float32), as_warp(by.way.contiguous(), wp.float32), as_warp(reach, wp.int32)]
    launch(texture_kernels.taps_kernel, tuple(out.shape), [*given, as_warp(out, wp.float32)], "cpu")
    return out


def taps_reference(levels: Levels, by: Ellipses, here: Bool[Tensor, "height width"]) -> Float32[Tensor, "height width"]:
    """What :func:`blurred` computes, in torch alone."""
    height, width = by.minor.shape
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    deep = torch.log2(by.minor / FINEST_PX).clamp(0, len(levels.places) - 1)
    total = torch.zeros(height, width)
    for level, (first, rows, columns, scale) in enumerate(levels.places.tolist()):
        picture = levels.values[first : first + rows * columns].view(1, 1, rows, columns)
        weight = (1 - (deep - level).abs()).clamp(min=0)
        for k in range(-_MOST, _MOST + 1):
            across, down = (x + k * by.way[0]) / scale / columns, (y + k * by.way[1]) / scale / rows
            grid = torch.stack([2 * across - 1, 2 * down - 1], dim=-1)[None]
            value = functional.grid_sample(picture, grid, mode="bilinear", padding_mode="border", align_corners=False)[0, 0]
            total += weight * value * (abs(k) <= by.reach)
    return torch.where(here, total / (2 * by.reach + 1), 0)


def gain_of(by: Ellipses) -> Float32[Tensor, "height width"]:
    """What means along a line have to be multiplied with to have the variance of one place again."""
    count = 2.0 * by.reach + 1
    line = by.way.square().sum(0) * (count.square() - 1) / 12
    return (1 + line / by.minor.square()) ** 0.25
