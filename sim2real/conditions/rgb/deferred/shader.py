"""Plain but decent pictures by deferred shading of our own visibility: textures, GGX, sun with shadows, sky, anti-aliasing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import warp as wp
from jaxtyping import Float32, UInt8
from torch import Tensor

from ....camera.kernels import BENT
from ....devices import as_warp, blank, launch, load, row_threads, upload
from ....raster import Rasterizer
from ....scene import Camera, Scene, Triangles
from ....scene.colors import srgb_from_linear
from ...samples import Layers, Sampler, Samples
from ..protocol import MadeBy
from . import lane_kernels, occlusion_kernels, overlay_kernels, shading_kernels
from .exposure import EXPOSURE
from .lamps import Lamps
from .overlays import Overlays, has_overlays
from .shadows import ShadowOptions

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
    - Lamps' cameras are fitted once to what the scene's cameras see; the shadow maps of a frame serve all cameras.
    - Exposure is fixed, so that nothing flickers.

    Args:
        scene: the rollout, with all cameras of the clip.
        triangles: of the scene.
        rasterizer: of these triangles, on ``device``.
        device: ``cpu`` or ``cuda``.
        sampler: of the scene, where one is shared; by default one with 2 x 2 samples per pixel.
        shadows: how shadows are found; ``None``: as usual.
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
        for module in (occlusion_kernels, shading_kernels, *([lane_kernels] if device == "cpu" else [])):
            load(module, device)
        curve = np.rint(255 * srgb_from_linear(np.linspace(0, 1, _CURVE))).astype(np.uint8)
        self._curve = upload(curve, wp.uint8, device)
        self._taps = upload(occlusion_kernels.spiral(), wp.vec2, device)
        self._lamps = Lamps(scene, triangles, rasterizer, self._sampler.alpha >= 0.5, shadows or ShadowOptions(), device)
        self._overlays: Overlays | None = None
        if has_overlays(scene):
            self._overlays = Overlays(scene, triangles, rasterizer, self._sampler, device)

    def frame(self, camera: Camera, frame: int, layers: Layers | None = None) -> UInt8[np.ndarray, "height width 3"]:
        """The picture of a camera at a frame, sRGB.

        Args:
            camera: of the scene.
            frame: of the scene.
            layers: what the camera sees, where the sampler has been asked already.
        """
        color = as_warp(self._blended(camera, frame, EXPOSURE, layers), wp.vec3)
        out = torch.empty((*camera.size, 3), dtype=torch.uint8, device=self._device)
        shape, run = row_threads(camera.size, self._device)
        launch(shading_kernels.encode_kernel, shape, [color, run, self._curve, as_warp(out, wp.uint8)], self._device)
        return out.cpu().numpy()

    def ahead(self, frame: int) -> None:
        """Draw the shadow maps of a frame, if there are shadows: pictures that need them meanwhile wait for them."""
        self._lamps.draw_shadows(frame)

    def radiance(self, camera: Camera, frame: int) -> Float32[np.ndarray, "height width 3"]:
        """Linear radiance before exposure and tone curve, averaged over each pixel."""
        return self._blended(camera, frame, 0.0, None).cpu().numpy()

    def _blended(self, camera: Camera, frame: int, exposure: float, layers: Layers | None) -> Tensor:
        layers = layers or self._sampler.layers(camera, frame)  # first: the shadows may meanwhile be drawn by another thread
        light = self._lamps.light(camera, frame, exposure)  # of all layers, which are seen from one place

        def painted(samples: Samples) -> Tensor:
            shading = Shading(samples, self._ambient(samples), light)
            over = None if self._overlays is None else self._overlays.of(samples, self._in_mirror)
            if self._overlays is None or over is None:
                return self._shade(shading)
            if over.haze_reach == 0 and self._by_lanes(samples):
                return self._shade(shading, over)
            plain = blank(samples.size, wp.vec3, self._device) if over.haze_reach > 0 else None
            without = self._shade(shading) if plain is None else wp.to_torch(plain)
            return self._overlays.shade(samples, shading.occlusion, shading.light, over, without)

        return layers.blended(painted)

    def _by_lanes(self, samples: Samples) -> bool:
        """Whether eight places are shaded at once."""
        return self._device == "cpu" and samples.view.camera.kind == 0

    def _shade(self, shading: Shading, over: Any = None) -> Float32[Tensor, "height width 3"]:
        """The picture of a view; ``over`` (without haze) may be laid over it where it is shaded by lanes."""
        seen = shading.samples
        color = blank(seen.size, wp.vec3, self._device)
        if self._by_lanes(seen):
            room = seen.size[1] * seen.side**2
            faces_of = as_warp(torch.empty((room, 2), dtype=torch.int32), wp.vec2i)
            places = as_warp(torch.empty((room, 3)), wp.vec3)
            counts = as_warp(torch.empty(3, dtype=torch.int32), wp.int32)
            runs = as_warp(torch.empty((seen.size[1] // 8 + 1, 2), dtype=torch.int32), wp.vec2i)
            wanted = None if seen.wanted is None else as_warp(seen.wanted, wp.uint8)
            lit = [
                shading.occlusion,
                seen.materials,
                seen.view,
                shading.light,
                over or overlay_kernels.Overlay(),
                wanted,
                color,
            ]
            found = [seen.face, seen.side, faces_of, places, runs, counts]
            launch(lane_kernels.shade_rows_kernel, seen.size[0], [*found, *lit], self._device)
            return wp.to_torch(color)
        shape, run = row_threads(seen.size, self._device)
        launch(
            shading_kernels.shade_kernel,
            shape,
            [seen.face, seen.side, run, shading.occlusion, seen.materials, seen.view, shading.light, color],
            self._device,
        )
        return wp.to_torch(color)

    def shading(self, camera: Camera, frame: int) -> Shading:
        """Rasterize a view and gather what its picture is shaded from."""
        samples = self._sampler.samples(camera, frame)
        return Shading(samples, self._ambient(samples), self._lamps.light(camera, frame, EXPOSURE))

    def _in_mirror(self, samples: Samples, headlight_on: Camera) -> Float32[Tensor, "height width 3"]:
        """Radiance of what the camera of a mirror sees; black where there is no surface."""
        light = self._lamps.light(samples.camera, samples.frame, 0.0, headlight_on=headlight_on)
        light.above, light.below, light.box_side = wp.vec3(0.0, 0.0, 0.0), wp.vec3(0.0, 0.0, 0.0), 0
        return self._shade(Shading(samples, self._ambient(samples), light))

    def _ambient(self, samples: Samples) -> Any:
        """The half-size map of (visible part of the sky, inverse depth)."""
        camera, view = samples.camera, samples.view
        size = (-(-camera.size[0] // 2), -(-camera.size[1] // 2))
        plane = blank(size, wp.vec4, self._device)
        shape, run = row_threads(size, self._device)
        of_faces = [samples.face, 2 * samples.side, run, view.vertices, self._sampler.tables.faces, view.camera, plane]
        launch(occlusion_kernels.planes_kernel, shape, of_faces, self._device)
        raw, smooth = (blank(size, wp.vec2, self._device) for _ in range(2))
        radius = 0.2 if self._lamps.radius is None else 0.25 * self._lamps.radius
        of_planes = [plane, view.camera, self._taps, radius, self._occlusion, raw]
        if self._device == "cpu" and view.camera.kind != BENT:
            launch(lane_kernels.occlusion_rows_kernel, size[0], of_planes, self._device)
        else:
            launch(occlusion_kernels.occlusion_kernel, size, of_planes, self._device)
        launch(occlusion_kernels.blur_kernel, shape, [raw, run, smooth], self._device)
        return smooth
