"""Every form in which models are kept: XML, MuJoCo's binary files, and archives of XML with its meshes and textures."""

from __future__ import annotations

import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from ....arrays import reason
from ....errors import MissingFileError, UnreadableFileError
from ....memory import memory_bytes
from .compile import compiled
from .types import MjModel

BINARY, ARCHIVES = (".mjb",), (".mjz", ".zip")
"""Suffixes; everything else is XML."""
MOST_FILES = 10_000
"""In an archive."""
_LARGEST_SHARE = 0.25
"""What an archive may hold, of the memory that there is."""
_FIX = "make the archive again, with the model's XML and the files that it names"


def compiled_file(source: Path) -> MjModel:
    """The compiled model of a file.

    Raises:
        MissingFileError: there is no such file.
        UnreadableFileError: MuJoCo refuses the model, the binary file was written by another version, or the archive holds no
            model, several, names that lead out of it, or more than memory should hold.
        MissingPackageError: mujoco is not installed.
    """
    if not source.is_file():
        raise MissingFileError(source, what="MuJoCo model")
    suffix = source.suffix.lower()
    if suffix in BINARY:
        return compiled(lambda mujoco: mujoco.MjModel.from_binary_path(str(source)), source, fix=_fix_of_binary())
    if suffix not in ARCHIVES:
        return compiled(lambda mujoco: mujoco.MjModel.from_xml_path(str(source)), source)
    with tempfile.TemporaryDirectory(prefix="sim2real-model-") as folder:
        xml = _unpacked(source, Path(folder))
        return compiled(lambda mujoco: _from_folder(mujoco, xml, folder), source)


@contextmanager
def damage_named(source: Path) -> Iterator[None]:
    """Say of a binary model that it is damaged where its numbers lead nowhere; MuJoCo checks few of them."""
    try:
        yield
    except (IndexError, ValueError, OverflowError, MemoryError) as error:
        if source.suffix.lower() not in BINARY:
            raise
        why = f"it is damaged ({reason(error)})"
        raise UnreadableFileError(source, what="MuJoCo model", why=why, fix=_fix_of_binary()) from error


def _fix_of_binary() -> str:
    from importlib.metadata import version

    return f"write it again with MuJoCo {version('mujoco')} (mj_saveModel), which is installed, or use the XML"


def _from_folder(mujoco: Any, xml: Path, folder: str) -> MjModel:
    try:
        return mujoco.MjModel.from_xml_path(str(xml))
    except ValueError as error:  # names files where they were unpacked
        raise ValueError(str(error).replace(f"{folder}/", "").replace(folder, "")) from None


def _unpacked(source: Path, folder: Path) -> Path:
    """Unpack an archive; its model's XML."""
    try:
        with zipfile.ZipFile(source) as archive:
            entries = _checked(source, archive.infolist())
            root = _root(source, entries)
            for entry in entries:
                target = folder / entry.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(entry))
    except UnreadableFileError:
        raise
    except Exception as error:  # zipfile raises whatever its decompressors trip over
        raise UnreadableFileError(source, what="archive of a model", why=reason(error), fix=_FIX) from error
    return folder / root


def _checked(source: Path, entries: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """The files of an archive, once each; refuse too much of them, and names that lead elsewhere."""
    total, most = sum(entry.file_size for entry in entries), int(_LARGEST_SHARE * memory_bytes())
    why = ""
    if len(entries) > MOST_FILES:
        why = f"it holds {len(entries)} files, more than {MOST_FILES}"
    elif total > most:
        why = f"it holds {total / 1e9:.1f} GB, more than {most / 1e9:.1f} GB, a quarter of the memory here"
    for entry in entries:
        name = PurePosixPath(entry.filename)
        if stat.S_ISLNK(entry.external_attr >> 16) or name.is_absolute() or ".." in name.parts or "\\" in entry.filename:
            why = why or f"{entry.filename!r} in it leads out of it"
    if why:
        raise UnreadableFileError(source, what="archive of a model", why=why, fix=_FIX)
    return list({entry.filename: entry for entry in entries if not entry.is_dir()}.values())


def _root(source: Path, entries: list[zipfile.ZipInfo]) -> str:
    """The XML of the model: where MuJoCo looks for it, else the only one at the top of what there is."""
    names, stem = {entry.filename for entry in entries}, source.stem
    usual = ("model.xml", f"{stem}.xml", f"{stem}/{stem}.xml", f"{stem}/model.xml")
    if found := next((name for name in usual if name in names), None):
        return found
    models = [PurePosixPath(name) for name in names if name.lower().endswith((".xml", ".mjcf"))]
    depth = min((len(name.parts) for name in models), default=0)
    top = sorted(str(name) for name in models if len(name.parts) == depth)
    if len(top) == 1:
        return top[0]
    why = f"it holds several models: {', '.join(top[:4])}" if top else "it holds no XML file"
    fix = "name the one that is meant model.xml" if top else _FIX
    raise UnreadableFileError(source, what="archive of a model", why=why, fix=fix)
