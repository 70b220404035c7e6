"""Parts of a scene as foreign renderers want them: corners that share nothing, with places, normals and texture coordinates."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from ...scene import Scene, Triangles, deformed_vertices
from ..tables import deformed_normals


@dataclass(frozen=True, eq=False)
class Corners:
    """A part's face corners in its mesh's frame; ``uv`` has v up, ``None`` where the asset has none."""

    positions: Float32[np.ndarray, "faces 3 3"]
    normals: Float32[np.ndarray, "faces 3 3"]
    uv: Float32[np.ndarray, "faces 3 2"] | None


class PartCorners:
    """The corners of parts at any frame; may be asked from several threads at once.

    Args:
        scene: the rollout.
        triangles: of the scene.
    """

    def __init__(self, scene: Scene, triangles: Triangles) -> None:
        self._scene, self._triangles = scene, triangles
        self._first = np.searchsorted(triangles.face_part, np.arange(len(scene.parts) + 1))
        self._latest: tuple[int, np.ndarray, np.ndarray] | None = None
        self._lock = threading.Lock()

    def deforms(self, part: int) -> bool:
        """Whether a part's mesh deforms."""
        return self._scene.meshes[self._scene.parts[part].mesh].deformed is not None

    def mirrored(self, part: int) -> bool:
        """Whether a part is placed as in a mirror."""
        return bool(np.linalg.det(self._scene.parts[part].instance_from_mesh[:3, :3]) < 0)

    def of(self, part: int, frame: int) -> Corners:
        """A part's corners at a frame."""
        faces = slice(int(self._first[part]), int(self._first[part + 1]))
        triangles, mesh = self._triangles, self._scene.meshes[self._scene.parts[part].mesh]
        vertices, normals = triangles.vertices, triangles.normals
        if mesh.deformed is not None:
            vertices, normals = self._deformed(frame)
        uv = None if mesh.uv is None else triangles.uv[faces]
        return Corners(vertices[triangles.faces[faces]], normals[faces], uv)

    def turned(self, part: int, frame: int) -> Corners:
        """The same; those of mirrored parts in reverse: faces wind counter-clockwise in the world, as seen from outside."""
        corners = self.of(part, frame)
        if not self.mirrored(part):
            return corners
        uv = None if corners.uv is None else corners.uv[:, ::-1]
        return Corners(corners.positions[:, ::-1], corners.normals[:, ::-1], uv)

    def _deformed(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """Vertices and corner normals of all parts at a frame; the latest frame's are kept."""
        with self._lock:
            if self._latest is None or self._latest[0] != frame:
                vertices = deformed_vertices(self._scene, frame)
                assert vertices is not None
                self._latest = frame, vertices, deformed_normals(self._triangles, vertices)
            return self._latest[1], self._latest[2]
