"""What a camera sees in front of a plane: everything behind the plane is cut away, face by face."""

from __future__ import annotations

import itertools
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int32, Int64
from torch import Tensor

from ..camera.view import View
from ..scene import Triangles
from .backend import rasterizer
from .protocol import Rasterizer, Visibility
from .windows import part_boxes

_SPARED = 1e-4
"""Of the eye's distance from the plane: what lies in the plane itself is cut away, too."""
_PARTS_KEPT, _VIEWS_KEPT = 64, 8
_FACES_KEPT = 2_000_000
"""Of all parts that are kept, and of all views: some hundred megabytes, however long a clip is in which large parts move."""


@dataclass(frozen=True, eq=False)
class _Front:
    """What of a part's faces lies in front of a plane, in its mesh frame, and of which faces they are pieces."""

    vertices: Float32[np.ndarray, "vertices 3"]
    faces: Int32[np.ndarray, "pieces 3"]
    numbers: Int64[np.ndarray, "pieces"]


class CutView:
    """Sees the triangles of a rasterizer in front of planes; may be asked from several threads at once.

    Parts on one side of a plane cost nothing. The faces of those on both sides are cut, and kept for as long as their part and
    the plane keep their places to each other. Where anything deforms, they are cut anew for every view.

    Args:
        triangles: of the scene.
        rasterizer: of these triangles.
        device: where its pictures are made.
    """

    def __init__(self, triangles: Triangles, rasterizer: Rasterizer, device: str) -> None:
        self._triangles, self._rasterizer, self._device = triangles, rasterizer, device
        self._boxes = part_boxes(triangles)
        ends = np.searchsorted(triangles.face_part, np.arange(1 + len(triangles.part_instance)))
        self._faces_of = [slice(int(a), int(b)) for a, b in itertools.pairwise(ends)]
        self._resting_front = _Recent(self._front_of_resting, _PARTS_KEPT)
        self._resting_pieces = _Recent(self._pieces_at_rest, _VIEWS_KEPT)

    def visibility(self, view: View, plane: Float[np.ndarray, "4"]) -> Visibility:
        """The face that every pixel of a view sees in front of a plane.

        Args:
            view: of the triangles.
            plane: unit normal n and offset d in the world; points p with n.p > d are in front.
        """
        planes = _planes_of_parts(view, plane)
        low, high = self._span(view, planes)
        shown = view.shown & (high > 0)
        crossing = shown & (low < 0)
        if not crossing.any():
            return self._rasterizer.visibility(view.only(shown))
        rest = self._rasterizer.fragments(view.only(shown & ~crossing))
        numbers = np.flatnonzero(crossing)
        if view.vertices is None:
            pieces, of_piece = self._resting_pieces(numbers.tobytes(), planes[numbers].tobytes())
        else:
            pieces, of_piece = self._joined([(p, self._front(p, planes[p], view.vertices)) for p in numbers.tolist()])
        if pieces is None:
            return Visibility(rest.face, rest.camera_vertices)
        seen = pieces.fragments(replace(view, vertices=None).only(crossing))
        nearer = (seen.face >= 0) & ((rest.face < 0) | (seen.depth < rest.depth))
        return Visibility(torch.where(nearer, of_piece[seen.face.clamp(min=0)], rest.face), rest.camera_vertices)

    def _span(self, view: View, planes: np.ndarray) -> tuple[Float64[np.ndarray, "parts"], Float64[np.ndarray, "parts"]]:
        """The least and the greatest height of every part above a plane; 0 where a part has no vertices."""
        if view.vertices is None:
            height = np.einsum("pci,pi->pc", self._boxes, planes[:, :3]) - planes[:, 3:]
            height = np.nan_to_num(height, nan=0.0)
            return height.min(axis=1), height.max(axis=1)
        part = self._triangles.vertex_part
        height = (view.vertices * planes[part, :3]).sum(axis=1) - planes[part, 3]
        low, high = np.full(len(planes), np.inf), np.full(len(planes), -np.inf)
        np.minimum.at(low, part, height)
        np.maximum.at(high, part, height)
        return np.where(low <= high, low, 0), np.where(low <= high, high, 0)

    def _pieces_at_rest(self, numbers: bytes, planes: bytes) -> tuple[Rasterizer | None, Int32[Tensor, "pieces"]]:
        parts, of_parts = np.frombuffer(numbers, np.int64).tolist(), np.frombuffer(planes).reshape(-1, 4)
        return self._joined([(p, self._resting_front(p, own.tobytes())) for p, own in zip(parts, of_parts, strict=True)])

    def _joined(self, fronts: Sequence[tuple[int, _Front]]) -> tuple[Rasterizer | None, Int32[Tensor, "pieces"]]:
        """A rasterizer of pieces of some parts, none where there are no pieces, and of which faces they are pieces."""
        first = np.cumsum([0, *(len(front.vertices) for _, front in fronts)])
        faces = np.concatenate([front.faces + start for (_, front), start in zip(fronts, first[:-1], strict=True)])
        number = np.concatenate([front.numbers for _, front in fronts])
        of_piece = torch.as_tensor(number.astype(np.int32)).to(self._device)
        if not len(faces):
            return None, of_piece
        parts, side = np.array([part for part, _ in fronts], np.int32), self._triangles.hidden_side
        triangles = Triangles(
            vertices=np.concatenate([front.vertices for _, front in fronts]),
            faces=faces.astype(np.int32),
            uv=np.zeros((len(faces), 3, 2), np.float32),
            normals=np.zeros((len(faces), 3, 3), np.float32),
            face_part=np.repeat(parts, [len(front.faces) for _, front in fronts]),
            vertex_part=np.repeat(parts, [len(front.vertices) for _, front in fronts]),
            part_instance=self._triangles.part_instance,
            hidden_side=None if side is None else side[number],
        )
        return rasterizer(triangles, device=self._device), of_piece

    def _front_of_resting(self, part: int, plane: bytes) -> _Front:
        return self._front(part, np.frombuffer(plane), self._triangles.vertices)

    def _front(self, part: int, plane: Float64[np.ndarray, "4"], vertices: Float32[np.ndarray, "vertices 3"]) -> _Front:
        """What of a part lies in front of a plane of its mesh frame: faces as they are, and pieces of those that cross it."""
        of_part = self._faces_of[part]
        faces = self._triangles.faces[of_part]
        begin, end = (int(faces.min()), int(faces.max()) + 1) if len(faces) else (0, 0)
        own, faces = vertices[begin:end].astype(np.float64), faces - begin
        count = (own @ plane[:3] >= plane[3])[faces].sum(axis=1)
        whole, crossing = np.flatnonzero(count == 3), np.flatnonzero((count == 1) | (count == 2))
        cut, of = cut_triangles(own[faces[crossing]], plane)
        used = np.zeros(len(own), bool)
        used[faces[whole]] = True
        place, loose = np.cumsum(used) - 1, np.arange(3 * len(cut)).reshape(-1, 3) + int(used.sum())
        return _Front(
            np.concatenate([own[used], cut.reshape(-1, 3)]).astype(np.float32),
            np.concatenate([place[faces[whole]], loose]).astype(np.int32),
            of_part.start + np.concatenate([whole, crossing[of]]),
        )


