"""Meshes in the looks that a stage binds to them, or in their display colors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from ...colors import srgb_from_linear
from ...mesh_ops import subset
from ...records import CornerColors, Material, Mesh
from ..mesh.cutouts import cut_out
from ..mesh.materials import MOST_REPEATS, per_face
from .materials import Look, three


def clothed(mesh: Mesh, look: Look, notes: list[str]) -> Mesh:
    """The mesh in a look: its UVs mapped, what the look leaves out cut away.

    Args:
        mesh: with the UVs that the look asks for, if it has any.
        look: as the stage has it.
        notes: gets a sentence where something cannot be kept.
    """
    material, uv = look.material, mesh.uv
    if uv is None:
        if material.texture is not None:
            notes.append(f"{mesh.name}: its texture is not used, because the mesh has no UVs")
        return replace(mesh, material=replace(material, texture=None))
    if look.uv_map is not None:
        uv = uv @ look.uv_map[:, :2].T + look.uv_map[:, 2]
    if material.texture is not None and not look.repeats and np.ptp(np.clip(uv, -0.01, 1.01)) > 1.005:
        notes.append(f"{mesh.name}: its texture is clamped or mirrored beyond its border; here it repeats")
    dressed = replace(mesh, uv=uv, material=material)
    if look.alpha is None or mesh.deformed is not None or np.abs(uv).max(initial=0) > MOST_REPEATS:
        return dressed
    made = cut_out(dressed, look.alpha, look.cutoff)
    if len(made.faces) != len(mesh.faces):
        notes.append(f"{mesh.name}: what its texture leaves out was cut away (alpha below {look.cutoff:g})")
    return made


def colored(mesh: Mesh, colors: Float[np.ndarray, "faces 3 3"] | None, opacity: float) -> Mesh:
    """A mesh without a look in its display colors, linear; UVs of several faces' colors point into a palette."""
    if colors is None:
        return replace(mesh, material=replace(Material(), base_color=(*Material().base_color[:3], opacity)))
    if np.ptp(colors.reshape(-1, 3), axis=0).max() < 1e-6:
        return replace(mesh, material=Material(base_color=(*three(colors[0, 0]), opacity)))
    made = per_face(mesh, np.rint(srgb_from_linear(colors.mean(axis=1)) * 255).astype(np.uint8))
    if np.ptp(colors, axis=1).max() > 1e-6:
        corners = np.rint(srgb_from_linear(colors) * 255).astype(np.uint8)
        made = replace(made, colors=CornerColors(corners, in_texture=made.material.texture is not None))
    return replace(made, material=replace(made.material, base_color=(*made.material.base_color[:3], opacity)))


def some(mesh: Mesh, triangles: np.ndarray) -> Mesh:
    """Some triangles of a mesh; all of them are the mesh itself."""
    return mesh if len(triangles) == len(mesh.faces) else subset(mesh, triangles)
