"""Which reader takes which file. A new reader is a row in ``READERS``; it is imported when a file asks for it.

A reader is a function of (path, and the options that its row names) -> Scene.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import BadValueError, MissingFileError, UnknownNameError
from ..records import Scene


@dataclass(frozen=True)
class Options:
    """What a user says beside the file; ``None`` leaves it to the file.

    - ``frames``: which of the rollout's frames, as a slice; a reader returns those that exist.
    - ``size``: (height, width) of the cameras; ``fps``: frames per second.
    - ``states``: recorded states for a model without any; ``demo``: which demonstration of a recording with several.
    - ``asset_root``: where to look for mesh files whose recorded paths belong to another machine.
    - ``groups``: MuJoCo's geom groups to show.
    """

    frames: slice | None = None
    size: tuple[int, int] | None = None
    fps: float | None = None
    states: Path | None = None
    demo: str | None = None
    asset_root: Path | None = None
    groups: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Reader:
    """Where a reader lives, which options it takes, and what it calls its files."""

    suffixes: tuple[str, ...]
    module: str
    function: str
    takes: tuple[str, ...]
    what: str


READERS = (
    Reader((".yaml", ".yml"), "scene_file.scene", "load_scene_file", ("frames", "size", "fps", "asset_root"), "scene file"),
    Reader((".xml", ".mjcf"), "mujoco.model", "load_mujoco", ("frames", "size", "fps", "states", "groups"), "MuJoCo model"),
    Reader(
        (".hdf5", ".h5"), "robomimic", "load_robomimic", ("frames", "size", "fps", "demo", "asset_root", "groups"), "recording"
    ),
    Reader((".obj", ".ply", ".stl", ".off", ".glb", ".gltf"), "mesh.files", "load_mesh", ("frames", "fps"), "mesh file"),
)

_SAID_AS = {"states": "--states", "demo": "--demo", "asset_root": "--asset-root", "groups": "--groups"}


def reader_of(path: Path) -> Reader:
    """The reader of a file, by its suffix.

    Raises:
        MissingFileError: there is no such file.
        UnknownNameError: no reader takes this suffix; lists those that are taken.
    """
    suffix = path.suffix.lower()
    for reader in READERS:
        if suffix in reader.suffixes:
            if not path.is_file():
                raise MissingFileError(path, what=reader.what)
            return reader
    if not path.exists():
        raise MissingFileError(path, what="scene")
    raise UnknownNameError(
        suffix or "(none)", [s for reader in READERS for s in reader.suffixes], what="kind of scene", where=path
    )


def read(path: Path, options: Options) -> Scene:
    """Read a file with the reader of its suffix.

    Raises:
        MissingFileError: there is no such file.
        UnknownNameError: no reader takes this suffix.
        BadValueError: an option was given that this reader cannot heed.
        Sim2RealError: whatever the reader finds wrong.
    """
    reader = reader_of(path)
    for option, said_as in _SAID_AS.items():
        if getattr(options, option) is not None and option not in reader.takes:
            takers = ", ".join(s for r in READERS if option in r.takes for s in r.suffixes)
            right = f"left out for a {reader.what}, or used with: {takers}"
            raise BadValueError(said_as, getattr(options, option), right=right, where=path)
    function: Any = getattr(importlib.import_module(f".{reader.module}", __package__), reader.function)
    given = {name: getattr(options, name) for name in reader.takes}
    return function(path, **{name: value for name, value in given.items() if value is not None})
