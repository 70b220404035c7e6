"""Quick figures of a clip's noise: enough to see at a glance that it is Gaussian and white."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class NoiseFigures:
    """Moments and correlations over a clip's noise; ``standard_error`` is that of the mean and of a correlation."""

    latents: int
    mean: float
    variance: float
    kurtosis: float
    neighbors: float
    channels: float
    standard_error: float


def noise_figures(noise: Float[np.ndarray, "latents channels height width"], *, most_latents: int = 12) -> NoiseFigures:
    """Measure noise; each frame is white by itself, so frames are measured one by one and averaged.

    Args:
        noise: the clip's noise, may be a memory map.
        most_latents: how many latent frames to look at, evenly spread.
    """
    chosen = np.unique(np.linspace(0, len(noise) - 1, min(len(noise), most_latents)).round().astype(int))
    sums = np.zeros(5)
    for latent in chosen:
        n = np.asarray(noise[latent], np.float64)
        next_x, next_y = (n[..., 1:] * n[..., :-1]), (n[..., 1:, :] * n[..., :-1, :])
        neighbors = (next_x.sum() + next_y.sum()) / max(next_x.size + next_y.size, 1)
        channels = float((n[1:] * n[:-1]).mean()) if len(n) > 1 else 0.0
        sums += np.array([n.mean(), n.var(), ((n - n.mean()) ** 4).mean() / n.var() ** 2, neighbors, channels])
    mean, variance, kurtosis, neighbors, channels = (float(v) for v in sums / len(chosen))
    return NoiseFigures(len(noise), mean, variance, kurtosis, neighbors, channels, float(noise[0].size ** -0.5))
