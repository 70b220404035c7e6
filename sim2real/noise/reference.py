"""Plain numpy twin of the noise kernels: slow, short, and without tables, runs or native code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int

from ..scene.triangles import Triangles
from .charts import Charts
from .generator import mix64_reference, philox_reference
from .hierarchy import FINEST_LEVEL

Places = Int[np.ndarray, "rows columns 4"]
"""Per sample: chart, wanted level, column and row on the chart's finest grid."""


def reference_places(
    charts: Charts,
    triangles: Triangles,
    face: Int[np.ndarray, "height width"],
    camera_vertices: Float[np.ndarray, "vertices 3"],
    intrinsics: Float[np.ndarray, "3 3"],
    world_from_camera: Float[np.ndarray, "4 4"],
    *,
    tau: float,
    cap: float,
) -> Places:
    """Chart position and wanted level of every pixel, with finite differences for the footprint."""
    at = _Chart(charts, triangles, face, camera_vertices, intrinsics, world_from_camera)
    h, chart, place = 1e-4, at.chart, at(0.0, 0.0)
    jacobian = np.stack([(at(h, 0.0) - at(-h, 0.0)) / (2 * h), (at(0.0, h) - at(0.0, -h)) / (2 * h)], -1)
    singular = np.linalg.svd(jacobian, compute_uv=False)
    squared = np.minimum(tau**2 * singular[..., 0] ** 2, cap**2 * singular.prod(-1))
    level = np.clip(-np.floor(np.floor(np.log2(np.maximum(squared, 1e-30))) / 2), 1, FINEST_LEVEL).astype(int)
    grid = (np.clip(place, 0, 1 - 2.0**-24) * 2**FINEST_LEVEL).astype(int)
    return np.concatenate([np.stack([chart, level], -1), grid], -1)


class _Chart:
    """Chart coordinates that the rays through a picture's pixels meet, each on the plane of the face at its pixel's centre."""

    def __init__(
        self,
        charts: Charts,
        triangles: Triangles,
        face: np.ndarray,
        camera_vertices: np.ndarray,
        intrinsics: np.ndarray,
        world_from_camera: np.ndarray,
    ) -> None:
        self._face, self._k = face, np.asarray(intrinsics, np.float64)
        self._corner = camera_vertices.astype(np.float64)[triangles.faces]
        self._coordinates, self._rotation = charts.coordinates, np.asarray(world_from_camera, np.float64)[:3, :3]
        ray = self._ray(0.0, 0.0) @ self._rotation.T
        self._axis = np.abs(ray).argmax(-1)
        negative = np.take_along_axis(ray, self._axis[..., None], -1)[..., 0] < 0
        self.chart = self._axis + 3 * negative
        if len(charts.face_chart):
            self.chart = np.where(face >= 0, charts.face_chart[np.maximum(face, 0)], self.chart)

    def __call__(self, dx: float, dy: float) -> np.ndarray:
        """At an offset in pixels from the centres."""
        ray = self._ray(dx, dy)
        place = _sky(ray @ self._rotation.T, self._axis)
        if len(self._corner):
            surface = _surface(ray, self._corner, self._coordinates, np.maximum(self._face, 0))
            place = np.where((self._face >= 0)[..., None], surface, place)
        return place

    def _ray(self, dx: float, dy: float) -> np.ndarray:
        y, x = np.indices(self._face.shape) + 0.5
        k = self._k
        return np.stack([(x + dx - k[0, 2]) / k[0, 0], (y + dy - k[1, 2]) / k[1, 1], np.ones_like(x)], -1)


