"""A plain render: one sun, a sky."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import UInt8

from ...conditions import Shader, ShadowOptions
from ..stage import FrameView, Stage


class _Rgb:
    """Shades views; shadows, which all cameras share, may be drawn ahead."""

    def __init__(self, shader: Shader) -> None:
        self._shader = shader

    def __call__(self, view: FrameView) -> UInt8[np.ndarray, "height width 3"]:
        return self._shader.frame(view.camera, view.frame, view.layers)

    def ahead(self, frame: int) -> None:
        """Draw the shadows of a frame."""
        self._shader.draw_shadows(frame)


def prepare(stage: Stage) -> Callable[[FrameView], UInt8[np.ndarray, "height width 3"]]:
    """Fit the sun's shadows to the scene."""
    shadows, device = ShadowOptions(as_live=stage.plan.as_live), stage.plan.device
    shader = Shader(stage.scene, stage.triangles, stage.rasterizer, device, sampler=stage.sampler, shadows=shadows)
    return _Rgb(shader)
