"""The exposure of our pictures, and their tone curve backwards."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

EXPOSURE = 0.65
"""What radiance is multiplied with before the tone curve."""
_BRIGHTEST = 0.97
"""Of what the curve can show; white itself would take endless light."""


def radiance_shown_as(linear: Float[np.ndarray, "*shape"], exposure: float) -> Float[np.ndarray, "*shape"]:
    """The radiance of which ``light_kernels.tone_mapped`` makes a display-linear color, 0 to 1.

    The curve y = x (2.51 x + 0.03) / (x (2.43 x + 0.59) + 0.14) solved for its positive x.
    """
    y = np.clip(linear, 0, _BRIGHTEST)
    a, b, c = 2.51 - 2.43 * y, 0.03 - 0.59 * y, -0.14 * y
    return (np.sqrt(b * b - 4 * a * c) - b) / (2 * a) / exposure
