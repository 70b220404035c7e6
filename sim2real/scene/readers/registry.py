"""Which reader takes which file. A new reader is a module of this package and a row in ``READERS``.

A reader's module has ``read(path, reading, options)``, which returns a ``Scene``, and, if it takes options of its own, a frozen
record ``Options`` whose fields are made by ``reading.option``: they are options of the command line, and keywords of ``load``.
It is imported when a file asks for it.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from ...errors import BadValueError, MissingFileError, UnknownNameError, UnreadableFileError
from ..records import Scene
from .reading import NoOptions, Reading


@dataclass(frozen=True)
class Reader:
    """A reader.

    - ``suffixes`` of the files that it takes; ``module`` of this package; ``what`` it calls its files.
    - ``folder_holds``: a file that makes a folder one of its files; empty: it takes no folders.
    - ``authored``: somebody has placed the cameras, so that one inside a solid is an error; cameras that were recorded are read
      as they were, with a note.
    """

    suffixes: tuple[str, ...]
    module: str
    what: str
    authored: bool = False
    folder_holds: str = ""

    def takes(self, path: Path) -> bool:
        """Whether a path is one of its files, by its suffix, or one of its folders; the file need not exist."""
        return path.suffix.lower() in self.suffixes or self.takes_folder(path)

    def takes_folder(self, path: Path) -> bool:
        """Whether a path is one of its folders."""
        return bool(self.folder_holds) and os.path.isfile(path / self.folder_holds)


READERS = (
    Reader((".yaml", ".yml"), "scene_file.scene", "scene file", authored=True),
    Reader((".xml", ".mjcf", ".mjb", ".mjz", ".zip"), "mujoco.model", "MuJoCo model"),
    Reader((".hdf5", ".h5"), "robomimic", "recording"),
    Reader((".urdf", ".xacro"), "urdf.model", "URDF robot"),
    Reader((".usd", ".usda", ".usdc", ".usdz"), "usd.stage", "USD stage"),
    Reader((".obj", ".ply", ".stl", ".off"), "mesh.files", "mesh file", authored=True),
    Reader((".glb", ".gltf"), "gltf.scene", "glTF file"),
    Reader((".mcap", ".db3", ".bag"), "bag.scene", "recording", folder_holds="metadata.yaml"),
)


@dataclass(frozen=True)
class OwnOption:
    """An option that only some readers take: its name in Python, what it may be, and what the command line says of it."""

    name: str
    type: Any
    help: str
    metavar: str | None

    @property
    def is_path(self) -> bool:
        """Whether it may be a path, which starts at the file that says it."""
        return Path in get_args(self.type)

    @property
    def said_as(self) -> str:
        """On the command line."""
        return f"--{self.name.replace('_', '-')}"


def taker_of(path: Path) -> Reader | None:
    """The reader of a file by its suffix, or of a folder by what it holds; a file need not exist."""
    return next((reader for reader in READERS if reader.takes(path)), None)


def reader_of(path: Path) -> Reader:
    """The reader of a file, by its suffix, or of a folder.

    Raises:
        MissingFileError: there is no such file.
        UnknownNameError: no reader takes this suffix; lists those that are taken.
    """
    reader = taker_of(path)
    with readable_errors(path, "scene"):
        is_file, exists = path.is_file() or reader is not None and reader.takes_folder(path), path.exists()
    if not is_file and (reader is not None or not exists):
        raise MissingFileError(path, what="scene" if reader is None else reader.what)
    if reader is None:
        suffixes = [suffix for known in READERS for suffix in known.suffixes]
        raise UnknownNameError(path.suffix.lower() or "(none)", suffixes, what="kind of scene", where=path)
    return reader


def own_options(reader: Reader) -> dict[str, OwnOption]:
    """What a reader alone takes, by name."""
    record: Any = _options_of(reader)
    types = get_type_hints(record)
    return {f.name: OwnOption(f.name, types[f.name], f.metadata["help"], f.metadata["metavar"]) for f in fields(record)}


def own_options_of(path: Path) -> dict[str, OwnOption]:
    """What the reader of a file alone takes, by name; nothing where no reader takes its suffix. The file need not exist."""
    reader = taker_of(path)
    return {} if reader is None else own_options(reader)


def check_own(reader: Reader, given: Mapping[str, object], path: Path) -> None:
    """Refuse options that a reader does not take.

    Raises:
        BadValueError: other readers take it.
        UnknownNameError: no reader does.
    """
    own = own_options(reader)
    for name, value in given.items():
        if name in own:
            continue
        takers = [other for other in READERS if name in own_options(other)]
        if not takers:
            raise UnknownNameError(name, own, what=f"option of a {reader.what}", where=path)
        right = f"left out for a {reader.what}, or used with: {', '.join(s for other in takers for s in other.suffixes)}"
        raise BadValueError(own_options(takers[0])[name].said_as, value, right=right, where=path)


def read(path: Path, reading: Reading, own: Mapping[str, Any]) -> Scene:
    """Read a file with the reader of its suffix.

    Args:
        path: the file.
        reading: what any file can be asked for.
        own: options that this reader alone takes.

    Raises:
        MissingFileError: there is no such file.
        UnknownNameError: no reader takes this suffix, or the option.
        BadValueError: an option was given that this reader cannot heed.
        Sim2RealError: whatever the reader finds wrong.
    """
    reader = reader_of(path)
    check_own(reader, own, path)
    with readable_errors(path, reader.what):
        return _module_of(reader).read(path, reading, _options_of(reader)(**own))


@contextmanager
def readable_errors(path: Path, what: str) -> Iterator[None]:
    """Turn what the system says about a file (forbidden, a name too long, a disk that fails) into one line."""
    try:
        yield
    except OSError as error:
        fix = "check the path and its permissions"
        raise UnreadableFileError(error.filename or path, what=what, why=error.strerror or str(error), fix=fix) from error


def _module_of(reader: Reader) -> Any:
    return importlib.import_module(f".{reader.module}", __package__)


def _options_of(reader: Reader) -> Any:
    return getattr(_module_of(reader), "Options", NoOptions)
