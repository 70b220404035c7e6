"""A skybox as kernels take it: radiance that the tone curve brings back to the box's own colors, as fine as pixels see it."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import warp as wp
from jaxtyping import Float

from ....devices import upload
from ....scene import Camera
from ....scene.colors import linear_from_srgb
from ....scene.light.lamps import Skybox
from .exposure import EXPOSURE, radiance_shown_as


class Sky:
    """The sides of a skybox, halved until a texel is about as large as a pixel; may be asked from several threads at once.

    Finer ones would flicker, as stars do. They are averaged as they are stored, and shown as they are stored: a skybox is a
    picture, which sends no light.

    Args:
        skybox: of the scene.
        device: where pictures are made.
    """

    def __init__(self, skybox: Skybox, device: str) -> None:
        self._skybox, self._device = skybox, device
        self._levels: dict[int, tuple[Any, int]] = {}
        self._lock = threading.Lock()

    def seen_by(self, camera: Camera, frame: int) -> tuple[Any, int]:
        """The texels of all sides (vec3, side after side, row after row) and the texels along a side, for a camera."""
        focal, side = float(camera.intrinsics[frame, 0, 0]), self._skybox.sides.shape[1]
        finer = side / (2 * max(focal, 1e-9))  # texels per pixel in the middle of a side
        level = 0 if camera.lens.parallel else int(np.clip(np.ceil(np.log2(max(finer, 1.0))), 0, np.floor(np.log2(side))))
        with self._lock:
            if level not in self._levels:
                sides = halved(self._skybox.sides / 255, level)
                colors = radiance_shown_as(linear_from_srgb(sides), EXPOSURE)
                self._levels[level] = upload(colors.reshape(-1, 3).astype(np.float32), wp.vec3, self._device), sides.shape[1]
            return self._levels[level]


def halved(sides: Float[np.ndarray, "6 side side 3"], times: int) -> Float[np.ndarray, "6 smaller smaller 3"]:
    """Pictures with every four texels averaged, some times over; a row or column too much is left out."""
    for _ in range(times):
        half = sides.shape[1] // 2
        sides = sides[:, : 2 * half, : 2 * half].reshape(6, half, 2, half, 2, 3).mean(axis=(2, 4))
    return sides
