"""Normals in the camera's frame, as ``(n + 1) / 2`` in 8 bits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import UInt8

from ...conditions import camera_normals, encode_normals
from ..stage import FrameView, Stage


def prepare(stage: Stage) -> Callable[[FrameView], UInt8[np.ndarray, "height width 3"]]:
    """Fragments and the triangles' shading normals."""

    def of(view: FrameView) -> UInt8[np.ndarray, "height width 3"]:
        return encode_normals(
            camera_normals(view.fragments, stage.triangles, view.asked.camera_from_part, vertices=view.asked.vertices)
        )

    return of
