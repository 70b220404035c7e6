"""What surfaces are made of, whatever light falls on them: base color with textures, roughness, metallic, emissive strength.

Both pictures are averages over a pixel's samples, in linear values, as the shaded render's are: textures are filtered alike,
and what is seen through clear parts is blended by the same shares, so that ``rgb / albedo`` in linear light is what the light
does. The background is black in both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import warp as wp
from jaxtyping import Float32, UInt8
from torch import Tensor

from ..devices import as_warp, launch, row_threads, upload
from ..raster import Rasterizer
from ..scene import Camera, Scene, Triangles
from ..scene.colors import srgb_from_linear
from . import surface_kernels
from .samples import Layers, Sampler, Samples

_CURVE = 4096  # entries of the table that ends in 8 bits


@dataclass(frozen=True, eq=False)
class SurfacePictures:
    """What one view's surfaces are made of.

    - ``albedo``: sRGB; base color with textures.
    - ``material``: 255 times roughness (red), metallic (green) and emissive strength (blue): the largest channel of the
      emission, at most 1. Emission is multiplied with the texture.
    """

    albedo: UInt8[np.ndarray, "height width 3"]
    material: UInt8[np.ndarray, "height width 3"]


class SurfaceShader:
    """Paints what surfaces are made of; ``frame`` may be called from several threads at once.

    Args:
        scene: the rollout.
        triangles: of the scene.
        rasterizer: of these triangles, on ``device``.
        device: ``cpu`` or ``cuda``.
        sampler: of the scene, where one is shared; by default one with 2 x 2 samples per pixel.
    """

    def __init__(
        self,
        scene: Scene,
        triangles: Triangles,
        rasterizer: Rasterizer,
        device: str = "cpu",
        *,
        sampler: Sampler | None = None,
    ) -> None:
        self._sampler = sampler or Sampler(scene, triangles, rasterizer, device)
        curve = np.rint(255 * srgb_from_linear(np.linspace(0, 1, _CURVE))).astype(np.uint8)
        self._curve = upload(curve, wp.uint8, device)

    def frame(self, camera: Camera, frame: int, layers: Layers | None = None) -> SurfacePictures:
        """The pictures of a camera at a frame.

        Args:
            camera: of the scene, or another that looks at it.
            frame: of the scene.
            layers: what the camera sees, where the sampler has been asked already.
        """
        device, surface = self._sampler.device, self._blended(camera, frame, layers)
        albedo, material = (torch.empty((*camera.size, 3), dtype=torch.uint8, device=device) for _ in range(2))
        launch(
            surface_kernels.encode_surface_kernel,
            camera.size,
            [
                as_warp(surface, surface_kernels.Surface),
                self._curve,
                as_warp(albedo, wp.uint8),
                as_warp(material, wp.uint8),
            ],
            device,
        )
        return SurfacePictures(albedo.cpu().numpy(), material.cpu().numpy())

    def linear(self, camera: Camera, frame: int) -> Float32[np.ndarray, "height width 6"]:
        """Linear base color, roughness, metallic and emissive strength before they become 8 bits."""
        return self._blended(camera, frame, None).cpu().numpy()

    def _blended(self, camera: Camera, frame: int, layers: Layers | None) -> Tensor:
        return (layers or self._sampler.layers(camera, frame)).blended(self.painted)

    def painted(self, samples: Samples) -> Float32[Tensor, "height width 6"]:
        """Linear base color, roughness, metallic and emissive strength of what samples see, as if nothing were clear."""
        shape, run = row_threads(samples.size, self._sampler.device)
        out = torch.empty((*samples.size, 6), dtype=torch.float32, device=self._sampler.device)
        launch(
            surface_kernels.surface_kernel,
            shape,
            [samples.face, samples.side, run, samples.materials, samples.view, as_warp(out, surface_kernels.Surface)],
            self._sampler.device,
        )
        return out
