"""Metric depth as the inverse depth that control videos show."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def inverse_depth_range(depth: Float[np.ndarray, "frames height width"]) -> tuple[float, float]:
    """The far and near ends of a clip's inverse depth (1/m): 1st and 99th percentile of what has a surface.

    Fixed over the clip, so that brightness does not flicker; percentiles, so that one stray pixel does not flatten the rest.
    """
    surface = depth > 0
    if not surface.any():
        return 0.0, 1.0
    inverse = 1.0 / depth[surface]
    far, near = np.percentile(inverse, [1, 99])
    return float(far), float(max(near, far * (1 + 1e-3)))
