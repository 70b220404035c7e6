"""Is a frame of noise i.i.d. standard normal? Every figure comes with what independent draws would give."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import kstest

LAGS = {
    "neighbour_right": (0, 1),
    "neighbour_below": (1, 0),
    "neighbour_diagonal": (1, 1),
    "neighbour_antidiagonal": (1, -1),
    "lag_2_right": (0, 2),
    "lag_2_below": (2, 0),
}


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
    neighbour_right: float
    neighbour_below: float
    neighbour_diagonal: float
    neighbour_antidiagonal: float
    lag_2_right: float
    lag_2_below: float
    channels: float
    spectrum: float
    ks_p: float

    def worst(self) -> float:
        """Largest absolute standard score, the p-value included as a two-sided score."""
        scores = [abs(v) for k, v in asdict(self).items() if k not in ("values", "ks_p")]
        return max(*scores, normal_score(self.ks_p))


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
    n = x.size
    mean = x.mean()
    pairs = {name: _correlation_score(x, *lag) for name, lag in LAGS.items()}
    return Whiteness(
        values=n,
        mean=float(mean * math.sqrt(n)),
        variance=float((np.mean(x * x) - 1) * math.sqrt(n / 2)),
        skewness=float(np.mean(x**3) * math.sqrt(n / 15)),
        kurtosis=float((np.mean(x**4) - 3) * math.sqrt(n / 96)),
        channels=_channel_score(x),
        spectrum=_spectrum_score(x),
        ks_p=float(kstest(x.ravel(), "norm").pvalue),
        **pairs,
    )


def _correlation_score(x: np.ndarray, down: int, right: int) -> float:
    height, width = x.shape[-2:]
    a = x[..., : height - down, max(0, -right) : width - max(0, right)]
    b = x[..., down:, max(0, right) : width + min(0, right)]
    return float(np.mean(a * b) * math.sqrt(a.size)) if a.size else 0.0


def _channel_score(x: np.ndarray) -> float:
    """Mean product of all channel pairs: sum over pairs = (square of the sum - sum of squares) / 2."""
    channels = x.shape[1]
    if channels < 2:
        return 0.0
    pairs = (x.sum(axis=1) ** 2 - (x * x).sum(axis=1)) / 2
    return float(pairs.sum() / math.sqrt(pairs.size * channels * (channels - 1) / 2))


def _spectrum_score(x: np.ndarray, rings: int = 8) -> float:
    """Largest deviation of the radially averaged power spectrum from flat, as a two-sided standard score over all rings."""
    height, width = x.shape[-2:]
    if min(height, width) < 8:
        return 0.0
    power = np.abs(np.fft.rfft2(x, norm="ortho")) ** 2
    fy, fx = np.meshgrid(np.fft.fftfreq(height), np.fft.rfftfreq(width), indexing="ij")
    inner = (fx > 0) & (fx < 0.5)  # columns whose bins are not their own mirror images: independent, exponential, variance 1
    ring = np.minimum((np.hypot(fy, fx) / math.sqrt(0.5) * rings).astype(int), rings - 1)
    draws = x.shape[0] * x.shape[1]
    scores = []
    for k in range(rings):
        chosen = inner & (ring == k)
        if chosen.sum() * draws >= 30:
            values = power[..., chosen]
            scores.append((values.mean() - 1) * math.sqrt(values.size))
    if not scores:
        return 0.0
    worst = max(scores, key=abs)
    p = min(1.0, math.erfc(abs(worst) / math.sqrt(2)) * len(scores))  # Bonferroni over rings
    return math.copysign(normal_score(p), worst)
