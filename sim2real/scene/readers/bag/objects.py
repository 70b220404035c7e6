"""What is seen beside robots: meshes that a user gives for coordinate frames, and what visualizations show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ....errors import BadValueError, MissingFileError, UnknownNameError
from ...records import Mesh
from ..mesh.files import left_out, read_mesh_file
from ..urdf.robot import Visual
from ..urdf.shapes import Shapes
from .markers import Thing


@dataclass(frozen=True, eq=False)
class Carried:
    """A thing that is carried by a coordinate frame; ``meshes`` with their ``frame_from_mesh``."""

    name: str
    frame: str
    meshes: tuple[tuple[Mesh, Float[np.ndarray, "4 4"]], ...]
    files: tuple[Path, ...] = ()
    thing: Thing | None = None


def carried_meshes(asked: tuple[str, ...], frames: set[str], where: Path, notes: list[str]) -> list[Carried]:
    """Meshes for frames, in the axes in which they were written, as ROS takes them.

    Args:
        asked: FRAME=FILE each; relative files as seen from here, else from the recording.
        frames: the names of all frames.
        where: the recording.
        notes: what is to be said of the files is added.

    Raises:
        BadValueError: something is not FRAME=FILE.
        UnknownNameError: there is no such frame.
        MissingFileError: there is no such file.
    """
    found = list[Carried]()
    for word in asked:
        frame, equals, name = (part.strip() for part in word.partition("="))
        if not equals or not frame or not name:
            raise BadValueError("--mesh", repr(word), right="FRAME=FILE, for example cup=cup.glb", where=where)
        frame = frame.lstrip("/")
        if frame not in frames:
            raise UnknownNameError(frame, sorted(frames), what="frame", where=where)
        path = next((p for p in (Path(name).expanduser(), where.parent / name) if p.is_file()), None)
        if path is None:
            raise MissingFileError(name, what="mesh", fix="check --mesh")
        file = read_mesh_file(path, up_axis="z")
        notes += [*file.notes, *left_out(path)]
        again = sum(one.frame == frame for one in found)
        meshes = tuple((file.meshes[k], move) for k, move in file.placed)
        found.append(Carried(f"{frame}-{again + 1}" if again else frame, frame, meshes, tuple(file.files)))
    return found


def carried_things(things: dict[str, Thing], shapes: Shapes) -> list[Carried]:
    """What visualizations show, by the name of the frame that each is a frame of; what is clear is left out.

    Raises:
        MissingFileError: meshes do not exist; all of them are listed.
        UnreadableFileError: one is damaged.
    """
    visuals = {frame: Visual(thing.shape, np.eye(4), thing.look) for frame, thing in things.items()}
    visuals = {frame: visual for frame, visual in visuals.items() if visual.look is None or (visual.look.rgba or (1,))[-1] > 0}
    shapes.check_files(visuals.values())
    return [
        Carried(things[frame].name, frame, tuple((shapes.meshes[k], move) for k, move in shapes.of(visual)), (), things[frame])
        for frame, visual in visuals.items()
    ]
