"""The faces that a few samples inside every pixel see: what anti-aliased pictures of a scene are painted from."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import warp as wp
from jaxtyping import Float32, Int32, UInt8
from torch import Tensor

from ..camera import View
from ..camera.kernels import device_camera
from ..devices import as_warp, launch, load, row_threads, upload
from ..raster import Rasterizer, Visibility, part_boxes, view_of, window_of
from ..scene import Camera, Maps, Scene, Triangles
from ..scene.colors import linear_from_srgb
from . import surface_kernels, texture_sampling
from .cells import part_around
from .clear_parts import ClearParts
from .tables import deformed_normals, normal_matrices, tables_of
from .textures import atlas_of

_MARGIN_PX = 16
"""Around what is clear, at least, for the darkening of corners."""


@dataclass(frozen=True, eq=False)
class Samples:
    """One view: the face of every sample, and what places and paints faces (Warp arrays and structs).

    - ``face`` has ``side`` x ``side`` samples per pixel of ``camera``, -1 where there is no surface.
    - ``view`` and ``materials`` are those of ``surface_kernels`` and ``texture_sampling``.
    - ``wanted``: 1 for the pixels whose colors are used, so that others need not be painted; ``None``: all.
    """

    camera: Camera
    frame: int
    side: int
    face: Any
    view: Any
    materials: Any
    wanted: UInt8[Tensor, "height width"] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture."""
        return self.camera.size


@dataclass(frozen=True, eq=False)
class Behind:
    """What one sees through clear parts, in the ``rows`` and ``columns`` where there are any.

    - ``layers``: what is behind the nearest clear part, behind the second, and so on; the last is without any.
    - ``weights``: the share of the picture in front of each.
    """

    layers: tuple[Samples, ...]
    rows: slice
    columns: slice
    weights: tuple[Float32[Tensor, "rows columns"], ...]


@dataclass(frozen=True, eq=False)
class Layers:
    """A view with everything in it and, where some of it is clear, what is behind."""

    front: Samples
    behind: Behind | None

    def blended(self, painted: Callable[[Samples], Float32[Tensor, "height width channels"]]) -> Tensor:
        """Paint the front, and over what is behind where it is clear: the farthest first.

        Args:
            painted: what is seen by samples; called once, and once for every layer behind.
        """
        picture = painted(self.front)
        if self.behind is not None:
            at = (self.behind.rows, self.behind.columns)
            *between, last = self.behind.layers
            shown = painted(last)
            # two neighboring pictures are the same where the nearer one is not clear
            for samples, weight in zip(reversed(between), reversed(self.behind.weights[1:]), strict=True):
                shown = torch.lerp(shown, painted(samples), weight[..., None])
            picture[at] = torch.lerp(shown, picture[at], self.behind.weights[0][..., None])
        return picture


