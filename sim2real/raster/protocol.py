"""The protocol that all rasterizers follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float32, Int32
from torch import Tensor

from ..camera.view import View
from .fragments import Fragments


@dataclass(frozen=True, eq=False)
class Visibility:
    """Which face every pixel of one view sees: the part of ``Fragments`` that a z-buffer gives at once.

    - ``face``: index into the faces, -1 where there is no surface.
    - ``camera_vertices``: all vertices in this camera's frame, those of invisible parts too.
    """

    face: Int32[Tensor, "height width"]
    camera_vertices: Float32[Tensor, "vertices 3"]


@runtime_checkable
class Rasterizer(Protocol):
    """Finds the surface that every pixel of a view sees.

    Both methods may be called from several threads at once.

    Raises:
        BadValueError: the view is one of other triangles.
    """

    def visibility(self, view: View) -> Visibility:
        """Face indices only: the fastest."""
        ...

    def fragments(self, view: View) -> Fragments:
        """Face indices, barycentrics and depth."""
        ...
