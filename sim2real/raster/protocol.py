"""The protocol that all rasterizers follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Float32, Int32
from torch import Tensor

from ..scene import PINHOLE, Lens
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

    Both methods take the same arguments and may be called from several threads at once.

    Args:
        camera_from_part: one 4x4 matrix per part; it brings the part's mesh frame to the camera's (OpenCV axes).
        intrinsics: 3x3 in pixels of ``size``; for supersampling pass a scaled size and scaled intrinsics.
        size: (height, width) of the picture.
        near: surfaces nearer than this many metres are cut away, pixel by pixel.
        part_visible: parts to draw; all by default.
        vertices: mesh-frame vertices of this frame instead of the triangles' own, where meshes deform.
        lens: of the camera (``camera.lens``); a pinhole by default.
    """

    def visibility(
        self,
        camera_from_part: Float[np.ndarray, "parts 4 4"],
        intrinsics: Float[np.ndarray, "3 3"],
        size: tuple[int, int],
        *,
        near: float = 0.01,
        part_visible: Bool[np.ndarray, "parts"] | None = None,
        vertices: Float32[np.ndarray, "vertices 3"] | None = None,
        lens: Lens = PINHOLE,
    ) -> Visibility:
        """Face indices only: the fastest."""
        ...

    def fragments(
        self,
        camera_from_part: Float[np.ndarray, "parts 4 4"],
        intrinsics: Float[np.ndarray, "3 3"],
        size: tuple[int, int],
        *,
        near: float = 0.01,
        part_visible: Bool[np.ndarray, "parts"] | None = None,
        vertices: Float32[np.ndarray, "vertices 3"] | None = None,
        lens: Lens = PINHOLE,
    ) -> Fragments:
        """Face indices, barycentrics and depth."""
        ...
