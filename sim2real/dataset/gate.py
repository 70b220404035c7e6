"""Which clips are good enough: figures of a clip against a user's thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping

AT_LEAST = {
    "detail": "correlation of the surfaces' detail along exact motion; 1: it sticks to them",
    "driven": "correlation of the surfaces' detail with what the clip's noise says of it; 0: other noise drove the footage",
    "borders": "share of instance borders where the footage has an edge within 2 px",
    "labels": "share of frames whose labels agree with each other",
}
"""Figures that are better the higher they are."""
AT_MOST = {
    "flicker": "spread of what changes in the surfaces' detail from frame to frame along exact motion, steps of 8 bits",
    "shift_px": "by how much the labels would have to be moved to fit the footage best, pixels",
    "color": "CIEDE2000 between an instance's mean color in the footage and in the render",
    "noise": "the largest whiteness score of the noise, standard deviations",
}
"""Figures that are better the lower they are."""


def refusal(figures: Mapping[str, float], gate: Mapping[str, float]) -> str:
    """Why a clip is set aside; empty if it passes.

    Args:
        figures: of the clip; one that it does not have does not count, one that is not a number does not pass.
        gate: least (``AT_LEAST``) or greatest (``AT_MOST``) values by name.
    """
    reasons = []
    for name, bound in gate.items():
        value = figures.get(name)
        if value is None:
            continue
        good = value >= bound if name in AT_LEAST else value <= bound
        if not good:
            said = "is not a number" if math.isnan(value) else f"is {value:.4g}"
            reasons.append(f"{name} {said}, must be {'at least' if name in AT_LEAST else 'at most'} {bound:g}")
    return "; ".join(reasons)
