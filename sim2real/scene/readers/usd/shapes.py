"""USD's meshes and solids as triangles, in the frames of their prims and in the stage's units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ....errors import UnreadableFileError
from ....optional import require
from ... import primitives
from ...mesh_ops import mapped
from ...records import Mesh
from .moving_points import moving_points
from .polygons import triangulated
from .primvars import Corners, normal_values, values_of
from .skeletons import PointsAt
from .tetrahedra import faces_of_tetrahedra
from .types import Prim
from .values import integers_of, rows_of

_Z_TO = {"X": np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]), "Y": np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]]), "Z": np.eye(3)}
"""Solids along z turned to another axis."""
_PLANE_TO = {"X": np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]), "Y": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])}
"""Planes: width and length lie along z and y, or along x and z."""
SOLIDS = ("Cube", "Sphere", "Cylinder", "Cylinder_1", "Cone", "Capsule", "Capsule_1", "Plane")


@dataclass(frozen=True, eq=False)
class Shape:
    """A surface as its prim has it.

    - ``mesh``: its triangles; ``mesh.deformed`` makes those of any frame where its points move.
    - ``corners``: what they belong to in the file; ``None`` for solids, which have UVs of their own.
    - ``subsets``: prims that bind materials of their own to some triangles.
    """

    mesh: Mesh
    corners: Corners | None = None
    subsets: tuple[tuple[Prim, Int[np.ndarray, "some"]], ...] = ()


def is_read(prim: Prim) -> bool:
    """Whether a prim is of a kind that becomes triangles here."""
    return prim.GetTypeName() in ("Mesh", "TetMesh", *SOLIDS)


def shape_of(prim: Prim, times: Sequence[Any], where: object, notes: list[str], skin: PointsAt | None = None) -> Shape | None:
    """The surface of a prim; ``None`` where it has none.

    Args:
        prim: a mesh or a solid (``is_read``).
        times: the time codes of all frames.
        where: the file, for errors.
        notes: gets a sentence for everything that could not be kept.
        skin: the points at any time, where a skeleton moves them.

    Raises:
        UnreadableFileError: faces that name points that there are not, sizes that are not positive.
    """
    if prim.GetTypeName() == "TetMesh":
        return _tetrahedra(prim, times, where, notes)
    return _mesh(prim, times, where, notes, skin) if prim.GetTypeName() == "Mesh" else _solid(prim, times, where, notes)


def _mesh(prim: Prim, times: Sequence[Any], where: object, notes: list[str], skin: PointsAt | None) -> Shape | None:
    geom = require("pxr.UsdGeom", "usd").Mesh(prim)
    first, path = times[0], prim.GetPath()
    points = rows_of(geom.GetPointsAttr(), first)
    counts, indices = (integers_of(a, first) for a in (geom.GetFaceVertexCountsAttr(), geom.GetFaceVertexIndicesAttr()))
    if len(points) == 0 or len(counts) == 0:
        return None
    if counts.min() < 0 or counts.sum() != len(indices) or indices.min(initial=0) < 0 or indices.max(initial=0) >= len(points):
        why = f"the faces of {path} do not fit its {len(points)} points"
        raise UnreadableFileError(where, what="the USD stage", why=why, fix="export the mesh again")
    place, face = triangulated(counts, indices, np.nan_to_num(points, posinf=0.0, neginf=0.0))
    holes = np.intersect1d(integers_of(geom.GetHoleIndicesAttr(), first), np.arange(len(counts)))
    if len(holes):
        kept = ~np.isin(face, holes)
        place, face = place[kept], face[kept]
    if geom.GetOrientationAttr().Get() == "leftHanded":
        place = place[:, ::-1]
    corners = Corners(place, indices[place], face, (len(counts), len(points), len(indices)))
    found = normal_values(prim, first)
    normals = None if found is None else corners.spread(found.values, found.interpolation)
    if found is not None and normals is None:
        notes.append(f"{path}: its {len(found.values)} normals do not fit its mesh and are not used")
    finite = normals is not None and np.isfinite(normals).all()
    mesh = Mesh(
        name=prim.GetName(),
        vertices=points,
        faces=corners.point,
        normals=np.array(normals) if finite else None,
        deformed=moving_points(prim, points, times, notes, skin),
        outside_only=geom.GetDoubleSidedAttr().HasAuthoredValue() and not geom.GetDoubleSidedAttr().Get(),
    )
    topology = (geom.GetFaceVertexCountsAttr(), geom.GetFaceVertexIndicesAttr())
    if any(attribute.ValueMightBeTimeVarying() for attribute in topology):
        notes.append(f"{path}: its faces change; those of the first frame are kept")
    return Shape(mesh, corners, _subsets(prim, face, first))


def _tetrahedra(prim: Prim, times: Sequence[Any], where: object, notes: list[str]) -> Shape | None:
    """The surface of a soft body."""
    points = rows_of(prim.GetAttribute("points"), times[0])
    faces = faces_of_tetrahedra(prim, len(points), times[0], where)
    if len(faces) == 0:
        return None
    places = np.arange(faces.size).reshape(-1, 3)
    corners = Corners(places, faces, np.arange(len(faces)), (len(faces), len(points), faces.size))
    return Shape(Mesh(prim.GetName(), points, faces, deformed=moving_points(prim, points, times, notes)), corners)


def _subsets(prim: Prim, face: np.ndarray, time: Any) -> tuple[tuple[Prim, np.ndarray], ...]:
    """Which triangles belong to subsets that bind materials; the first that takes a face keeps it."""
    shade = require("pxr.UsdShade", "usd")
    free, found = np.ones(len(face), bool), []
    for subset in shade.MaterialBindingAPI(prim).GetMaterialBindSubsets():
        own = free & np.isin(face, integers_of(subset.GetIndicesAttr(), time))
        free &= ~own
        if own.any():
            found.append((subset.GetPrim(), np.flatnonzero(own)))
    return tuple(found)


def _solid(prim: Prim, times: Sequence[Any], where: object, notes: list[str]) -> Shape:
    kind, first, varying = prim.GetTypeName(), times[0], []

    def number(*names: str) -> float:
        attribute = next((a for name in names if (a := prim.GetAttribute(name))), None)
        value = None if attribute is None else attribute.Get(first)
        if attribute is not None and len(times) > 1 and attribute.ValueMightBeTimeVarying():
            varying.append(names[0])
        if not isinstance(value, float) or not 0 < value <= 1e9:
            why = f"the {names[0]} of {prim.GetPath()} is {value}, must be positive"
            raise UnreadableFileError(where, what="the USD stage", why=why, fix="give it a size")
        return value

    def ends(what: str) -> float:
        both = [prim.GetAttribute(f"{what}{end}").Get(first) for end in ("Top", "Bottom")] if kind.endswith("_1") else [0, 0]
        if both[0] != both[1]:
            notes.append(f"{prim.GetPath()}: its {what}s at top and bottom differ; it is read with that of its bottom")
        return number(f"{what}Bottom", what)

    axis = str(prim.GetAttribute("axis").Get(first)) if prim.HasAttribute("axis") else "Z"
    makers: dict[str, Callable[[], Mesh]] = {
        "Cube": lambda: primitives.box([number("size") / 2] * 3),
        "Sphere": lambda: primitives.sphere(number("radius")),
        "Cylinder": lambda: primitives.cylinder(ends("radius"), number("height") / 2),
        "Cone": lambda: primitives.cone(number("radius"), number("height") / 2),
        "Capsule": lambda: primitives.capsule(ends("radius"), number("height") / 2),
        "Plane": lambda: primitives.plane([number("width") / 2, number("length") / 2]),
    }
    mesh = makers[kind.removesuffix("_1")]()
    turn = _PLANE_TO.get(axis, np.eye(3)) if kind == "Plane" else _Z_TO.get(axis, np.eye(3))
    if varying:
        notes.append(f"{prim.GetPath()}: its {', '.join(varying)} changes; that of the first frame is kept")
    return Shape(replace(mapped(mesh, turn), name=prim.GetName()))


def face_colors(prim: Prim, shape: Shape, time: Any) -> tuple[Float[np.ndarray, "faces 3 3"] | None, float]:
    """``displayColor`` (linear) of every triangle's corners, ``None`` where there is none, and the mean ``displayOpacity``."""
    corners = shape.corners
    if corners is None:
        count = len(shape.mesh.faces)
        zeros = np.zeros((count, 3), np.int64)
        corners = Corners(zeros, zeros, zeros[:, 0], (0, 0, 0))
    found = values_of(prim, "displayColor", time, 3)
    colors = None if found is None else corners.spread(found.values, found.interpolation)
    clear = values_of(prim, "displayOpacity", time, 1)
    opacity = 1.0 if clear is None or not np.isfinite(clear.values).all() else float(np.clip(clear.values.mean(), 0, 1))
    if colors is None or not np.isfinite(colors).all():
        return None, opacity
    return np.clip(colors, 0, 1), opacity
