"""A mesh's own UV layout as charts: its islands brought to metres, and which of them carry noise well."""

# pyright: reportArgumentType=false
# Warp's vector types are not types to pyright
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import warp as wp
from jaxtyping import Bool, Float64, Int

from ...devices import as_warp, launch
from .islands import islands, welded_corners
from .kernels import measure_uv, straighten_uv

MEAN_STRETCH = 2.0
"""Islands that are longer one way than the other by more than this, averaged over their surface, get box charts.

Measured: what is carried falls by 0.016 for each unit of this ratio (0.991 at 2, 0.967 at 3, 0.921 at 6); box charts of curved
surfaces reach 0.986 to 0.994. How much areas differ is of no account: 0.996 on a layout that is eight times finer at one end.
"""
MOST_STRETCH, MOST_AREA = 50.0, 256.0
"""Faces that are stretched more, or have an area so far from the island's mean, are as good as collapsed."""
ONE_ORIENTATION = 0.998
"""Islands whose faces do not agree on their orientation in the layout, by more than this share of the area, are folded."""


@dataclass(frozen=True, eq=False)
class UvIslands:
    """The UV layout of a mesh in metres. ``usable`` faces belong to islands of one orientation and little stretch."""

    flat: Float64[np.ndarray, "faces 3 2"]
    label: Int[np.ndarray, "faces"]
    usable: Bool[np.ndarray, "faces"]


def uv_islands(
    vertices: Float64[np.ndarray, "vertices 3"],
    faces: Int[np.ndarray, "faces 3"],
    weld: Int[np.ndarray, "faces 3"],
    uv: Float64[np.ndarray, "faces 3 2"],
) -> UvIslands:
    """Connect faces through edges that are shared in space and in the layout, and straighten every island.

    The map from the layout to metres is one linear map for each island, the one that makes its mean stretch 1 in every
    direction: a texture that is wider than high on its surface (tubes, tori, strips) is no reason to drop it, and a linear map
    keeps what is injective injective.

    Args:
        vertices: metres.
        faces: vertex indices, at least one face.
        weld: welded vertex of every corner.
        uv: any scale, tiled or not; islands with values that are not finite are not usable.

    Returns:
        Islands that may still overlap in the layout.
    """
    finite = np.asarray((np.isfinite(uv) & (np.abs(uv) < 1e30)).all(axis=(1, 2)))
    uv = np.where(finite[:, None, None], uv, 0.0)
    label = islands(welded_corners(weld, uv), finite.astype(np.int64))
    count = int(label.max()) + 1
    mesh = [
        as_warp(vertices, wp.vec3d),
        as_warp(np.asarray(faces, np.int32), wp.int32),
        as_warp(uv, wp.vec2d),
        as_warp(label.astype(np.int32), wp.int32),
    ]
    areas, metric = (wp.zeros(count, dtype=wp.vec3d, device="cpu") for _ in range(2))
    launch(measure_uv, 1, [*mesh, areas, metric], "cpu")
    surface, layout, signed = areas.numpy().T
    maps, sound = _straightening(metric.numpy(), surface, layout)

    flat = wp.empty((len(faces), 3), dtype=wp.vec2d, device="cpu")
    stretch = wp.zeros(count, dtype=wp.float64, device="cpu")
    launch(straighten_uv, 1, [*mesh, as_warp(maps, wp.mat22d), MOST_AREA, MOST_STRETCH, flat, stretch], "cpu")
    good = sound & (np.abs(signed) >= ONE_ORIENTATION * layout) & (stretch.numpy() <= MEAN_STRETCH * surface)
    return UvIslands(flat.numpy(), label, good[label] & finite)


def _straightening(
    metric: Float64[np.ndarray, "islands 3"], surface: Float64[np.ndarray, "islands"], layout: Float64[np.ndarray, "islands"]
) -> tuple[Float64[np.ndarray, "islands 2 2"], Bool[np.ndarray, "islands"]]:
    """Metres from uv: the root of the mean metric, scaled to the island's area; and for which islands there is one."""
    uu, uv, vv = metric.T
    determinant = uu * vv - uv * uv
    sound = (surface > 0) & (layout > 0) & (determinant > 1e-12 * (uu + vv) ** 2)
    determinant = np.where(sound, determinant, 1.0)
    root = np.sqrt(determinant)
    maps = np.array([[uu + root, uv], [uv, vv + root]]) / np.sqrt(np.maximum(uu + vv + 2 * root, 1e-300))  # square root
    scale = np.sqrt(np.where(sound, surface / np.where(layout > 0, layout, 1.0), 1.0) / root)
    maps = np.moveaxis(maps * scale, -1, 0)
    return np.where(sound[:, None, None], maps, np.eye(2)), sound
