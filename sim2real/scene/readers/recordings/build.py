"""From what a mapping file says of a recorded thing to its figure: robots with their joints, meshes, solids."""

from __future__ import annotations

from pathlib import Path, PurePath

import numpy as np

from ....errors import BadValueError, MissingFileError, UnknownNameError
from ....text_files import read_text
from ....transforms import inverse_rigid
from ...records import Mesh, Part
from ..frame_count import check_frames
from ..package_files import package_file
from ..scene_file.objects import Files, placed
from ..urdf.assets import assets_of
from ..urdf.elements import parsed
from ..urdf.kinematics import world_from_links
from ..urdf.robot import SIZES, Robot, read_robot
from ..urdf.shapes import Shapes, parts_of
from .figures import Figure, joints_by_name
from .joint_order import Edge
from .log import Track
from .mapping import ThingEntry
from .robots import of_model, of_stage


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
    make = of_stage if kind.startswith(".usd") else of_model
    return make(path, track, entry, files)


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
    seen, parts, of_parts = parts_of(robot, shapes, path)
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
    place = {joint.get("name"): k for k, joint in enumerate(parsed(read_text(path), path).findall("joint"))}
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
