"""Charts of one mesh: its own UV islands where they are injective, box projections elsewhere, packed in one square."""

# pyright: reportArgumentType=false
# Warp's vector types are not types to pyright
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import warp as wp
from jaxtyping import Bool, Float, Float32, Float64, Int

from ...devices import as_warp, launch, warp_ready
from .islands import coincident, first_seen, islands, welded
from .kernels import measure_islands, place_islands, project_boxes
from .overlap import overlapping
from .packing import packed
from .uv_islands import uv_islands

ROUNDS = 8
"""How often islands that cover themselves are cut in two."""
UV_ISLANDS_PER_BOX = 2.0
"""A layout with more islands than this for each island of box charts is shreds, and not used."""
_FACES_AT_ONCE = 500_000
SPARE_UV_ISLANDS = 6
"""... but so many more are no reason."""


@dataclass(frozen=True, eq=False)
class MeshCharts:
    """Where every face corner of a mesh lies in the mesh's chart.

    - ``coordinates`` in [0, 1); one unit is ``side_m`` metres.
    - ``from_uv`` says which faces kept their own UV layout (islands may have been moved apart and scaled).
    """

    coordinates: Float32[np.ndarray, "faces 3 2"]
    side_m: float
    from_uv: Bool[np.ndarray, "faces"]
    islands: int


def mesh_charts(
    vertices: Float[np.ndarray, "vertices 3"],
    faces: Int[np.ndarray, "faces 3"],
    uv: Float[np.ndarray, "faces 3 2"] | None,
) -> MeshCharts:
    """Build the charts of a mesh in O(faces log faces).

    Faces with the same three corners are one surface and share their place in the chart, whichever way they face: whichever
    copy a rasterizer picks, the noise is the same.

    Args:
        vertices: metres.
        faces: vertex indices.
        uv: per face corner, any scale, tiled or not; ``None`` where the asset has none.

    Returns:
        Charts in which no two places of the surface share a cell, but for what the tolerances of ``overlapping`` leave.
    """
    if len(faces) == 0:
        return MeshCharts(np.zeros((0, 3, 2), np.float32), 1.0, np.zeros(0, bool), 0)
    warp_ready()
    if uv is not None and (uv[:, :1] == uv[:, 1:]).all():  # of colors: a layout without area is nobody's
        uv = None
    points = vertices.astype(np.float64)
    points[~np.isfinite(points)] = 0.0
    weld = welded(points)[faces]
    original = coincident(weld)
    kept = np.flatnonzero(original == np.arange(len(faces)))
    if len(kept) == len(faces):
        del original, kept
        return _Surface(points, faces, weld, uv).charts()
    made = _Surface(points, faces[kept], weld[kept], None if uv is None else uv[kept]).charts()
    place = np.searchsorted(kept, original)
    corner = (weld[:, :, None] == weld[original][:, None, :]).argmax(axis=2)
    coordinates = np.take_along_axis(made.coordinates[place], corner[..., None], axis=1)
    return MeshCharts(coordinates, made.side_m, made.from_uv[place], made.islands)


