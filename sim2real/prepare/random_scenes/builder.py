"""The stage that random scenes are put on: pieces with looks become meshes, parts, instances and their motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float

from ...scene.records import Instance, Mesh, Part
from ...transforms import rigid, rotation_about
from .materials import Look
from .shapes import Number


@dataclass(frozen=True, eq=False)
class Piece:
    """A body with a look, at its place in the thing that it belongs to."""

    mesh: Mesh
    look: Look
    thing_from_mesh: Float[np.ndarray, "4 4"] = field(default_factory=lambda: np.eye(4))


def at(x: Number = 0.0, y: Number = 0.0, z: Number = 0.0) -> Float[np.ndarray, "4 4"]:
    """A translation."""
    return rigid(np.eye(3), np.array([x, y, z]))


def turn(axis: str, angle_deg: Number) -> Float[np.ndarray, "4 4"]:
    """A rotation about one of the axes x, y, z."""
    return rigid(rotation_about(np.eye(3)["xyz".index(axis)], np.asarray(np.deg2rad(angle_deg), np.float64)), np.zeros(3))


def placed(pieces: Sequence[Piece], outer_from_thing: np.ndarray) -> list[Piece]:
    """The same pieces, moved together."""
    return [replace(p, thing_from_mesh=outer_from_thing @ p.thing_from_mesh) for p in pieces]


class Stage:
    """Collects what a scene is made of.

    Args:
        rng: for the offsets of textures.
        frames: number of frames of every motion.
    """

    def __init__(self, rng: np.random.Generator, frames: int) -> None:
        self._rng, self._frames = rng, frames
        self.meshes: list[Mesh] = []
        self.parts: list[Part] = []
        self.instances: list[Instance] = []
        self._motions: list[np.ndarray] = []

    def add(self, name: str, class_name: str, pieces: Sequence[Piece], world_from_thing: np.ndarray | None = None) -> None:
        """Put a thing on the stage; ``world_from_thing`` is one matrix, or one per frame."""
        index = len(self.instances)
        motion = np.eye(4) if world_from_thing is None else world_from_thing
        self.instances.append(Instance(f"{name} {index}", class_name))
        self._motions.append(np.broadcast_to(motion, (self._frames, 4, 4)))
        for piece in pieces:
            mesh, look = piece.mesh, piece.look
            uv = mesh.uv
            if uv is not None and look.period_m is not None:
                texture = look.material.texture
                tall = 1.0 if texture is None else texture.shape[0] / texture.shape[1]
                uv = (uv + self._rng.uniform(0, 1, 2)) / (look.period_m * np.array([1.0, tall]))
            self.parts.append(Part(len(self.meshes), index, piece.thing_from_mesh))
            self.meshes.append(replace(mesh, name=f"{mesh.name} {len(self.meshes)}", uv=uv, material=look.material))

    @property
    def triangles(self) -> int:
        """How many are on the stage."""
        return sum(len(mesh.faces) for mesh in self.meshes)

    def world_from_instance(self) -> Float[np.ndarray, "frames instances 4 4"]:
        """The motion of everything on the stage."""
        return np.stack(self._motions, axis=1).astype(np.float64)
