"""Plain numpy twin of the noise kernels: slow, short, and without tables, runs or native code."""

from __future__ import annotations

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
    sub: int,
    tau: float,
    cap: float,
) -> Places:
    """Chart position and wanted level of every sample, with finite differences for the footprint."""
    height, width = face.shape
    seen = np.repeat(np.repeat(face, sub, 0), sub, 1)
    y, x = np.meshgrid((np.arange(height * sub) + 0.5) / sub, (np.arange(width * sub) + 0.5) / sub, indexing="ij")
    h = 1e-4

    def at(dx: float, dy: float) -> np.ndarray:
        k = np.asarray(intrinsics, np.float64)
        ray = np.stack([(x + dx - k[0, 2]) / k[0, 0], (y + dy - k[1, 2]) / k[1, 1], np.ones_like(x)], -1)
        place = _sky(ray @ world_from_camera[:3, :3].T, axis)
        if len(triangles.faces):
            surface = _surface(
                ray, camera_vertices.astype(np.float64)[triangles.faces], charts.coordinates, np.maximum(seen, 0)
            )
            place = np.where((seen >= 0)[..., None], surface, place)
        return place

    k = np.asarray(intrinsics, np.float64)
    ray = np.stack([(x - k[0, 2]) / k[0, 0], (y - k[1, 2]) / k[1, 1], np.ones_like(x)], -1) @ world_from_camera[:3, :3].T
    axis = np.abs(ray).argmax(-1)
    negative = np.take_along_axis(ray, axis[..., None], -1)[..., 0] < 0
    chart = axis + 3 * negative
    if len(charts.face_chart):
        chart = np.where(seen >= 0, charts.face_chart[np.maximum(seen, 0)], chart)
    place = at(0.0, 0.0)
    jacobian = np.stack([(at(h, 0.0) - at(-h, 0.0)) / (2 * h), (at(0.0, h) - at(0.0, -h)) / (2 * h)], -1) / sub
    singular = np.linalg.svd(jacobian, compute_uv=False)
    squared = np.minimum(tau**2 * singular[..., 0] ** 2, cap**2 * singular.prod(-1))
    level = np.clip(-np.floor(np.floor(np.log2(np.maximum(squared, 1e-30))) / 2), 1, FINEST_LEVEL).astype(int)
    grid = (np.clip(place, 0, 1 - 2.0**-24) * 2**FINEST_LEVEL).astype(int)
    return np.concatenate([np.stack([chart, level], -1), grid], -1)


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


def reference_noise(
    places: Places, charts: Charts, *, samples_per_axis: int, channels: int, seed: int
) -> Float32[np.ndarray, "channels latent_height latent_width"]:
    """Split, own, draw and gather.

    Args:
        places: per sample, as ``reference_places`` returns them.
        charts: for the sides and keys of the charts.
        samples_per_axis: samples per latent pixel and axis.
        channels: how many.
        seed: of the field.

    Returns:
        The frame's noise; pixels that own nothing are NaN (the kernels draw these afresh).
    """
    rows, columns = places.shape[:2]
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

    value = _values(leaves, charts, channels, seed)
    latent_columns = columns // samples_per_axis
    pixel = owner // columns // samples_per_axis * latent_columns + owner % columns // samples_per_axis
    weight = charts.side_m[leaves[:, 0]].astype(np.float64) * 2.0 ** -leaves[:, 1]
    count = rows // samples_per_axis * latent_columns
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
