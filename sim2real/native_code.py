"""C++ of kernels, from files of its own: ``native/NAME.inc`` beside the module that uses it, or farther up."""

from __future__ import annotations

import re
from pathlib import Path

LANES = 8
"""Floats that ``eight_lanes`` takes at once."""
_PACKAGE = Path(__file__).parent
_INCLUDE = re.compile(r'^[ \t]*#include "(\w+)\.inc"[ \t]*\n', re.MULTILINE)


def native(module_file: str, name: str) -> str:
    """The body of a native function, with the fragments that it includes.

    Args:
        module_file: ``__file__`` of the module. A fragment is in the ``native`` folder beside it, or farther up in the package.
        name: of the fragment, without its suffix.
    """
    files = [folder / "native" / f"{name}.inc" for folder in Path(module_file).parents if _PACKAGE in (folder, *folder.parents)]
    text = next((file for file in files if file.exists()), files[0]).read_text(encoding="utf-8")
    return "\n" + _INCLUDE.sub(lambda found: native(module_file, found.group(1)), text)
