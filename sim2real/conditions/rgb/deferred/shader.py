"""Plain but decent pictures by deferred shading of our own visibility: textures, GGX, sun with shadows, sky, anti-aliasing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import warp as wp
from jaxtyping import Bool, Float32, UInt8

from ....raster import Rasterizer, view_of
from ....raster.warp_runtime import load
from ....scene import Camera, Scene, Triangles
from ....scene.colors import linear_from_srgb, srgb_from_linear
from ....transforms import inverse_rigid
from ...tables import as_warp, blank, deformed_normals, eye_of, launch, normal_matrices, pinhole, tables_of, upload
from ...textures import atlas_of
from . import light_kernels, occlusion_kernels, shading_kernels
from .shadows import ShadowMaps
from .sun import fitted_sun

_CURVE = 4096  # entries of the table that ends in 8 bits
_MARGIN_PX = 16


@dataclass(frozen=True, eq=False)
class Shading:
    """Everything that one picture is shaded from (Warp structs and arrays): what the kernel and its torch twin both take."""

    face: Any
    side: int
    occlusion: Any
    materials: Any
    view: Any
    light: Any
    size: tuple[int, int]


class Shader:
    """Shades a clip; ``frame`` may be called from several threads at once.

    - One sees through parts whose base alpha is below 1: they are blended over what is behind all of them. Those below 0.5 cast
      no shadow. The alpha of a texture is not looked at. (Labels, depth and noise are those of the first surface.)
    - The sun's camera is fitted once to what the scene's cameras see; the shadow map of a frame serves all cameras.
    - Exposure is fixed, so that nothing flickers.

    Args:
        scene: the rollout, with all cameras of the clip.
        triangles: of the scene.
        rasterizer: of these triangles, on ``device``.
        device: ``cpu`` or ``cuda``.
        samples: per pixel and axis; 2 looks smooth, 1 is jagged and about twice as fast.
        shadow_texels: side of the shadow map; 0 switches shadows off.
        ambient_occlusion: strength of the darkening of corners and contacts; 0 switches it off.
        exposure: what radiance is multiplied with before the tone curve.
    """

    def __init__(
        self,
        scene: Scene,
        triangles: Triangles,
        rasterizer: Rasterizer,
        device: str = "cpu",
        *,
        samples: int = 2,
        shadow_texels: int = 1024,
        ambient_occlusion: float = 2.0,
        exposure: float = 0.65,
    ) -> None:
        self._scene, self._triangles, self._rasterizer, self._device = scene, triangles, rasterizer, device
        self._samples, self._occlusion, self._exposure = samples, ambient_occlusion, exposure
        self._tables = tables_of(triangles, device)
        for module in (occlusion_kernels, shading_kernels):
            load(module, device)
        alpha = np.array([scene.meshes[p.mesh].material.base_color[3] for p in scene.parts], np.float32)
        self._clear = alpha < 1
        of_face = alpha[triangles.face_part] if len(triangles.face_part) else np.ones(1, np.float32)
        self._face_alpha = upload(of_face, wp.float32, device)
        self._materials = self._upload_materials()
        curve = np.rint(255 * srgb_from_linear(np.linspace(0, 1, _CURVE))).astype(np.uint8)
        self._curve = upload(curve, wp.uint8, device)
        self._taps = upload(occlusion_kernels.spiral(), wp.vec2, device)
        self._sun = fitted_sun(scene, rasterizer, shadow_texels) if shadow_texels else None
        self._shadows = ShadowMaps(scene, self._tables, rasterizer, self._sun, alpha >= 0.5, device) if self._sun else None
        self._no_shadow = blank((1, 1), wp.float32, device)

    def frame(self, camera: Camera, frame: int) -> UInt8[np.ndarray, "height width 3"]:
        """The picture of a camera at a frame, sRGB."""
        colour = self._blended(camera, frame, self._exposure)
        out = torch.empty((*camera.size, 3), dtype=torch.uint8, device=self._device)
        launch(shading_kernels.encode_kernel, camera.size, [colour, self._curve, as_warp(out, wp.uint8)], self._device)
        return out.cpu().numpy()

    def radiance(self, camera: Camera, frame: int) -> Float32[np.ndarray, "height width 3"]:
        """Linear radiance before exposure and tone curve, averaged over each pixel."""
        return self._blended(camera, frame, 0.0).numpy()

    def _blended(self, camera: Camera, frame: int, exposure: float) -> Any:
        """The picture with everything in it, over the one without what is clear."""
        first = self.shading(camera, frame)
        first.light.exposure = exposure
        colour = self._shade(first)
        if not self._clear.any():
            return colour
        weights, run = blank(first.size, wp.float32, self._device), self._run(first.size)
        shape = (first.size[0], -(-first.size[1] // run))
        launch(shading_kernels.clear_kernel, shape, [first.face, first.side, run, self._face_alpha, weights], self._device)
        weight = wp.to_torch(weights)
        if not (weight < 1).any():
            return colour
        rows, columns = _box_around(weight < 1)
        behind = self.shading(_cut(camera, rows, columns), frame, without_clear=True)
        behind.light.exposure = exposure
        # both pictures are the same where nothing is clear
        picture = wp.to_torch(colour)
        picture[rows, columns] = torch.lerp(
            wp.to_torch(self._shade(behind)), picture[rows, columns], weight[rows, columns, None]
        )
        return colour

    def _run(self, size: tuple[int, int]) -> int:
        """Pixels per thread: a CPU thread copies the structs each time it starts."""
        return size[1] if self._device == "cpu" else 1

    def _shade(self, s: Shading) -> Any:
        run = self._run(s.size)
        colour = blank(s.size, wp.vec3, self._device)
        launch(
            shading_kernels.shade_kernel,
            (s.size[0], -(-s.size[1] // run)),
            [s.face, s.side, run, s.occlusion, s.materials, s.view, s.light, colour],
            self._device,
        )
        return colour

    def shading(self, camera: Camera, frame: int, *, without_clear: bool = False) -> Shading:
        """Rasterize a view and gather what its picture is shaded from; if asked, without the parts that one sees through."""
        scene, side = self._scene, self._samples
        fine = camera.resized((camera.size[0] * side, camera.size[1] * side))
        asked = view_of(scene, fine, frame)
        asked["part_visible"] &= ~(self._clear & without_clear)
        vertices, camera_from_part = asked["vertices"], asked["camera_from_part"]
        seen = self._rasterizer.visibility(**asked)
        view = shading_kernels.View()
        view.vertices = as_warp(seen.camera_vertices, wp.vec3)
        view.corner_normals = self._tables.corner_normals
        if vertices is not None:
            view.corner_normals = upload(deformed_normals(self._triangles, vertices), wp.vec3, self._device)
        matrices = normal_matrices(camera_from_part).astype(np.float32)
        view.normal_from_part = upload(matrices, wp.mat33, self._device)
        view.eye = eye_of(camera.intrinsics[frame], camera.lens, camera.size, self._device)
        face = as_warp(seen.face, wp.int32)
        occlusion = self._ambient(face, view, camera, frame)
        light = self._light(camera, frame)
        return Shading(face, side, occlusion, self._materials, view, light, camera.size)

    def _ambient(self, face: Any, view: Any, camera: Camera, frame: int) -> Any:
        """The half-size map of (visible part of the sky, inverse depth)."""
        size = (-(-camera.size[0] // 2), -(-camera.size[1] // 2))
        half = eye_of(camera.intrinsics[frame], camera.lens, camera.size, self._device, pixels_per_px=2.0)
        plane = blank(size, wp.vec4, self._device)
        launch(
            occlusion_kernels.planes_kernel,
            size,
            [face, 2 * self._samples, view.vertices, self._tables.faces, half, plane],
            self._device,
        )
        raw, smooth = (blank(size, wp.vec2, self._device) for _ in range(2))
        radius = 0.25 * self._sun.radius if self._sun else 0.2
        launch(occlusion_kernels.occlusion_kernel, size, [plane, half, self._taps, radius, self._occlusion, raw], self._device)
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
        light.exposure = self._exposure
        light.shadow, light.shadow_side = self._no_shadow, 0
        if self._sun is not None and self._shadows is not None:
            sun = self._sun.camera
            sun_from_camera = inverse_rigid(sun.world_from_camera[frame]) @ camera.world_from_camera[frame]
            light.rotation = wp.mat33(*sun_from_camera[:3, :3].ravel().tolist())
            light.translation = wp.vec3(*sun_from_camera[:3, 3].tolist())
            light.pinhole = pinhole(sun.intrinsics[frame])
            light.shadow, light.shadow_side = self._shadows.of(frame), sun.size[0]
            light.bias = 0.6 * self._sun.texel / self._sun.distance
        return light

    def _upload_materials(self) -> Any:
        scene, device = self._scene, self._device
        materials = [scene.meshes[p.mesh].material for p in scene.parts]
        atlas = atlas_of(materials)

        def floats(values: list, dtype: Any) -> Any:
            width = () if dtype is wp.float32 else (3,)
            return upload(np.array(values, np.float32).reshape(-1, *width), dtype, device)

        s = shading_kernels.Materials()
        s.faces, s.corner_uv, s.face_part = self._tables.faces, self._tables.corner_uv, self._tables.face_part
        s.base = floats([m.base_color[:3] for m in materials], wp.vec3)
        s.emission = floats([m.emission for m in materials], wp.vec3)
        s.metallic = floats([m.metallic for m in materials], wp.float32)
        s.roughness = floats([m.roughness for m in materials], wp.float32)
        s.texture = upload(atlas.texture, wp.int32, device)
        s.texels = upload(atlas.texels.view(np.int32), wp.int32, device)
        s.levels = upload(atlas.levels, wp.vec3i, device)
        s.first_level = upload(atlas.first_level, wp.int32, device)
        s.level_count = upload(atlas.level_count, wp.int32, device)
        s.linear = upload(linear_from_srgb(np.arange(256) / 255).astype(np.float32), wp.float32, device)
        return s


def _box_around(chosen: Bool[torch.Tensor, "height width"]) -> tuple[slice, slice]:
    """Rows and columns that hold all chosen pixels and some margin, for the darkening of corners; they begin at even places."""
    slices = []
    for axis, length in enumerate(chosen.shape):
        at = torch.nonzero(chosen.any(1 - axis)).flatten()
        slices.append(slice(max(0, int(at[0]) // 2 * 2 - _MARGIN_PX), min(length, int(at[-1]) + 1 + _MARGIN_PX)))
    return slices[0], slices[1]


def _cut(camera: Camera, rows: slice, columns: slice) -> Camera:
    """A camera that sees a part of the picture."""
    intrinsics = camera.intrinsics.copy()
    intrinsics[:, :2, 2] -= [columns.start, rows.start]
    return replace(camera, size=(rows.stop - rows.start, columns.stop - columns.start), intrinsics=intrinsics)
