"""COLLADA files (.dae), of which most robots of ROS are made: their unit, and what their colors mean."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ....errors import UnreadableFileError
from ....optional import require
from ....text_files import text_of
from ...colors import linear_from_srgb
from ...records import Material, Mesh

_SMALLEST_M, _LARGEST_M = 1e-9, 1e9
_PLACED = re.compile(rb"<instance_geometry\b[^>]*\burl\s*=\s*[\"']#([^\"']+)")
_UP_AXIS = re.compile(r"<(?:\w+:)?up_axis>\s*([XYZ])_UP")
_UNREAD = {
    "animations": "channel",
    "skeletons": "instance_controller",
    "cameras": "instance_camera",
    "lights": "instance_light",
}
"""What is not read, by the elements that use it."""
_ASTRAY = re.compile(r"Material #?(\S+) not found")


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


def up_axis_of(path: Path) -> Literal["y", "z"]:
    """Which axis of a COLLADA file is up: as it says, else y (COLLADA's default). Files with x up are read as with z up."""
    said = _UP_AXIS.search(text_of(path.read_bytes()))
    return "y" if said is None or said[1] == "Y" else "z"


def collada_notes(path: Path) -> list[str]:
    """A sentence on what a COLLADA file holds and is not read."""
    text = text_of(path.read_bytes())
    found = [word for word, tag in _UNREAD.items() if re.search(rf"<(\w+:)?{tag}\b", text)]
    notes = [f"{path.name}: its {', '.join(found)} are not read; the file is shown at rest"] if found else []
    said = _UP_AXIS.search(text)
    return notes if said is None or said[1] != "X" else [*notes, f"{path.name}: its x axis is up, which is not heeded"]


def without_materials_astray(path: Path, geometries: Iterable[str], notes: list[str]) -> bytes | None:
    """A file without the materials that are not there, or whose pictures are not: pycollada leaves out what they are bound to.

    Args:
        path: the file.
        geometries: those that trimesh has found in it.
        notes: gets a sentence on the materials.

    Returns:
        Another file; ``None`` where nothing is left out because of a material.
    """
    from collada import Collada
    from collada.common import DaeError

    data, found = path.read_bytes(), tuple(geometries)
    placed = {name.decode("utf-8", "replace") for name in _PLACED.findall(data)}
    if all(any(name.startswith(one) for name in found) for one in placed):
        return None
    errors = Collada(io.BytesIO(data), ignore=[DaeError]).errors
    astray = {name[1] for error in errors if (name := _ASTRAY.search(str(error)))}
    tree, cut = ElementTree.fromstring(data), 0
    for parent in tree.iter():
        for child in list(parent):
            if child.tag.endswith("}instance_material") and child.get("target", "").lstrip("#") in astray:
                parent.remove(child)
                cut += 1
    if not cut:
        return None
    notes.append(f"{path.name}: materials that lead nowhere are left out: {', '.join(sorted(astray)[:8])}")
    return ElementTree.tostring(tree)


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
