"""The surface of soft bodies, which stages hold as tetrahedra."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Int

from ....errors import UnreadableFileError
from .types import Prim
from .values import integers_of


def faces_of_tetrahedra(prim: Prim, points: int, time: Any, where: object) -> Int[np.ndarray, "faces 3"]:
    """The surface of a ``TetMesh``: the faces that it says, else those of one tetrahedron alone.

    Args:
        prim: the soft body.
        points: how many it has.
        time: of the first frame.
        where: the file, for errors.

    Raises:
        UnreadableFileError: faces or tetrahedra name points that there are not.
    """
    said = integers_of(prim.GetAttribute("surfaceFaceVertexIndices"), time)
    tetrahedra = integers_of(prim.GetAttribute("tetVertexIndices"), time)
    every = np.concatenate([said, tetrahedra])
    if len(said) % 3 or len(tetrahedra) % 4 or every.min(initial=0) < 0 or every.max(initial=-1) >= points:
        why = f"the faces of {prim.GetPath()} do not fit its {points} points"
        raise UnreadableFileError(where, what="the USD stage", why=why, fix="export the mesh again")
    faces = said.reshape(-1, 3) if len(said) else surface_of(tetrahedra.reshape(-1, 4))
    return faces[:, ::-1] if prim.GetAttribute("orientation").Get() == "leftHanded" else faces


def surface_of(tetrahedra: Int[np.ndarray, "tetrahedra 4"]) -> Int[np.ndarray, "faces 3"]:
    """The faces that belong to one tetrahedron alone, outward where all are right-handed: 0 1 2 turn left, seen from 3."""
    every = tetrahedra[:, [[1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1]]].reshape(-1, 3)
    _, place, count = np.unique(np.sort(every, axis=1), axis=0, return_inverse=True, return_counts=True)
    return every[count[place.ravel()] == 1]
