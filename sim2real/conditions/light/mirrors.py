"""What surfaces mirror: rays into the mirrored lobes, more of them from smooth surfaces, and what takes noise out of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import warp as wp
from jaxtyping import Bool, Float, Float32

from ...camera import Camera
from ...devices import launch, upload
from ...lazy import once
from . import kernels
from .filters import Grid, even_edges, vectors
from .places import Seen, cells_of, every_other, starts_of
from .shine import MATTE, matte
from .world import World

SHINY = 0.5
"""Roughness below which what is mirrored is looked for on cells of half the size."""
PANE = 0.05
"""Roughness of glass, at most."""
_RAYS = 4
"""Of a cell."""
_EVERY = 0.25
"""Roughness from which rays are sent from every other cell."""
_STEPS, _CONTRASTS = (1, 2, 4), (1e6, 0.8, 0.8)
"""Of rounds of smoothing, and differences that are taken for noise in them."""
_SMOOTH = 0.1
"""Roughness from which the first round counts in full; at twice that, the second, ..."""
_BENT = 2.0
"""How much faster than lobes widen surfaces may turn while they are smoothed."""


@dataclass(frozen=True, eq=False)
class Look:
    """A view of a world: from where, and the most light that a ray may bring from a surface."""

    world: World
    eye: Float[np.ndarray, "3"]
    brightest: float


@dataclass(frozen=True, eq=False)
class Fine:
    """Cells of half the size, ``side`` pixels wide."""

    cells: Seen
    sizes: Float32[np.ndarray, "rows columns"]
    side: int

    @once
    def grid(self) -> Grid:
        """All of them."""
        return Grid(self.cells.points, self.cells.normals, self.sizes)

    def grid_of(
        self, chosen: Bool[np.ndarray, "rows columns"], bends: Float32[np.ndarray, "rows columns"] | None = None
    ) -> Grid:
        """Those that are chosen; at all others there is nothing. ``bends`` as of ``Grid``."""
        return Grid(self.cells.points, self.cells.normals * chosen[..., None], self.sizes, bends)

    def chosen(self, chosen: Bool[np.ndarray, "rows columns"], world: World) -> tuple[Seen, tuple[Any, Any]]:
        """Those that are chosen, in one column, and where their rays begin."""
        few = Seen(*(getattr(self.cells, f.name)[chosen][:, None] for f in fields(Seen)))
        return few, starts_of(few, world, self.sizes[chosen][:, None])


def fine_cells(seen: Seen, camera: Camera, frame: int, by: int) -> Fine:
    """Cells of half the size of those that are ``by`` pixels wide."""
    side = max(1, by // 2)
    return Fine(*cells_of(seen, camera, frame, side), side)


def followed(
    materials: Any,
    look: Look,
    cells: Seen,
    starts: tuple[Any, Any],
    roughness: Float32[np.ndarray, "height width"],
    between: tuple[float, float] = (0.0, MATTE),
) -> Float32[np.ndarray, "height width 3"]:
    """What cells mirror whose roughness is ``between``, by a few rays each.

    Args:
        materials: of the scene's sampler.
        look: from where.
        cells: of the picture.
        starts: of their rays.
        roughness: of each cell.
        between: what is rougher or smoother mirrors nothing.
    """
    shape, out = cells.depth.shape, np.zeros((*cells.depth.shape, 3), np.float32)
    low, high = between
    glossy = cells.normals * ((low <= roughness) & (roughness < high))[..., None]
    (points, seeds), normals = starts, vectors(glossy.reshape(-1, 3))
    inputs = [look.world.struct, materials, points, normals, wp.vec3(*look.eye.tolist())]
    inputs += [upload(roughness.ravel(), wp.float32, "cpu"), seeds, shape[0] * shape[1], _RAYS, min(look.brightest, 1e9)]
    launch(kernels.reflection_kernel, 1, [*inputs, vectors(out.reshape(-1, 3))], "cpu")
    return out


def put_shiny(
    mirrored: Float32[np.ndarray, "height width 3"],
    light: Float32[np.ndarray, "height width 3"],
    materials: Any,
    look: Look,
    fine: Fine,
    seen: Seen,
    roughness: Float32[np.ndarray, " parts"],
) -> None:
    """What shiny surfaces mirror, found on fine cells, in place.

    Rays stand for their part of the lobe, so lamps do not sparkle; the rest of the noise goes by smoothing along surfaces that
    turn by less than the lobe is wide, where what is mirrored does not differ.

    Args:
        mirrored: what all surfaces mirror.
        light: what falls on them.
        materials: of the scene's sampler.
        look: from where.
        fine: cells of the picture.
        seen: what its pixels see.
        roughness: of each part, and of part -1; those from ``SHINY`` on stay as they are.
    """
    rough = roughness[fine.cells.part]
    chosen = (rough < SHINY) & (fine.cells.part >= 0)
    if not chosen.any():
        return
    asked = chosen & ((rough < _EVERY) | every_other(fine.cells.part))
    few, starts = fine.chosen(asked, look.world)
    found = np.full((*chosen.shape, 3), -1, np.float32)  # not known, but for what is asked
    found[asked] = followed(materials, look, few, starts, rough[asked][:, None])[:, 0]
    there = fine.grid_of(chosen, _BENT / np.maximum(rough, PANE) ** 4)
    for k, (step, contrast) in enumerate(zip(_STEPS, _CONTRASTS, strict=True)):
        found += (there.smoothed(found, (step,), contrast) - found) * np.clip(rough / _SMOOTH - k, 0, 1)[..., None]
    found = np.maximum(found, 0)
    if fine.side > 1:
        (found,) = there.spread((found,), Grid(seen.points, seen.normals), fine.side)
    rough = roughness[seen.part]
    shiny = (rough < SHINY) & (seen.part >= 0)
    mirrored[shiny] = (found + (light - found) * matte(rough)[..., None])[shiny]
    even_edges(mirrored, seen.part, seen.normals, shiny)
