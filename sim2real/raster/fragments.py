"""What every rasterizer returns, whoever wrote it."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float32, Int32
from torch import Tensor

from ..camera.lens import PINHOLE, Lens


@dataclass(frozen=True, eq=False)
class Fragments:
    """The surface that every pixel of one view sees.

    - ``face``: index into the faces, -1 where there is no surface.
    - ``barycentrics``: perspective-correct weights of the three corners, channels first; 0 where there is no surface.
    - ``depth``: metres along the camera's z; 0 where there is no surface.
    - ``camera_vertices``: all vertices in this camera's frame; ``intrinsics``: 3x3; ``lens``: what bends rays. With ``face``
      they determine the rest.
    """

    face: Int32[Tensor, "height width"]
    barycentrics: Float32[Tensor, "3 height width"]
    depth: Float32[Tensor, "height width"]
    camera_vertices: Float32[Tensor, "vertices 3"]
    intrinsics: Float32[Tensor, "3 3"]
    lens: Lens = PINHOLE
