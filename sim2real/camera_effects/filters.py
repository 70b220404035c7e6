"""Blurs and changes of size that lenses and processors share; on float32 planes (..., height, width)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float32


@lru_cache(maxsize=256)
def gaussian_taps(sigma: float) -> tuple[float, ...]:
    """One half of the discrete Gaussian, center first: ``exp(-sigma^2) I_n(sigma^2)``, of variance sigma^2 for any sigma.

    A sampled Gaussian vanishes for sigma far below a pixel; this one keeps its width, so that scaled-down effects stay right.

    Reference: Lindeberg, Scale-space for discrete signals, PAMI 1990.
    """
    from scipy.special import ive  # half a second, that most commands do not need

    taps = ive(np.arange(int(3 * sigma + 2.5)), sigma * sigma)
    kept = taps[: max(1, int((taps > 1e-3).sum()))]
    return tuple((kept / (2 * kept.sum() - kept[0])).tolist())


def blurred(planes: Float32[np.ndarray, "*planes height width"], sigma: float) -> Float32[np.ndarray, "*planes height width"]:
    """A Gaussian blur; the picture goes on beyond its border as it ends there.

    Args:
        planes: any number of pictures of one channel.
        sigma: standard deviation in pixels; 0 changes nothing.
    """
    taps = gaussian_taps(round(float(sigma), 4))
    if len(taps) == 1:
        return planes
    for axis in (-1, -2):
        planes = _along(planes, taps, axis)
    return planes


def _along(planes: np.ndarray, taps: tuple[float, ...], axis: int) -> np.ndarray:
    reach, length = len(taps) - 1, planes.shape[axis]
    margins = [(0, 0)] * planes.ndim
    margins[axis] = (reach, reach)
    wide = np.pad(planes, margins, mode="edge")

    def moved(by: int) -> np.ndarray:
        return wide[..., reach + by : reach + by + length] if axis == -1 else wide[..., reach + by : reach + by + length, :]

    out = moved(0) * np.float32(taps[0])
    pair = np.empty_like(out)
    for n, tap in enumerate(taps[1:], 1):
        np.add(moved(-n), moved(n), out=pair)
        pair *= np.float32(tap)
        out += pair
    return out


def reduced(planes: Float32[np.ndarray, "*planes height width"], block: int) -> Float32[np.ndarray, "*planes rows columns"]:
    """Means over blocks of pixels; blocks that stick out at the right and below continue the border."""
    if block == 1:
        return planes
    height, width = planes.shape[-2:]
    margins = [(0, 0)] * (planes.ndim - 2) + [(0, -height % block), (0, -width % block)]
    whole = np.pad(planes, margins, mode="edge") if any(right for _, right in margins) else planes
    rows = whole.reshape(*whole.shape[:-1], -1, block).sum(-1)
    blocks = rows.reshape(*rows.shape[:-2], -1, block, rows.shape[-1]).sum(-2)
    return blocks / np.float32(block * block)


def enlarged(
    planes: Float32[np.ndarray, "*planes rows columns"], block: int, size: tuple[int, int]
) -> Float32[np.ndarray, "*planes height width"]:
    """What ``reduced`` made small at its old size again, linear in between, without a shift."""
    for axis, length in zip((-2, -1), size, strict=True):
        planes = sampled(planes, (np.arange(length, dtype=np.float32) + 0.5) / block - 0.5, axis)
    return planes


def sampled(
    planes: Float32[np.ndarray, "*planes height width"], places: Float32[np.ndarray, " length"], axis: int
) -> Float32[np.ndarray, "..."]:
    """Planes read along one axis (-1 or -2) at places in pixels (0: the first pixel), linear in between, held at the border."""
    last = planes.shape[axis] - 1
    places = np.clip(places, 0, last)
    low = np.minimum(places.astype(np.intp), max(last - 1, 0))
    weight = (places - low).astype(np.float32)
    weight = weight if axis == -1 else weight[:, None]
    first = planes.take(low, axis)
    return first + weight * (planes.take(np.minimum(low + 1, last), axis) - first)
