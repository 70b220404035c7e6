"""Values that USD keeps per mesh, face, point or corner, as values of triangles' corners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from ....optional import require
from .types import Prim
from .values import rows_of

_UV_NAMES = ("st", "UVMap", "st0", "st_0", "map1", "uv")
_LARGEST = 1e6


@dataclass(frozen=True, eq=False)
class Corners:
    """What the corners of a mesh's triangles belong to.

    - ``place``: (triangles, 3), in the list of all corners of all polygons; ``point`` and ``face`` alike.
    - ``counts``: how many polygons, points and corners there are.
    """

    place: Int[np.ndarray, "triangles 3"]
    point: Int[np.ndarray, "triangles 3"]
    face: Int[np.ndarray, "triangles"]
    counts: tuple[int, int, int]

    def spread(self, values: np.ndarray, interpolation: str) -> np.ndarray | None:
        """Values (one row per whatever ``interpolation`` says) at triangles' corners; ``None`` where their number is wrong."""
        faces, points, corners = self.counts
        if interpolation == "constant" and len(values) >= 1:
            return np.broadcast_to(values[0], (*self.place.shape, *values.shape[1:]))
        if interpolation == "uniform" and len(values) == faces:
            return np.repeat(values[self.face][:, None], 3, axis=1)
        if interpolation in ("vertex", "varying") and len(values) == points:
            return values[self.point]
        if interpolation == "faceVarying" and len(values) == corners:
            return values[self.place]
        return None


@dataclass(frozen=True, eq=False)
class Values:
    """A primvar without its indices, and how it is interpolated."""

    values: np.ndarray
    interpolation: str


def values_of(prim: Prim, name: str, time: Any, width: int) -> Values | None:
    """A primvar of a prim (or inherited) with rows of ``width`` numbers; ``None`` where there is none that can be used."""
    usd_geom = require("pxr.UsdGeom", "usd")
    primvar = usd_geom.PrimvarsAPI(prim).FindPrimvarWithInheritance(name)
    if not primvar or not primvar.HasValue():
        return None
    flat = primvar.ComputeFlattened(time)
    if flat is None:
        return None
    try:
        values = np.array(flat, np.float64).reshape(-1, width)
    except (TypeError, ValueError):  # another kind of primvar
        return None
    return Values(values, str(primvar.GetInterpolation())) if len(values) else None


def uv_values(prim: Prim, wanted: str | None, time: Any) -> Values | None:
    """Texture coordinates: those that a material asks for, else those of a usual name, else any that are called so by type."""
    usd_geom = require("pxr.UsdGeom", "usd")
    others = [v.GetPrimvarName() for v in usd_geom.PrimvarsAPI(prim).GetPrimvars() if "texCoord2" in str(v.GetTypeName())]
    names: list[str] = [*([wanted] if wanted else []), *_UV_NAMES, *map(str, others)]
    for name in dict.fromkeys(names):
        found = values_of(prim, name, time, 2)
        if found is not None and (np.abs(found.values) <= _LARGEST).all():
            return found
    return None


def normal_values(prim: Prim, time: Any) -> Values | None:
    """Normals: the primvar of this name counts before the attribute."""
    usd_geom = require("pxr.UsdGeom", "usd")
    own = usd_geom.PrimvarsAPI(prim).GetPrimvar("normals")
    if own and own.HasValue():
        return values_of(prim, "normals", time, 3)
    based = usd_geom.PointBased(prim)
    held = rows_of(based.GetNormalsAttr(), time) if based else np.zeros((0, 3))
    return Values(held, str(based.GetNormalsInterpolation())) if len(held) else None
