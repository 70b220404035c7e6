"""Pixels on the border of what is changed show a bit of both sides; each side's bit is taken from its own footage."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import numpy as np
from jaxtyping import Bool, Float32, Integer, UInt8, UInt16

from ...conditions.coverage import NEIGHBORS, shares
from ...scene.colors import linear_from_srgb, srgb_from_linear

_AROUND = 3
"""Pixels around one, along each axis, in which is looked for what its own side, and the other, look like."""
_SURE = 3e-3
"""How sure it is what coverage says, as the square of a difference of linear colors that weighs as much."""
_USUAL = 0.25
"""Share of a border pixel that the other side has, where coverage is not known."""
_WAYS = tuple((i, j) for i in range(-_AROUND, _AROUND + 1) for j in range(-_AROUND, _AROUND + 1))
_BESIDE = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1))

Picture = UInt8[np.ndarray, "height width 3"]
Mask = Bool[np.ndarray, "height width"]


def touched(inside: Mask) -> Mask:
    """Pixels of a mask, and those beside them."""
    from scipy import ndimage

    return np.asarray(ndimage.binary_dilation(inside, np.ones((3, 3), np.bool_)))


def with_border(
    old: Picture,
    new: Picture,
    changed: Mask,
    ids: Integer[np.ndarray, "height width"],
    coverage: UInt16[np.ndarray, "height width"] | None,
) -> Picture:
    """Old footage, with the new where something is changed; on the border between them, pixels are mended.

    A border pixel of one footage shows the share ``a`` of what the other side is in that footage. From one footage to the
    other, the pixel changes by ``a`` of how the other side does, and ``1 - a`` of how its own does; both are seen in pixels
    nearby that show nothing else. So ``a`` is found by least squares, held near what neighbors cover, and the pixel of its own
    side's footage is changed by ``a`` of how the other side does, in linear light.

    Args:
        old: stays where nothing is changed.
        new: where something is.
        changed: where that is, by the center of the pixel.
        ids: of instances, which tell what looks alike.
        coverage: of ``sim2real.conditions.coverage``, where it is known.
    """
    out = np.where(changed[..., None], new, old)
    before, after = (linear_from_srgb(picture / 255).astype(np.float32) for picture in (old, new))
    covered = None if coverage is None else shares(coverage)
    for own, other, there in ((before, after, changed), (after, before, ~changed)):
        row, column = np.nonzero(touched(there) & ~there)
        if not len(row):
            continue
        place = row, column
        near = _Near(other - own, there, ids, place)
        mended = own[place] + near.shares_of_the_other(covered)[:, None] * near.other
        out[place] = np.round(255 * srgb_from_linear(np.clip(mended, 0, 1))).astype(np.uint8)
    return out


class _Near:
    """How colors near some border pixels differ from one footage to the other.

    - ``seen``: in the pixels themselves.
    - ``own``: in their own side, ``other``: in the other one, which is ``there``.
    """

    def __init__(
        self,
        difference: Float32[np.ndarray, "height width 3"],
        there: Mask,
        ids: Integer[np.ndarray, "height width"],
        place: tuple[np.ndarray, np.ndarray],
    ) -> None:
        self._place, self._there = place, there
        own_alone, other_alone, same = ~touched(there), there & ~touched(~there), ids[place]
        self.seen = difference[place]

        def mean(fits: Callable[[tuple], np.ndarray], ways: tuple) -> tuple[np.ndarray, np.ndarray]:
            total, count = np.zeros_like(self.seen), np.zeros(len(same), np.float32)
            for way in ways:
                at = self._at(way)
                weight = fits(at)
                total += weight[:, None] * difference[at]
                count += weight
            return total / np.maximum(count, 1)[:, None], count

        def first(*tries: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
            return reduce(lambda rest, one: np.where(one[1][:, None] > 0, one[0], rest), reversed(tries[:-1]), tries[-1][0])

        alike = mean(lambda at: own_alone[at] & (ids[at] == same), _WAYS)
        self.own = first(alike, mean(lambda at: own_alone[at], _WAYS))
        inner = tuple(way for way in _WAYS if max(map(abs, way)) < _AROUND)
        self.other = first(mean(lambda at: other_alone[at], inner), mean(lambda at: there[at], _BESIDE))

    def shares_of_the_other(self, covered: Float32[np.ndarray, "4 height width"] | None) -> Float32[np.ndarray, " pixels"]:
        """What share of each pixel shows the other side."""
        known = np.full(len(self.seen), _USUAL, np.float32)
        if covered is not None:
            parts = [share[self._place] * self._there[self._at(way)] for share, way in zip(covered, NEIGHBORS, strict=True)]
            known = np.sum(parts, axis=0)
        apart = self.other - self.own
        along = ((self.seen - self.own) * apart).sum(-1)
        return np.clip((along + _SURE * known) / ((apart * apart).sum(-1) + _SURE), 0, 1).astype(np.float32)

    def _at(self, way: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Neighbors; beyond the picture's edge, its last pixels."""
        row, column = self._place
        height, width = self._there.shape
        return np.clip(row + way[0], 0, height - 1), np.clip(column + way[1], 0, width - 1)
