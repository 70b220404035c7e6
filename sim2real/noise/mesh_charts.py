"""Charts of one mesh: its own UV islands where they are injective, box projections elsewhere, packed in one square."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int

from .injectivity import overlapping
from .islands import Grouped, first_seen, islands, welded
from .packing import packed

STRETCH_LIMIT = 4.0
"""Islands whose texels differ by more than this factor in area, or in length along their two axes, get box charts."""
STRETCHED_SHARE = 0.02
"""... over more than this share of the island's surface."""


@dataclass(frozen=True, eq=False)
class MeshCharts:
    """Where every face corner of a mesh lies in the mesh's chart.

    - ``coordinates`` in [0, 1); one unit is ``side_m`` metres.
    - ``from_uv`` says which faces kept their own UV layout (islands may have been moved apart).
    """

    coordinates: Float32[np.ndarray, "faces 3 2"]
    side_m: float
    from_uv: np.ndarray
    islands: int


def mesh_charts(
    vertices: Float[np.ndarray, "vertices 3"],
    faces: Int[np.ndarray, "faces 3"],
    uv: Float[np.ndarray, "faces 3 2"] | None,
) -> MeshCharts:
    """Build the charts of a mesh in O(faces log faces).

    Args:
        vertices: metres.
        faces: vertex indices.
        uv: per face corner, any scale, tiled or not; ``None`` where the asset has none.

    Returns:
        Charts in which no two places of the surface share a cell, but for what the tolerances of ``overlapping`` leave.
    """
    corner = vertices.astype(np.float64)[faces]
    weld = welded(vertices)[faces]
    flat, label = _box(corner, weld)
    from_uv = np.zeros(len(faces), bool)
    if uv is not None and len(faces):
        metric, uv_label, usable = _uv(corner, weld, uv.astype(np.float64))
        from_uv = usable
        flat = np.where(usable[:, None, None], metric, flat)
        label = first_seen(np.where(usable, uv_label + label.max() + 1, label))
    coordinates, side = _packed(corner, flat, label)
    for _ in range(8):  # spiral stairs and folded sheets: cut at half height until no island covers itself
        bad = overlapping(coordinates, label, int(label.max(initial=-1)) + 1)
        if not bad.any():
            break
        hit = np.asarray(bad[label])
        if (hit & from_uv).any():
            box, _ = _box(corner, weld)
            retired = hit & from_uv
            flat = np.where(retired[:, None, None], box, flat)
            from_uv = from_uv & ~retired
            label = _boxes_beside(corner, weld, label, retired)
        else:
            label = _halved(corner, weld, label, hit)
        coordinates, side = _packed(corner, flat, label)
    return MeshCharts(coordinates.astype(np.float32), side, from_uv, int(label.max(initial=-1)) + 1)


def _dominant(corner: Float64[np.ndarray, "faces 3 3"]) -> tuple[np.ndarray, np.ndarray]:
    """Axis along which each face's normal is longest, and its sign (0 or 1)."""
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    axis = np.abs(normal).argmax(axis=1)
    return axis, (np.take_along_axis(normal, axis[:, None], 1)[:, 0] < 0).astype(np.int64)


def _box(corner: np.ndarray, weld: np.ndarray) -> tuple[Float64[np.ndarray, "faces 3 2"], np.ndarray]:
    """Project every face along its dominant axis: coplanar neighbours share a grid, areas shrink by at most sqrt 3."""
    axis, sign = _dominant(corner)
    plane = np.stack([(axis + 1) % 3, (axis + 2) % 3], axis=1)
    flat = np.take_along_axis(corner, np.repeat(plane[:, None], 3, axis=1), axis=2)
    return flat, islands(weld, 2 * axis + sign)


def _boxes_beside(corner: np.ndarray, weld: np.ndarray, label: np.ndarray, retired: np.ndarray) -> np.ndarray:
    """Labels after the retired faces have gone back to box charts of their own."""
    axis, sign = _dominant(corner)
    boxes = islands(weld, np.where(retired, 1 + 2 * axis + sign, 0))
    return first_seen(np.where(retired, boxes + label.max() + 1, label))


