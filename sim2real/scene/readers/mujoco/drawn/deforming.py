"""Things whose surface is made anew in every frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from ....mesh_ops import subset
from ....moving_vertices import MovingVertices
from ....records import Instance, Mesh
from ....triangles import face_normals
from ..types import MjData


@dataclass(frozen=True, eq=False)
class Deforming:
    """A thing without a frame of its own: its vertices are in world axes.

    - ``rest`` is the surface in a shape that no recording changes, with one material.
    - ``vertices`` are those of the surface in a state whose kinematics are computed.
    - ``looks``: where faces differ in material, which of them, and the surface in that material.
    """

    instance: Instance
    rest: Mesh
    vertices: Callable[[MjData], Float[np.ndarray, "vertices 3"]]
    looks: tuple[tuple[Bool[np.ndarray, "faces"], Mesh], ...] = ()

    def meshes(self, deformed: MovingVertices) -> list[Mesh]:
        """The meshes of a recording, one per material.

        Args:
            deformed: what ``vertices`` returns in every frame.
        """
        looks = [subset(replace(look, deformed=deformed), kept) for kept, look in self.looks]
        return looks or [replace(self.rest, deformed=deformed)]


def vertex_normals(
    vertices: Float[np.ndarray, "vertices 3"], faces: Int[np.ndarray, "faces 3"], *, by_area: bool
) -> Float[np.ndarray, "vertices 3"]:
    """Unit vertex normals as MuJoCo's viewer makes them; zero where a vertex has no face.

    Args:
        vertices: metres.
        faces: their winding says where outside is.
        by_area: large faces count more (skins), or all the same (flexes).
    """
    if by_area:
        a, b, c = (vertices[faces[:, k]] for k in range(3))
        normals = np.cross(b - a, c - a)
    else:
        normals = face_normals(vertices, faces)
    corner = faces.ravel()
    spread = np.repeat(normals, 3, axis=0)
    total = np.stack([np.bincount(corner, spread[:, axis], minlength=len(vertices)) for axis in range(3)], axis=1)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return total / np.where(length > 0, length, 1)
