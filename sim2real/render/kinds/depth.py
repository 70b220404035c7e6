"""Metres along the camera's z, 0 where there is no surface."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from ...conditions import metric_depth
from ..stage import FrameView, Stage


def prepare(stage: Stage) -> Callable[[FrameView], Float32[np.ndarray, "height width"]]:
    """Fragments are all that it takes."""
    return lambda view: metric_depth(view.fragments)
