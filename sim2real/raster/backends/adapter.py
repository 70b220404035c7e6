"""What adapters of other people's rasterizers share: they are asked which face every pixel sees, the rest is ours."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import ModuleType

import torch
from jaxtyping import Float32, Int32, Int64
from torch import Tensor

from ...camera.view import View
from ...devices import checked_device
from ...errors import BadValueError, MissingPackageError
from ...optional import require
from ...scene import Triangles
from ..fragments import Fragments
from ..interpolate import surface
from ..protocol import Visibility
from ..vertices import camera_vertices, usable_faces
from ..view import check_triangles, check_view


def imported(module: str, backend: str, why: str) -> ModuleType:
    """A package that the user has built.

    Args:
        module: its name, dots allowed.
        backend: named in the error.
        why: it has to be built.

    Raises:
        BadValueError: it cannot be imported; there is no extra to point to.
    """
    try:
        return require(module, backend)
    except MissingPackageError as error:
        fix = f"{backend} cannot be imported; {why}"
        raise BadValueError("the rasterizer backend", backend, right="warp or reference here", fix=fix) from error


class AdaptedRasterizer(ABC):
    """A rasterizer whose faces somebody else finds; see ``Rasterizer`` for the methods.

    Barycentrics and depth are computed from the face indices in float64, the same way for every adapter.
    """

    name = ""

    def __init__(self, triangles: Triangles, device: str) -> None:
        check_triangles(triangles)
        self.device = torch.device(checked_device(device))
        self._triangles = triangles
        self._faces = torch.as_tensor(triangles.faces).to(self.device)

    def visibility(self, view: View) -> Visibility:
        """Face indices only; see ``Rasterizer``."""
        self._refuse_lens(view)
        check_view(view, self._triangles)
        vertices = camera_vertices(self._triangles, view, self.device)
        usable = usable_faces(self._triangles, view, vertices, self._faces)
        drawn = torch.nonzero(usable & (vertices[self._faces.long()][..., 2].amax(1) >= view.near))[:, 0]
        if not len(drawn):
            return Visibility(torch.full(view.size, -1, dtype=torch.int32, device=self.device), vertices)
        found = self._seen(view, vertices, self._faces[drawn])
        return Visibility(torch.where(found >= 0, drawn[found.clamp(min=0).long()], -1).to(torch.int32), vertices)

    def fragments(self, view: View) -> Fragments:
        """Face indices, barycentrics and depth; see ``Rasterizer``."""
        seen = self.visibility(view)
        k = torch.as_tensor(view.intrinsics, dtype=torch.float32).to(self.device)
        exact = torch.as_tensor(view.intrinsics).to(self.device)
        barycentrics, depth = surface(seen, seen.camera_vertices, self._faces, exact)
        return Fragments(seen.face, barycentrics, depth, seen.camera_vertices, k)

    @abstractmethod
    def _seen(
        self, view: View, vertices: Float32[Tensor, "vertices 3"], faces: Int32[Tensor, "faces 3"]
    ) -> Int32[Tensor, "height width"] | Int64[Tensor, "height width"]:
        """Which of the faces every pixel sees, -1 for none; vertices that no face has may be anything."""

    def _refuse_lens(self, view: View) -> None:
        if not view.lens.plain:
            what = f"the camera of the backend {self.name}"
            raise BadValueError(what, view.lens.projection, right="a pinhole", fix="use the backend warp")


def pinhole_px(view: View, vertices: Float32[Tensor, "vertices 3"]) -> tuple[Tensor, Tensor, Tensor]:
    """Column, row (px, times z) and z of vertices in float64; what is not finite is 0."""
    x, y, z = vertices.nan_to_num(0, 0, 0).double().unbind(1)
    k = view.intrinsics
    return k[0, 0] * x + k[0, 1] * y + k[0, 2] * z, k[1, 1] * y + k[1, 2] * z, z
