"""Vertices in a camera's frame, and the faces that can be seen at all: for the reference and the adapters."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float32, Float64, Int
from torch import Tensor

from ..camera.lens import Lens
from ..camera.view import View
from ..scene import Triangles


def camera_vertices(triangles: Triangles, view: View, device: torch.device) -> Float32[Tensor, "vertices 3"]:
    """All vertices in the camera's frame, by the sums of the kernel ``transform``: the same bits, so that noise is the same."""
    mesh = torch.as_tensor(triangles.vertices if view.vertices is None else view.vertices).to(device).double()
    part = torch.as_tensor(triangles.vertex_part).to(device).long()
    rows = torch.as_tensor(view.camera_from_part[:, :3].copy()).to(device)[part]
    x, y, z = mesh.T[..., None]
    return (rows[..., 0] * x + rows[..., 1] * y + rows[..., 2] * z + rows[..., 3]).float()


def usable_faces(
    triangles: Triangles, view: View, vertices: Float32[Tensor, "vertices 3"], faces: Int[Tensor, "faces 3"]
) -> Bool[Tensor, "faces"]:
    """Faces of parts that exist, with finite corners, whose side towards the camera is not hidden.

    Args:
        triangles: all that there are.
        view: what the camera is to see.
        vertices: in the camera's frame.
        faces: of the triangles, on the vertices' device.
    """
    part = torch.as_tensor(triangles.vertex_part).to(vertices.device).long()
    shown = torch.as_tensor(view.shown).to(vertices.device)[part]
    usable = (shown & vertices.isfinite().all(1))[faces.long()].all(1)
    if triangles.hidden_side is None:
        return usable
    a, b, c = sights(vertices[faces.long()], view.lens).unbind(1)
    volume = a * torch.linalg.cross(b, c)
    hidden = torch.as_tensor(triangles.hidden_side).to(vertices.device)
    return usable & (hidden * (volume[:, 0] + volume[:, 1] + volume[:, 2]) >= 0)  # a positive volume: seen from behind


def sights(corners: Float32[Tensor, "n 3 3"], lens: Lens) -> Float64[Tensor, "n 3 3"]:
    """Corners, or their feet at z = 1 if lines of sight are parallel."""
    p = corners.double()
    return torch.cat([p[..., :2], torch.ones_like(p[..., 2:])], dim=-1) if lens.parallel else p
