"""Fewer triangles for small pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from ..scene import Triangles


def simplified(triangles: Triangles, cell_m: float) -> tuple[Triangles, Int[np.ndarray, "kept"]]:
    """Vertices of one part in one cell of a grid become one, and faces that lose their area go.

    Args:
        triangles: to be seen from far away.
        cell_m: side of the cells, metres; no vertex moves farther than its diagonal.

    Returns:
        The triangles that are left, and which vertices are: theirs are ``vertices[kept]``.
    """
    cells = np.floor(triangles.vertices / cell_m).astype(np.int64)
    cells -= cells.min(axis=0, initial=0)
    keys = np.column_stack([triangles.vertex_part, cells])
    _, kept, merged = np.unique(_numbered(keys), return_index=True, return_inverse=True)
    faces = merged[triangles.faces].astype(np.int32)
    sound = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    _, first = np.unique(_numbered(np.sort(faces, axis=1)), return_index=True)
    left = np.sort(first[sound[first]])
    return replace(
        triangles,
        vertices=triangles.vertices[kept],
        vertex_part=triangles.vertex_part[kept],
        faces=faces[left],
        uv=triangles.uv[left],
        normals=triangles.normals[left],
        face_part=triangles.face_part[left],
        hidden_side=None if triangles.hidden_side is None else triangles.hidden_side[left],
    ), kept


def _numbered(rows: Int[np.ndarray, "n columns"]) -> Int[np.ndarray, "n"]:
    """A number for every row, the same where rows are."""
    number = np.zeros(len(rows), np.int64)
    for column in rows.T:
        number = number * (int(column.max(initial=0)) + 1) + column
    return number
