"""Habitat's primitives, whose names say their sizes: a unit of radius, half lengths along y."""

from __future__ import annotations

import re

import numpy as np

from ... import primitives
from ...mesh_ops import mapped
from ...records import Mesh

_KINDS = re.compile(r"(capsule3D|cone|cube|cylinder|icosphere|uvSphere)(Solid|Wireframe)(_.*)?")
_HALF_LENGTH = re.compile(r"_halfLen_([0-9.eE+-]+)")
_USUAL_HALF_LENGTH = 1.0
_LONGEST = 1e6
Y_FROM_Z = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""Solids along z here are along y there."""


def is_primitive(name: str) -> bool:
    """Whether an asset is a primitive by its name, and no file."""
    return _KINDS.fullmatch(name) is not None


def primitive_of(name: str) -> Mesh | None:
    """The mesh of a primitive in Habitat's axes; ``None`` for wireframes, which have no surface, and sizes that are none."""
    found = _KINDS.fullmatch(name)
    length = _HALF_LENGTH.search(name)
    try:
        half = float(length[1]) if length else _USUAL_HALF_LENGTH
    except ValueError:
        half = 0.0
    if found is None or found[2] == "Wireframe" or not 1e-6 < half < _LONGEST:
        return None
    make = {
        "cube": lambda: primitives.box((1.0, 1.0, 1.0)),
        "icosphere": lambda: primitives.sphere(1.0),
        "uvSphere": lambda: primitives.sphere(1.0),
        "cylinder": lambda: primitives.cylinder(1.0, half),
        "capsule3D": lambda: primitives.capsule(1.0, half),
        "cone": lambda: primitives.cone(1.0, half),
    }
    return mapped(make[found[1]](), Y_FROM_Z)
