"""Base color with textures, unlit, sRGB."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import UInt8

from ..stage import FrameView, Stage


def prepare(stage: Stage) -> Callable[[FrameView], UInt8[np.ndarray, "height width 3"]]:
    """Make the shader that ``material`` shares."""
    _ = stage.surface
    return lambda view: view.surface.albedo
