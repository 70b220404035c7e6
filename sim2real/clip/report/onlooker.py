"""From where to look at a clip's world: behind its first camera."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from ..folder import Clip
from .sheet import seen_depths


def onlooker(clip: Clip) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]]:
    """What the first camera sees in frame 0, seen from its right, above and behind.

    Returns:
        Where to stand and what to look at: world axes, metres.
    """
    camera = clip.cameras[0]
    near, far = seen_depths(clip, camera)
    world = clip.camera(camera).world_from_camera[0]
    distance = float(np.sqrt(near * far))
    target = world[:3, 3] + distance * world[:3, 2]
    return target + world[:3, :3] @ (distance * np.array([0.6, -0.6, -1.0])), target