def _surface(ray: np.ndarray, corner: np.ndarray, coordinates: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Where a ray from the eye meets its face's plane, in the face's chart."""
    a, b, c = (corner[face][..., k, :] for k in range(3))
    weights = np.linalg.solve(np.stack([a, b, c], -1), ray[..., None])[..., 0]  # ray = sum of weights * corners
    weights /= weights.sum(-1, keepdims=True)
    return (weights[..., None] * coordinates.astype(np.float64)[face]).sum(-2)


def _sky(direction: np.ndarray, axis: np.ndarray) -> np.ndarray:
    main = np.take_along_axis(direction, axis[..., None], -1)
    others = np.stack([(axis + 1) % 3, (axis + 2) % 3], -1)
    return 0.5 + 0.5 * np.take_along_axis(direction, others, -1) / main


@dataclass(frozen=True, eq=False)
class OwnedLeaves:
    """The leaves of a frame (rows of chart, level, column, row) and the pixel that owns each."""

    leaves: Int[np.ndarray, "leaves 4"]
    owner: Int[np.ndarray, "leaves"]
    size: tuple[int, int]


def sampled_leaves(places: Places) -> OwnedLeaves:
    """Split and own as coarse layouts do it: every pixel is a sample, and a leaf belongs to the sample nearest its centre."""
    chart, level, i, j = places.reshape(-1, 4).T
    split = [np.unique(_cell(chart, i, j, at)[level > at], axis=0) for at in range(FINEST_LEVEL)]
    leaf_level = np.ones_like(level)
    for at in range(1, FINEST_LEVEL):
        leaf_level[_member(_cell(chart, i, j, at), split[at]) & (leaf_level == at)] = at + 1
    shift = FINEST_LEVEL - leaf_level
    leaves, leaf = np.unique(np.stack([chart, leaf_level, i >> shift, j >> shift], 1), axis=0, return_inverse=True)

    inside = (1 << shift) - 1
    scale = np.float32(1) / (inside + 1).astype(np.float32)
    a, b = ((2 * (g & inside) + 1).astype(np.float32) * scale - np.float32(1) for g in (i, j))
    order = np.lexsort((np.arange(len(leaf)), a * a + b * b, leaf))
    owner = order[np.searchsorted(leaf[order], np.arange(len(leaves)))]
    return OwnedLeaves(leaves, owner, places.shape[:2])


def walked_leaves(
    charts: Charts,
    triangles: Triangles,
    face: Int[np.ndarray, "height width"],
    camera_vertices: Float[np.ndarray, "vertices 3"],
    intrinsics: Float[np.ndarray, "3 3"],
    world_from_camera: Float[np.ndarray, "4 4"],
    *,
    cap: float,
) -> OwnedLeaves:
    """Split and own as fine layouts do it: a leaf belongs to the pixel whose footprint has its centre.

    For pictures whose pixels' corners all see the face in front of them.
    """
    at = _Chart(charts, triangles, face, camera_vertices, intrinsics, world_from_camera)
    ring = np.stack([at(dx, dy) for dx, dy in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))], -2).reshape(-1, 4, 2)
    chart, centre = at.chart.ravel(), at(0.0, 0.0).reshape(-1, 2)
    diagonal, other = ring[:, 2] - ring[:, 0], ring[:, 1] - ring[:, 3]
    area = np.abs(diagonal[:, 0] * other[:, 1] - diagonal[:, 1] * other[:, 0]) / 2
    longest = np.maximum((diagonal**2).sum(1), (other**2).sum(1))
    squared = np.clip(np.maximum(cap**2 * area, longest / 48**2), 1e-30, 1)
    wanted = np.clip(-np.floor(np.floor(np.log2(squared)) / 2), 1, FINEST_LEVEL).astype(int)

    split: set[tuple[int, int, int, int]] = set()
    for pixel, corners in enumerate(ring):
        for i, j in _overlapped(corners * 2.0 ** (wanted[pixel] - 1), 2 ** int(wanted[pixel] - 1)):
            for above in range(wanted[pixel]):
                split.add((int(chart[pixel]), wanted[pixel] - 1 - above, i >> above, j >> above))
    claims: dict[tuple[int, int, int, int], tuple[float, int]] = {}
    for c, level, i, j in split:
        for leaf in ((c, level + 1, 2 * i + a, 2 * j + b) for a in (0, 1) for b in (0, 1)):
            if leaf not in split:
                claims[leaf] = (np.inf, -1)
    for leaf in claims:
        middle = (np.array(leaf[2:]) + 0.5) * 2.0 ** -leaf[1]
        near = np.flatnonzero((chart == leaf[0]) & (((middle - centre) ** 2).sum(1) <= longest))
        for pixel in near[_contains(ring[near], middle)]:
            claims[leaf] = min(claims[leaf], (float(((middle - centre[pixel]) ** 2).sum()), int(pixel)))
    owned = sorted((leaf, claim[1]) for leaf, claim in claims.items() if claim[1] >= 0)
    return OwnedLeaves(np.array([leaf for leaf, _ in owned]), np.array([pixel for _, pixel in owned]), face.shape)


def _overlapped(ring: np.ndarray, cells: int) -> list[tuple[int, int]]:
    """Unit cells that a convex quadrilateral overlaps: no line through one of its edges has a whole cell on its outer side."""
    low = np.clip(np.floor(ring.min(0)), 0, cells).astype(int)
    high = np.clip(np.floor(ring.max(0)), -1, cells - 1).astype(int)
    i, j = (a.ravel() for a in np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1), indexing="ij"))
    square = np.stack([i, j], -1)[:, None] + np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    step = np.roll(ring, -1, 0) - ring
    turn = np.sign(step[0, 0] * (ring[2] - ring[0])[1] - step[0, 1] * (ring[2] - ring[0])[0])
    from_edge = square[:, :, None] - ring
    side = turn * (step[:, 0] * from_edge[..., 1] - step[:, 1] * from_edge[..., 0])
    touching = (side.max(1) >= 0).all(1)
    return list(zip(i[touching].tolist(), j[touching].tolist(), strict=True))


def _contains(rings: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Which convex quadrilaterals have a point inside."""
    step, offset = np.roll(rings, -1, 1) - rings, point - rings
    side = step[..., 0] * offset[..., 1] - step[..., 1] * offset[..., 0]
    return np.asarray((side > 0).all(1) | (side < 0).all(1))


def reference_noise(
    owned: OwnedLeaves, charts: Charts, *, factor: int, channels: int, seed: int
) -> Float32[np.ndarray, "channels latent_height latent_width"]:
    """Draw and gather.

    Args:
        owned: which pixel owns which leaf.
        charts: for the sides and keys of the charts.
        factor: pixels per latent and axis.
        channels: how many.
        seed: of the field.

    Returns:
        The frame's noise; latents that own nothing are NaN (the kernels draw these afresh).
    """
    rows, columns = owned.size
    leaves, owner = owned.leaves, owned.owner
    value = _values(leaves, charts, channels, seed)
    latent_columns = columns // factor
    pixel = owner // columns // factor * latent_columns + owner % columns // factor
    weight = charts.side_m[leaves[:, 0]].astype(np.float64) * 2.0 ** -leaves[:, 1]
    count = rows // factor * latent_columns
    total, area = np.zeros((count, channels)), np.bincount(pixel, weight**2, count)
    np.add.at(total, pixel, weight[:, None] * value)
    with np.errstate(invalid="ignore"):
        noise = total / np.sqrt(area)[:, None]
    return noise.T.reshape(channels, -1, latent_columns).astype(np.float32)


def _cell(chart: np.ndarray, i: np.ndarray, j: np.ndarray, level: int) -> np.ndarray:
    return np.stack([chart, i >> (FINEST_LEVEL - level), j >> (FINEST_LEVEL - level)], 1)


def _member(rows: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Which rows occur among others."""
    if not len(among):
        return np.zeros(len(rows), bool)
    _, inverse = np.unique(np.concatenate([among, rows]), axis=0, return_inverse=True)
    return np.isin(inverse[len(among) :], inverse[: len(among)])


def _values(leaves: np.ndarray, charts: Charts, channels: int, seed: int) -> np.ndarray:
    """Every leaf's value by walking down from its chart's root, one Haar step a level."""
    chart, level, i, j = leaves.T
    value = np.zeros((len(leaves), channels))
    pair, odd = np.arange(channels) // 2, np.arange(channels) % 2
    for at in range(int(level.max())):
        below = level > at
        ci, cj = i[below] >> (level[below] - at), j[below] >> (level[below] - at)
        key = (np.uint64(at) << np.uint64(40)) | (ci.astype(np.uint64) << np.uint64(20)) | cj.astype(np.uint64)
        with np.errstate(over="ignore"):
            key = mix64_reference(mix64_reference(key + charts.key[chart[below]]) + np.uint64(seed % 2**64))

        def normal(counter: np.ndarray, key: np.ndarray = key) -> np.ndarray:
            first, second = philox_reference(key[:, None], counter[None])
            return np.where(odd, second, first)

        if at == 0:
            value[below] = normal(0x80000000 + pair)
        h1, h2, h3 = (normal(3 * pair + m) for m in range(3))
        si = 1 - 2 * ((i[below] >> (level[below] - at - 1)) & 1)[:, None]
        sj = 1 - 2 * ((j[below] >> (level[below] - at - 1)) & 1)[:, None]
        value[below] = (value[below] + si * h1 + sj * h2 + si * sj * h3) / 2
    return value
