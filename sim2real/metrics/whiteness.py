"""Is a frame of noise i.i.d. standard normal? Every figure comes with what independent draws would give."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.stats import kstest

LAGS = {
    "neighbor_right": (0, 1),
    "neighbor_below": (1, 0),
    "neighbor_diagonal": (1, 1),
    "neighbor_antidiagonal": (1, -1),
    "lag_2_right": (0, 2),
    "lag_2_below": (2, 0),
}
RINGS = 8
"""Rings of spatial frequency whose mean power is compared with 1."""


@dataclass(frozen=True)
class Whiteness:
    """Standard scores of one set of independent frames: each is standard normal if the values are i.i.d. N(0, 1).

    ``ks_p`` is the Kolmogorov-Smirnov p-value against N(0, 1), uniform on 0 ... 1 for such values; ``values`` counts them.
    """

    values: int
    mean: float
    variance: float
    skewness: float
    kurtosis: float
    neighbor_right: float
    neighbor_below: float
    neighbor_diagonal: float
    neighbor_antidiagonal: float
    lag_2_right: float
    lag_2_below: float
    channels: float
    spectrum: float
    ks_p: float

    def worst(self) -> float:
        """Largest absolute standard score, the p-value included as a two-sided score."""
        return max(abs(score) for score in self.scores().values())

    def scores(self) -> dict[str, float]:
        """Standard score of every figure by name; ``ks_p`` becomes ``ks``, the two-sided score of its p-value."""
        scores = {k: v for k, v in asdict(self).items() if k not in ("values", "ks_p")}
        return scores | {"ks": normal_score(self.ks_p)}


class Estimate(NamedTuple):
    """A figure and its standard score under i.i.d. N(0, 1)."""

    value: float
    score: float


def normal_score(p: float) -> float:
    """How many standard deviations a small two-sided p-value corresponds to."""
    from scipy.stats import norm

    return float(norm.isf(max(p, 1e-300) / 2))


def whiteness(noise: Float[np.ndarray, "draws channels height width"]) -> Whiteness:
    """Test frames that are independent of each other (one frame, or one frame under several seeds).

    Frames of one clip and seed are not independent of each other, that is their purpose: test them one at a time.

    Args:
        noise: unit-variance noise.

    Returns:
        Standard scores.
    """
    x = np.asarray(noise, np.float64)
    scores = {name: estimate.score for name, estimate in estimates(x).items()}
    return Whiteness(values=x.size, ks_p=float(kstest(x.ravel(), "norm").pvalue), **scores)


def estimates(noise: Float[np.ndarray, "draws channels height width"]) -> dict[str, Estimate]:
    """Every figure of ``Whiteness`` but Kolmogorov-Smirnov, with its plain value.

    Returns:
        ``variance`` is the mean square, ``skewness`` and ``kurtosis`` are the third and the excess fourth moment of N(0, 1),
        lags and ``channels`` are mean products (correlations, for unit variance), ``spectrum`` is the power over 1, less 1,
        of the ring that deviates most.
    """
    x = np.asarray(noise, np.float64)
    return {
        "mean": _scored(float(x.mean()), 0.0, 1.0, x.size),
        "variance": _scored(float(np.mean(x * x)), 1.0, 2.0, x.size),
        "skewness": _scored(float(np.mean(x**3)), 0.0, 15.0, x.size),
        "kurtosis": _scored(float(np.mean(x**4)) - 3, 0.0, 96.0, x.size),
        **{name: _product(x, *lag) for name, lag in LAGS.items()},
        "channels": _channels(x),
        "spectrum": _spectrum(x),
    }


def radial_spectrum(
    noise: Float[np.ndarray, "draws channels height width"], rings: int = RINGS
) -> tuple[Float[np.ndarray, "rings"], Float[np.ndarray, "rings"], Float[np.ndarray, "rings"]]:
    """Mean power in rings of equal width of spatial frequency.

    Args:
        noise: any noise; white noise of unit variance has power 1 everywhere.
        rings: from frequency 0 to the corner of the spectrum, sqrt(0.5) cycles per pixel.

    Returns:
        Middle frequency of each ring (cycles per pixel), mean power, and how many independent values it averages.
    """
    height, width = noise.shape[-2:]
    power = (np.abs(np.fft.rfft2(noise, norm="ortho")) ** 2).mean(axis=(0, 1))
    fy, fx = np.meshgrid(np.fft.fftfreq(height), np.fft.rfftfreq(width), indexing="ij")
    inner = (fx > 0) & (fx < 0.5)  # columns whose bins are not their own mirror images: independent, exponential, variance 1
    ring = np.minimum((np.hypot(fy, fx) / math.sqrt(0.5) * rings).astype(int), rings - 1)[inner]
    bins = np.bincount(ring, minlength=rings)
    mean = np.bincount(ring, power[inner], rings) / np.maximum(bins, 1)
    middle = (np.arange(rings) + 0.5) / rings * math.sqrt(0.5)
    return middle, mean, bins.astype(float) * noise.shape[0] * noise.shape[1]


def _scored(value: float, expected: float, variance: float, count: int) -> Estimate:
    return Estimate(value, (value - expected) * math.sqrt(count / variance))


def _product(x: np.ndarray, down: int, right: int) -> Estimate:
    height, width = x.shape[-2:]
    a = x[..., : height - down, max(0, -right) : width - max(0, right)]
    b = x[..., down:, max(0, right) : width + min(0, right)]
    return _scored(float(np.mean(a * b)), 0.0, 1.0, a.size) if a.size else Estimate(0.0, 0.0)


def _channels(x: np.ndarray) -> Estimate:
    """Mean product of all channel pairs: sum over pairs = (square of the sum - sum of squares) / 2."""
    channels = x.shape[1]
    if channels < 2:
        return Estimate(0.0, 0.0)
    pairs = channels * (channels - 1) / 2
    products = (x.sum(axis=1) ** 2 - (x * x).sum(axis=1)) / 2
    return Estimate(float(products.mean() / pairs), float(products.sum() / math.sqrt(products.size * pairs)))


def _spectrum(x: np.ndarray) -> Estimate:
    """Largest deviation of the radially averaged power spectrum from flat, as a two-sided standard score over all rings."""
    if min(x.shape[-2:]) < 8:
        return Estimate(0.0, 0.0)
    _, power, count = radial_spectrum(x)
    enough = count >= 30
    if not enough.any():
        return Estimate(0.0, 0.0)
    scores = np.where(enough, (power - 1) * np.sqrt(count), 0.0)
    worst = int(np.abs(scores).argmax())
    p = min(1.0, math.erfc(abs(scores[worst]) / math.sqrt(2)) * int(enough.sum()))  # Bonferroni over rings
    return Estimate(float(power[worst] - 1), math.copysign(normal_score(p), scores[worst]))
