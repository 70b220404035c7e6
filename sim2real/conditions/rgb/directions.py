"""Where pixels look: for what is seen where nothing is."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ...camera import ray_from_px
from ...camera.view import Camera


def pixel_directions(camera: Camera, frame: int) -> Float[np.ndarray, "height width 3"]:
    """Unit vectors along the lines of sight of a camera's pixels at a frame, world axes."""
    rows, columns = np.indices(camera.size) + 0.5
    rays = ray_from_px(np.stack([columns, rows], axis=-1), camera.intrinsics[frame], camera.lens)
    toward = np.concatenate([0 * rays if camera.lens.parallel else rays, np.ones_like(rays[..., :1])], axis=-1)
    toward = toward @ camera.world_from_camera[frame, :3, :3].T
    return toward / np.linalg.norm(toward, axis=-1, keepdims=True)
