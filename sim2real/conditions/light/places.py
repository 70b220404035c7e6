"""The places of surfaces from which light is looked for: what a camera sees, in cells, and what their random numbers are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import warp as wp
from jaxtyping import Bool, Float, Float32, Int32

from ...camera import Camera
from ...camera_effects.tone import LUMA
from ...devices import upload
from ..cells import cell_middles
from .filters import AROUND, BENT, BESIDE, beside, vectors
from .world import World

LONGEST_CELLS = 160
"""Larger pictures are traced at a half (a third, ...) of their size, until the longer side has no more."""


@dataclass(frozen=True, eq=False)
class Seen:
    """The first surface that one does not see through, per pixel: world points, normals, depth and parts (-1: none)."""

    points: Float[np.ndarray, "height width 3"]
    normals: Float32[np.ndarray, "height width 3"]
    depth: Float32[np.ndarray, "height width"]
    part: Int32[np.ndarray, "height width"]
    directions: Float[np.ndarray, "height width 3"]


def cell_side(size: tuple[int, ...], *, quick: bool = False) -> int:
    """Pixels along the side of a cell; ``quick``: of a quarter as many, at most."""
    return -(-max(size) // (LONGEST_CELLS // 2 if quick else LONGEST_CELLS))


def cells_of(seen: Seen, camera: Camera, frame: int, by: int) -> tuple[Seen, Float32[np.ndarray, "height width"]]:
    """The pixels that rays are sent from, and how wide their cells are, metres."""
    middle = cell_middles(seen.depth.shape, by)
    cells = Seen(*(getattr(seen, name)[middle] for name in ("points", "normals", "depth", "part", "directions")))
    focal = float(camera.intrinsics[frame, 0, 0])
    sizes = (np.maximum(cells.depth, camera.near) * by / focal).astype(np.float32)
    return cells, np.full_like(sizes, by / focal) if camera.lens.parallel else sizes


def variation(
    straight: Float32[np.ndarray, "height width 3"], light: Float32[np.ndarray, "height width 3"], cells: Seen
) -> Float32[np.ndarray, "height width"]:
    """The largest difference of straight light to cells beside it of the same surface, as a share of all light there."""
    own, margins = straight @ LUMA, ((1, 1), (1, 1), (0, 0))
    part, normals, light_there = (np.pad(a, margins[: a.ndim], constant_values=-1) for a in (cells.part, cells.normals, own))
    out = np.zeros_like(own)
    for way in AROUND:
        straightness = np.einsum("hwc,hwc->hw", beside(normals, way), cells.normals)
        alike = (beside(part, way) == cells.part) & (straightness > BENT)
        out = np.maximum(out, np.abs(beside(light_there, way) - own) * alike)
    return out / np.maximum(light @ LUMA, 1e-6)


def starts_of(cells: Seen, world: World, sizes: Float32[np.ndarray, "height width"]) -> tuple[Any, Any]:
    """Where the rays of cells begin, a little off the surface, and what their random numbers are drawn from (Warp arrays)."""
    aside = 0.02 * sizes[..., None]
    points = cells.points + (1e-4 + aside) * cells.normals - aside * cells.directions
    return vectors(points.reshape(-1, 3)), upload(_seeds(cells, world, sizes).ravel(), wp.int32, "cpu")


def every_other(part: Int32[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """The black fields of a chessboard, and those white ones that no black one of the same part is beside."""
    y, x = np.indices(part.shape)
    padded = np.pad(part, 1, constant_values=-2)
    return ((x + y) % 2 == 0) | ~np.any([beside(padded, way) == part for way in BESIDE], axis=0)


def _seeds(cells: Seen, world: World, sizes: Float32[np.ndarray, "height width"]) -> Int32[np.ndarray, "height width"]:
    """A number per place of a surface, the same from everywhere: of the part, and of the cube about it, about a cell wide."""
    pose = world.part_from_world[cells.part]
    local = np.einsum("hwij,hwj->hwi", pose[..., :3, :3], cells.points) + pose[..., :3, 3]
    level = np.floor(np.log2(np.maximum(sizes, 1e-6)))
    cube = np.floor(local / np.exp2(level)[..., None]).astype(np.int64)
    key = cells.part.astype(np.int64)
    for value in (level.astype(np.int64), cube[..., 0], cube[..., 1], cube[..., 2]):
        key = (key * 0x9E3779B1 + value) & 0xFFFFFFFF
        key = ((key ^ (key >> 15)) * 0x85EBCA6B) & 0xFFFFFFFF
    return (key ^ (key >> 13)).astype(np.uint32).view(np.int32)
