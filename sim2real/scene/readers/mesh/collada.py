"""COLLADA files (.dae), of which most robots of ROS are made: their unit, and what their colors mean."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import UnreadableFileError
from ....optional import require
from ...colors import linear_from_srgb
from ...records import Material, Mesh

_SMALLEST_M, _LARGEST_M = 1e-9, 1e9


def is_collada(path: Path) -> bool:
    """Whether a file is COLLADA, by its suffix.

    Raises:
        MissingPackageError: it is, and pycollada, by which trimesh reads it, is not installed.
    """
    if path.suffix.lower() != ".dae":
        return False
    require("collada", "urdf")
    return True


def unit_m(geometry: Any, path: Path) -> float:
    """The length of the file's unit in metres, which trimesh notes beside each geometry of COLLADA; 1 for other files.

    Raises:
        UnreadableFileError: it is no length.
    """
    said = str(getattr(geometry, "metadata", {}).get("units") or "")
    if path.suffix.lower() != ".dae" or not said.endswith("* meters"):
        return 1.0
    try:
        unit = float(said.split()[0])
    except ValueError:
        unit = 0.0
    if not _SMALLEST_M <= unit <= _LARGEST_M:
        why = f"its unit is {said[:40]}"
        raise UnreadableFileError(path, what="mesh file", why=why, fix="export it in metres")
    return unit


def with_linear_colors(mesh: Mesh) -> Mesh:
    """The mesh with the colors of its material, if it has one, taken as those of a screen, as COLLADA's are."""
    material = mesh.material
    if vars(material) == vars(Material()):
        return mesh
    glow = linear_from_srgb(np.clip(material.emission, 0, 1)).tolist()
    base = linear_from_srgb(np.clip(material.base_color[:3], 0, 1)).tolist()
    alpha = material.base_color[3]
    return replace(
        mesh, material=replace(material, base_color=(base[0], base[1], base[2], alpha), emission=(glow[0], glow[1], glow[2]))
    )
