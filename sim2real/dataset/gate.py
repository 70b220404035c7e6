"""Which clips are good enough: figures of a clip against a user's thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping

AT_LEAST = {
    "geometry_db": "cross-frame PSNR of the footage along exact motion, dB",
    "borders": "share of instance borders where the footage has one within 2 px",
    "masks": "share of an instance's pixels whose footage belongs to it, by color against its surroundings",
    "labels": "share of frames whose labels agree with each other",
}
"""Figures that are better the higher they are."""
AT_MOST = {
    "color": "CIEDE2000 between an instance's mean color in the footage and in the render",
    "noise": "the largest whiteness score of the noise, standard deviations",
}
"""Figures that are better the lower they are."""


def refusal(figures: Mapping[str, float], gate: Mapping[str, float]) -> str:
    """Why a clip is set aside; empty if it passes.

    Args:
        figures: of the clip; one that it does not have, or that is not a number, does not pass.
        gate: least (``AT_LEAST``) or greatest (``AT_MOST``) values by name.
    """
    reasons = []
    for name, bound in gate.items():
        value = figures.get(name, math.nan)
        good = value >= bound if name in AT_LEAST else value <= bound
        if not good:
            said = "was not measured" if math.isnan(value) else f"is {value:.4g}"
            reasons.append(f"{name} {said}, must be {'at least' if name in AT_LEAST else 'at most'} {bound:g}")
    return "; ".join(reasons)
