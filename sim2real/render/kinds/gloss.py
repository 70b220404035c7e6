"""What arrives at each pixel's surface from the mirrored direction if it is at least as smooth as lacquer, linear, exposed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from ..stage import FrameView, Stage


def prepare(stage: Stage) -> Callable[[FrameView], Float32[np.ndarray, "height width 3"]]:
    """Make the tracer that ``light`` shares."""
    _ = stage.tracer
    return lambda view: view.light.of_gloss
