"""Natural-scene statistics: how far are the local contrasts of pictures distributed from those of photographs?

They see blur, grain, missing texture and plastic surfaces, and nothing of what is shown. Other photographs lie about 2 from any
set of photographs: distances below that judge no more.

Reference: Mittal, Soundararajan, Bovik 2013, Making a "Completely Blind" Image Quality Analyzer.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64, UInt8
from PIL import Image
from scipy import ndimage
from scipy.special import gamma

FEATURES = 36
_SIGMA = 7 / 6
"""Pixels: of the window over which luma is normalized."""
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))
_LUMA = np.array([0.2126, 0.7152, 0.0722])
_SHAPES = np.arange(0.2, 10, 0.001)
_RATIOS = gamma(1 / _SHAPES) * gamma(3 / _SHAPES) / gamma(2 / _SHAPES) ** 2
"""Of generalized Gaussians by their shape: mean square over squared mean; falls with the shape."""


def scene_statistics(picture: UInt8[np.ndarray, "height width 3"], *, side: int = 64) -> Float64[np.ndarray, "patches 36"]:
    """Statistics of every whole patch that is not flat: 18 numbers at full and at half size.

    Args:
        picture: sRGB.
        side: of a patch, pixels.

    Returns:
        Shape and spread of contrast-normalized luma, then of its products with four neighbors: shape, spread below 0, spread
        above 0, mean. Empty for a picture that is flat everywhere.
    """
    full = picture @ _LUMA
    height, width = full.shape
    half = np.asarray(Image.fromarray(full.astype(np.float32)).resize((width // 2, height // 2), Image.Resampling.LANCZOS))
    layers = [_normalized(full), _normalized(half.astype(np.float64))]
    found = []
    for y in range(0, height - side + 1, side):
        for x in range(0, width - side + 1, side):
            if layers[0][1][y : y + side, x : x + side].mean() > 1:
                patches = [n[y // k : (y + side) // k, x // k : (x + side) // k] for k, (n, _) in enumerate(layers, start=1)]
                found.append(np.concatenate([_patch_statistics(patch) for patch in patches]))
    return np.array(found, np.float64).reshape(-1, FEATURES)


def statistics_distance(a: Float[np.ndarray, "m 36"], b: Float[np.ndarray, "n 36"]) -> float:
    """Distance of two sets of patches: between their means, in units of their mean covariance (as NIQE's)."""
    apart = a.mean(axis=0) - b.mean(axis=0)
    return float(np.sqrt(apart @ np.linalg.pinv((np.cov(a.T) + np.cov(b.T)) / 2) @ apart))


def _normalized(luma: Float64[np.ndarray, "h w"]) -> tuple[Float64[np.ndarray, "h w"], Float64[np.ndarray, "h w"]]:
    """Luma less its local mean, over its local deviation (plus one gray value); and that deviation."""
    mean = ndimage.gaussian_filter(luma, _SIGMA)
    deviation = np.sqrt(np.maximum(ndimage.gaussian_filter(luma * luma, _SIGMA) - mean * mean, 0))
    return (luma - mean) / (deviation + 1), deviation


def _patch_statistics(patch: Float64[np.ndarray, "h w"]) -> Float64[np.ndarray, "18"]:
    square = float(np.mean(patch * patch))
    numbers = [_shape(square / max(float(np.abs(patch).mean()) ** 2, 1e-12)), np.sqrt(square)]
    for shift in _NEIGHBOURS:
        numbers += _lopsided((patch * np.roll(patch, shift, (0, 1)))[1:-1, 1:-1])
    return np.array(numbers)


def _lopsided(x: Float64[np.ndarray, "h w"]) -> list[float]:
    """Asymmetric generalized Gaussian by its moments: shape, spread on either side, mean."""
    square = float(np.mean(x * x)) + 1e-12
    left, right = (float(np.sqrt((part * part).mean())) if part.size else 1e-6 for part in (x[x < 0], x[x >= 0]))
    q = max(left, 1e-6) / max(right, 1e-6)
    ratio = float(np.abs(x).mean()) ** 2 / square * (q**3 + 1) * (q + 1) / (q * q + 1) ** 2
    shape = _shape(1 / max(ratio, 1e-12))
    return [shape, left, right, (right - left) * gamma(2 / shape) / np.sqrt(gamma(1 / shape) * gamma(3 / shape))]


def _shape(ratio: float) -> float:
    """Of the generalized Gaussian whose mean square is so many times its squared mean."""
    return float(np.interp(ratio, _RATIOS[::-1], _SHAPES[::-1]))
