"""The one place where optional packages are imported."""

from __future__ import annotations

import importlib
from types import ModuleType

from .errors import MissingPackageError


def require(package: str, extra: str) -> ModuleType:
    """Import an optional package.

    Args:
        package: name to import, dots allowed (``mujoco``, ``pytorch3d.renderer``).
        extra: the pip extra of sim2real that installs it.

    Returns:
        The imported module.

    Raises:
        MissingPackageError: it is not installed, or does not load here.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        why = "" if getattr(error, "name", None) == package.split(".")[0] else str(error).splitlines()[0]
        raise MissingPackageError(package.partition(".")[0], extra, why) from error
