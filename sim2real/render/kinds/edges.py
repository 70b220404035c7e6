"""Edges of the geometry, white on black."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import UInt8

from ...conditions import edges
from ..stage import FrameView, Stage


def prepare(stage: Stage) -> Callable[[FrameView], UInt8[np.ndarray, "height width"]]:
    """Fragments and the triangles' creases."""
    return lambda view: edges(view.fragments, stage.triangles, view.asked.camera_from_part, vertices=view.asked.vertices)