def _halved(corner: np.ndarray, weld: np.ndarray, label: np.ndarray, hit: np.ndarray) -> np.ndarray:
    """Cut the hit islands at the middle of their extent along the projection axis."""
    axis, _ = _dominant(corner)
    height = np.take_along_axis(corner.mean(axis=1), axis[:, None], 1)[:, 0]
    grouped = Grouped(label)
    middle = (grouped.reduce(np.minimum, height) + grouped.reduce(np.maximum, height)) / 2
    return islands(weld, np.asarray(2 * label + (hit & (height > middle[label]))))


def _uv(corner: np.ndarray, weld: np.ndarray, uv: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """UV islands scaled to metres, and which faces may use them (one orientation, little stretch)."""
    finite = np.asarray(np.isfinite(uv).all(axis=(1, 2)))
    uv = np.where(finite[:, None, None], uv, 0.0)
    places = np.concatenate([weld.reshape(-1, 1), uv.reshape(-1, 2)], axis=1)
    label = islands(welded(places).reshape(-1, 3), np.where(finite, 1, 0))
    grouped = Grouped(label)

    edge = corner[:, 1:] - corner[:, :1]
    surface = np.linalg.norm(np.cross(edge[:, 0], edge[:, 1]), axis=1) / 2
    step = uv[:, 1:] - uv[:, :1]
    signed = (step[:, 0, 0] * step[:, 1, 1] - step[:, 0, 1] * step[:, 1, 0]) / 2
    total_surface = grouped.reduce(np.add, surface)
    total_uv = grouped.reduce(np.add, np.abs(signed))
    turned = np.abs(grouped.reduce(np.add, signed)) < 0.998 * total_uv
    scale = np.sqrt(total_surface / np.where(total_uv > 0, total_uv, 1))

    metric = uv * scale[label][:, None, None]
    bad = _stretched(edge, step * scale[label][:, None, None], surface, np.abs(signed) * scale[label] ** 2)
    bad_share = grouped.reduce(np.add, np.where(bad, surface, 0.0)) / np.where(total_surface > 0, total_surface, 1)
    good = (total_uv > 0) & (total_surface > 0) & ~turned & (bad_share <= STRETCHED_SHARE)
    return metric, label, good[label] & finite


def _stretched(edge: np.ndarray, step: np.ndarray, surface: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """Faces whose map from chart to space stretches areas, or one axis against the other, by more than the limit."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = flat / surface
        jacobian = np.swapaxes(edge, 1, 2) @ np.linalg.inv(
            np.where((flat > 0)[:, None, None], np.swapaxes(step, 1, 2), np.eye(2))
        )
        e = (jacobian[:, :, 0] ** 2).sum(1)
        g = (jacobian[:, :, 1] ** 2).sum(1)
        f = (jacobian[:, :, 0] * jacobian[:, :, 1]).sum(1)
        root = np.sqrt(np.maximum((e - g) ** 2 / 4 + f * f, 0))
        long, short = (e + g) / 2 + root, (e + g) / 2 - root
        fine = (ratio < STRETCH_LIMIT) & (ratio > 1 / STRETCH_LIMIT) & (long < STRETCH_LIMIT**2 * short)
    return ~fine & (surface > 0)


def _packed(corner: np.ndarray, flat: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, float]:
    """Chart coordinates in [0, 1) with every island in a block of its own."""
    if len(label) == 0:
        return np.zeros((0, 3, 2)), 1.0
    grouped = Grouped(label)
    low = grouped.reduce(np.minimum, flat.min(axis=1))
    high = grouped.reduce(np.maximum, flat.max(axis=1))
    count = np.bincount(label)
    centre = grouped.reduce(np.add, corner.mean(axis=1)) / count[:, None]
    extent = (high - low).max(axis=1)
    place, side = packed(extent * (1 + 1e-6), centre)
    coordinates = (flat - low[label][:, None] + place[label][:, None]) / side
    return np.clip(coordinates, 0.0, np.nextafter(np.float32(1), np.float32(0))), side
