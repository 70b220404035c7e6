"""The bodies of a scene in each frame: what stands as in the first is one of them, and so is every part that does not."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float32

from ....scene import Scene, Triangles, deformed_vertices
from .trees import Bodies, Body, Tree, bodies_of, tree_of

_FACES_AT_ONCE = 500_000


class Instants:
    """What rays can meet in frames of a scene; may be asked by one thread at a time.

    Args:
        scene: the rollout.
        triangles: of the scene.
        solid: parts that keep light out; rays do not meet the others.
    """

    def __init__(self, scene: Scene, triangles: Triangles, solid: Bool[np.ndarray, " parts"]) -> None:
        self._scene, self._triangles, self._solid = scene, triangles, solid
        self._instance = np.array([part.instance for part in scene.parts], np.int64)
        self._from_mesh = np.array([part.instance_from_mesh for part in scene.parts], np.float64).reshape(-1, 4, 4)
        self._bends = np.array([scene.meshes[part.mesh].deformed is not None for part in scene.parts], bool)
        self._first = self.poses(0)
        apart = self._bends | (np.linalg.det(self._first[:, :3, :3]) < 0)  # whose triangles would be the wrong way round
        self._standing = solid & scene.part_visible(0) & ~apart
        still = np.flatnonzero(self._standing[triangles.face_part])
        self._still = Body(tree_of(self.corners(still, 0), still))
        self._trees: dict[int, Tree] = {}

    def poses(self, frame: int) -> Float[np.ndarray, "parts 4 4"]:
        """World from part."""
        return self._scene.world_from_instance[frame][self._instance] @ self._from_mesh

    def at(self, frame: int) -> Bodies:
        """Bodies of a frame."""
        poses, shown = self.poses(frame), self._scene.part_visible(frame)
        stands = self._standing & shown & (poses == self._first).all(axis=(1, 2))
        others = np.flatnonzero(self._solid & shown & ~stands)
        vertices = deformed_vertices(self._scene, frame) if self._bends[others].any() else None
        moved = [Body(self._tree(part, vertices), poses[part]) for part in others.tolist()]
        return bodies_of([self._still, *moved], ~stands, self._triangles.face_part)

    def corners(self, faces: np.ndarray, frame: int) -> Float32[np.ndarray, "faces 3 3"]:
        """World places of the corners of faces in a frame, the right way round where parts are mirrored."""
        poses = self.poses(frame)
        vertices = deformed_vertices(self._scene, frame)
        local = self._triangles.vertices if vertices is None else vertices
        out = np.empty((len(faces), 3, 3), np.float32)
        mirrored = np.linalg.det(poses[:, :3, :3]) < 0
        for start in range(0, len(faces), _FACES_AT_ONCE):
            few = faces[start : start + _FACES_AT_ONCE]
            part = self._triangles.face_part[few]
            there = local[self._triangles.faces[few]].astype(np.float64)
            there[mirrored[part]] = there[mirrored[part]][:, [0, 2, 1]]
            out[start : start + len(few)] = np.einsum("fij,fvj->fvi", poses[part, :3, :3], there) + poses[part, None, :3, 3]
        return out

    def _tree(self, part: int, vertices: Float32[np.ndarray, "vertices 3"] | None) -> Tree:
        """Of a part, in its own coordinates; that of one that deforms is of these vertices."""
        if part in self._trees:
            return self._trees[part]
        first, end = np.searchsorted(self._triangles.face_part, (part, part + 1))
        bends = bool(self._bends[part])
        local = self._triangles.vertices if vertices is None else vertices
        tree = tree_of(local[self._triangles.faces[first:end]], np.arange(first, end))
        if not bends:
            self._trees[part] = tree
        return tree
