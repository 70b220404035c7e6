"""Triangles and materials of Wavefront files, as household models use them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from jaxtyping import Float32


@dataclass(frozen=True, eq=False)
class Part:
    """Triangles that share a material: corners, and uv and normals where every corner has them."""

    material: str
    corners: Float32[np.ndarray, "faces 3 3"]
    uv: Float32[np.ndarray, "faces 3 2"] | None
    normals: Float32[np.ndarray, "faces 3 3"] | None


@dataclass(frozen=True, eq=False)
class Wavefront:
    """A model's parts, and what its material files say: keyword to the rest of the line, per material."""

    parts: tuple[Part, ...]
    materials: dict[str, dict[str, str]]


@dataclass
class _Lines:
    """The lines of a file, sorted by what they are."""

    points: list[str] = field(default_factory=list)
    uv: list[str] = field(default_factory=list)
    normals: list[str] = field(default_factory=list)
    faces: dict[str, list[str]] = field(default_factory=dict)
    libraries: list[str] = field(default_factory=list)


def read_materials(text: str) -> dict[str, dict[str, str]]:
    """The materials of an MTL file: for each, keyword to the rest of the line."""
    out: dict[str, dict[str, str]] = {}
    here: dict[str, str] | None = None
    for line in text.splitlines():
        key, _, rest = line.strip().partition(" ")
        if key == "newmtl":
            here = out.setdefault(rest.strip(), {})
        elif key and here is not None and not key.startswith("#"):
            here[key] = rest.strip()
    return out


def read_wavefront(text: str, library: Callable[[str], str]) -> Wavefront:
    """Read a model.

    Args:
        text: of the OBJ file; polygons become fans, negative indices count from the end.
        library: gives the text of a material file by its name, empty where there is none.
    """
    lines = _sorted(text)
    points, uv, normals = (_numbers(rows, width) for rows, width in ((lines.points, 3), (lines.uv, 2), (lines.normals, 3)))
    parts = []
    for name, faces in lines.faces.items():
        index = _triangles(faces, (len(points), len(uv), len(normals)))
        if not len(index):
            continue
        has_uv, has_normals = ((index[..., k] >= 0).all() for k in (1, 2))
        corner_uv = uv[index[..., 1]] if has_uv else None
        parts.append(Part(name, points[index[..., 0]], corner_uv, normals[index[..., 2]] if has_normals else None))
    materials: dict[str, dict[str, str]] = {}
    for name in lines.libraries:
        materials |= read_materials(library(name))
    return Wavefront(tuple(parts), materials)


def _sorted(text: str) -> _Lines:
    out = _Lines()
    here = out.faces.setdefault("", [])
    for line in text.splitlines():
        head = line[:2]
        if head == "v ":
            out.points.append(line[2:])
        elif head == "vt":
            out.uv.append(line[3:])
        elif head == "vn":
            out.normals.append(line[3:])
        elif head == "f ":
            here.append(line[2:])
        elif head == "us":
            here = out.faces.setdefault(line.partition(" ")[2].strip(), [])
        elif head == "mt":
            out.libraries.append(line.partition(" ")[2].strip())
    return out


def _numbers(rows: list[str], width: int) -> Float32[np.ndarray, "rows width"]:
    """The first ``width`` numbers of every line."""
    if not rows:
        return np.zeros((0, width), np.float32)
    per_row = len(rows[0].split())
    flat = np.array(" ".join(rows).split(), np.float32)
    if len(flat) == per_row * len(rows):
        return flat.reshape(-1, per_row)[:, :width]
    return np.array([[float(x) for x in row.split()[:width]] for row in rows], np.float32)


def _triangles(faces: list[str], counts: tuple[int, int, int]) -> np.ndarray:
    """Zero-based indices (faces, 3 corners, point / uv / normal), -1 where a corner has none."""
    corners = [face.split() for face in faces]
    sides = np.array([len(c) for c in corners], np.int64)
    tokens = list(chain.from_iterable(corners))
    place = {token: k for k, token in enumerate(dict.fromkeys(tokens))}
    if not place or sides.max() < 3:
        return np.zeros((0, 3, 3), np.int64)
    fields = [[*token.split("/"), "", ""][:3] for token in place]
    values = np.array([[_index(f, n) for f, n in zip(row, counts, strict=True)] for row in fields], np.int64)
    flat = np.array([place[token] for token in tokens], np.int64)
    fans = np.maximum(sides - 2, 0)
    first = np.repeat(np.cumsum(sides) - sides, fans)
    step = np.arange(len(first)) - np.repeat(np.cumsum(fans) - fans, fans)
    out = values[flat[np.stack([first, first + step + 1, first + step + 2], axis=1)]]
    return out[(out[..., 0] >= 0).all(axis=1)]


def _index(text: str, count: int) -> int:
    if not text:
        return -1
    number = int(text)
    place = number - 1 if number > 0 else count + number
    return place if 0 <= place < count else -1
