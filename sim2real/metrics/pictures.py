"""How like each other two pictures are: PSNR, SSIM, and the edge F1 and blurred SSIM of PAI-Bench-C.

References: Wang, Bovik, Sheikh, Simoncelli 2004, Image quality assessment: from error visibility to structural similarity.
Canny 1986, A computational approach to edge detection. Tomasi, Manduchi 1998, Bilateral filtering for gray and color images.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, Shaped, UInt8
from scipy import ndimage

from ..optional import require

Picture = UInt8[np.ndarray, "height width 3"]
Mask = Bool[np.ndarray, "height width"]

LOW, HIGH = 100.0, 200.0
"""Thresholds of Canny in PAI-Bench-C, for Sobel magnitudes of gray values."""
_WINDOW = 7
"""Pixels: side of the square that SSIM compares."""
_LUMA = np.array([0.299, 0.587, 0.114])


def psnr(a: Shaped[np.ndarray, "*shape"], b: Shaped[np.ndarray, "*shape"]) -> float:
    """Peak signal-to-noise ratio of values from 0 to 255, in dB; 120 for equal ones."""
    error = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2) / 255**2
    return float(-10 * np.log10(max(error, 1e-12)))


def ssim(a: Picture, b: Picture, *, value_range: float = 255.0) -> float:
    """Structural similarity, averaged over pixels and channels; 1 for equal pictures.

    Args:
        a: picture.
        b: picture of the same size.
        value_range: distance of the brightest from the darkest value that could be.
    """
    x, y = a.astype(np.float64), b.astype(np.float64)

    def mean(values: np.ndarray) -> np.ndarray:
        return ndimage.uniform_filter(values, size=_WINDOW, axes=(0, 1))

    unbiased = _WINDOW**2 / (_WINDOW**2 - 1)
    mx, my = mean(x), mean(y)
    vx, vy, vxy = (unbiased * (mean(p * q) - mp * mq) for p, q, mp, mq in ((x, x, mx, mx), (y, y, my, my), (x, y, mx, my)))
    c1, c2 = (0.01 * value_range) ** 2, (0.03 * value_range) ** 2
    return float(((2 * mx * my + c1) * (2 * vxy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean())


def blur_ssim(picture: Picture, condition: Picture) -> float:
    """SSIM of both behind the same bilateral filter: are larger shapes and colors where the condition has them?"""
    blurred, wanted = bilateral(picture), bilateral(condition)
    return ssim(blurred, wanted, value_range=max(float(np.ptp(wanted)), 1.0))


def bilateral(picture: Picture, *, radius: int = 15, color: float = 150.0, space: float = 100.0) -> Picture:
    """Average of the pixels of a disc that are near in color; the defaults are those of PAI-Bench-C.

    OpenCV does it ten times as fast, where it is installed, and differs by one step of a value here and there.

    Args:
        picture: sRGB.
        radius: of the disc, pixels.
        color: spread of the weight over the sum of the channels' differences.
        space: spread of the weight over distance, pixels.
    """
    if find_spec("cv2") is not None:
        return require("cv2", "flow").bilateralFilter(np.ascontiguousarray(picture), 2 * radius, color, space)
    return _bilateral(picture, radius, color, space)


def _bilateral(picture: Picture, radius: int, color: float, space: float) -> Picture:
    height, width = picture.shape[:2]
    padded = np.pad(picture.astype(np.float32), ((radius, radius), (radius, radius), (0, 0)), mode="reflect").transpose(2, 0, 1)
    center = padded[:, radius : radius + height, radius : radius + width]
    total, weights = center.copy(), np.ones((height, width), np.float32)
    difference, weight = np.empty_like(center), np.empty((height, width), np.float32)
    for dy, dx in _disc(radius):
        other = padded[:, radius + dy : radius + dy + height, radius + dx : radius + dx + width]
        np.abs(np.subtract(other, center, out=difference), out=difference)
        np.add(np.add(difference[0], difference[1], out=weight), difference[2], out=weight)
        np.exp(np.multiply(np.square(weight, out=weight), np.float32(-0.5 / color**2), out=weight), out=weight)
        weight *= np.float32(np.exp(-0.5 * (dx * dx + dy * dy) / space**2))
        total += np.multiply(other, weight, out=difference)
        weights += weight
    return np.rint(total / weights).astype(np.uint8).transpose(1, 2, 0)


def _disc(radius: int) -> list[tuple[int, int]]:
    """Whole steps within a radius, but for the center."""
    span = range(-radius, radius + 1)
    return [(dy, dx) for dy in span for dx in span if 0 < dy * dy + dx * dx <= radius * radius]


@dataclass(frozen=True)
class EdgeCounts:
    """Edge pixels of footage and condition, summed over frames: in both, in the footage alone, in the condition alone."""

    both: int = 0
    only_footage: int = 0
    only_condition: int = 0

    def __add__(self, other: EdgeCounts) -> EdgeCounts:
        return EdgeCounts(
            self.both + other.both,
            self.only_footage + other.only_footage,
            self.only_condition + other.only_condition,
        )

    @property
    def precision(self) -> float:
        """Share of the footage's edges that the condition has."""
        return self.both / max(self.both + self.only_footage, 1)

    @property
    def recall(self) -> float:
        """Share of the condition's edges that the footage has."""
        return self.both / max(self.both + self.only_condition, 1)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.both / max(2 * self.both + self.only_footage + self.only_condition, 1)


def edge_counts(picture: Picture, condition: Picture) -> EdgeCounts:
    """Canny edges of both, compared pixel by pixel."""
    a, b = (canny(luma(p), LOW, HIGH) for p in (picture, condition))
    return EdgeCounts(int((a & b).sum()), int((a & ~b).sum()), int((b & ~a).sum()))


def luma(picture: Picture) -> Float32[np.ndarray, "height width"]:
    """Gray values, rounded to whole ones from 0 to 255."""
    return np.rint(picture @ _LUMA).astype(np.float32)


def canny(gray: Float[np.ndarray, "height width"], low: float, high: float) -> Mask:
    """Canny's edges: ridges of the gradient above ``low`` that hang together with a place above ``high``.

    Args:
        gray: values from 0 to 255; smooth them before if they are noisy.
        low: threshold of the sum of both absolute Sobel derivatives.
        high: threshold that an edge has to pass somewhere.
    """
    dx, dy = (ndimage.sobel(gray, axis=axis, mode="nearest") for axis in (1, 0))
    strength = np.abs(dx) + np.abs(dy)
    around = np.pad(strength, 1)
    height, width = gray.shape

    def at(y: int, x: int) -> np.ndarray:
        return around[1 + y : 1 + y + height, 1 + x : 1 + x + width]

    steep = np.abs(dy) > np.abs(dx) * np.tan(np.deg2rad(67.5))
    flat = np.abs(dy) < np.abs(dx) * np.tan(np.deg2rad(22.5))
    falling = dx * dy < 0
    across = (strength > at(0, -1)) & (strength >= at(0, 1))
    along = (strength > at(-1, 0)) & (strength >= at(1, 0))
    slant = (strength > at(-1, -1)) & (strength > at(1, 1))
    back = (strength > at(-1, 1)) & (strength > at(1, -1))
    ridge = np.where(flat, across, np.where(steep, along, np.where(falling, back, slant))) & (strength > low)
    found: Any = ndimage.label(ridge, structure=np.ones((3, 3)))
    pieces, count = found
    strong = np.zeros(count + 1, np.bool_)
    strong[pieces[strength > high]] = True
    strong[0] = False
    return strong[pieces]