class Sampler:
    """Looks at a scene through its cameras; may be used from several threads at once.

    One sees through parts whose base alpha is below 1: they are blended over what is behind them, the farthest first
    (``clear_parts``). The alpha of a texture is not looked at.

    Args:
        scene: the rollout.
        triangles: of the scene.
        rasterizer: of these triangles, on ``device``.
        device: ``cpu`` or ``cuda``.
        side: samples per pixel and axis, 1 to 5; 2 looks smooth, 1 is jagged and about twice as fast.
    """

    def __init__(
        self, scene: Scene, triangles: Triangles, rasterizer: Rasterizer, device: str = "cpu", *, side: int = 2
    ) -> None:
        self.scene, self.device, self.tables = scene, device, tables_of(triangles, device)
        self._triangles, self._rasterizer, self._side = triangles, rasterizer, side
        load(surface_kernels, device)
        self.alpha = np.array([scene.meshes[p.mesh].material.base_color[3] for p in scene.parts], np.float32)
        self.solid = self.alpha >= 1
        self._clear = ~self.solid
        self._boxes = part_boxes(triangles)
        self._clear_parts = ClearParts(triangles, self._clear, device)
        of_face = self.alpha[triangles.face_part] if len(triangles.face_part) else np.ones(1, np.float32)
        self._face_alpha = upload(of_face, wp.float32, device)
        self.materials = self._upload_materials()
        colors = [scene.meshes[part.mesh].colors for part in scene.parts]
        tinted = np.array([0 if own is None else 2 if own.in_texture else 1 for own in colors], np.int32)
        self._tinted = upload(tinted, wp.int32, device)
        self._corner_color = upload(packed_colors(scene), wp.int32, device)

    def layers(self, camera: Camera, frame: int) -> Layers:
        """What a camera sees at a frame."""
        front = self.samples(camera, frame)
        if not self._clear.any():
            return Layers(front, None)
        weight = self.weight(front)
        found = part_around(camera, (weight < 1).cpu().numpy(), _MARGIN_PX)
        if found is None:
            return Layers(front, None)
        part, (rows, columns) = found
        wanted = (weight[rows, columns] < 1).to(torch.uint8)
        asked = view_of(self.scene, self._fine(part), frame)
        if (self._clear & asked.shown).sum() < 2:
            samples = self.samples(part, frame, without_clear=True)
            return Layers(front, Behind((replace(samples, wanted=wanted),), rows, columns, (weight[rows, columns],)))
        solid = self._rasterizer.fragments(asked.only(~self._clear))
        last = replace(self._samples(part, frame, asked, solid.face, solid.camera_vertices), wanted=wanted)
        between = [replace(last, face=as_warp(face, wp.int32)) for face in self._clear_parts.layers(asked, solid)]
        weights = [weight[rows, columns], *(self.weight(samples) for samples in between)]
        return Layers(front, Behind((*between, last), rows, columns, tuple(weights)))

    def with_side(self, side: int) -> Sampler:
        """The same with another number of samples per pixel and axis; what has been uploaded is shared."""
        other = copy.copy(self)
        other._side = side
        return other

    def weight(self, seen: Samples) -> Float32[Tensor, "height width"]:
        """The mean alpha of what is clear in every pixel; 1 where nothing is."""
        weights = torch.ones(seen.size, device=self.device)
        rows, columns = self._where_clear(seen)
        part = weights[rows, columns].contiguous()
        if not part.numel():
            return weights
        side = seen.side
        fine = (slice(rows.start * side, rows.stop * side), slice(columns.start * side, columns.stop * side))
        face = as_warp(wp.to_torch(seen.face)[fine], wp.int32)
        shape, run = row_threads((part.shape[0], part.shape[1]), self.device)
        inputs = [face, side, run, self._face_alpha, as_warp(part, wp.float32)]
        launch(surface_kernels.clear_kernel, shape, inputs, self.device)
        weights[rows, columns] = part
        return weights

    def _where_clear(self, seen: Samples) -> tuple[slice, slice]:
        """Rows and columns outside of which there is nothing clear."""
        asked = view_of(self.scene, seen.camera, seen.frame).only(self._clear)
        if asked.vertices is not None:
            return slice(0, seen.size[0]), slice(0, seen.size[1])
        return window_of(asked, self._boxes)

    def _fine(self, camera: Camera) -> Camera:
        return camera.resized((camera.size[0] * self._side, camera.size[1] * self._side))

    def samples(
        self,
        camera: Camera,
        frame: int,
        *,
        without_clear: bool = False,
        look: Callable[[View], Visibility] | None = None,
    ) -> Samples:
        """The samples of one view.

        Args:
            camera: of the scene, or another that looks at it.
            frame: of the scene.
            without_clear: leave out the parts that one sees through.
            look: finds the faces, where it is not the rasterizer that does.
        """
        asked = view_of(self.scene, self._fine(camera), frame)
        seen = (look or self._rasterizer.visibility)(asked.only(~self._clear) if without_clear else asked)
        return self._samples(camera, frame, asked, seen.face, seen.camera_vertices)

    def _samples(self, camera: Camera, frame: int, asked: View, face: Tensor, camera_vertices: Tensor) -> Samples:
        view = surface_kernels.SurfaceView()
        view.vertices = as_warp(camera_vertices, wp.vec3)
        view.corner_normals = self.tables.corner_normals
        if asked.vertices is not None:
            view.corner_normals = upload(deformed_normals(self._triangles, asked.vertices), wp.vec3, self.device)
        matrices = normal_matrices(asked.camera_from_part).astype(np.float32)
        view.tinted, view.corner_color = self._tinted, self._corner_color
        view.normal_from_part = upload(matrices, wp.mat33, self.device)
        view.camera = device_camera(camera.intrinsics[frame], camera.lens, camera.size, self.device)
        return Samples(camera, frame, self._side, as_warp(face, wp.int32), view, self.materials)

    def _upload_materials(self) -> Any:
        scene, device = self.scene, self.device
        materials = [scene.meshes[p.mesh].material for p in scene.parts]
        maps = [m.maps or Maps() for m in materials]
        colors = [m.texture for m in materials] + [m.emission_texture for m in maps]
        numbers = [m.normal for m in maps] + [m.surface for m in maps]
        atlas = atlas_of([*colors, *numbers], data=[False] * len(colors) + [True] * len(numbers))
        base, glowing, bent, surfaces = atlas.texture.reshape(4, -1)

        def floats(values: list, dtype: Any) -> Any:
            width = () if dtype is wp.float32 else (3,)
            return upload(np.array(values, np.float32).reshape(-1, *width), dtype, device)

        s = texture_sampling.Materials()
        s.faces, s.corner_uv, s.face_part = self.tables.faces, self.tables.corner_uv, self.tables.face_part
        s.base = floats([m.base_color[:3] for m in materials], wp.vec3)
        s.emission = floats([m.emission for m in materials], wp.vec3)
        s.metallic = floats([m.metallic for m in materials], wp.float32)
        s.roughness = floats([m.roughness for m in materials], wp.float32)
        s.texture = upload(base, wp.int32, device)
        s.map_texture = upload(np.stack([bent, surfaces, glowing], axis=1).reshape(-1, 3), wp.vec3i, device)
        s.map_factors = floats([(m.occlusion, m.roughness, m.metallic) for m in maps], wp.vec3)
        s.map_glow = floats([m.emission for m in maps], wp.vec3)
        s.map_bend = floats([m.normal_scale for m in maps], wp.float32)
        s.texels = upload(atlas.texels.view(np.int32), wp.int32, device)
        s.levels = upload(atlas.levels, wp.vec3i, device)
        s.first_level = upload(atlas.first_level, wp.int32, device)
        s.level_count = upload(atlas.level_count, wp.int32, device)
        plain = np.arange(256) / 255
        s.linear = upload(np.concatenate([linear_from_srgb(plain), plain]).astype(np.float32), wp.float32, device)
        return s


def packed_colors(scene: Scene) -> Int32[np.ndarray, "faces_or_1 3"]:
    """The corner colors of all faces as texels, those of parts without any black; one face where no part has any."""
    meshes = [scene.meshes[part.mesh] for part in scene.parts]
    if all(mesh.colors is None for mesh in meshes):
        return np.zeros((1, 3), np.int32)
    packed = np.zeros((sum(len(mesh.faces) for mesh in meshes), 3), np.int32)
    first = 0
    for mesh in meshes:
        if mesh.colors is not None:
            here = packed[first : first + len(mesh.faces)]
            for k in range(3):
                here |= mesh.colors.srgb[..., k].astype(np.int32) << (8 * k)
        first += len(mesh.faces)
    return packed
