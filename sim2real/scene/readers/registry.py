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

from ...errors import BadValueError, MissingFileError, Sim2RealError, UnknownNameError, UnreadableFileError
from ..inside import seeing_out
from ..records import Scene
from .reading import NoOptions, Reading


@dataclass(frozen=True)
class Reader:
    """A reader.

    - ``suffixes`` of the files that it takes; ``module`` of this package; ``what`` it calls its files.
    - ``folder_holds``: a file that makes a folder one of its files; empty: it takes no folders.
    - ``authored``: somebody has placed the cameras, so that one inside a solid is an error; cameras that were recorded are read
      as they were, with a note.
    - ``robots``: cameras are on links, whose meshes are their housings.
    - ``inside``: the module whose ``is_one(path)`` says whether a file with such a suffix is this reader's, by what it holds;
      ``None``: whatever no other reader claims.
    """

    suffixes: tuple[str, ...]
    module: str
    what: str
    authored: bool = False
    robots: bool = False
    inside: str | None = None
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
    Reader((".hdf5", ".h5"), "recordings.scene", "recording", inside="recordings.inside"),
    Reader((".json",), "habitat.scene", "gfx-replay file of Habitat"),
    Reader((".urdf", ".xacro"), "urdf.model", "URDF robot", robots=True),
    Reader((".usd", ".usda", ".usdc", ".usdz"), "usd.stage", "USD stage"),
    Reader((".obj", ".ply", ".stl", ".off", ".dae"), "mesh.files", "mesh file", authored=True),
    Reader((".glb", ".gltf"), "gltf.scene", "glTF file"),
    Reader((".mcap", ".db3", ".bag"), "bag.scene", "recording", robots=True, folder_holds="metadata.yaml"),
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


def takes(path: Path) -> bool:
    """Whether any reader takes a file's suffix, or a folder by what it holds; a file need not exist."""
    return any(reader.takes(path) for reader in READERS)


def takers_of(path: Path) -> tuple[Reader, ...]:
    """The readers of a file by its suffix; of several, the one that claims what it holds, if it can be looked into."""
    try:
        return _takers(path)
    except Sim2RealError:  # damaged: said when it is read
        return _by_suffix(path)


def _by_suffix(path: Path) -> tuple[Reader, ...]:
    return tuple(reader for reader in READERS if reader.takes(path))


def _takers(path: Path) -> tuple[Reader, ...]:
    takers = _by_suffix(path)
    if len(takers) < 2 or not _is_file(path):
        return takers
    claimed = next((reader for reader in takers if reader.inside is not None and _imported(reader.inside).is_one(path)), None)
    return (claimed,) if claimed else tuple(reader for reader in takers if reader.inside is None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that no file can have, a folder that may not be looked into
        return False


def reader_of(path: Path) -> Reader:
    """The reader of a file, by its suffix and, where several take it, by what it holds; or of a folder.

    Raises:
        MissingFileError: there is no such file.
        UnreadableFileError: several readers take the suffix, and the file is too damaged to tell whose it is.
        UnknownNameError: no reader takes this suffix; lists those that are taken.
    """
    reader = next(iter(_takers(path)), None)
    with readable_errors(path, "scene"):
        is_file, exists = path.is_file() or reader is not None and reader.takes_folder(path), path.exists()
        meant = _meant(path) if path.is_dir() and not is_file else None
    if meant is not None:
        raise BadValueError("the scene", "a folder", right="a file, or a folder of rosbag2", fix=meant, where=path)
    if not is_file and (reader is not None or not exists):
        raise MissingFileError(path, what="scene" if reader is None else reader.what)
    if reader is None:
        suffixes = [suffix for known in READERS for suffix in known.suffixes]
        raise UnknownNameError(path.suffix.lower() or "(none)", dict.fromkeys(suffixes), what="kind of scene", where=path)
    return reader


def _meant(folder: Path) -> str:
    """What may be meant with a folder that is no scene."""
    if (folder / "clip.json").is_file():
        return "it is a clip that is rendered already: see sim2real generate, view, evaluate"
    takers = [file.name for file in sorted(folder.iterdir()) if file.is_file() and _by_suffix(file)]
    return f"it holds {', '.join(takers[:4])}{' ...' * (len(takers) > 4)}" if takers else ""


def own_options(reader: Reader) -> dict[str, OwnOption]:
    """What a reader alone takes, by name."""
    record: Any = _options_of(reader)
    types = get_type_hints(record)
    return {f.name: OwnOption(f.name, types[f.name], f.metadata["help"], f.metadata["metavar"]) for f in fields(record)}


def own_options_of(path: Path) -> dict[str, OwnOption]:
    """What the reader of a file alone takes, by name; of all that take its suffix, where the file cannot be looked into.

    Nothing where no reader takes the suffix. The file need not exist.
    """
    return {name: option for reader in reversed(takers_of(path)) for name, option in own_options(reader).items()}


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
        suffixes = dict.fromkeys(suffix for other in takers for suffix in other.suffixes)
        right = f"left out for a {reader.what}, or used with: {', '.join(suffixes)}"
        if set(suffixes) & set(reader.suffixes):
            right = f"left out for such a {reader.what}; others of the kind {path.suffix.lower()} take it"
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
        scene: Scene = _module_of(reader).read(path, reading, _options_of(reader)(**own))
    return scene if reader.authored else seeing_out(scene, at_rest=reader.robots)


def outline(path: Path, own: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a file holds, as plain data, where that is no scene before something else is said; ``None`` where it is one.

    Args:
        path: the file.
        own: options that its reader alone takes.

    Raises:
        Sim2RealError: whatever its reader finds wrong.
    """
    reader = reader_of(path)
    module = _module_of(reader)
    if not hasattr(module, "outline"):
        return None
    check_own(reader, own, path)
    with readable_errors(path, reader.what):
        return module.outline(path, _options_of(reader)(**own))


def demo_names(path: Path) -> list[str]:
    """Names of a recording's demonstrations, in natural order.

    Raises:
        BadValueError: files of this kind have none.
        Sim2RealError: whatever the reader finds wrong.
    """
    reader = reader_of(path)
    module = _module_of(reader)
    if not hasattr(module, "demo_names"):
        raise BadValueError("demo", "given", right=f"left out for a {reader.what}, which has no demonstrations", where=path)
    with readable_errors(path, reader.what):
        return module.demo_names(path)


@contextmanager
def readable_errors(path: Path, what: str) -> Iterator[None]:
    """Turn what the system says about a file (forbidden, a name too long, a disk that fails) into one line."""
    try:
        yield
    except OSError as error:
        fix = "check the path and its permissions"
        raise UnreadableFileError(error.filename or path, what=what, why=error.strerror or str(error), fix=fix) from error


def _module_of(reader: Reader) -> Any:
    return _imported(reader.module)


def _imported(module: str) -> Any:
    return importlib.import_module(f".{module}", __package__)


def _options_of(reader: Reader) -> Any:
    return getattr(_module_of(reader), "Options", NoOptions)
