"""Instance ids, 0 is the background."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import UInt16

from ...conditions import instance_ids
from ..stage import FrameView, Stage


def prepare(stage: Stage) -> Callable[[FrameView], UInt16[np.ndarray, "height width"]]:
    """The face that every pixel sees is all that it takes."""
    return lambda view: instance_ids(view.seen.face, stage.triangles)
