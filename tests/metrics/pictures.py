"""Pictures that need no file: leaf-like shapes over each other, whose statistics are near to those of photographs."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8


def dead_leaves(seed: int, size: tuple[int, int] = (192, 256), leaves: int = 250) -> UInt8[np.ndarray, "height width 3"]:
    """Discs of all sizes and colors, the last ones in front, each with a little shading and grain."""
    rng = np.random.default_rng(seed)
    height, width = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    picture = np.full((height, width, 3), 128.0, np.float32)
    for _ in range(leaves):
        radius = min(4 / (1 - rng.random()) ** 0.6, 120)
        cx, cy = rng.uniform(0, width), rng.uniform(0, height)
        inside = (x - cx) ** 2 + (y - cy) ** 2 < radius**2
        shade = 1 + 0.3 * (x[inside] - cx) / radius
        picture[inside] = rng.uniform(20, 235, 3) * shade[:, None]
    picture += 3 * rng.standard_normal((height, width, 1))
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
