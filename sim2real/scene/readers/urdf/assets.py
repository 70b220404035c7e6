"""Where the meshes and pictures of a robot are: ``package://``, ``model://``, ``file://``, relative and absolute names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from ....errors import MissingFileError
from ..asset_paths import found_file

_PACKAGE = re.compile(r"(?:package|model)://+([^/]+)/*(.*)", re.DOTALL)
_NEAR = 5
"""How many folders above the robot's file are looked in."""
_LISTED = 8


@dataclass(frozen=True)
class Assets:
    """Where to look.

    - ``robot`` is the robot's file; ``packages``: folders by the name of the package that they are; ``folders``: those in
      which packages, or the files themselves, lie; ``installed``: those of the ROS that is set up here.
    """

    robot: Path
    packages: dict[str, Path]
    folders: tuple[Path, ...]
    installed: tuple[Path, ...]

    @property
    def near(self) -> list[Path]:
        """The folders around the robot's file, innermost first."""
        return list(self.robot.absolute().parents)[:_NEAR]

    def find(self, name: str) -> Path | None:
        """The file that a robot calls ``name``; ``None`` where it is nowhere."""
        plain = unquote(name.removeprefix("file://")) if name.startswith("file://") else name
        package = _PACKAGE.fullmatch(plain)
        if package is None:
            own = self.robot.parent / plain
            return own if own.is_file() else found_file(plain, [*self.folders, *self.packages.values(), *self.near])
        inside = package[2]
        for folder in self._folders_of(package[1]):
            if inside and (folder / inside).is_file():
                return folder / inside
        return found_file(inside, [*self.folders, *self.near]) if inside else None

    def _folders_of(self, package: str) -> Iterator[Path]:
        """The folders that may be a package."""
        if package in self.packages:
            yield self.packages[package]
        for folder in (*self.folders, *self.near, *self.installed):
            yield folder / package
            if folder.name == package:
                yield folder

    def missing(self, names: list[str]) -> MissingFileError:
        """The error that lists names that lead nowhere, and where was looked."""
        shown = ", ".join(names[:_LISTED]) + (f", … ({len(names)} in all)" if len(names) > _LISTED else "")
        given = [f"{name}={folder}" for name, folder in self.packages.items()] + [str(folder) for folder in self.folders]
        places = [*given, *map(str, self.near), *map(str, self.installed)]
        looked = ", ".join(places[:_LISTED]) + (f", … ({len(places)} in all)" if len(places) > _LISTED else "")
        fix = "pass --packages with the folder that holds the packages, or NAME=DIR for each"
        return MissingFileError(f"{shown} (looked in {looked}; {self.robot})", what="files of the robot", fix=fix)


def assets_of(robot: Path, packages: str | None) -> Assets:
    """Where a robot's files are looked for.

    Args:
        robot: its file.
        packages: folders, or NAME=DIR, with commas between; relative ones as seen from here, else from the robot's file.

    Raises:
        MissingFileError: there is no such folder.
    """
    named, folders = dict[str, Path](), list[Path]()
    for word in filter(None, (word.strip() for word in (packages or "").split(","))):
        name, equals, folder = word.partition("=")
        if not equals or Path(word).is_dir():
            folders.append(_folder(word, robot))
        else:
            named[name.strip()] = _folder(folder.strip(), robot)
    return Assets(robot, named, tuple(folders), tuple(_installed()))


def _folder(name: str, robot: Path) -> Path:
    for folder in (Path(name).expanduser(), robot.parent / name):
        if folder.is_dir():
            return folder
    raise MissingFileError(name, what="folder of packages", fix="check --packages")


def _installed() -> Iterator[Path]:
    """Where ROS has its packages."""
    for variable, below in (("ROS_PACKAGE_PATH", ""), ("AMENT_PREFIX_PATH", "share")):
        for folder in filter(None, os.environ.get(variable, "").split(os.pathsep)):
            yield Path(folder) / below
