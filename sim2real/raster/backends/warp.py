"""The default rasterizer: Warp kernels on CPU or CUDA, torch tensors in and out without copies."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch
import warp as wp
from jaxtyping import Float32, Int32
from torch import Tensor

from ...camera.kernels import device_camera
from ...camera.ray_tables import ray_tables
from ...camera.view import View
from ...devices import as_warp, checked_device, launch, load, row_threads
from ...scene import Triangles
from .. import kernels, lane_kernels
from ..box_kernels import Target
from ..fragments import Fragments
from ..protocol import Visibility
from ..view import check_triangles, check_view
from ..windows import part_boxes, parts_in_view

LARGE_PX = 1024
"""On CUDA, triangles whose screen box has more pixels than this are shared by a group of threads."""
GROUPS, LANES = 256, (32, 8)
IN_ONE_GO = 2048
"""On the CPU, triangles whose boxes are found before they are drawn."""


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
        self._triangles, self._count = triangles, len(triangles.faces)
        self._vertices = self._upload(triangles.vertices)
        self._faces = as_warp(self._upload(triangles.faces), wp.vec3i)
        self._vertex_part = as_warp(self._upload(triangles.vertex_part))
        self._hidden_side = None if triangles.hidden_side is None else as_warp(self._upload(triangles.hidden_side), wp.int8)
        self._boxes = part_boxes(triangles)
        ends = np.searchsorted(triangles.face_part, np.arange(1 + len(triangles.part_instance)))
        in_order = bool((np.diff(triangles.face_part) >= 0).all())
        self._part_faces = [np.arange(a, b, dtype=np.int32) for a, b in itertools.pairwise(ends)] if in_order else None
        for module in (kernels, *([lane_kernels] if self.device.type == "cpu" else [])):
            load(module, str(self.device))

    def visibility(self, view: View) -> Visibility:
        """Face indices only; see ``Rasterizer``."""
        check_view(view, self._triangles)
        keys, camera_vertices = self._zbuffer(view, self._target(view))
        return Visibility(keys.view(torch.int32).view(*view.size, 2)[..., 0].contiguous(), camera_vertices)

    def fragments(self, view: View) -> Fragments:
        """Face indices, barycentrics and depth; see ``Rasterizer``."""
        check_view(view, self._triangles)
        size, target = view.size, self._target(view)
        keys, camera_vertices = self._zbuffer(view, target)
        k = torch.as_tensor(view.intrinsics, dtype=torch.float32).to(self.device)
        if not self._count:
            nothing = torch.zeros((4, *size), device=self.device)
            return Fragments(
                torch.full_like(nothing[0], -1, dtype=torch.int32), nothing[:3], nothing[3], camera_vertices, k, view.lens
            )
        face = torch.empty(size, dtype=torch.int32, device=self.device)
        barycentrics = torch.empty((3, *size), dtype=torch.float32, device=self.device)
        depth = torch.empty(size, dtype=torch.float32, device=self.device)
        shape, run = row_threads(size, str(self.device))
        self._launch(
            kernels.resolve,
            shape,
            self._faces,
            as_warp(camera_vertices, dtype=wp.vec3f),
            target,
            run,
            as_warp(keys),
            as_warp(face),
            as_warp(barycentrics),
            as_warp(depth),
        )
        return Fragments(face, barycentrics, depth, camera_vertices, k, view.lens)

    def add_inverse_depth(self, view: View, to: Float32[Tensor, "height width"]) -> None:
        """Write the inverse depth of a view, 1 / metres, into a map where it is nearer than what the map holds.

        What is drawn together, and in which order, changes no bit of the map.

        Args:
            view: of the triangles.
            to: the map, contiguous, on the rasterizer's device; 0 where there is nothing yet.

        Raises:
            ValueError: the map is not of the view's size, or not contiguous.
        """
        check_view(view, self._triangles)
        if to.shape != view.size or not to.is_contiguous():
            raise ValueError(f"a map of inverse depth must be contiguous and {view.size}, not {tuple(to.shape)}")
        target = self._target(view)
        if not self._by_lanes(target):
            depth = self.fragments(view).depth
            torch.maximum(to, torch.where(depth > 0, 1 / depth, 0.0), out=to)
            return
        placed, order = self._placed(view, target), self._order(view)
        if self._count and (order is None or len(order)):
            blocks = torch.zeros((view.size[0], -(-view.size[1] // lane_kernels.BLOCK_PX)), dtype=torch.int32)
            self._splat_lanes(lane_kernels.splat_inverse, target, placed, order, to, blocks)

    def _by_lanes(self, target: Any) -> bool:
        """Whether several numbers are computed at once."""
        return self.device.type == "cpu" and not target.camera.kind

    def _placed(self, view: View, target: Any) -> tuple[Tensor, Tensor]:
        """The vertices in the camera's frame, and where they are in the picture."""
        mesh = self._vertices if view.vertices is None else self._upload(view.vertices)
        camera_vertices = torch.empty_like(mesh)
        screen = torch.empty((len(mesh) + 1, 3), device=self.device)[: len(mesh)]  # what follows the last is read, and not used
        if len(mesh):
            self._transform(view, target, mesh, camera_vertices, screen)
        return camera_vertices, screen

    def _splat_lanes(
        self,
        kernel: Any,
        target: Any,
        placed: tuple[Tensor, Tensor],
        order: Int32[np.ndarray, "some"] | None,
        into: Tensor,
        blocks: Tensor,
    ) -> None:
        """Draw faces, all of them or some in an order, in this thread."""
        camera_vertices, screen = (as_warp(vertices, dtype=wp.vec3f) for vertices in placed)
        count, chosen = (self._count, None) if order is None else (len(order), as_warp(torch.from_numpy(order)))
        drawn, boxes = torch.empty(IN_ONE_GO, dtype=torch.int32), torch.empty((IN_ONE_GO, 4), dtype=torch.int32)
        where = (self._faces, screen, camera_vertices, target)
        room = (as_warp(drawn), as_warp(boxes, wp.vec4i))
        self._launch(kernel, 1, chosen, count, *where, *room, as_warp(into), as_warp(blocks))

    def _zbuffer(self, view: View, target: Any) -> tuple[Tensor, Tensor]:
        placed = camera_vertices, screen = self._placed(view, target)
        keys = torch.full(view.size, kernels.NO_HIT, dtype=torch.int64, device=self.device)
        order = self._order(view)
        if not self._count or (order is not None and not len(order)):
            return keys, camera_vertices
        if self._by_lanes(target):
            blocks = (view.size[0], -(-view.size[1] // lane_kernels.BLOCK_PX))
            farthest = torch.full(blocks, kernels.NO_HIT, dtype=torch.int64)
            self._splat_lanes(lane_kernels.splat_lanes, target, placed, order, keys, farthest)
            return keys, camera_vertices
        cuda = self.device.type == "cuda"
        queue = torch.zeros(1 + self._count if cuda else 1, dtype=torch.int32, device=self.device)
        camera = as_warp(camera_vertices, dtype=wp.vec3f)
        projected = as_warp(screen, dtype=wp.vec3f)
        large, buffer = as_warp(queue), as_warp(keys)
        limit = LARGE_PX if cuda else 2**31 - 1
        count, chosen = (self._count, None) if order is None else (len(order), as_warp(order))
        self._launch(kernels.splat, count, chosen, self._faces, projected, camera, target, limit, large, buffer)
        if cuda:
            shape = (GROUPS, LANES[0] * LANES[1])
            spread = (GROUPS, wp.vec2i(*LANES))
            self._launch(kernels.splat_large, shape, self._faces, projected, camera, target, *spread, large, buffer)
        return keys, camera_vertices

    def _order(self, view: View) -> Int32[np.ndarray, "some"] | None:
        """The faces of what a view may show, those in front first: what they hide is passed over. ``None``: all, as they are.

        On CUDA triangles are drawn together, and an order is of no use.
        """
        if self.device.type != "cpu" or view.vertices is not None or self._part_faces is None:
            return None
        return np.concatenate([np.zeros(0, np.int32), *(self._part_faces[k] for k in parts_in_view(view, self._boxes))])

    def _transform(self, view: View, target: Any, mesh: Tensor, camera_vertices: Tensor, screen: Tensor) -> None:
        rows = torch.as_tensor(view.camera_from_part[:, :3].copy()).to(self.device)
        visible = torch.as_tensor(view.shown.astype(np.int32)).to(self.device)
        lanes = self._by_lanes(target)
        self._launch(
            lane_kernels.transform_lanes if lanes else kernels.transform,
            1 if lanes else len(mesh),
            as_warp(mesh, dtype=wp.vec3f),
            self._vertex_part,
            as_warp(rows, dtype=wp.vec4d),
            as_warp(visible),
            target,
            as_warp(camera_vertices, dtype=wp.vec3f),
            as_warp(screen, dtype=wp.vec3f),
        )

    def _launch(self, kernel: Any, dim: int | tuple[int, ...], *inputs: object) -> None:
        launch(kernel, dim, inputs, str(self.device))

    def _upload(self, array: np.ndarray) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(array)).to(self.device)

    def _target(self, view: View) -> Any:
        target, device = Target(), str(self.device)
        target.camera = device_camera(view.intrinsics, view.lens, view.size, device)
        target.near = view.near
        target.height, target.width = view.size
        target.slack = 1e-3 + 4e-7 * max(view.size)
        if self._hidden_side is not None:
            target.hidden_side = self._hidden_side
        if view.lens.bent:
            tables = ray_tables(view.intrinsics, view.lens, view.size, device)
            target.boxes = as_warp(tables.boxes, dtype=wp.vec4i)
            target.cells = tables.cells
            target.cell_low, target.cell_scale = wp.vec2d(*tables.low), wp.vec2d(*tables.scale)
        return target
