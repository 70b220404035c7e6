"""What the things of a recording look like, in every frame, seen from their roots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ....transforms import inverse_rigid
from ...records import Mesh, Part, Scene
from .joint_order import Edge, joint_names
from .log import Track
from .mapping import ThingEntry


@dataclass(frozen=True, eq=False)
class Figure:
    """What a thing looks like, seen from its root.

    - ``names`` of what moves by itself, which ``parts`` count: links of a robot, or "" for the thing as a whole.
    - ``links``: what a camera can ride on besides the thing itself, and where it is.
    """

    meshes: tuple[Mesh, ...]
    parts: tuple[Part, ...]
    names: tuple[str, ...]
    root_from_instance: Float[np.ndarray, "frames instances 4 4"]
    links: dict[str, Float[np.ndarray, "frames 4 4"]]
    notes: tuple[str, ...] = ()


def rooted(scene: Scene, world_from_root: Float[np.ndarray, "frames 4 4"], links: dict[str, np.ndarray]) -> Figure:
    """A reader's scene of a robot, seen from its root; ``links`` are world_from_link."""
    root_from_world = inverse_rigid(world_from_root)
    return Figure(
        scene.meshes,
        scene.parts,
        tuple(instance.name for instance in scene.instances),
        root_from_world[:, None] @ scene.world_from_instance,
        {name: root_from_world @ way for name, way in links.items()},
        scene.notes,
    )


def joints_by_name(
    edges: list[Edge], track: Track, entry: ThingEntry, where: object
) -> tuple[dict[str, Float[np.ndarray, "frames"]], list[str]]:
    """Recorded positions by the names of the joints, and what is to be said of it."""
    joints = np.zeros((track.frames, 0)) if track.joints is None else track.joints
    if joints.shape[1] == 0:
        return {}, []
    names, note = joint_names(edges, entry, joints.shape[1], track.name, where)
    return {name: joints[:, k] for k, name in enumerate(names)}, [] if note is None else [note]


def joined(name: str, part: str) -> str:
    """The name of a thing's part in the scene."""
    return f"{name}/{part}" if part else name
