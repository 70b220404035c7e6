"""The rasterizer in plain torch: slow, short, on any device; what the kernels are compared with.

Every triangle's bounding box is enumerated, its pixels are tested, and the nearest is kept by a scatter-minimum of the
same int64 keys. It shares the edge rule and the order of every sum with the kernels and nothing else.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor

from ..camera.lens import Lens
from ..camera.ray_tables import ray_tables
from ..camera.reference import straight_rays
from ..camera.view import View
from ..devices import checked_device
from ..scene import Triangles
from .fragments import Fragments
from .protocol import Visibility
from .vertices import camera_vertices, sights, usable_faces
from .view import check_triangles, check_view

NO_HIT = 0x7FFFFFFFFFFFFFFF
CHUNK = 1 << 20
"""Pixels of boxes that are tested at once (about 200 MB)."""


class ReferenceRasterizer:
    """A z-buffer of int64 keys in plain torch; see ``Rasterizer`` for the methods."""

    def __init__(self, triangles: Triangles, device: str = "cpu") -> None:
        check_triangles(triangles)
        self.device = torch.device(checked_device(device))
        self._triangles = triangles
        self._faces = torch.as_tensor(triangles.faces).to(self.device).long()

    def visibility(self, view: View) -> Visibility:
        """Face indices only; see ``Rasterizer``."""
        check_view(view, self._triangles)
        keys, vertices = self._zbuffer(view)
        return Visibility(keys.to(torch.int32), vertices)

    def fragments(self, view: View) -> Fragments:
        """Face indices, barycentrics and depth; see ``Rasterizer``."""
        check_view(view, self._triangles)
        keys, vertices = self._zbuffer(view)
        face = keys.to(torch.int32)
        row, column = torch.nonzero(face >= 0, as_tuple=True)
        planes = _planes(vertices[self._faces[face[row, column].long()]], view.lens)
        sides = _sides(planes, _rays(view, row, column))
        barycentrics = torch.zeros((3, *view.size), dtype=torch.float32, device=self.device)
        barycentrics[:, row, column] = (sides * (1 / _sum(sides))[:, None]).T.float()
        depth = torch.where(face >= 0, (keys >> 32).to(torch.int32).view(torch.float32), torch.zeros((), device=self.device))
        k = torch.as_tensor(view.intrinsics, dtype=torch.float32).to(self.device)
        return Fragments(face, barycentrics, depth, vertices, k, view.lens)

    def _zbuffer(self, view: View) -> tuple[Tensor, Tensor]:
        vertices = camera_vertices(self._triangles, view, self.device)
        corners = vertices[self._faces]
        usable = usable_faces(self._triangles, view, vertices, self._faces)
        first, size = _boxes(view, corners)
        index = torch.nonzero(usable & (size > 0).all(1) & (corners[..., 2].amax(1) >= view.near))[:, 0]
        keys = torch.full((view.size[0] * view.size[1],), NO_HIT, dtype=torch.int64, device=self.device)
        area = size[index].prod(1)
        chunk = torch.cumsum(area, 0) // CHUNK
        for one in torch.unique_consecutive(chunk):
            faces = index[chunk == one]
            _splat(view, faces, corners[faces], first[faces], size[faces], keys)
        return keys.view(view.size), vertices


def _boxes(view: View, corners: Float32[Tensor, "n 3 3"]) -> tuple[Int64[Tensor, "n 2"], Int64[Tensor, "n 2"]]:
    """First (row, column) and size of every triangle's box; the whole picture at the near plane, or for bent rays."""
    p = corners.double()
    k = torch.as_tensor(view.intrinsics).to(p.device)
    z = torch.ones_like(p[..., 2]) if view.lens.parallel else p[..., 2].clamp(min=view.near)
    y = p[..., 1] / z
    xy = torch.stack([k[1, 1] * y + k[1, 2], k[0, 0] * p[..., 0] / z + k[0, 1] * y + k[0, 2]], dim=-1)
    limit = torch.tensor(view.size, device=p.device)
    crosses = (p[..., 2] < view.near).any(1)[:, None] | view.lens.bent
    low = torch.where(crosses, 0, (xy.amin(1).nan_to_num(0) - 1).floor().clamp(min=0))
    high = torch.where(crosses, limit, (xy.amax(1).nan_to_num(0) + 1).ceil().minimum(limit))
    return low.long(), (high - low).clamp(min=0).long()


def _splat(view: View, faces: Tensor, corners: Tensor, first: Tensor, size: Tensor, keys: Tensor) -> None:
    """Test triangles against all pixels of their boxes and keep the smaller keys."""
    area = size.prod(1)
    n = torch.repeat_interleave(torch.arange(len(faces), device=keys.device), area)
    place = torch.arange(len(n), device=keys.device) - (torch.cumsum(area, 0) - area)[n]
    row, column = first[n, 0] + place // size[n, 1], first[n, 1] + place % size[n, 1]
    planes = _planes(corners, view.lens)
    volume = _dot(sights(corners, view.lens)[:, 0], planes[:, 0])
    sides = _sides(planes[n], _rays(view, row, column))
    total = _sum(sides)
    height = _dot(sides, corners[n, :, 2].double()) if view.lens.parallel else volume[n]
    z = (height / total).maximum(corners[..., 2].amin(1).double()[n]).minimum(corners[..., 2].amax(1).double()[n])
    hit = ((sides >= 0).all(1) | (sides <= 0).all(1)) & (total != 0) & (z >= float(np.float32(view.near)))
    key = (z[hit].float().view(torch.int32).long() << 32) | faces[n[hit]]
    keys.scatter_reduce_(0, row[hit] * view.size[1] + column[hit], key, "amin")


def _rays(view: View, row: Tensor, column: Tensor) -> tuple[Float64[Tensor, "n"], Float64[Tensor, "n"]]:
    if view.lens.bent:
        rays = ray_tables(view.intrinsics, view.lens, view.size, str(row.device)).rays[row, column]
    else:
        rays = straight_rays(column.double() + 0.5, row.double() + 0.5, view.intrinsics)
    return rays[:, 0], rays[:, 1]


def _planes(corners: Float32[Tensor, "n 3 3"], lens: Lens) -> Float64[Tensor, "n 3 3"]:
    """Planes through the edge opposite to every corner and the eye, or along z."""
    p = sights(corners, lens)
    a, b = p[:, [1, 2, 0]], p[:, [2, 0, 1]]
    i, j = [1, 2, 0], [2, 0, 1]
    return a[..., i] * b[..., j] - a[..., j] * b[..., i]


def _sides(planes: Tensor, ray: tuple[Tensor, Tensor]) -> Float64[Tensor, "n 3"]:
    x, y = ray[0][:, None], ray[1][:, None]
    return planes[..., 0] * x + (planes[..., 1] * y + planes[..., 2])


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return _sum(a * b)


def _sum(terms: Float64[Tensor, "n 3"]) -> Float64[Tensor, "n"]:
    return terms[:, 0] + terms[:, 1] + terms[:, 2]
