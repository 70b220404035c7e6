"""From radiance to what a screen shows, with the curve of our own renderer, for pictures that others make."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

from ...scene.colors import srgb_from_linear


def developed(light: Float[np.ndarray, "*batch 3"], exposure: float = 0.8) -> UInt8[np.ndarray, "*batch 3"]:
    """A filmic curve per channel, then sRGB.

    Args:
        light: linear radiance.
        exposure: what it is multiplied with first.

    Reference:
        Narkowicz, "ACES Filmic Tone Mapping Curve", 2016.
    """
    x = exposure * np.maximum(light, 0)
    curve = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)
    return np.rint(255 * srgb_from_linear(curve)).astype(np.uint8)
