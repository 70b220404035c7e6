"""Differentiable interpolation over the faces that a rasterizer found.

Which face a pixel sees is taken as given, so gradients are those of the interior: they say how depth, barycentrics and
attributes move under a pixel, exactly. That a silhouette moves over a pixel (a face appears or disappears) has no
gradient here; a loss on silhouettes needs an edge term of its own.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import BadValueError
from .backend import Visibility
from .fragments import Fragments


def interpolate(
    seen: Fragments | Visibility | Int[Tensor, "height width"],
    camera_vertices: Float[Tensor, "vertices 3"],
    faces: Int[Tensor, "faces 3"],
    intrinsics: Float[Tensor, "3 3"],
    attributes: Float[Tensor, "vertices channels"] | Float[Tensor, "faces 3 channels"],
) -> Float[Tensor, "channels height width"]:
    """Attributes under every pixel, perspective-correct; 0 where there is no surface.

    Gradients flow to ``camera_vertices``, ``intrinsics`` and ``attributes`` (not across silhouettes, see the module).
    Gradients to poses come through ``camera_vertices = mesh @ rotation.T + translation``.

    Args:
        seen: what the pixels see: any backend's record, or face indices with -1 for nothing.
        camera_vertices: vertices in the camera's frame; may require gradients.
        faces: vertex indices of every face.
        intrinsics: 3x3, upper triangular; may require gradients.
        attributes: per vertex, or per face corner.
    """
    face = seen if isinstance(seen, Tensor) else seen.face
    row, column = torch.nonzero(face >= 0, as_tuple=True)
    index = face[row, column].long()
    weights, _ = _hit(index, row, column, camera_vertices, faces, intrinsics)
    corners = attributes[index] if attributes.ndim == 3 else attributes[faces[index].long()]
    values = (weights[..., None].to(corners.dtype) * corners).sum(1)
    out = values.new_zeros((*face.shape, values.shape[-1]))
    return out.index_put((row, column), values).permute(2, 0, 1)


def surface(
    seen: Fragments | Visibility | Int[Tensor, "height width"],
    camera_vertices: Float[Tensor, "vertices 3"],
    faces: Int[Tensor, "faces 3"],
    intrinsics: Float[Tensor, "3 3"],
) -> tuple[Float[Tensor, "3 height width"], Float[Tensor, "height width"]]:
    """Barycentrics and depth of every pixel, differentiable like ``interpolate``; 0 where there is no surface."""
    face = seen if isinstance(seen, Tensor) else seen.face
    row, column = torch.nonzero(face >= 0, as_tuple=True)
    weights, depth = _hit(face[row, column].long(), row, column, camera_vertices, faces, intrinsics)
    dtype = camera_vertices.dtype
    barycentrics = torch.zeros((*face.shape, 3), dtype=dtype, device=face.device).index_put((row, column), weights.to(dtype))
    depths = torch.zeros(face.shape, dtype=dtype, device=face.device).index_put((row, column), depth.to(dtype))
    return barycentrics.permute(2, 0, 1), depths


def _hit(
    index: Tensor, row: Tensor, column: Tensor, camera_vertices: Tensor, faces: Tensor, intrinsics: Tensor
) -> tuple[Tensor, Tensor]:
    """Barycentrics (n, 3) and depth (n,) in float64 where the rays of pixels meet the planes of faces."""
    if camera_vertices.device != index.device:
        raise BadValueError("the device of camera_vertices", camera_vertices.device, right=str(index.device))
    k = intrinsics.double()
    y = (row.double() + 0.5 - k[1, 2]) / k[1, 1]
    x = (column.double() + 0.5 - k[0, 2] - k[0, 1] * y) / k[0, 0]
    ray = torch.stack([x, y, torch.ones_like(x)], dim=-1)
    corners = camera_vertices.double()[faces[index].long()]
    planes = torch.linalg.cross(corners[:, [1, 2, 0]], corners[:, [2, 0, 1]])
    sides = (planes * ray[:, None]).sum(-1)
    total = sides.sum(-1)
    volume = (corners[:, 0] * planes[:, 0]).sum(-1)
    return sides / total[:, None], volume / total
