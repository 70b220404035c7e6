"""What the light kernels compute, in plain numpy, for a few points and triangles."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float32

from .rays.reference import nearest_reference
from .sources import FarLight, NearLight


def meets(
    points: Float[np.ndarray, "n 3"], ends: Float[np.ndarray, "n 3"], corners: Float[np.ndarray, "faces 3 3"]
) -> Bool[np.ndarray, " n"]:
    """Whether anything is between two points."""
    return nearest_reference(points, ends - points, corners)[0] < 1


def direct_light_reference(
    points: Float[np.ndarray, "n 3"],
    normals: Float[np.ndarray, "n 3"],
    corners: Float[np.ndarray, "faces 3 3"],
    far: FarLight,
    near: NearLight,
    *,
    reach: float,
    least_distance: float,
) -> Float[np.ndarray, "n 3"]:
    """``kernels.direct_light`` with every sample of sun, sky and lamps.

    Args:
        points: metres.
        normals: unit.
        corners: of all triangles that may be in the way.
        far: sun and sky.
        near: lamps.
        reach: metres beyond which nothing is in the way of sun and sky.
        least_distance: metres; lamps nearer than this light no more.
    """
    out = np.zeros((len(points), 3))
    for toward, light in zip(far.directions.astype(np.float64), far.light, strict=True):
        cosine = np.maximum(normals @ toward, 0)
        out += (cosine * ~meets(points, points + reach * toward, corners))[:, None] * light / len(far.light)
    samples = zip(near.points.astype(np.float64), near.normals, near.light, near.cone, strict=True)
    for place, facing, light, (whole, dark, exponent) in samples:
        way = place - points
        distance = np.linalg.norm(way, axis=1)
        toward = way / distance[:, None]
        there = np.maximum(-(toward @ facing), 0)
        if exponent >= 0:
            there = np.clip((-(toward @ facing) - dark) / (whole - dark), 0, 1) ** 2 * there**exponent
        cosines = np.maximum((normals * toward).sum(axis=1), 0) * there
        free = ~meets(points, points + way * 0.99, corners)
        out += (cosines * free / np.maximum(distance, least_distance) ** 2)[:, None] * light / len(near.light)
    return out


def smooth_reference(
    points: Float32[np.ndarray, "h w 3"],
    normals: Float32[np.ndarray, "h w 3"],
    sizes: Float32[np.ndarray, "h w"],
    light: Float32[np.ndarray, "h w 3"],
    step: int,
    contrast: float,
    bends: Float32[np.ndarray, "h w"] | float = 0.0,
) -> Float[np.ndarray, "h w 3"]:
    """``filter_kernels.smooth_kernel``."""
    height, width = sizes.shape
    rows, columns = np.indices(sizes.shape)
    total, weights = np.zeros(light.shape), np.zeros(sizes.shape)
    for j in range(-2, 3):
        for i in range(-2, 3):
            there = np.clip(rows + j * step, 0, height - 1), np.clip(columns + i * step, 0, width - 1)
            alike = (normals * normals[there]).sum(axis=-1)
            off = np.abs((normals * (points[there] - points)).sum(axis=-1)) / (sizes * step)
            apart = np.linalg.norm(light[there] - light, axis=-1) / (contrast * (np.linalg.norm(light, axis=-1) + 1e-4))
            apart = np.where(light[..., 0] >= 0, apart, 0)
            weight = np.exp(bends * (alike - 1) - off - apart * apart) * np.maximum(alike, 0) ** 16 / (1 + abs(i) + abs(j))
            weight = np.where((alike > 0.7) & (light[there][..., 0] >= 0), weight, 0)
            total += weight[..., None] * light[there]
            weights += weight
    found = np.where(weights[..., None] > 0, total / np.maximum(weights, 1e-300)[..., None], light)
    return np.where((normals * normals).sum(axis=-1, keepdims=True) > 0.5, found, 0)


def spread_reference(
    points: Float32[np.ndarray, "h w 3"],
    normals: Float32[np.ndarray, "h w 3"],
    sizes: Float32[np.ndarray, "h w"],
    light: Float32[np.ndarray, "h w 3"],
    by: int,
    all_points: Float32[np.ndarray, "height width 3"],
    all_normals: Float32[np.ndarray, "height width 3"],
    *,
    farther: int = 4,
) -> Float[np.ndarray, "height width 3"]:
    """``filter_kernels.spread_kernel``, for one of its two pictures."""
    out = np.zeros(all_points.shape)
    for y, x in np.argwhere((all_normals * all_normals).sum(axis=-1) > 0.5):
        n, at = all_normals[y, x], ((np.array([y, x]) + 0.5) / by - 0.5)
        j0, i0 = np.floor(at + 0.5).astype(int)
        rows, columns = (
            np.arange(max(c - farther, 0), min(c + farther + 1, m)) for c, m in zip((j0, i0), sizes.shape, strict=True)
        )
        cells = np.ix_(rows, columns)
        alike = np.maximum(normals[cells] @ n, 0)
        off = np.abs((points[cells] - all_points[y, x]) @ n) / sizes[cells]
        tent = np.maximum(1.5 - np.abs(at[0] - rows), 0)[:, None] * np.maximum(1.5 - np.abs(at[1] - columns), 0)
        near = (np.abs(rows - j0) <= 1)[:, None] & (np.abs(columns - i0) <= 1) & ((normals[cells] ** 2).sum(axis=-1) > 0.5)
        weight = near * tent * (np.exp(-2 * off) * alike**8 + 1e-5)
        if weight.sum() < 0.01:
            away = ((rows - j0) ** 2)[:, None] + (columns - i0) ** 2
            weight = weight + (alike > 0.8) * np.exp(-2 * off) / (1 + away)
        if weight.sum() > 0:
            out[y, x] = (weight[..., None] * light[cells]).sum(axis=(0, 1)) / weight.sum()
    return out
