"""Adapter for pytorch3d, used where it is installed (it has no package for Linux; a build from its source works).

pytorch3d looks along +z with x left and y up; its picture spans [-1, 1] along the shorter side; ``zbuf`` is metres along z.
``pix_to_face`` counts the faces of all meshes of a batch in one row.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Float32, Int, Int32
from torch import Tensor

from ...camera.view import View
from ...scene import Triangles
from ..fragments import Fragments
from .adapter import AdaptedRasterizer, imported, pinhole_px

_ON_EDGE_PX = 1e-3
"""pytorch3d leaves out pixel centers that lie on an edge, so that surfaces have holes; this much beside one is still inside."""
_BIN_ENTRIES = 1 << 27
"""Of int32, that lists of faces by tile may take on CUDA."""


def fragments_of(
    fragments: Any,
    camera_vertices: Float32[Tensor, "vertices 3"],
    intrinsics: Float[Tensor, "3 3"],
    *,
    picture: int = 0,
    first_face: int = 0,
) -> Fragments:
    """What pytorch3d's ``MeshRasterizer`` found, as ours: the nearest face of every pixel, its barycentrics and its depth.

    Args:
        fragments: with ``pix_to_face`` (pictures, height, width, nearest), ``zbuf`` of the same shape and ``bary_coords`` with
            three more; made with ``blur_radius=0`` and ``perspective_correct=True``.
        camera_vertices: all vertices in the camera's frame, x right, y down, z forward, metres.
        intrinsics: in pixels of the picture (``opencv_from_cameras_projection`` gives them).
        picture: of the batch.
        first_face: of the picture's mesh in the batch (``meshes.mesh_to_faces_packed_first_idx()``).
    """
    face: Int[Tensor, "height width"] = fragments.pix_to_face[picture, ..., 0]
    hit = face >= 0
    barycentrics = torch.where(hit[..., None], fragments.bary_coords[picture, ..., 0, :], 0)
    return Fragments(
        face=torch.where(hit, face - first_face, -1).to(torch.int32),
        barycentrics=barycentrics.permute(2, 0, 1).float().contiguous(),
        depth=torch.where(hit, fragments.zbuf[picture, ..., 0], 0).float(),
        camera_vertices=camera_vertices,
        intrinsics=intrinsics.float(),
    )


class Pytorch3dRasterizer(AdaptedRasterizer):
    """Faces found by ``pytorch3d.renderer.mesh.rasterize_meshes``."""

    name = "pytorch3d"

    def __init__(self, triangles: Triangles, device: str = "cpu") -> None:
        why = "it has no Linux package, build it from its source"
        self._mesh = imported("pytorch3d.renderer.mesh", self.name, why)
        self._structures = imported("pytorch3d.structures", self.name, why)
        super().__init__(triangles, device)

    def _seen(
        self, view: View, vertices: Float32[Tensor, "vertices 3"], faces: Int32[Tensor, "faces 3"]
    ) -> Int[Tensor, "height width"]:
        unit = 2 / min(view.size)
        meshes = self._structures.Meshes([_normalized(view, vertices)], [faces.long()])
        found = self._mesh.rasterize_meshes(
            meshes,
            image_size=view.size,
            blur_radius=(_ON_EDGE_PX * unit) ** 2,
            faces_per_pixel=1,
            perspective_correct=True,
            z_clip_value=view.near,
            **_tiles(view.size, len(faces), self.device),
        )
        return found[0][0, ..., 0]


def _tiles(size: tuple[int, int], faces: int, device: torch.device) -> dict[str, int]:
    """Settings with which pytorch3d loses no face on CUDA: it drops what does not fit into a tile's list.

    Where lists that hold every face are too large, pixels are tested against all faces, as on the CPU.
    """
    if device.type == "cpu":
        return {"bin_size": 0}
    bin_size = 8 if max(size) <= 64 else 1 << max((max(size) - 1).bit_length() - 4, 4)
    tiles = -(-size[0] // bin_size) * -(-size[1] // bin_size)
    return {"bin_size": bin_size, "max_faces_per_bin": faces} if tiles * faces <= _BIN_ENTRIES else {"bin_size": 0}


def _normalized(view: View, vertices: Float32[Tensor, "vertices 3"]) -> Float32[Tensor, "vertices 3"]:
    """Screen coordinates as pytorch3d wants them: x left, y up, 2 units along the shorter side, z in metres."""
    height, width = view.size
    column, row, z = pinhole_px(view, vertices)
    safe = torch.where(z.abs() < 1e-9, 1e-9, z)
    unit = 2 / min(height, width)
    return torch.stack([(width / 2 - column / safe) * unit, (height / 2 - row / safe) * unit, safe], dim=1).float()
