"""Adapter for nvdiffrast, used where it is installed (CUDA only; its license allows no commercial use).

Its pictures lie as OpenGL's do, the first row at the bottom; a pixel is (u, v, z / w, id): the weights of the face's first and
second corner, and the face's index plus one, 0 where there is none.
"""

from __future__ import annotations

import threading

import torch
from jaxtyping import Float, Float32, Int, Int32
from torch import Tensor

from ...camera.view import View
from ...errors import BadValueError
from ...scene import Triangles
from ..fragments import Fragments
from .adapter import AdaptedRasterizer, imported, pinhole_px

MOST_FACES = 1 << 24
"""Indices are stored as float32, which has no more whole numbers in a row."""


def fragments_of(
    rast: Float32[Tensor, "pictures height width 4"],
    camera_vertices: Float32[Tensor, "vertices 3"],
    faces: Int[Tensor, "faces 3"],
    intrinsics: Float[Tensor, "3 3"],
    *,
    picture: int = 0,
    first_face: int = 0,
    bottom_up: bool = True,
) -> Fragments:
    """What nvdiffrast's ``rasterize`` found, as ours.

    Args:
        rast: its first output.
        camera_vertices: all vertices in the camera's frame, x right, y down, z forward, metres.
        faces: of this picture, as they were drawn.
        intrinsics: in pixels of the picture.
        picture: of the batch.
        first_face: where the picture's faces begin among those that were drawn (range mode).
        bottom_up: whether the first row is the bottom one; not so where the projection has y pointing down.

    Raises:
        BadValueError: an index is of no face, or too large for a float32 to hold.
    """
    found = rast[picture].flip(0) if bottom_up else rast[picture]
    face = face_of(found[..., 3])
    hit = face >= 0
    index = torch.where(hit, face - first_face, 0).long()
    if hit.any() and not 0 <= int(index.min()) <= int(index.max()) < len(faces):
        received = f"{int(face[hit].min())} to {int(face.max())}"
        raise BadValueError("the face indices", received, right=f"{first_face} to {first_face + len(faces) - 1}")
    u, v = found[..., 0], found[..., 1]
    weights = torch.where(hit[..., None], torch.stack([u, v, 1 - u - v], dim=-1), 0)
    depths = camera_vertices[faces.long()[index]][..., 2]
    return Fragments(
        face=torch.where(hit, index, -1).to(torch.int32),
        barycentrics=weights.permute(2, 0, 1).contiguous(),
        depth=(weights * depths).sum(-1),
        camera_vertices=camera_vertices,
        intrinsics=intrinsics.float(),
    )


def face_of(ids: Float32[Tensor, "height width"]) -> Int32[Tensor, "height width"]:
    """Face indices of the last channel, -1 for none.

    Raises:
        BadValueError: there are more faces than a float32 can tell apart.
    """
    if ids.numel() and float(ids.max()) >= MOST_FACES:
        raise BadValueError("a face's index", f"{MOST_FACES} or more", right="below that", fix="draw fewer faces at once")
    return ids.round().to(torch.int32) - 1


class NvdiffrastRasterizer(AdaptedRasterizer):
    """Faces found by ``nvdiffrast.torch.rasterize`` on CUDA, one picture at a time: its context serves one thread."""

    name = "nvdiffrast"
    device_type = "cuda"

    def __init__(self, triangles: Triangles, device: str = "cuda") -> None:
        self._torch = imported("nvdiffrast.torch", self.name, "it has no package, build it from its source")
        super().__init__(triangles, device)
        if self.device.type != self.device_type:
            fix = "pass device='cuda', or use the backend warp"
            raise BadValueError("the device of the backend nvdiffrast", device, right="cuda", fix=fix)
        if len(triangles.faces) >= MOST_FACES:
            right, fix = f"below {MOST_FACES}", "use the backend warp"
            raise BadValueError("the number of faces for the backend nvdiffrast", len(triangles.faces), right=right, fix=fix)
        self._context = self._torch.RasterizeCudaContext(device=self.device)
        self._lock = threading.Lock()

    def _seen(
        self, view: View, vertices: Float32[Tensor, "vertices 3"], faces: Int32[Tensor, "faces 3"]
    ) -> Int32[Tensor, "height width"]:
        at = clip_space(view, vertices, faces)[None].contiguous()
        with self._lock:
            rast, _ = self._torch.rasterize(self._context, at, faces.contiguous(), resolution=view.size, grad_db=False)
        return face_of(rast[0, ..., 3].flip(0))


def clip_space(
    view: View, vertices: Float32[Tensor, "vertices 3"], faces: Int[Tensor, "faces 3"]
) -> Float32[Tensor, "vertices 4"]:
    """Homogeneous positions as OpenGL has them: x right, y up, w metres along z, z from -w at the near distance to w.

    Args:
        view: of a pinhole.
        vertices: in the camera's frame; those that no face has may be anything.
        faces: what is drawn.
    """
    height, width = view.size
    column, row, z = pinhole_px(view, vertices)
    near, far = view.near, max(2 * view.near, 1.01 * float(z[faces.long()].max()))
    depth = ((far + near) * z - 2 * far * near) / (far - near)
    return torch.stack([2 * column / width - z, z - 2 * row / height, depth, z], dim=1).float()
