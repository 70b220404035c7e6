"""What a camera sees in front of a plane: everything behind the plane is cut away, face by face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Float64, Int8, Int64

from ..camera.view import View
from ..scene import Triangles
from .backend import rasterizer
from .protocol import Rasterizer, Visibility
from .windows import part_boxes

_SPARED = 1e-4
"""Of the eye's distance from the plane: what lies in the plane itself is cut away, too."""


class CutView:
    """Sees the triangles of a rasterizer in front of planes; may be asked from several threads at once.

    Parts on one side of a plane cost nothing. The faces of those on both sides are cut anew for every view.

    Args:
        triangles: of the scene.
        rasterizer: of these triangles.
        device: where its pictures are made.
    """

    def __init__(self, triangles: Triangles, rasterizer: Rasterizer, device: str) -> None:
        self._triangles, self._rasterizer, self._device = triangles, rasterizer, device
        self._boxes = part_boxes(triangles)
        ends = np.searchsorted(triangles.face_part, np.arange(1 + len(triangles.part_instance)))
        self._faces_of = [slice(int(a), int(b)) for a, b in zip(ends[:-1], ends[1:], strict=True)]

    def visibility(self, view: View, plane: Float[np.ndarray, "4"]) -> Visibility:
        """The face that every pixel of a view sees in front of a plane.

        Args:
            view: of the triangles.
            plane: unit normal n and offset d in the camera's frame; points p with n.p > d are in front.
        """
        spared = plane + [0, 0, 0, _SPARED * abs(plane[3])]
        low, high = self._span(view, spared)
        shown = view.shown & (high > 0)
        crossing = np.flatnonzero(shown & (low < 0))
        if not len(crossing):
            return self._rasterizer.visibility(view.only(shown))
        whole = shown.copy()
        whole[crossing] = False
        rest = self._rasterizer.fragments(view.only(whole))
        pieces, numbers = self._pieces(view, crossing, spared)
        if not len(numbers):
            return Visibility(rest.face, rest.camera_vertices)
        alone = replace(view, camera_from_part=np.eye(4)[None], part_visible=None, vertices=None)
        seen = rasterizer(pieces, device=self._device).fragments(alone)
        nearer = (seen.face >= 0) & ((rest.face < 0) | (seen.depth < rest.depth))
        of_face = torch.as_tensor(numbers.astype(np.int32)).to(rest.face.device)[seen.face.clamp(min=0).long()]
        return Visibility(torch.where(nearer, of_face, rest.face), rest.camera_vertices)

    def _span(self, view: View, plane: np.ndarray) -> tuple[Float64[np.ndarray, "parts"], Float64[np.ndarray, "parts"]]:
        """The least and the greatest height of every part above a plane; 0 where a part has no vertices."""
        local = np.einsum("pij,i->pj", view.camera_from_part[:, :3], plane[:3])  # n.(R x + t) as a function of x
        if view.vertices is None:
            height = np.einsum("pci,pi->pc", self._boxes, local[:, :3]) + local[:, 3:] - plane[3]
            height = np.nan_to_num(height, nan=0.0)
            return height.min(axis=1), height.max(axis=1)
        part = self._triangles.vertex_part
        height = (view.vertices * local[part, :3]).sum(axis=1) + local[part, 3] - plane[3]
        low, high = np.full(len(local), np.inf), np.full(len(local), -np.inf)
        np.minimum.at(low, part, height)
        np.maximum.at(high, part, height)
        return np.where(low <= high, low, 0), np.where(low <= high, high, 0)

    def _pieces(
        self, view: View, parts: Int64[np.ndarray, "some"], plane: np.ndarray
    ) -> tuple[Triangles, Int64[np.ndarray, "pieces"]]:
        """What is left of the faces of some parts, in the camera's frame, and of which faces they are pieces."""
        face = np.concatenate([np.arange(self._faces_of[p].start, self._faces_of[p].stop) for p in parts])
        corners = self._triangles.faces[face]
        vertices = self._triangles.vertices if view.vertices is None else view.vertices
        pose = view.camera_from_part[self._triangles.face_part[face]]
        points = np.einsum("fij,fcj->fci", pose[:, :3, :3], vertices[corners].astype(np.float64)) + pose[:, None, :3, 3]
        cut, of = cut_triangles(points, plane)
        side = self._triangles.hidden_side
        return _loose(cut, None if side is None else side[face[of]]), face[of]


def cut_triangles(
    corners: Float[np.ndarray, "faces 3 3"], plane: Float[np.ndarray, "4"]
) -> tuple[Float64[np.ndarray, "pieces 3 3"], Int64[np.ndarray, "pieces"]]:
    """What of triangles lies in front of a plane, as triangles that wind as they do, and of which ones they are pieces.

    Edges are cut in one direction, from the front to behind, so that two faces that share one are cut at the same place.

    Args:
        corners: in any frame.
        plane: normal n and offset d in that frame; points p with n.p >= d are in front.
    """
    height = corners @ plane[:3] - plane[3]
    front = height >= 0
    count = front.sum(axis=1)
    whole = np.flatnonzero(count == 3)
    pieces, of = [corners[whole]], [whole]
    for inside in (1, 2):
        chosen = np.flatnonzero(count == inside)
        # turn every triangle until the corner that is alone on its side comes first
        first = np.argmax(front[chosen] == (inside == 1), axis=1)
        turned = (first[:, None] + np.arange(3)) % 3
        a, b, c = np.moveaxis(np.take_along_axis(corners[chosen], turned[..., None], axis=1), 1, 0)
        ha, hb, hc = np.take_along_axis(height[chosen], turned, axis=1).T[..., None]
        if inside == 1:
            pieces.append(np.stack([a, _between(a, b, ha, hb), _between(a, c, ha, hc)], axis=1))
            of.append(chosen)
        else:
            ab, ac = _between(b, a, hb, ha), _between(c, a, hc, ha)
            pieces += [np.stack([ab, b, c], axis=1), np.stack([ab, c, ac], axis=1)]
            of += [chosen, chosen]
    return np.concatenate(pieces), np.concatenate(of)


def _between(front: np.ndarray, behind: np.ndarray, height: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Where edges meet the plane, from the heights of their ends."""
    return front + (behind - front) * (height / np.maximum(height - depth, 1e-300))


def _loose(corners: Float64[np.ndarray, "pieces 3 3"], hidden_side: Int8[np.ndarray, "pieces"] | None) -> Triangles:
    """Triangles that share no vertices, as one part."""
    count = len(corners)
    return Triangles(
        vertices=np.ascontiguousarray(corners.reshape(-1, 3), np.float32),
        faces=np.arange(3 * count, dtype=np.int32).reshape(-1, 3),
        uv=np.zeros((count, 3, 2), np.float32),
        normals=np.zeros((count, 3, 3), np.float32),
        face_part=np.zeros(count, np.int32),
        vertex_part=np.zeros(3 * count, np.int32),
        part_instance=np.ones(1, np.int32),
        hidden_side=hidden_side,
    )
