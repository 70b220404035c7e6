"""Silhouette, depth, normals and color as functions that can be differentiated: by vertices, transforms and the camera.

Which face every pixel sees comes from any rasterizer; inside of surfaces the gradients are exact (``raster.interpolate``), at
silhouettes they are those of ``raster.antialiased``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..camera.lens import PINHOLE, Lens
from ..raster import antialiased, interpolate, surface
from ..scene import Triangles


@dataclass(frozen=True, eq=False)
class SoftPictures:
    """Pictures of one view; at silhouettes their values are mixtures of both sides.

    ``silhouette`` 0 to 1; ``depth`` metres along z, 0 behind all; ``normals`` camera axes, facing the camera, 0 behind all;
    ``rgb`` linear, 0 behind all.
    """

    silhouette: Float[Tensor, "1 height width"]
    depth: Float[Tensor, "1 height width"]
    normals: Float[Tensor, "3 height width"]
    rgb: Float[Tensor, "3 height width"]


@dataclass(frozen=True, eq=False)
class Paint:
    """Colors of parts, linear, and a light: matte, ``ambient`` everywhere and ``direct`` from a direction (camera axes)."""

    colors: Float[Tensor, "parts 3"]
    ambient: float = 1.0
    direct: float = 0.0
    towards_light: tuple[float, float, float] = (0.0, 0.0, -1.0)


def soft_pictures(
    face: Int[Tensor, "height width"],
    triangles: Triangles,
    camera_from_part: Float[Tensor, "parts 4 4"],
    intrinsics: Float[Tensor, "3 3"],
    *,
    vertices: Float[Tensor, "vertices 3"] | None = None,
    paint: Paint | None = None,
    lens: Lens = PINHOLE,
) -> SoftPictures:
    """All four pictures, differentiable in everything that may require gradients.

    Args:
        face: what every pixel sees, -1 for nothing (``rasterizer(...).visibility(view).face``).
        triangles: the faces.
        camera_from_part: where meshes are in the camera's frame: ``camera_from_world @ world_from_part`` gives both gradients.
        intrinsics: 3x3, upper triangular.
        vertices: mesh-frame vertices; ``None``: the triangles' own.
        paint: of ``rgb``; ``None``: white, unlit.
        lens: of the camera.
    """
    part = torch.as_tensor(triangles.vertex_part).long()
    mesh = torch.as_tensor(triangles.vertices) if vertices is None else vertices
    faces = torch.as_tensor(triangles.faces)
    moved = camera_from_part.double()[part]
    points = (moved[:, :3, :3] @ mesh.double()[..., None])[..., 0] + moved[:, :3, 3]
    depth = surface(face, points, faces, intrinsics, lens)[1][None]
    inside = (face >= 0).double()[None]
    normals = _normals(face, triangles, camera_from_part.double(), points, faces, intrinsics, lens)
    paint = Paint(torch.ones(len(camera_from_part), 3)) if paint is None else paint
    owner = torch.as_tensor(triangles.face_part).long()[face.clamp(min=0).long()]
    towards = torch.tensor(paint.towards_light, dtype=torch.float64)
    shade = paint.ambient + paint.direct * torch.einsum("chw,c->hw", normals, towards / towards.norm()).clamp(min=0)
    rgb = inside * shade * paint.colors.double()[owner].permute(2, 0, 1)
    all_of = antialiased(torch.cat([inside, depth, normals, rgb]), face, points, faces, intrinsics, lens)
    return SoftPictures(all_of[:1], all_of[1:2], all_of[2:5], all_of[5:])


def _normals(
    face: Tensor,
    triangles: Triangles,
    camera_from_part: Tensor,
    points: Tensor,
    faces: Tensor,
    intrinsics: Tensor,
    lens: Lens,
) -> Float[Tensor, "3 height width"]:
    """Unit shading normals that face the camera, turned as their parts are; 0 where there is no surface."""
    turns = torch.linalg.inv(camera_from_part[:, :3, :3]).transpose(1, 2)[torch.as_tensor(triangles.face_part).long()]
    corners = torch.einsum("fij,fcj->fci", turns, torch.as_tensor(triangles.normals).double())
    n = interpolate(face, points, faces, intrinsics, corners, lens)
    n = n / torch.sqrt((n * n).sum(0, keepdim=True) + 1e-24)
    place = interpolate(face, points, faces, intrinsics, points, lens).detach()
    toward = -n[2] if lens.parallel else -(n.detach() * place).sum(0)
    return torch.where(toward < 0, -n, n)