class _Recent:
    """The latest results of a function, up to a number of calls and to ``_FACES_KEPT`` faces; the last one in any case.

    May be called from several threads at once; two that ask for what is not kept both make it, with the same bits.
    """

    def __init__(self, make: Callable[..., Any], calls: int) -> None:
        self._make, self._calls, self._lock = make, calls, threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], tuple[Any, int]] = OrderedDict()

    def __call__(self, *asked: Any) -> Any:
        """What the function returns."""
        with self._lock:
            if asked in self._kept:
                self._kept.move_to_end(asked)
                return self._kept[asked][0]
        made = self._make(*asked)
        with self._lock:
            self._kept[asked] = made, len(made.numbers) if isinstance(made, _Front) else len(made[1])
            while len(self._kept) > self._calls or (self.faces > _FACES_KEPT and len(self._kept) > 1):
                self._kept.popitem(last=False)
        return made

    @property
    def faces(self) -> int:
        """How many faces are kept."""
        return sum(faces for _, faces in self._kept.values())


def _planes_of_parts(view: View, plane: Float[np.ndarray, "4"]) -> Float64[np.ndarray, "parts 4"]:
    """A plane of the world, moved off by what is spared, in the mesh frames of all parts.

    Numbers are rounded to float32, and what is spared to a power of two, so that they stay the same where only the eye moves.
    """
    eye = view.world_from_camera
    distance = abs(float(plane[:3] @ eye[:3, 3] - plane[3]))
    spared = _SPARED * 2.0 ** math.ceil(math.log2(max(distance, 1e-9)))
    world_from_part = eye @ view.camera_from_part
    normal = np.einsum("pij,i->pj", world_from_part[:, :3, :3], plane[:3])
    offset = plane[3] + spared - world_from_part[:, :3, 3] @ plane[:3]
    return np.concatenate([normal, offset[:, None]], axis=1).astype(np.float32).astype(np.float64)


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
