"""The tone curve: from exposed light to screen values."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float32

from ..scene.colors import srgb_from_linear
from .development import Development

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Shares of linear or screen red, green and blue in brightness (ITU-R BT.709)."""

_STEPS = 1 << 15


@lru_cache(maxsize=32)
def _table(contrast: float, black: float, white: float) -> Float32[np.ndarray, " steps"]:
    """Screen values by the share of the sensor's range that is used, 0..1 in even steps."""
    v = srgb_from_linear(np.linspace(0, 1, _STEPS))
    v += contrast * (v * v * (3 - 2 * v) - v)
    return (black + (white - black) * v).astype(np.float32)


def toned(exposed: Float32[np.ndarray, "*shape"], look: Development) -> Float32[np.ndarray, "*shape"]:
    """Screen values 0..1 of exposed light, channel by channel.

    ``S(srgb(1 - exp(-(x + 0.15 x^2))))``: nearly linear in the dark; a shoulder that never quite reaches white, so that bright
    colors fade before they clip, as on film; then an S of the asked contrast about middle gray.

    Args:
        exposed: light times exposure, at least 0; 1 is about as bright as a sunlit white wall should be.
        look: the processor's settings.
    """
    used = exposed * (-1 - np.float32(0.15) * exposed)
    np.exp(used, out=used)
    used *= -(_STEPS - 1)
    used += _STEPS - 0.5
    return _table(look.contrast, look.black, look.white)[used.astype(np.int32)]


def saturated(screen: Float32[np.ndarray, "*shape 3"], saturation: float) -> Float32[np.ndarray, "*shape 3"]:
    """Colors moved away from the gray of their own luma (above 1) or towards it (below); not clipped."""
    if saturation == 1:
        return screen
    gray = (screen @ LUMA)[..., None]
    return gray + np.float32(saturation) * (screen - gray)
