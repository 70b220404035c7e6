"""Files that come with installed Python packages."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ...errors import MissingFileError

_EXTRA = {"gymnasium_robotics": "kitchen", "mujoco": "mujoco", "mitsuba": "pathtrace"}


def package_file(spec: str) -> Path:
    """The path of a file inside an installed package, which is not imported.

    Args:
        spec: ``package/folder/file``, with slashes.

    Raises:
        MissingFileError: the package is not installed, or holds no such file.
    """
    name, _, inside = spec.replace("\\", "/").partition("/")
    try:
        found = importlib.util.find_spec(name) if name.isidentifier() else None
    except (ImportError, ValueError):
        found = None
    folders = list(found.submodule_search_locations or []) if found else []
    if not folders:
        install = f"'sim2real[{_EXTRA[name]}]'" if name in _EXTRA else name
        raise MissingFileError(spec, what=f"the Python package {name or spec!r}", fix=f"install it with: pip install {install}")
    for folder in folders:
        if inside and (Path(folder) / inside).is_file():
            return Path(folder) / inside
    raise MissingFileError(spec, what=f"a file in the Python package {name}", fix="check the path after its first part")
