"""Lights and sensors that a configuration names: found before anything is made."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

LIGHT_AND_SENSOR = ("light", "sensor")
"""Entries of a row that may name files."""
_FILE = re.compile(r"\.(exr|hdr)(:[^/]*)?$|\.ya?ml$", re.IGNORECASE)
"""What the names of files of lights, by how many degrees they are turned, and of sensors end with."""


def placed(name: str, folder: Path) -> str:
    """A name as it is; a file's path from a folder on."""
    return os.path.abspath(folder / name) if _FILE.search(name) else name


def seen_from(folder: Path, name: str) -> str:
    """The path of a file as seen from a folder, so that both may move together; other names as they are."""
    return os.path.relpath(name, folder) if os.path.isabs(name) else name


def movable(said: Mapping[str, Any], names: Collection[str], folder: Path) -> dict[str, Any]:
    """What is said, with files as ``seen_from`` a folder.

    Args:
        said: values by name.
        names: of those that name files, one or a list of them.
        folder: that they are seen from.
    """

    def moved(value: Any) -> Any:
        return [seen_from(folder, one) for one in value] if isinstance(value, list) else seen_from(folder, value)

    return {name: moved(value) if name in names and value else value for name, value in said.items()}


def check_named(light: str | None, sensor: str | None) -> None:
    """Refuse lights and sensors that there are not.

    Raises:
        UnknownNameError: there is none of that name; the message lists them.
        MissingFileError: there is no such file.
        Sim2RealError: the file is none of a panorama, or of a sensor.
    """
    from ..scene.light.panoramas import MODEL, environment_of
    from ..sensors import sensor_of

    if light not in (None, MODEL):
        environment_of(str(light))
    if sensor is not None:
        sensor_of(sensor)
