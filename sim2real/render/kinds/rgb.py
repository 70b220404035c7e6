"""A plain render: one sun, a sky."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import UInt8

from ...conditions import Shader, ShadowOptions
from ..stage import FrameView, Stage


def prepare(stage: Stage) -> Callable[[FrameView], UInt8[np.ndarray, "height width 3"]]:
    """Fit the sun's shadows to the scene."""
    shadows, device = ShadowOptions(as_live=stage.plan.as_live), stage.plan.device
    shader = Shader(stage.scene, stage.triangles, stage.rasterizer, device, sampler=stage.sampler, shadows=shadows)
    return lambda view: shader.frame(view.camera, view.frame, view.layers)
