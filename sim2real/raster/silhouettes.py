"""The gradient that interpolation lacks: how silhouettes move over pixels.

Where neighboring pixels see surfaces that do not hang together, the border between them is found between their centers, where
an edge of the nearer face crosses. The pixel that the border has entered is then a mixture of both, by how far
it has come. Pictures become smooth at silhouettes, and their values follow the geometry. The idea is that of analytic
antialiasing (Laine et al., Modular primitives for high-performance differentiable rendering, 2020).

Where that edge is no silhouette (faces smaller than pixels, corners), the value of the picture stays, and its
gradient is that of a border that moves with the nearer surface (Pidhorskyi et al., Rasterized edge gradients, 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..camera.lens import Lens, lens_map
from .fragments import Fragments
from .interpolate import lens_of, pixel_rays, plane_hits, surface
from .protocol import Visibility

JUMP = 0.01
"""Surfaces hang together where each goes on to within this share of the depth of the other."""


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Neighboring pixels with a border between them: the right one of two, or the lower one, comes second.

    ``first``, ``second``: flat pixel indices; ``near``: whether the first is the nearer; ``across``: the pair lies in a row.
    """

    first: Int[Tensor, "n"]
    second: Int[Tensor, "n"]
    near: Bool[Tensor, "n"]
    across: Bool[Tensor, "n"]


def antialiased(
    picture: Float[Tensor, "channels height width"],
    seen: Fragments | Visibility | Int[Tensor, "height width"],
    camera_vertices: Float[Tensor, "vertices 3"],
    faces: Int[Tensor, "faces 3"],
    intrinsics: Float[Tensor, "3 3"],
    lens: Lens | None = None,
) -> Float[Tensor, "channels height width"]:
    """A picture whose silhouettes are smooth, and move.

    Gradients flow to the picture, and across silhouettes to ``camera_vertices`` and ``intrinsics``.

    Args:
        picture: by the faces that the pixels see (``interpolate``, or 1 where there is a surface).
        seen: what they see, as for ``interpolate``.
        camera_vertices: vertices in the camera's frame; may require gradients.
        faces: vertex indices of every face.
        intrinsics: 3x3, upper triangular; may require gradients.
        lens: of the camera; ``None``: that of fragments, else a pinhole.
    """
    lens = lens_of(seen, lens)
    face = (seen if isinstance(seen, Tensor) else seen.face).long()
    with torch.no_grad():
        pairs = _pairs(picture, face, camera_vertices, faces, intrinsics, lens)
    if not len(pairs.first):
        return picture
    near = face.view(-1)[torch.where(pairs.near, pairs.first, pairs.second)]
    place, crossed, steep = _crossings(pairs, near, face.shape, camera_vertices, faces, (intrinsics, lens))
    drift = _drift(pairs, near, face, camera_vertices, faces, intrinsics, lens)
    values = picture.flatten(1)
    step = values[:, pairs.first] - values[:, pairs.second]
    over = torch.where(crossed & steep, place - 0.5, 0.0).to(
        values.dtype
    )  # beyond the middle the first covers some of the second
    out = values.index_add(1, pairs.second, over.clamp(min=0) * step).index_add(1, pairs.first, over.clamp(max=0) * step)
    loose = torch.where(crossed, 0.0, drift).to(values.dtype) * step.detach() / 2
    return out.index_add(1, pairs.second, loose).index_add(1, pairs.first, loose).view_as(picture)


def projected(
    camera_vertices: Float[Tensor, "vertices 3"], intrinsics: Float[Tensor, "3 3"], lens: Lens
) -> Float[Tensor, "vertices 2"]:
    """Where vertices are in the picture, px; with the right first derivatives. Not a number behind the eye."""
    p, k = camera_vertices.double(), intrinsics.double()
    xy = p[:, :2]
    if not lens.parallel:
        front = p[:, 2:] > 1e-9
        xy = torch.where(front, xy / torch.where(front, p[:, 2:], 1.0), torch.nan)
    if lens.bent:
        moved, jacobian = (torch.as_tensor(part).to(xy) for part in lens_map(xy.detach().cpu().numpy(), lens))
        xy = moved + (jacobian @ (xy - xy.detach())[..., None])[..., 0]
    return torch.stack([k[0, 0] * xy[:, 0] + k[0, 1] * xy[:, 1] + k[0, 2], k[1, 1] * xy[:, 1] + k[1, 2]], dim=1)


def opposite_corners(camera_vertices: Float[Tensor, "vertices 3"], faces: Int[Tensor, "faces 3"]) -> Int[Tensor, "faces 3"]:
    """For every edge (k, k + 1) of every face the vertex that the face behind it has besides; -1 where there is none.

    Vertices in one place are one. Where three and more faces meet at an edge, none is behind another.
    """
    _, welded = np.unique(camera_vertices.detach().cpu().numpy(), axis=0, return_inverse=True)
    f = faces.cpu().numpy().astype(np.int64)
    ends = welded.ravel()[f]
    a, b = ends.ravel(), np.roll(ends, -1, axis=1).ravel()
    key = np.minimum(a, b) * (int(ends.max(initial=0)) + 1) + np.maximum(a, b)
    order = np.argsort(key, kind="stable")
    _, start, count = np.unique(key[order], return_index=True, return_counts=True)
    one = order[start[count == 2]]
    two = order[start[count == 2] + 1]
    corner = np.roll(f, -2, axis=1).ravel()  # of edge (k, k + 1) the corner k + 2
    out = np.full(f.size, -1)
    out[one], out[two] = corner[two], corner[one]
    return torch.as_tensor(out.reshape(f.shape), device=faces.device)


