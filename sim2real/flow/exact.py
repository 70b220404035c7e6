"""Where every surface point that one view sees lies in another view, and whether it is seen there: no estimation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Float64, Int, Int64
from torch import Tensor

from ..raster import Fragments

OCCLUDER_GAP = 1e-3
"""A surface hides what lies behind it by more than this share of the depth."""


@dataclass(frozen=True, eq=False)
class Flow:
    """Motion from a source view to a target view, for every source pixel.

    - ``forward``: (x, y) in target pixels minus (x, y) in source pixels; 0 where the point lies behind the target camera.
    - ``visible``: the target view sees that very point.
    """

    forward: Float32[Tensor, "height width 2"]
    visible: Bool[Tensor, "height width"]


def exact_flow(
    source: Fragments,
    target: Fragments,
    faces: Int[Tensor, "faces 3"],
    world_from_source: Float[np.ndarray, "4 4"],
    world_from_target: Float[np.ndarray, "4 4"],
    *,
    near: float = 0.01,
    tolerance: float = 5e-3,
) -> Flow:
    """Flow between two views of the same triangles: other frames, other cameras, or both.

    A surface point is followed as a face and its barycentrics, so moving and deforming meshes are right. Background is at
    infinity: it flows by the rotation between the cameras.

    A point is visible if it falls into the target picture, no face seen by the four pixel centres around it covers it
    exactly and nearer, and those centres see its face or depths that bracket its own. So a silhouette is resolved
    to less than a pixel where the occluder's faces are larger than pixels, and to about a pixel where they are smaller.

    Args:
        source: what the source view sees; its pixels are the flow's.
        target: what the target view sees; the size may differ.
        faces: vertex indices of every face.
        world_from_source: camera to world of the source view; only its rotation is used.
        world_from_target: camera to world of the target view; only its rotation is used.
        near: the target's near distance in metres.
        tolerance: share of its depth by which a point may miss the depths around it.
    """
    face = source.face.reshape(-1)
    here, there = _points(source, target, faces, world_from_source, world_from_target)
    ahead = torch.where(face >= 0, there[:, 2] >= near, there[:, 2] > 1e-9)
    there = torch.where(ahead[:, None], there, there.new_tensor([0.0, 0.0, 1.0]))
    at = _project(there, target.intrinsics)
    forward = torch.where(ahead[:, None], at - _project(here, source.intrinsics), 0)

    height, width = target.face.shape
    inside = ahead & (at >= 0).all(1) & (at[:, 0] < width) & (at[:, 1] < height)
    index = torch.nonzero(inside)[:, 0]
    visible = torch.zeros_like(inside)
    depth = torch.where(face >= 0, there[:, 2], torch.inf)
    visible[index] = _seen(target, faces, face[index], there[index], depth[index], at[index], near, tolerance)
    return Flow(forward.float().view(*source.face.shape, 2), visible.view(source.face.shape))


def _points(
    source: Fragments, target: Fragments, faces: Tensor, world_from_source: np.ndarray, world_from_target: np.ndarray
) -> tuple[Float64[Tensor, "pixels 3"], Float64[Tensor, "pixels 3"]]:
    """Every pixel's surface point in both cameras' frames; directions where there is no surface.

    Both come from the same weights, so that what does not move has no flow at all.
    """
    here = _rays(source)
    rotation = world_from_target[:3, :3].T @ world_from_source[:3, :3]
    if np.abs(rotation - np.eye(3)).max() < 1e-12:  # or a camera that stands still would drift by rounding
        rotation = np.eye(3)
    there = here @ torch.as_tensor(rotation, dtype=torch.float64).to(here.device).T
    index = torch.nonzero(source.face.reshape(-1) >= 0)[:, 0]
    corners = faces[source.face.reshape(-1)[index].long()].long()
    weights = source.barycentrics.reshape(3, -1)[:, index].double()
    for points, vertices in ((here, source.camera_vertices), (there, target.camera_vertices)):
        points[index] = sum(weights[k][:, None] * vertices[corners[:, k]] for k in range(3))
    return here, there


def _rays(fragments: Fragments) -> Float64[Tensor, "pixels 3"]:
    """Directions through the pixel centres, z = 1."""
    height, width = fragments.face.shape
    k = fragments.intrinsics.double()
    y = (torch.arange(height, device=k.device).double() + 0.5 - k[1, 2]) / k[1, 1]
    x = (torch.arange(width, device=k.device).double() + 0.5 - k[0, 2] - k[0, 1] * y[:, None]) / k[0, 0]
    return torch.stack([x, y[:, None].expand_as(x), torch.ones_like(x)], dim=-1).view(-1, 3)


def _project(points: Tensor, intrinsics: Tensor) -> Float64[Tensor, "points 2"]:
    k = intrinsics.double()
    x, y = points[:, 0] / points[:, 2], points[:, 1] / points[:, 2]
    return torch.stack([k[0, 0] * x + k[0, 1] * y + k[0, 2], k[1, 1] * y + k[1, 2]], dim=1)


def _seen(
    target: Fragments, faces: Tensor, face: Tensor, points: Tensor, depth: Tensor, at: Tensor, near: float, tolerance: float
) -> Bool[Tensor, "points"]:
    """Whether points that fall into the target picture are seen there; see ``exact_flow`` for the rule."""
    height, width = target.face.shape
    low = (at - 0.5).floor().long()
    around: list[Int64[Tensor, "points"]] = [
        (low[:, 1] + row).clamp(0, height - 1) * width + (low[:, 0] + column).clamp(0, width - 1)
        for row in (0, 1)
        for column in (0, 1)
    ]
    depths = torch.where(target.face >= 0, target.depth, torch.inf).reshape(-1)
    same = torch.zeros_like(face, dtype=torch.bool)
    nearest, farthest = torch.full_like(depth, torch.inf), torch.zeros_like(depth)
    hidden = torch.zeros_like(same)
    for pixel in around:
        other, distance = target.face.reshape(-1)[pixel], depths[pixel].double()
        same |= other == face
        nearest, farthest = nearest.minimum(distance), farthest.maximum(distance)
        suspect = torch.nonzero((other != face) & (distance < depth * (1 - OCCLUDER_GAP)) & ~hidden)[:, 0]
        corners = target.camera_vertices[faces[other[suspect].long()].long()].double()
        hidden[suspect] = _covers(corners, points[suspect], depth[suspect], near)
    bracketed = (nearest <= depth * (1 + tolerance)) & (farthest >= depth * (1 - tolerance))
    return ~hidden & (same | bracketed)


def _covers(corners: Tensor, points: Tensor, depth: Tensor, near: float) -> Bool[Tensor, "points"]:
    """Whether triangles cross the lines of sight to points, in front of them."""
    planes = torch.linalg.cross(corners[:, [1, 2, 0]], corners[:, [2, 0, 1]])
    sides = (planes * points[:, None]).sum(-1)
    crossed = (sides >= 0).all(1) | (sides <= 0).all(1)
    z = (corners[:, 0] * planes[:, 0]).sum(-1) / sides.sum(-1) * points[:, 2]
    return crossed & (z >= near) & (z < depth * (1 - OCCLUDER_GAP))
