"""Lights and sensors that a configuration names: found before anything is made."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FILE = re.compile(r"\.(exr|hdr)(:[^/]*)?$|\.ya?ml$", re.IGNORECASE)
"""What the names of files of lights, by how many degrees they are turned, and of sensors end with."""


def placed(name: str, folder: Path) -> str:
    """A name as it is; a file's path from a folder on."""
    return os.path.abspath(folder / name) if _FILE.search(name) else name


def seen_from(folder: Path, name: str) -> str:
    """The path of a file as seen from a folder, so that both may move together; other names as they are."""
    return os.path.relpath(name, folder) if os.path.isabs(name) else name


def movable(named: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What says lights and sensors by their names, with files as ``seen_from`` a folder."""
    return {key: seen_from(folder, value) if key in ("light", "sensor") and value else value for key, value in named.items()}


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
