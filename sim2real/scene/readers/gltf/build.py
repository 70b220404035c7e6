"""Nodes of a glTF file with their meshes: what is rigid, what is stretched, and what deforms."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from ...mesh_ops import mapped
from ...moving_vertices import MovingVertices
from ...records import Mesh
from ..mesh.files import mesh_of
from ..mesh.loading import Textures
from .deform import Shape, shape_of
from .document import MOST
from .nodes import Hierarchy, Poses, class_name, rigid_and_stretch
from .primitives import Primitive, mesh_name, primitives_of
from .tracks import Animation

_FLATTEST = 1e-24


@dataclass(frozen=True, eq=False)
class Looks:
    """The materials of a file as trimesh has them, by their numbers, and how their textures lie."""

    textures: Textures
    materials: list[Any]

    def geometry(self, primitive: Primitive, vertices: np.ndarray, normals: np.ndarray | None) -> Any:
        """A primitive as trimesh has it, with other vertices and normals."""
        import trimesh
        from trimesh.visual import TextureVisuals

        said: dict[str, Any] = {} if normals is None else {"vertex_normals": normals}
        if primitive.material is not None:
            visual = TextureVisuals(uv=primitive.uv, material=self.materials[primitive.material])
            if primitive.colors is not None:
                visual.vertex_attributes["color"] = primitive.colors
            said["visual"] = visual
        elif primitive.colors is not None:
            said["vertex_colors"] = primitive.colors
        return trimesh.Trimesh(vertices, primitive.faces, process=False, **said)


@dataclass(frozen=True, eq=False)
class Placed:
    """A node with a mesh: an instance, with the numbers of its meshes in ``Builder.meshes``; its world is the file's, y up."""

    name: str
    class_name: str
    meshes: tuple[int, ...]
    world_from_instance: Float[np.ndarray, "frames 4 4"]
    visible: Bool[np.ndarray, "frames"]


@dataclass(eq=False)
class Builder:
    """Makes meshes of nodes, those that are equal once.

    ``deforming`` counts meshes that deform, ``targets`` the morph targets of those that have any.
    """

    hierarchy: Hierarchy
    poses: Poses
    animation: Animation | None
    times: Float[np.ndarray, "frames"]
    looks: Looks
    notes: list[str]
    meshes: list[Mesh] = field(default_factory=list)
    deforming: int = 0
    targets: int = 0
    _primitives: dict[int, list[Primitive]] = field(default_factory=dict)
    _made: dict[tuple[int, int, bytes], int | None] = field(default_factory=dict)
    _resting: dict[tuple[int, int], Mesh | None] = field(default_factory=dict)

    def placed(self, node: int) -> Placed | None:
        """A node as an instance; ``None`` where nothing of it can be drawn."""
        document, entry = self.hierarchy.document, self.hierarchy.node(node)
        mesh = entry["mesh"]
        title = self.hierarchy.name(node) or mesh_name(document, mesh)
        if mesh not in self._primitives:
            self._primitives[mesh] = primitives_of(document, mesh, self.notes)
        primitives = self._primitives[mesh]
        if "skin" in entry and any(primitive.influence is None for primitive in primitives):
            raise document.broken(f"{title} has a skin, but its vertices follow no joints")
        place, stretch, rest = self._place(node, "skin" in entry)
        shapes = [shape_of(self.hierarchy, self.poses, node, p, self.animation, self.times) for p in primitives]
        flat = np.abs(np.linalg.det(stretch)) < _FLATTEST
        if flat.all():
            self.notes.append(f"{document.path.name}: {title} is left out, because its node makes it flat")
            return None
        made = [self._mesh((mesh, k), shape, stretch, rest) for k, shape in enumerate(shapes)]
        found = tuple(number for number in made if number is not None)
        if not found:
            return None
        visible = np.broadcast_to(~flat, self.poses.frames)
        return Placed(title, class_name(self.hierarchy, node, mesh_name(document, mesh)), found, place, visible)

    def _place(self, node: int, by_joints: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``world_from_instance``, what is applied to vertices before (one 3x3, or one per frame), and that at rest."""
        if by_joints:
            return np.broadcast_to(np.eye(4), (self.poses.frames, 4, 4)), np.eye(3)[None], np.eye(3)
        place, stretch = rigid_and_stretch(self.poses.world[node])
        rest = rigid_and_stretch(self.poses.rest[node][None])[1][0]
        if np.abs(stretch - rest).max() <= 1e-6 * np.abs(rest).max():
            stretch = rest[None]
        elif abs(np.linalg.det(rest)) < _FLATTEST:
            rest = np.eye(3)
        return np.broadcast_to(place, (self.poses.frames, 4, 4)), stretch, rest

    def _mesh(self, source: tuple[int, int], shape: Shape, stretch: np.ndarray, rest: np.ndarray) -> int | None:
        """The number of the mesh that a shape becomes; ``None`` where it has no face that can be drawn."""
        changes = shape.changes or len(stretch) > 1 or not np.array_equal(stretch[0], rest)
        key = (*source, _about(rest))
        shared = not changes and shape.rest_world is None and shape.primitive.targets is None
        if shared and key in self._made:
            return self._made[key]
        primitive = shape.primitive
        if not shared:
            mesh = self._plain(shape, self._deformed(shape, stretch, rest) if changes else None)
        elif source in self._resting:
            mesh = self._resting[source]
        else:
            mesh = self._resting[source] = self._plain(shape, None)
        if mesh is not None and not np.array_equal(rest, np.eye(3)):
            mesh = mapped(mesh, rest)
        number = None if mesh is None else len(self.meshes)
        if mesh is not None:
            self.meshes.append(mesh)
            self.deforming += mesh.deformed is not None
            self.targets += len(primitive.targets) if primitive.targets is not None and changes else 0
        if shared:
            self._made[key] = number
        return number

    def _plain(self, shape: Shape, deformed: MovingVertices | None) -> Mesh | None:
        """A shape before it is stretched; ``None`` where it has no face that can be drawn."""
        geometry, path = self.looks.geometry(shape.primitive, *shape.at_rest()), self.hierarchy.document.path
        return mesh_of(shape.primitive.name, geometry, np.eye(3), path, self.looks.textures, self.notes, deformed)

    def _deformed(self, shape: Shape, stretch: np.ndarray, rest: np.ndarray) -> MovingVertices:
        """The vertices of all frames, before what is applied to them at rest; each frame is looked at once."""
        changed = [np.linalg.solve(rest, one).T for one in stretch]

        def at(frame: int) -> Float[np.ndarray, "vertices 3"]:
            return shape.at(frame) @ changed[frame % len(changed)]

        for frame in range(self.poses.frames):
            if not (np.abs(at(frame)) <= MOST).all():
                raise self.hierarchy.document.broken(f"vertices of {shape.primitive.name} are endless in frame {frame}")
        return MovingVertices(self.poses.frames, len(shape.primitive.vertices), at)


def _about(linear: np.ndarray) -> bytes:
    """A map to nine digits of its largest number: what tells apart maps that differ by more than rounding."""
    size = float(np.abs(linear).max())
    digits = 9 - math.ceil(math.log10(size)) if 0 < size < math.inf else 0
    return (np.round(linear, digits) + 0.0).tobytes()