def _pairs(picture: Tensor, face: Tensor, camera_vertices: Tensor, faces: Tensor, intrinsics: Tensor, lens: Lens) -> _Pairs:
    """Neighbors that see different things which do not hang together."""
    height, width = face.shape
    number = torch.arange(height * width, device=face.device).view(height, width)
    first = torch.cat([number[:, :-1].reshape(-1), number[:-1].reshape(-1)])
    second = torch.cat([number[:, 1:].reshape(-1), number[1:].reshape(-1)])
    across = torch.arange(len(first), device=face.device) < height * (width - 1)
    flat, values = face.view(-1), picture.detach().flatten(1)
    keep = (flat[first] != flat[second]) & (values[:, first] != values[:, second]).any(0)
    first, second, across = first[keep], second[keep], across[keep]
    depth = surface(face.int(), camera_vertices, faces, intrinsics, lens)[1].view(-1).double()
    z = [torch.where(flat[at] >= 0, depth[at], torch.inf) for at in (first, second)]
    apart = torch.ones_like(across)
    both = (flat[first] >= 0) & (flat[second] >= 0)
    for mine, other, own, there in ((first, second, z[0], z[1]), (second, first, z[1], z[0])):
        ray = pixel_rays(face.shape, other[both] // width, other[both] % width, intrinsics, lens)
        on = plane_hits(flat[mine[both]], ray, camera_vertices, faces, lens)[1]
        gap = (on - there[both]).abs() > JUMP * torch.minimum(own[both], there[both])
        apart[both] &= gap | ~on.isfinite()
    return _Pairs(first[apart], second[apart], (z[0] <= z[1])[apart], across[apart])


def _crossings(
    pairs: _Pairs,
    near: Tensor,
    size: torch.Size,
    camera_vertices: Tensor,
    faces: Tensor,
    camera: tuple[Tensor, Lens],
) -> tuple[Float[Tensor, "n"], Bool[Tensor, "n"], Bool[Tensor, "n"]]:
    """Where the edge through which one leaves the nearer face, from center to center, crosses between them.

    Found with planes through the eye and edges, so that it holds for all lenses and for vertices behind the eye.

    Returns:
        The place, 0 at the first center and 1 at the second; whether the edge is a silhouette; whether it runs rather across
        the pair than along it (the others are crossed by pairs of the other direction).
    """
    height, width = size
    row, column = pairs.first // width, pairs.first % width
    beside_row = torch.where(pairs.across, torch.where(row + 1 < height, row + 1, row - 1), row).clamp(min=0)
    beside_column = torch.where(pairs.across, column, torch.where(column + 1 < width, column + 1, column - 1)).clamp(min=0)
    places = ((row, column), (pairs.second // width, pairs.second % width), (beside_row, beside_column))
    first, second, beside = (pixel_rays(size, *place, *camera) for place in places)
    points = _sights(camera_vertices, camera[1])
    corners, behind = points[faces[near].long()], opposite_corners(camera_vertices, faces)[near]
    place = first.new_full((len(near),), 0.5)
    nearest = torch.full_like(place.detach(), torch.inf)
    edge, steep = torch.zeros_like(pairs.near), torch.zeros_like(pairs.near)
    for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        plane = torch.linalg.cross(corners[:, a], corners[:, b])
        here, there, aside = ((plane * ray).sum(1) for ray in (first, second, beside))
        own, other = ((plane * point).sum(1) for point in (corners[:, c], points[behind[:, a].clamp(min=0)]))
        passes = (here > 0) != (there > 0)
        at = here / torch.where(passes, here - there, 1.0)
        away = torch.where(pairs.near, at, 1 - at).detach()
        exits = passes & (away < nearest)
        nearest = torch.where(exits, away, nearest)
        place = torch.where(exits, at, place)
        edge = torch.where(exits, (behind[:, a] < 0) | ((own > 0) == (other > 0)), edge)
        steep = torch.where(exits, (there - here).abs() >= (aside - here).abs(), steep)
    return place, edge, steep


def _sights(camera_vertices: Float[Tensor, "vertices 3"], lens: Lens) -> Float[Tensor, "vertices 3"]:
    """Vertices, or their feet at z = 1 if lines of sight are parallel."""
    p = camera_vertices.double()
    return torch.cat([p[:, :2], torch.ones_like(p[:, 2:])], dim=1) if lens.parallel else p


def _drift(
    pairs: _Pairs, near: Tensor, face: Tensor, camera_vertices: Tensor, faces: Tensor, intrinsics: Tensor, lens: Lens
) -> Float[Tensor, "n"]:
    """Zero, with the gradient of how the nearer surface moves from the first center towards the second, px."""
    width = face.shape[1]
    pixel = torch.where(pairs.near, pairs.first, pairs.second)
    with torch.no_grad():
        ray = pixel_rays(face.shape, pixel // width, pixel % width, intrinsics, lens)
        weights, _ = plane_hits(near, ray, camera_vertices, faces, lens)
    points = (weights[..., None] * camera_vertices.double()[faces[near].long()]).sum(1)
    place = projected(points, intrinsics, lens)
    along = torch.where(pairs.across, place[:, 0], place[:, 1])
    return along - along.detach()
