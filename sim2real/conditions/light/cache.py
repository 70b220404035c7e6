"""The light on surfaces all over a scene, in a coarse grid: solved once a clip, looked up wherever a ray meets a surface.

Surface elements are found by following light paths backwards from what cameras see, so that they are where they are needed.
Each knows what falls on it straight, and where rays from it end; the light of these places is what it gets on the next bounce
(the radiosity equation, Goral et al. 1984, "Modeling the interaction of light between diffuse surfaces", with form factors by
Monte Carlo). Cells without any elements take their neighbors' light.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import warp as wp
from jaxtyping import Float, Int

from ...devices import as_warp, launch, upload
from ..samples import Sampler
from . import kernels
from .world import EMPTY, LightCache, Worlds

_ELEMENTS = 2500
"""Surface elements that cameras see; about twice as many more are found by rays."""
_RAYS, _FAR, _NEAR, _BOUNCES = 24, 32, 32, 5
_CELLS = 40
"""Along the longest side of the grid."""
_LEAST_CELL_M = 0.02


def solve(
    worlds: Worlds,
    sampler: Sampler,
    points: Float[np.ndarray, "n 3"],
    normals: Float[np.ndarray, "n 3"],
    frame: int = 0,
) -> LightCache:
    """Reflected and straight light on all surfaces around.

    Args:
        worlds: of the scene, which keep no light yet.
        sampler: of the scene.
        points: world places of surfaces that cameras see.
        normals: facing the cameras.
        frame: at which light is solved.
    """
    instant = worlds.at(frame)
    world = instant.struct
    rng = np.random.default_rng(0x116847)
    if not len(points):
        return EMPTY
    few = rng.permutation(len(points))[:_ELEMENTS]
    where, facing = points[few], normals[few]
    for _ in range(2):  # what lights them, and what lights that
        start = rng.permutation(len(where))[:_ELEMENTS]
        hit, normal, part = _hits(world, sampler, where[start], facing[start], 1, seed=len(where))
        met = part[:, 0] >= 0
        where, facing = np.concatenate([where, hit[met, 0]]), np.concatenate([facing, normal[met, 0]])
    low, high = where.min(axis=0), where.max(axis=0)
    cell = max(float((high - low).max()) / _CELLS, _LEAST_CELL_M)
    origin, cells = low - 0.5 * cell, np.ceil((high - low) / cell).astype(np.int64) + 1
    off = where + 1e-3 * cell * facing
    straight = _straight(world, sampler, off, facing)
    hit, normal, part = _hits(world, sampler, off, facing, _RAYS, seed=1)
    gone = part < 0
    outside = np.where(gone[..., None], worlds.steady(hit), 0)
    place = _place(hit + 0.01 * cell * normal, normal, origin, cell, cells)
    color = worlds.colors[part]
    own = _place(where + 0.01 * cell * facing, facing, origin, cell, cells)
    light, kept = straight, _Cells(own, cells)
    for _ in range(_BOUNCES):
        cached = kept.filled(light)
        light = straight + (outside + color * cached[place]).mean(axis=1)
    return LightCache(kept.filled(light).astype(np.float32), origin, cell, cells)


def _straight(world: Any, sampler: Sampler, points: np.ndarray, normals: np.ndarray) -> Float[np.ndarray, "n 3"]:
    out = [np.zeros((len(points), 3), np.float32) for _ in range(2)]
    arrays = [as_warp(array, wp.vec3) for array in out]
    seeds = upload(np.arange(len(points), dtype=np.int32), wp.int32, "cpu")
    near = _NEAR if world.near_light.shape[0] else 0
    places = [upload(array.astype(np.float32), wp.vec3, "cpu") for array in (points, normals)]
    none = upload(np.zeros(len(points), np.int32), wp.int32, "cpu")
    inputs = [world, sampler.materials, *places, seeds, len(points), _FAR, near, none, *arrays]
    launch(kernels.light_kernel, 1, inputs, "cpu")
    return out[0].astype(np.float64)


def _hits(
    world: Any, sampler: Sampler, points: np.ndarray, normals: np.ndarray, rays: int, *, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    shape = (len(points), rays)
    hit, normal, part = np.zeros((*shape, 3), np.float32), np.zeros((*shape, 3), np.float32), np.zeros(shape, np.int32)
    arrays = [as_warp(array, wp.vec3) for array in (hit, normal)]
    arrays.append(as_warp(part, wp.int32))
    places = [upload(array.astype(np.float32), wp.vec3, "cpu") for array in (points + 1e-4 * normals, normals)]
    launch(kernels.hits_kernel, len(points), [world, *places, rays, seed, *arrays, sampler.materials.face_part], "cpu")
    return hit, normal, part


def _place(
    points: np.ndarray, normals: np.ndarray, origin: np.ndarray, cell: float, cells: np.ndarray
) -> Int[np.ndarray, "*shape"]:
    """``kernels.cell_of``."""
    at = np.clip(np.floor((points - origin) / cell).astype(np.int64), 0, cells - 1)
    axis = np.abs(normals).argmax(axis=-1)
    side = 2 * axis + (np.take_along_axis(normals, axis[..., None], axis=-1)[..., 0] < 0)
    return ((at[..., 0] * cells[1] + at[..., 1]) * cells[2] + at[..., 2]) * 6 + side


class _Cells:
    """Mean light per cell and direction; empty cells have that of up to three cells around, or that of all of the direction.

    Args:
        place: cell and direction of every surface element.
        cells: along each axis.
    """

    def __init__(self, place: Int[np.ndarray, " n"], cells: Int[np.ndarray, "3"]) -> None:
        self._lengths, self._count = cells.tolist(), int(np.prod(cells)) * 6
        own, self._place = np.unique(place, return_inverse=True)
        self._weight = np.bincount(self._place).astype(np.float64)
        row = np.full(self._count + 1, -1)  # of a cell that has light, or the last one, which has none
        row[own] = np.arange(len(own))
        filled, self._rings = [own], []
        for _ in range(3):
            reached = np.unique(self._neighbors(filled[-1]))
            edge = reached[(row[reached] < 0) & (reached < self._count)]
            around, start = row[self._neighbors(edge)], sum(map(len, filled))
            self._rings.append((slice(start, start + len(edge)), around, (around >= 0).sum(axis=0)[:, None]))
            row[edge] = start + np.arange(len(edge))
            filled.append(edge)
        self._own, self._cells = own, np.concatenate(filled)

    def _neighbors(self, at: Int[np.ndarray, " n"]) -> Int[np.ndarray, "6 n"]:
        """The same direction in the six cells around, or ``_count`` where there is none."""
        found, step = [], self._count
        for length in self._lengths:
            step //= length
            along = at // step % length
            found += [np.where(along < length - 1, at + step, self._count), np.where(along > 0, at - step, self._count)]
        return np.stack(found)

    def filled(self, light: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "cells 3"]:
        """Of the light on every surface element."""
        total = np.stack([np.bincount(self._place, light[:, k]) for k in range(3)], axis=1)
        known = np.zeros((len(self._cells) + 1, 3))
        known[: len(total)] = total / self._weight[:, None]
        for edge, around, many in self._rings:
            near = known[around[0]]
            for one in around[1:]:
                near += known[one]
            known[edge] = near / many
        side = self._own % 6
        weight = np.bincount(side, self._weight, 6)[:, None] + 0.1 * self._weight.sum()
        overall = np.stack([np.bincount(side, total[:, k], 6) for k in range(3)], axis=1) + 0.1 * total.sum(axis=0)
        out = np.tile(overall / np.maximum(weight, 1e-9), (self._count // 6, 1))
        out[self._cells] = known[:-1]
        return out
