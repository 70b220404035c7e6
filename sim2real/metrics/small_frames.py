"""Is one small frame i.i.d. standard normal? Scores that are exactly standard normal for such frames, of any size.

``statistics.whiteness`` scales sums by their standard deviation, which suits a million values; the fourth moment of a few
hundred exceeds five of them often. Every score here is an exact pivot: a normal sum, or the probability of a chi-squared or
binomial one turned into the score that is as improbable. Correlations split the frame into two halves, and project one
onto a function of the other: given that one, the result is exactly normal.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from scipy.special import bdtr, bdtrc, chdtr, chdtrc, ndtr, ndtri
from scipy.stats import kstest

TAIL = 3.0
RINGS = 4


def exact_scores(frame: Float[np.ndarray, "channels height width"]) -> dict[str, float]:
    """Score every property of white noise that a single frame shows.

    Args:
        frame: noise of one view.

    Returns:
        Standard scores by name, each N(0, 1) for i.i.d. N(0, 1) values (``tails`` a little less); properties that the frame
        is too small for are left out. A value that is not finite scores infinity.
    """
    x = np.asarray(frame, np.float64)
    if not np.isfinite(x).all():
        return {"finite": math.inf}
    channels, height, width = x.shape
    power = x * x
    scores = {
        "mean": float(x.sum() / math.sqrt(x.size)),
        "variance": _chi2(power.sum(), x.size),
        "pixels": _extreme(power.sum(axis=0).ravel(), channels),
        "tails": _binomial(int((np.abs(x) > TAIL).sum()), x.size, math.erfc(TAIL / math.sqrt(2))),
        "ks": _two_sided(float(kstest(x.ravel(), "norm").pvalue)),
    }
    rows, columns = np.arange(height), np.arange(width)
    for name, (down, right) in {"below": (1, 0), "diagonal": (1, 1), "antidiagonal": (1, -1), "below_2": (2, 0)}.items():
        scores[name] = _neighbors(x, (rows // down) % 2 == 1, down, right)
    for name, lag in {"right": 1, "right_2": 2}.items():
        scores[name] = _neighbors(np.swapaxes(x, 1, 2), (columns // lag) % 2 == 1, lag, 0)
    if channels > 1:
        scores["channels"] = _chi2(float((x.sum(axis=0) ** 2).sum()) / channels, height * width)
    scores["spectrum"] = _spectrum(x)
    return {name: score for name, score in scores.items() if not math.isnan(score)}


def expected_maximum(count: int) -> float:
    """Mean of the largest absolute value among ``count`` independent standard normal scores."""
    at = np.linspace(0, 12, 24_001)
    inside = 1 - np.vectorize(math.erfc)(at / math.sqrt(2))
    return float(np.trapezoid(1 - inside**count, at))


def _neighbors(x: np.ndarray, chosen: np.ndarray, down: int, right: int) -> float:
    """Chosen rows against the sum of their two neighbors at a lag, which are among the other rows."""
    neighbors = np.zeros_like(x)
    height, width = x.shape[1:]
    if height <= down or width <= abs(right):
        return math.nan
    to, of = slice(max(0, right), width + min(0, right)), slice(max(0, -right), width - max(0, right))
    neighbors[:, down:, to] += x[:, :-down, of]
    neighbors[:, :-down, of] += x[:, down:, to]
    length = float(np.linalg.norm(neighbors[:, chosen]))
    return float((x[:, chosen] * neighbors[:, chosen]).sum()) / length if length else math.nan


def _spectrum(x: np.ndarray) -> float:
    """The ring of spatial frequencies whose power deviates most, for all rings together."""
    height, width = x.shape[-2:]
    if min(height, width) < 4:
        return math.nan
    power = np.abs(np.fft.rfft2(x, norm="ortho")) ** 2
    fy, fx = np.meshgrid(np.fft.fftfreq(height), np.fft.rfftfreq(width), indexing="ij")
    inner = (fx > 0) & (fx < 0.5)  # no mirror images of each other: independent, twice their power is chi-squared of 2
    ring = np.minimum((np.hypot(fy, fx) / math.sqrt(0.5) * RINGS).astype(int), RINGS - 1)
    scores = []
    for k in range(RINGS):
        values = power[:, inner & (ring == k)]
        if values.size:
            scores.append(_chi2(2 * float(values.sum()), 2 * values.size))
    return _worst(scores, 2 * len(scores)) if scores else math.nan


def _extreme(sums: np.ndarray, degrees: int) -> float:
    """The most extreme of several chi-squared sums, for all together."""
    return _worst([_chi2(float(extreme), degrees) for extreme in (sums.min(), sums.max())], 2 * len(sums))


def _worst(scores: list[float], tails: int) -> float:
    """The largest of several scores, made as improbable as one like it is among so many tails (Bonferroni)."""
    worst = max(scores, key=abs)
    return math.copysign(_two_sided(tails * float(ndtr(-abs(worst)))), worst)


def _chi2(value: float, degrees: int) -> float:
    """The normal score that is as improbable as a chi-squared sum."""
    below, above = float(chdtr(degrees, value)), float(chdtrc(degrees, value))
    return float(ndtri(max(below, 1e-300))) if below < above else -float(ndtri(max(above, 1e-300)))


def _binomial(count: int, tries: int, p: float) -> float:
    """The normal score that is as improbable as a count, or less (a count has no exact one)."""
    below, above = float(bdtr(count, tries, p)), float(bdtrc(count - 1, tries, p)) if count else 1.0
    return math.copysign(_two_sided(2 * min(below, above)), 1 if above < below else -1)


def _two_sided(p: float) -> float:
    """How many standard deviations a two-sided p-value corresponds to."""
    return -float(ndtri(min(max(p, 1e-300), 1.0) / 2))