class _Surface:
    """A mesh without coincident faces on its way to charts: every face has a place in a plane and an island."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, weld: np.ndarray, uv: np.ndarray | None) -> None:
        self.vertices, self.faces, self.weld = vertices, faces, weld
        self._mesh = [
            as_warp(vertices, wp.vec3d),
            as_warp(np.asarray(faces, np.int32), wp.int32),
        ]
        flat, group = wp.empty((len(faces), 3), dtype=wp.vec2d, device="cpu"), wp.empty(len(faces), dtype=int, device="cpu")
        launch(project_boxes, len(faces), [*self._mesh, flat, group], "cpu")
        self.box: Float64[np.ndarray, "faces 3 2"] = flat.numpy()
        self.side_of_box: Int[np.ndarray, "faces"] = group.numpy()
        self.flat, self.label = self.box, islands(weld, self.side_of_box)
        self.from_uv = np.zeros(len(faces), bool)
        if uv is not None:
            self._use(uv.astype(np.float64))

    def _use(self, uv: np.ndarray) -> None:
        """Take over the islands of the asset's own layout that are usable, unless they are shreds."""
        layout = uv_islands(self.vertices, self.faces, self.weld, uv)
        boxes = int(self.label.max()) + 1
        if np.count_nonzero(np.bincount(layout.label[layout.usable])) > UV_ISLANDS_PER_BOX * boxes + SPARE_UV_ISLANDS:
            return
        self.from_uv = layout.usable
        self.flat = np.where(self.from_uv[:, None, None], layout.flat, self.box)
        self.label = first_seen(np.where(self.from_uv, layout.label + boxes, self.label))

    def charts(self) -> MeshCharts:
        """Pack; cut what covers itself (folded layouts, spiral stairs) and pack again."""
        coordinates, side = self._packed()
        for _ in range(ROUNDS):
            bad = overlapping(coordinates, self.label, int(self.label.max()) + 1)
            if not bad.any():
                break
            before = self.label
            self._mend(bad[self.label])
            if np.array_equal(before, self.label):  # lies on itself, not above itself: there is nothing to cut
                break
            coordinates, side = self._packed()
        return MeshCharts(coordinates, side, self.from_uv, int(self.label.max()) + 1)

    def _mend(self, hit: Bool[np.ndarray, "faces"]) -> None:
        """Send hit UV islands back to box charts; if there are none, cut hit boxes at half their height."""
        retired = hit & self.from_uv
        if not retired.any():
            self.label = islands(self.weld, 2 * self.label + (hit & self._upper_half()))
            return
        self.flat = np.where(retired[:, None, None], self.box, self.flat)
        self.from_uv = self.from_uv & ~retired
        boxes = islands(self.weld, np.where(retired, 1 + self.side_of_box, 0))
        self.label = first_seen(np.where(retired, boxes + self.label.max() + 1, self.label))

    def _upper_half(self) -> Bool[np.ndarray, "faces"]:
        """Which faces lie above the middle of their island, along the axis of projection."""
        axis = self.side_of_box // 2
        height = np.empty(len(self.faces))
        for start in range(0, len(self.faces), _FACES_AT_ONCE):
            here = slice(start, start + _FACES_AT_ONCE)
            height[here] = np.take_along_axis(self.vertices[self.faces[here]].mean(axis=1), axis[here, None], 1)[:, 0]
        count = int(self.label.max()) + 1
        low, high = np.full(count, np.inf), np.full(count, -np.inf)
        np.minimum.at(low, self.label, height)
        np.maximum.at(high, self.label, height)
        return height > ((low + high) / 2)[self.label]

    def _packed(self) -> tuple[Float32[np.ndarray, "faces 3 2"], float]:
        """Chart coordinates in [0, 1) with every island in a block of its own."""
        count = int(self.label.max()) + 1
        flat = as_warp(self.flat, wp.vec2d)
        label = as_warp(self.label.astype(np.int32), wp.int32)
        low, high = (wp.full(count, wp.vec2d(v, v), dtype=wp.vec2d, device="cpu") for v in (np.inf, -np.inf))
        center, corners = (wp.zeros(count, dtype=dtype, device="cpu") for dtype in (wp.vec3d, wp.float64))
        launch(measure_islands, 1, [*self._mesh, flat, label, low, high, center, corners], "cpu")
        extent = (high.numpy() - low.numpy()).max(axis=1)
        place, side = packed(extent * (1 + 1e-6), center.numpy() / corners.numpy()[:, None])
        move = as_warp(place - low.numpy(), wp.vec2d)
        coordinates = wp.empty((len(self.faces), 3), dtype=wp.vec2, device="cpu")
        launch(place_islands, len(self.faces), [flat, label, move, side, coordinates], "cpu")
        return coordinates.numpy(), side
