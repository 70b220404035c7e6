"""Adapter for pytorch3d, used when it is installed (it has no Linux package; a source build works).

pytorch3d looks along +z with x left and y up; its picture spans [-1, 1] along the shorter side.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from ..camera.lens import Lens
from ..camera.view import View
from ..devices import checked_device
from ..errors import BadValueError, MissingPackageError
from ..optional import require
from ..scene import Triangles
from .fragments import Fragments
from .interpolate import surface
from .protocol import Visibility
from .view import check_triangles, check_view


class Pytorch3dRasterizer:
    """Faces found by ``pytorch3d.renderer.mesh.rasterize_meshes``; see ``Rasterizer`` for the methods.

    Barycentrics and depth are computed from the face indices, the same way for every adapter.
    """

    def __init__(self, triangles: Triangles, device: str = "cpu") -> None:
        try:
            self._mesh = require("pytorch3d.renderer.mesh", "pytorch3d")
            self._structures = require("pytorch3d.structures", "pytorch3d")
        except MissingPackageError as error:  # there is no extra to point to
            raise BadValueError(
                "the rasterizer backend",
                "pytorch3d",
                right="warp or reference here",
                fix="pytorch3d cannot be imported; it has no Linux package, build it from its source",
            ) from error
        check_triangles(triangles)
        self.device = torch.device(checked_device(device))
        self._triangles = triangles
        self._faces = torch.as_tensor(triangles.faces).to(self.device)

    def visibility(self, view: View) -> Visibility:
        """Face indices only; see ``Rasterizer``."""
        _refuse_lens(view.lens)
        check_view(view, self._triangles)
        camera_vertices = self._camera_vertices(view)
        return Visibility(self._face(view, camera_vertices), camera_vertices)

    def fragments(self, view: View) -> Fragments:
        """Face indices, barycentrics and depth; see ``Rasterizer``."""
        _refuse_lens(view.lens)
        check_view(view, self._triangles)
        camera_vertices = self._camera_vertices(view)
        face = self._face(view, camera_vertices)
        k = torch.as_tensor(view.intrinsics, dtype=torch.float32).to(self.device)
        barycentrics, depth = surface(face, camera_vertices, self._faces, k)
        return Fragments(face, barycentrics, depth, camera_vertices, k)

    def _camera_vertices(self, view: View) -> Float32[Tensor, "vertices 3"]:
        mesh = self._triangles.vertices if view.vertices is None else view.vertices
        matrices = view.camera_from_part[self._triangles.vertex_part]
        moved = np.einsum("vij,vj->vi", matrices[:, :3, :3], mesh.astype(np.float64)) + matrices[:, :3, 3]
        return torch.as_tensor(moved.astype(np.float32)).to(self.device)

    def _face(self, view: View, camera_vertices: Tensor) -> Tensor:
        """The face every pixel sees; hidden parts and vertices that are not finite are left out before."""
        seen = torch.as_tensor(view.shown[self._triangles.vertex_part]).to(self.device)
        usable = (seen & camera_vertices.isfinite().all(1))[self._faces.long()].all(1)
        if self._triangles.hidden_side is not None:
            hidden = torch.as_tensor(self._triangles.hidden_side).to(self.device)
            a, b, c = camera_vertices.double()[self._faces.long()].unbind(1)
            volume = (a * torch.linalg.cross(b, c)).sum(1)
            usable &= hidden * volume >= 0  # a positive volume is a face seen from behind
        drawn = torch.nonzero(usable)[:, 0]
        if not len(drawn):
            return torch.full(view.size, -1, dtype=torch.int32, device=self.device)
        projected = _normalized(view, camera_vertices)
        found = self._mesh.rasterize_meshes(
            self._structures.Meshes([projected], [self._faces[drawn].long()]),
            image_size=view.size,
            blur_radius=0.0,
            faces_per_pixel=1,
            perspective_correct=True,
            z_clip_value=view.near,
        )[0][0, ..., 0]
        return torch.where(found >= 0, drawn[found.clamp(min=0)], -1).to(torch.int32)


def _refuse_lens(lens: Lens) -> None:
    if not lens.plain:
        raise BadValueError(
            "the camera of the backend pytorch3d", lens.projection, right="a pinhole", fix="use the backend warp"
        )


def _normalized(view: View, camera_vertices: Tensor) -> Tensor:
    """Screen coordinates as pytorch3d wants them: x left, y up, 2 units along the shorter side, z in metres."""
    height, width = view.size
    x, y, z = camera_vertices.nan_to_num(0, 0, 0).double().unbind(1)
    safe = torch.where(z.abs() < 1e-9, 1e-9, z)
    k = view.intrinsics
    column = (k[0, 0] * x + k[0, 1] * y) / safe + k[0, 2]
    row = k[1, 1] * y / safe + k[1, 2]
    unit = 2 / min(height, width)
    return torch.stack([(width / 2 - column) * unit, (height / 2 - row) * unit, safe], dim=1).float()
