"""The protocol of everything that makes the pictures ``rgb``, and the choice of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from ...camera.view import Camera
from ..samples import Layers


@dataclass(frozen=True)
class MadeBy:
    """Who makes pictures: a package and its version; paths per pixel and what takes their noise away, where there are any."""

    renderer: str
    version: str
    samples: int | None = None
    denoiser: str | None = None


@runtime_checkable
class PictureRenderer(Protocol):
    """Makes shaded pictures of a scene: the same camera and frame give the same bits, whatever was asked before.

    Both methods may be called from several threads at once.
    """

    made_by: MadeBy | None
    """``None``: our own renderer."""

    def frame(self, camera: Camera, frame: int, layers: Layers | None = None) -> UInt8[np.ndarray, "height width 3"]:
        """The picture of a camera at a frame, sRGB.

        Args:
            camera: of the scene.
            frame: of the scene.
            layers: what the camera sees, for renderers that use our rasterizer, where it has been asked already.
        """
        ...

    def ahead(self, frame: int) -> None:
        """Do what the cameras share of a frame, while another thread begins with one of them."""
        ...
