"""The default rasterizer: Warp kernels on CPU or CUDA, torch tensors in and out without copies."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import warp as wp
from jaxtyping import Bool, Float, Float32
from torch import Tensor

from ..devices import as_warp, checked_device, launch, load, row_threads
from ..scene import PINHOLE, Lens, Triangles
from . import kernels
from .fragments import Fragments
from .lens import ray_tables
from .protocol import Visibility
from .view import View, check_triangles, checked_view

LARGE_PX = 1024
"""On CUDA, triangles whose screen box has more pixels than this are shared by a group of threads."""
GROUPS, LANES = 256, (32, 8)


class WarpRasterizer:
    """A z-buffer of int64 keys (depth bits, then face index) filled by atomic minimum.

    Each call allocates what it writes, so threads share nothing but the mesh. A launch on the CPU runs in the calling
    thread and releases the interpreter lock: a thread pool over frames uses all cores.
    """

    def __init__(self, triangles: Triangles, device: str = "cpu") -> None:
        check_triangles(triangles)
        self.device = torch.device(checked_device(device))
        if self.device.type == "cuda" and self.device.index is None:
            self.device = torch.device("cuda", torch.cuda.current_device())
        self._triangles = triangles
        self._vertices = self._upload(triangles.vertices)
        self._faces = self._upload(triangles.faces)
        self._vertex_part = self._upload(triangles.vertex_part)
        self._hidden_side = None if triangles.hidden_side is None else self._upload(triangles.hidden_side)
        load(kernels, str(self.device))

    def visibility(
        self,
        camera_from_part: Float[np.ndarray, "parts 4 4"],
        intrinsics: Float[np.ndarray, "3 3"],
        size: tuple[int, int],
        *,
        near: float = 0.01,
        part_visible: Bool[np.ndarray, "parts"] | None = None,
        vertices: Float32[np.ndarray, "vertices 3"] | None = None,
        lens: Lens = PINHOLE,
    ) -> Visibility:
        """Face indices only; see ``Rasterizer``."""
        view = checked_view(self._triangles, camera_from_part, intrinsics, size, near, part_visible, vertices, lens)
        keys, camera_vertices = self._zbuffer(view)
        return Visibility(keys.view(torch.int32).view(*size, 2)[..., 0].contiguous(), camera_vertices)

    def fragments(
        self,
        camera_from_part: Float[np.ndarray, "parts 4 4"],
        intrinsics: Float[np.ndarray, "3 3"],
        size: tuple[int, int],
        *,
        near: float = 0.01,
        part_visible: Bool[np.ndarray, "parts"] | None = None,
        vertices: Float32[np.ndarray, "vertices 3"] | None = None,
        lens: Lens = PINHOLE,
    ) -> Fragments:
        """Face indices, barycentrics and depth; see ``Rasterizer``."""
        view = checked_view(self._triangles, camera_from_part, intrinsics, size, near, part_visible, vertices, lens)
        keys, camera_vertices = self._zbuffer(view)
        k = torch.as_tensor(view.intrinsics, dtype=torch.float32).to(self.device)
        if not len(self._faces):
            nothing = torch.zeros((4, *size), device=self.device)
            return Fragments(
                torch.full_like(nothing[0], -1, dtype=torch.int32), nothing[:3], nothing[3], camera_vertices, k, lens
            )
        face = torch.empty(size, dtype=torch.int32, device=self.device)
        barycentrics = torch.empty((3, *size), dtype=torch.float32, device=self.device)
        depth = torch.empty(size, dtype=torch.float32, device=self.device)
        shape, run = row_threads(size, str(self.device))
        self._launch(
            kernels.resolve,
            shape,
            as_warp(self._faces, dtype=wp.vec3i),
            as_warp(camera_vertices, dtype=wp.vec3f),
            self._record(view),
            run,
            as_warp(keys),
            as_warp(face),
            as_warp(barycentrics),
            as_warp(depth),
        )
        return Fragments(face, barycentrics, depth, camera_vertices, k, lens)

    def _zbuffer(self, view: View) -> tuple[Tensor, Tensor]:
        mesh = self._vertices if view.vertices is None else self._upload(view.vertices)
        camera_vertices = torch.empty_like(mesh)
        keys = torch.full(view.size, kernels.NO_HIT, dtype=torch.int64, device=self.device)
        screen = torch.empty_like(mesh)
        if len(mesh):
            self._transform(view, mesh, camera_vertices, screen)
        if not len(self._faces):
            return keys, camera_vertices
        cuda = self.device.type == "cuda"
        queue = torch.zeros(1 + len(self._faces) if cuda else 1, dtype=torch.int32, device=self.device)
        record = self._record(view)
        faces = as_warp(self._faces, dtype=wp.vec3i)
        camera = as_warp(camera_vertices, dtype=wp.vec3f)
        projected = as_warp(screen, dtype=wp.vec3f)
        large, buffer = as_warp(queue), as_warp(keys)
        limit = LARGE_PX if cuda else 2**31 - 1
        self._launch(kernels.splat, len(self._faces), faces, projected, camera, record, limit, large, buffer)
        if cuda:
            lanes = wp.vec2i(*LANES)
            shape = (GROUPS, LANES[0] * LANES[1])
            self._launch(kernels.splat_large, shape, faces, projected, camera, record, GROUPS, lanes, large, buffer)
        return keys, camera_vertices

    def _transform(self, view: View, mesh: Tensor, camera_vertices: Tensor, screen: Tensor) -> None:
        rows = torch.as_tensor(view.camera_from_part[:, :3].copy()).to(self.device)
        visible = torch.as_tensor(view.part_visible.astype(np.int32)).to(self.device)
        self._launch(
            kernels.transform,
            len(mesh),
            as_warp(mesh, dtype=wp.vec3f),
            as_warp(self._vertex_part),
            as_warp(rows, dtype=wp.vec4d),
            as_warp(visible),
            self._record(view),
            as_warp(camera_vertices, dtype=wp.vec3f),
            as_warp(screen, dtype=wp.vec3f),
        )

    def _launch(self, kernel: Any, dim: int | tuple[int, ...], *inputs: object) -> None:
        launch(kernel, dim, inputs, str(self.device))

    def _upload(self, array: np.ndarray) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(array)).to(self.device)

    def _record(self, view: View) -> Any:
        record = kernels.View()
        record.fx, record.fy = float(view.intrinsics[0, 0]), float(view.intrinsics[1, 1])
        record.ifx, record.ify, record.cx, record.cy, record.shear = view.ray_terms
        record.near = view.near
        record.height, record.width = view.size
        record.slack = 1e-3 + 4e-7 * max(view.size)
        if self._hidden_side is not None:
            record.hidden_side = as_warp(self._hidden_side, dtype=wp.int8)
        if view.lens.parallel:
            record.kind = kernels.PARALLEL
        elif view.lens.bent:
            record.kind = kernels.BENT
            tables = ray_tables(view.intrinsics, view.lens, view.size, str(self.device))
            record.rays = as_warp(tables.rays, dtype=wp.vec2d)
            record.boxes = as_warp(tables.boxes, dtype=wp.vec4i)
            record.cells = tables.cells
            record.cell_low, record.cell_scale = wp.vec2d(*tables.low), wp.vec2d(*tables.scale)
        return record
