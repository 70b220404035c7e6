"""Plain but decent pictures by deferred shading of our own visibility: textures, GGX, sun with shadows, sky, anti-aliasing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import warp as wp
from jaxtyping import Float32, UInt8
from torch import Tensor

from ....camera.kernels import device_camera
from ....devices import as_warp, blank, launch, load, row_threads, upload
from ....raster import Rasterizer
from ....scene import Camera, Scene, Triangles
from ....scene.colors import srgb_from_linear
from ....transforms import inverse_rigid
from ...samples import Layers, Sampler, Samples
from ..protocol import MadeBy
from . import light_kernels, occlusion_kernels, shading_kernels
from .shadows import ShadowMaps, ShadowOptions, fixed_parts, still_parts
from .sun import fitted_sun, spread_frames

EXPOSURE = 0.65
"""What radiance is multiplied with before the tone curve."""
_CURVE = 4096  # entries of the table that ends in 8 bits


@dataclass(frozen=True, eq=False)
class Shading:
    """Everything that one picture is shaded from (Warp structs and arrays): what the kernel and its torch twin both take."""

    samples: Samples
    occlusion: Any
    light: Any


class Shader:
    """Shades a clip; ``frame`` may be called from several threads at once.

    - One sees through parts whose base alpha is below 1 (``Sampler``). Those below 0.5 cast no shadow. (Labels, depth and noise
      are those of the first surface.)
    - The sun's camera is fitted once to what the scene's cameras see; the shadow map of a frame serves all cameras.
    - Exposure is fixed, so that nothing flickers.

    Args:
        scene: the rollout, with all cameras of the clip.
        triangles: of the scene.
        rasterizer: of these triangles, on ``device``.
        device: ``cpu`` or ``cuda``.
        sampler: of the scene, where one is shared; by default one with 2 x 2 samples per pixel.
        shadows: how the sun's shadows are found; ``None``: as usual.
        ambient_occlusion: strength of the darkening of corners and contacts; 0 switches it off.
    """

    made_by: MadeBy | None = None

    def __init__(
        self,
        scene: Scene,
        triangles: Triangles,
        rasterizer: Rasterizer,
        device: str = "cpu",
        *,
        sampler: Sampler | None = None,
        shadows: ShadowOptions | None = None,
        ambient_occlusion: float = 2.0,
    ) -> None:
        self._scene, self._device = scene, device
        self._sampler = sampler or Sampler(scene, triangles, rasterizer, device)
        self._occlusion = ambient_occlusion
        for module in (occlusion_kernels, shading_kernels):
            load(module, device)
        curve = np.rint(255 * srgb_from_linear(np.linspace(0, 1, _CURVE))).astype(np.uint8)
        self._curve = upload(curve, wp.uint8, device)
        self._taps = upload(occlusion_kernels.spiral(), wp.vec2, device)
        shadows = shadows or ShadowOptions()
        looked_at = (0,) if shadows.as_live else spread_frames(scene)
        self._sun = fitted_sun(scene, rasterizer, shadows.texels, shadows.margin, looked_at) if shadows.texels else None
        casts, tables = self._sampler.alpha >= 0.5, self._sampler.tables
        still = fixed_parts(scene) if shadows.as_live else still_parts(scene)
        self._shadows = ShadowMaps(scene, tables, rasterizer, self._sun, (casts, still), device) if self._sun else None
        self._no_shadow = blank((1, 1), wp.float32, device)

    def frame(self, camera: Camera, frame: int, layers: Layers | None = None) -> UInt8[np.ndarray, "height width 3"]:
        """The picture of a camera at a frame, sRGB.

        Args:
            camera: of the scene.
            frame: of the scene.
            layers: what the camera sees, where the sampler has been asked already.
        """
        color = as_warp(self._blended(camera, frame, EXPOSURE, layers), wp.vec3)
        out = torch.empty((*camera.size, 3), dtype=torch.uint8, device=self._device)
        launch(shading_kernels.encode_kernel, camera.size, [color, self._curve, as_warp(out, wp.uint8)], self._device)
        return out.cpu().numpy()

    def ahead(self, frame: int) -> None:
        """Draw the shadow map of a frame, if there are shadows: pictures that need it meanwhile wait for it."""
        if self._shadows is not None:
            self._shadows.of(frame)

    def radiance(self, camera: Camera, frame: int) -> Float32[np.ndarray, "height width 3"]:
        """Linear radiance before exposure and tone curve, averaged over each pixel."""
        return self._blended(camera, frame, 0.0, None).cpu().numpy()

    def _blended(self, camera: Camera, frame: int, exposure: float, layers: Layers | None) -> Tensor:
        def painted(samples: Samples) -> Tensor:
            shading = self._lit(samples)
            shading.light.exposure = exposure
            return self._shade(shading)

        return (layers or self._sampler.layers(camera, frame)).blended(painted)

    def _shade(self, shading: Shading) -> Float32[Tensor, "height width 3"]:
        seen = shading.samples
        shape, run = row_threads(seen.size, self._device)
        color = blank(seen.size, wp.vec3, self._device)
        launch(
            shading_kernels.shade_kernel,
            shape,
            [seen.face, seen.side, run, shading.occlusion, seen.materials, seen.view, shading.light, color],
            self._device,
        )
        return wp.to_torch(color)

    def shading(self, camera: Camera, frame: int) -> Shading:
        """Rasterize a view and gather what its picture is shaded from."""
        return self._lit(self._sampler.samples(camera, frame))

    def _lit(self, samples: Samples) -> Shading:
        return Shading(samples, self._ambient(samples), self._light(samples.camera, samples.frame))

    def _ambient(self, samples: Samples) -> Any:
        """The half-size map of (visible part of the sky, inverse depth)."""
        camera, view = samples.camera, samples.view
        size = (-(-camera.size[0] // 2), -(-camera.size[1] // 2))
        plane = blank(size, wp.vec4, self._device)
        launch(
            occlusion_kernels.planes_kernel,
            size,
            [samples.face, 2 * samples.side, view.vertices, self._sampler.tables.faces, view.camera, plane],
            self._device,
        )
        raw, smooth = (blank(size, wp.vec2, self._device) for _ in range(2))
        radius = 0.25 * self._sun.radius if self._sun else 0.2
        launch(
            occlusion_kernels.occlusion_kernel,
            size,
            [plane, view.camera, self._taps, radius, self._occlusion, raw],
            self._device,
        )
        launch(occlusion_kernels.blur_kernel, size, [raw, smooth], self._device)
        return smooth

    def _light(self, camera: Camera, frame: int) -> Any:
        lighting = self._scene.lighting
        camera_from_world = inverse_rigid(camera.world_from_camera[frame])

        def direction(vector: tuple[float, float, float]) -> Any:
            v = camera_from_world[:3, :3] @ np.array(vector, np.float64)
            return wp.vec3(*(v / max(float(np.linalg.norm(v)), 1e-12)))

        light = light_kernels.Light()
        light.sun_direction, light.up = direction(lighting.sun_direction), direction(lighting.up)
        light.sun, light.sky, light.ground = wp.vec3(*lighting.sun), wp.vec3(*lighting.sky), wp.vec3(*lighting.ground)
        above, below = lighting.backdrop or (lighting.sky, lighting.ground)
        light.above, light.below = wp.vec3(*above), wp.vec3(*below)
        light.exposure = EXPOSURE
        light.shadow, light.shadow_side = self._no_shadow, 0
        if self._sun is not None and self._shadows is not None:
            sun = self._sun.camera
            sun_from_camera = inverse_rigid(sun.world_from_camera[frame]) @ camera.world_from_camera[frame]
            light.rotation = wp.mat33(*sun_from_camera[:3, :3].ravel().tolist())
            light.translation = wp.vec3(*sun_from_camera[:3, 3].tolist())
            light.sun_camera = device_camera(sun.intrinsics[frame], sun.lens, sun.size, self._device)
            light.shadow, light.shadow_side = self._shadows.of(frame), sun.size[0]
            light.bias = 0.6 * self._sun.texel / self._sun.distance
        return light
