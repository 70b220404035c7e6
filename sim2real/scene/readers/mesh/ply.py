"""PLY files: vertices, faces of any number of corners, normals and colors, in memory that the file's size bounds.

Reference: Turk, The PLY polygon file format, 1994. Faces with more than three corners become fans, those of four corners two
triangles, in the order in which trimesh has them: triangles, first halves of quads, second halves, larger ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import Float, Int

from ....errors import EmptySceneError, UnreadableFileError
from .ply_rows import Element, Property, read_ascii, read_binary

_FORMATS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_TYPES = {"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4", "double": "f8"}
_TYPES |= {"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4"}
_TYPES |= {"float32": "f4", "float64": "f8"}
_INDICES = ("vertex_indices", "vertex_index")
_TEXTURED = ("texcoord", "texture_u", "u", "s")
_LONGEST_HEADER = 1 << 16
_MOST_ROWS = 2**31 - 1


@dataclass(frozen=True, eq=False)
class PlyMesh:
    """The surface of a PLY file.

    - ``vertex_colors``, ``face_colors``: red, green, blue and perhaps alpha, 0 to 255.
    """

    vertices: Float[np.ndarray, "vertices 3"]
    faces: Int[np.ndarray, "faces 3"]
    normals: Float[np.ndarray, "vertices 3"] | None = None
    vertex_colors: np.ndarray | None = None
    face_colors: np.ndarray | None = None


@dataclass(frozen=True)
class _Header:
    order: str
    elements: tuple[Element, ...]


def read_ply(path: Path) -> PlyMesh | None:
    """Read a PLY file; ``None`` where it has texture coordinates, or is none that this reader knows.

    Raises:
        UnreadableFileError: it is damaged, or holds less than its header says.
        EmptySceneError: it is a cloud of points.
    """
    with path.open("rb") as file:
        header = _header(file, path)
        if header is None:
            return None
        known = {element.name: element for element in header.elements}
        if "vertex" not in known or any(p.name in _TEXTURED for e in header.elements for p in e.properties):
            return None
        if not known["vertex"].has("x", "y", "z"):
            raise broken(path, "its vertices have no x, y and z")
        if "face" not in known or not known["face"].rows:
            fix = "make a surface of it first (Poisson reconstruction in MeshLab, CloudCompare or Open3D)"
            if known["vertex"].rows:
                raise EmptySceneError(path, lacks=f"faces: it is a cloud of {known['vertex'].rows} points", fix=fix)
            return None
        _check_room(header, path.stat().st_size - file.tell(), path)
        read = read_binary if header.order else read_ascii
        tables = read(file, header.elements, header.order, path)
    return _mesh(known, tables, path)


def broken(path: Path, why: str) -> UnreadableFileError:
    """The error of a PLY file that is damaged."""
    return UnreadableFileError(path, what="mesh file", why=why, fix="check that it opens elsewhere, export it again")


def _header(file: BinaryIO, path: Path) -> _Header | None:
    head = file.read(_LONGEST_HEADER)
    lines, at = [], 0
    while (end := head.find(b"\n", at)) >= 0:
        lines.append(head[at:end].decode("latin-1").split())
        at = end + 1
        if lines[-1] == ["end_header"]:
            break
    else:
        if not head.startswith(b"ply"):
            raise broken(path, "it does not begin with: ply")
        raise broken(path, "its header has no end")
    if not lines or lines[0] != ["ply"]:
        raise broken(path, "it does not begin with: ply")
    file.seek(at)
    return _parsed(lines, path)


def _parsed(lines: list[list[str]], path: Path) -> _Header:
    order, elements = "", []
    for words in lines[1:-1]:
        try:
            if not words or words[0] in ("comment", "obj_info"):
                continue
            if words[0] == "format":
                order = _FORMATS[words[1]]
            elif words[0] == "element":
                rows = int(words[2])
                if not 0 <= rows <= _MOST_ROWS:
                    raise broken(path, f"it says that it has {rows} rows of {words[1]}")
                elements.append(Element(words[1], rows, ()))
            elif words[0] == "property" and words[1] == "list":
                new = Property(words[4], _TYPES[words[3]], _TYPES[words[2]])
                elements[-1] = elements[-1].with_property(new)
            elif words[0] == "property":
                elements[-1] = elements[-1].with_property(Property(words[2], _TYPES[words[1]], None))
            else:
                raise ValueError
        except (LookupError, ValueError):
            raise broken(path, f"a line of its header is {' '.join(words)[:60]!r}") from None
    return _Header(order, tuple(elements))


def _check_room(header: _Header, left: int, path: Path) -> None:
    """Refuse numbers of rows for which the file is too short, before anything is allocated."""
    for element in header.elements:
        least = max(element.least_bytes if header.order else 2 * len(element.properties), 1)
        if element.rows * least > left + 1:
            why = f"it says that it has {element.rows} rows of {element.name}, and has room for {left // least}"
            raise broken(path, why)
        left -= element.rows * least


def _mesh(known: dict[str, Element], tables: dict[str, dict[str, np.ndarray]], path: Path) -> PlyMesh:
    points, surface = tables["vertex"], tables["face"]
    name = next((name for name in _INDICES if f"{name}#" in surface), None)
    if name is None:
        raise broken(path, f"its faces have no list {' or '.join(_INDICES)}")
    corners, counts = surface[name], surface[f"{name}#"]
    if corners.dtype.kind == "f" or (len(corners) and not 0 <= corners.min() <= corners.max() < len(points["x"])):
        raise broken(path, f"a face names a vertex that is none of its {len(points['x'])}")
    faces, owner = triangulated(corners, counts)
    if not len(faces):
        raise EmptySceneError(path, lacks="faces that can be drawn", fix="export it with triangles")
    double = any(p.kind == "f8" for p in known["vertex"].properties if p.name in ("x", "y", "z"))
    normals = _columns(points, ("nx", "ny", "nz"))
    colors = _columns(surface, ("red", "green", "blue", "alpha"))
    return PlyMesh(
        np.stack([points[axis] for axis in "xyz"], axis=1, dtype=np.float64 if double else np.float32, casting="unsafe"),
        faces,
        normals=None if normals is None else normals.astype(np.float32),
        vertex_colors=_bytes(_columns(points, ("red", "green", "blue", "alpha"))),
        face_colors=None if colors is None else _bytes(colors[owner]),
    )


def _columns(table: dict[str, np.ndarray], names: tuple[str, ...]) -> np.ndarray | None:
    found = [table[name] for name in names if name in table]
    return np.stack(found, axis=1) if len(found) >= 3 else None


def _bytes(colors: np.ndarray | None) -> np.ndarray | None:
    """Colors as 0 to 255: those of floats are 0 to 1, of other integers as they are."""
    if colors is None or colors.dtype == np.uint8:
        return colors
    values = colors * 255.0 if colors.dtype.kind == "f" else colors
    return np.clip(np.nan_to_num(np.rint(values)), 0, 255).astype(np.uint8)


def triangulated(
    corners: Int[np.ndarray, "corners"], counts: Int[np.ndarray, "polygons"]
) -> tuple[Int[np.ndarray, "faces 3"], Int[np.ndarray, "faces"]]:
    """Triangles of polygons, and the polygon that each is of; those of fewer than three corners have none.

    Args:
        corners: vertices of all polygons, one after the other.
        counts: how many each has.
    """
    first = np.cumsum(counts, dtype=np.int64) - counts
    if len(counts) and (counts == 3).all():
        return corners.reshape(-1, 3).astype(np.int32, copy=False), np.arange(len(counts))
    faces, owners = [], []
    for sides in np.unique(counts[counts >= 3]).tolist():
        own = np.flatnonzero(counts == sides)
        polygon = corners[first[own, None] + np.arange(sides)].astype(np.int32)
        halves = [(0, 1, 2), (2, 3, 0)] if sides == 4 else [(0, k, k + 1) for k in range(1, sides - 1)]
        if sides <= 4:
            faces += [polygon[:, half] for half in halves]
            owners += [own for _ in halves]
        else:
            faces.append(polygon[:, halves].reshape(-1, 3))
            owners.append(np.repeat(own, len(halves)))
    if not faces:
        return np.zeros((0, 3), np.int32), np.zeros(0, np.int64)
    return np.concatenate(faces), np.concatenate(owners)
