"""What the things of a recording look like, in every frame: robots with their joints, meshes, solids."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
from jaxtyping import Float

from ....errors import BadValueError, MissingFileError, UnknownNameError
from ....transforms import inverse_rigid
from ...records import Mesh, Part, Scene
from ..frame_count import check_frames
from ..package_files import package_file
from ..scene_file.objects import Files, placed
from ..urdf.assets import assets_of
from ..urdf.elements import parsed
from ..urdf.kinematics import world_from_links
from ..urdf.model import seen_parts
from ..urdf.robot import SIZES, Robot, read_robot
from ..urdf.shapes import Shapes
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


def figure_of(track: Track, entry: ThingEntry, files: Files) -> Figure:
    """Build what a mapping says of a recorded thing; its files are noted in ``files``.

    Raises:
        MissingFileError: a file does not exist.
        UnreadableFileError: one is damaged.
        BadValueError: the robot has other joints than were recorded, or their order cannot be told.
        UnknownNameError: a joint or root that the robot does not have.
        EmptySceneError: nothing of it is seen.
    """
    if not entry.is_robot:
        return _rigid(track, entry, files)
    path = package_file(entry.package) if entry.package else files.path(str(entry.robot))
    if not path.is_file():
        raise MissingFileError(path, what=f"the file of {track.name}", fix=f"check the mapping ({files.source})")
    kind = PurePath(path).suffix.lower()
    if kind in (".urdf", ".xacro"):
        return _of_urdf(path, track, entry, files)
    from . import robots

    make = robots.of_stage if kind.startswith(".usd") else robots.of_model
    return make(path, track, entry, files)


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


def _rigid(track: Track, entry: ThingEntry, files: Files) -> Figure:
    thing = placed(entry.model_copy(update={"name": track.name}), 1, 1.0, files)
    notes = [] if track.joints is None or not track.joints.shape[1] else [f"{track.name}: a mesh has no joints; its links rest"]
    meshes, index = list[Mesh](), dict[int, int]()
    for mesh, _ in thing.meshes:
        if id(mesh) not in index:
            index[id(mesh)] = len(meshes)
            meshes.append(mesh)
    parts = tuple(Part(index[id(mesh)], 0, move) for mesh, move in thing.meshes)
    place = thing.world_from_object[0] @ thing.object_from_instance
    return Figure(tuple(meshes), parts, ("",), np.tile(place, (track.frames, 1, 1, 1)), {}, tuple(notes))


def _of_urdf(path: Path, track: Track, entry: ThingEntry, files: Files) -> Figure:
    robot = read_robot(path)
    root = entry.root or robot.root
    if root not in robot.links:
        raise UnknownNameError(root, robot.links, what=f"root of {track.name}", where=files.source)
    check_frames(track.frames, len(robot.links), files.source)
    found, notes = joints_by_name(_edges(robot, path), track, entry, files.source)
    positions = {name: values[:, None] for name, values in found.items()}
    world = world_from_links(robot, positions, np.tile(np.eye(4), (track.frames, 1, 1)))
    shapes = Shapes(assets_of(path, entry.packages))
    seen, parts, of_parts = seen_parts(robot, shapes, path)
    files.read += [path, *shapes.files]
    number = {link: k for k, link in enumerate(robot.links)}
    root_from_world = inverse_rigid(world[:, number[root]])
    from_root = root_from_world[:, None] @ world
    return Figure(
        tuple(shapes.meshes),
        parts,
        tuple(seen),
        from_root[:, [number[link] for link in seen]],
        {link: from_root[:, k] for link, k in number.items()},
        (*robot.notes, *notes, *of_parts, *dict.fromkeys(shapes.notes)),
    )


def _edges(robot: Robot, path: Path) -> list[Edge]:
    """The robot's joints in the order of its file; ``robot.joints`` are in another."""
    place = {joint.get("name"): k for k, joint in enumerate(parsed(path).findall("joint"))}
    ordered = sorted(robot.joints, key=lambda joint: place[joint.name])
    return [Edge(joint.name, joint.parent, joint.child, SIZES[joint.kind] == 1) for joint in ordered]


def check_entry(entry: ThingEntry, name: str, where: object) -> None:
    """Refuse what only meshes and solids take, of a robot.

    Raises:
        BadValueError: a robot has such a key.
    """
    own = {"scale", "room", "material", "up_axis", "position", "quaternion", "euler_deg", "cells", "half_size", "radius"}
    given = sorted(own & entry.model_fields_set)
    if entry.is_robot and given:
        what = f"{given[0]} of {name}"
        raise BadValueError(what, "given", right="left out for a robot, whose file says it", where=where)
    of_robots = sorted({"joints", "root", "packages"} & entry.model_fields_set)
    if not entry.is_robot and not entry.leave_out and of_robots:
        raise BadValueError(f"{of_robots[0]} of {name}", "given", right="left out for a mesh or a solid", where=where)


def joined(name: str, part: str) -> str:
    """The name of a thing's part in the scene."""
    return f"{name}/{part}" if part else name
