"""How much of each pixel its neighbors' surfaces cover."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import UInt16

from ...conditions import coverage
from ..stage import FrameView, Stage


def prepare(stage: Stage) -> Callable[[FrameView], UInt16[np.ndarray, "height width"]]:
    """Fragments, and the faces that samples inside pixels see."""

    def of(view: FrameView) -> UInt16[np.ndarray, "height width"]:
        return coverage(stage.scene, stage.triangles, stage.rasterizer, view.camera, view.frame, view.fragments)

    return of
