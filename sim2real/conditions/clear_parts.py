"""What lies behind one clear part and in front of the next: the layers of a view that is looked through, nearest first."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Int32
from torch import Tensor

from ..camera.view import View
from ..raster import Fragments, Rasterizer, part_boxes, rasterizer, window_of
from ..scene import Triangles
from ..scene.triangles import parts_alone

DEEPEST = 4
"""Clear parts that count along a line of sight; what lies behind so many is seen as if others were not there."""


class ClearParts:
    """The clear parts of a scene, each drawn by itself; may be used from several threads at once.

    A part counts once along a line of sight, where it is nearest: the wall of a bottle hides the bottle's other wall.

    Args:
        triangles: of the scene.
        clear: the parts that one sees through.
        device: where they are drawn.
    """

    def __init__(self, triangles: Triangles, clear: Bool[np.ndarray, "parts"], device: str) -> None:
        self._triangles, self._clear, self._device = triangles, clear, device
        self._boxes = part_boxes(triangles)
        self._alone: dict[int, _Alone] = {}
        self._lock = threading.Lock()

    def layers(self, view: View, solid: Fragments) -> list[Int32[Tensor, "height width"]]:
        """The faces of the second layer, the third, and so on; where there is none, those of what is solid.

        Args:
            view: with all parts that exist.
            solid: what is seen of the view without clear parts.
        """
        shown = np.flatnonzero(self._clear & view.shown)
        if len(shown) < 2:
            return []
        far = torch.where(solid.face >= 0, solid.depth, torch.inf)
        depths = [torch.full_like(far, torch.inf) for _ in range(DEEPEST)]
        faces = [solid.face.clone() for _ in range(DEEPEST)]
        for part in shown.tolist():
            self._insert(part, view, far, depths, faces)
        return [face for depth, face in zip(depths[1:], faces[1:], strict=True) if bool(torch.isfinite(depth).any())]

    def _insert(self, part: int, view: View, far: Tensor, depths: list[Tensor], faces: list[Tensor]) -> None:
        """Put a part among the sorted layers, in place."""
        only = view.only(np.arange(len(self._clear)) == part)
        rows, columns = slice(0, view.size[0]), slice(0, view.size[1])
        if view.vertices is None and not (view.lens.bent or view.lens.parallel):
            rows, columns = window_of(only, self._boxes)
        if rows.stop <= rows.start or columns.stop <= columns.start:
            return
        alone = self._of(part)
        if not len(alone.faces):
            return
        k = only.intrinsics.copy()
        k[:2, 2] -= [columns.start, rows.start]
        size = (rows.stop - rows.start, columns.stop - columns.start)
        vertices = None if view.vertices is None else view.vertices[alone.vertices]
        seen = alone.rasterizer.fragments(replace(only, intrinsics=k, size=size, vertices=vertices))
        at = (rows, columns)
        here = (seen.face >= 0) & (seen.depth < far[at])
        depth = torch.where(here, seen.depth, torch.inf)
        face = alone.faces[seen.face.clamp(min=0).long()]
        for layer in range(DEEPEST):
            nearer = depth < depths[layer][at]
            kept_depth, kept_face = depths[layer][at].clone(), faces[layer][at].clone()
            depths[layer][at] = torch.where(nearer, depth, kept_depth)
            faces[layer][at] = torch.where(nearer, face, kept_face)
            depth, face = torch.where(nearer, kept_depth, depth), torch.where(nearer, kept_face, face)

    def _of(self, part: int) -> _Alone:
        with self._lock:
            if part not in self._alone:
                chosen = np.arange(len(self._clear)) == part
                faces = np.flatnonzero(self._triangles.face_part == part).astype(np.int32)
                draw = rasterizer(parts_alone(self._triangles, chosen), device=self._device)
                numbers = torch.as_tensor(faces).to(self._device)
                self._alone[part] = _Alone(draw, numbers, chosen[self._triangles.vertex_part])
            return self._alone[part]


@dataclass(frozen=True, eq=False)
class _Alone:
    """One part: what draws it, the numbers of its faces, and which vertices are its own."""

    rasterizer: Rasterizer
    faces: Int32[Tensor, "faces"]
    vertices: Bool[np.ndarray, "vertices"]
