"""Differentiable interpolation over the faces that a rasterizer found.

Which face a pixel sees is taken as given, so gradients are those of the interior: they say how depth, barycentrics and
attributes move under a pixel, exactly. That a silhouette moves over a pixel (a face appears or disappears) has no
gradient here; ``silhouettes.antialiased`` adds it.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..camera.lens import PINHOLE, Lens, lens_map
from ..camera.rays import bent_rays
from ..camera.reference import straight_rays
from ..errors import BadValueError
from .fragments import Fragments
from .protocol import Visibility


def interpolate(
    seen: Fragments | Visibility | Int[Tensor, "height width"],
    camera_vertices: Float[Tensor, "vertices 3"],
    faces: Int[Tensor, "faces 3"],
    intrinsics: Float[Tensor, "3 3"],
    attributes: Float[Tensor, "vertices channels"] | Float[Tensor, "faces 3 channels"],
    lens: Lens | None = None,
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
        lens: of the camera; ``None``: that of fragments, else a pinhole. Its coefficients are taken as given.
    """
    face = seen if isinstance(seen, Tensor) else seen.face
    row, column = torch.nonzero(face >= 0, as_tuple=True)
    index = face[row, column].long()
    ray = pixel_rays(face.shape, row, column, intrinsics, lens_of(seen, lens))
    weights, _ = plane_hits(index, ray, camera_vertices, faces, lens_of(seen, lens))
    corners = attributes[index] if attributes.ndim == 3 else attributes[faces[index].long()]
    values = (weights[..., None].to(corners.dtype) * corners).sum(1)
    out = values.new_zeros((*face.shape, values.shape[-1]))
    return out.index_put((row, column), values).permute(2, 0, 1)


def surface(
    seen: Fragments | Visibility | Int[Tensor, "height width"],
    camera_vertices: Float[Tensor, "vertices 3"],
    faces: Int[Tensor, "faces 3"],
    intrinsics: Float[Tensor, "3 3"],
    lens: Lens | None = None,
) -> tuple[Float[Tensor, "3 height width"], Float[Tensor, "height width"]]:
    """Barycentrics and depth of every pixel, differentiable like ``interpolate``; 0 where there is no surface."""
    face = seen if isinstance(seen, Tensor) else seen.face
    row, column = torch.nonzero(face >= 0, as_tuple=True)
    ray = pixel_rays(face.shape, row, column, intrinsics, lens_of(seen, lens))
    weights, depth = plane_hits(face[row, column].long(), ray, camera_vertices, faces, lens_of(seen, lens))
    dtype = camera_vertices.dtype
    barycentrics = torch.zeros((*face.shape, 3), dtype=dtype, device=face.device).index_put((row, column), weights.to(dtype))
    depths = torch.zeros(face.shape, dtype=dtype, device=face.device).index_put((row, column), depth.to(dtype))
    return barycentrics.permute(2, 0, 1), depths


def lens_of(seen: Fragments | Visibility | Tensor, lens: Lens | None) -> Lens:
    """The lens that is given, else that of fragments, else a pinhole."""
    if lens is not None:
        return lens
    return seen.lens if isinstance(seen, Fragments) else PINHOLE


def pixel_rays(size: torch.Size, row: Tensor, column: Tensor, intrinsics: Tensor, lens: Lens) -> Tensor:
    """Lines of sight (n, 3) through pixel centers in float64, differentiable in the intrinsics."""
    k = intrinsics.double()
    xy = straight_rays(column.double() + 0.5, row.double() + 0.5, k)
    if lens.bent:  # the solved rays, and from them one Newton step, which is zero and has the right gradient
        table = bent_rays(k.detach().cpu().numpy(), lens, (size[0], size[1]))
        solved = table[row.cpu().numpy(), column.cpu().numpy()]
        moved, jacobian = (torch.as_tensor(part).to(xy) for part in lens_map(solved, lens))
        xy = torch.as_tensor(solved).to(xy) + torch.linalg.solve(jacobian, xy - moved)
    return torch.cat([xy, torch.ones_like(xy[:, :1])], dim=-1)


def plane_hits(index: Tensor, ray: Tensor, camera_vertices: Tensor, faces: Tensor, lens: Lens) -> tuple[Tensor, Tensor]:
    """Barycentrics (n, 3) and depth (n,) in float64 where lines of sight meet the planes of faces."""
    if camera_vertices.device != index.device:
        raise BadValueError("the device of camera_vertices", camera_vertices.device, right=str(index.device))
    corners = camera_vertices.double()[faces[index].long()]
    flat = torch.cat([corners[..., :2], torch.ones_like(corners[..., 2:])], dim=-1) if lens.parallel else corners
    planes = torch.linalg.cross(flat[:, [1, 2, 0]], flat[:, [2, 0, 1]])
    sides = (planes * ray[:, None]).sum(-1)
    total = sides.sum(-1)
    volume = (corners[..., 2] * sides).sum(-1) if lens.parallel else (corners[:, 0] * planes[:, 0]).sum(-1)
    return sides / total[:, None], volume / total
