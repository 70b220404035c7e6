"""C++ of kernels, from files of its own: ``native/NAME.inc`` beside the module that uses it."""

from __future__ import annotations

import re
from pathlib import Path

_INCLUDE = re.compile(r'^[ \t]*#include "(\w+)\.inc"[ \t]*\n', re.MULTILINE)


def native(module_file: str, name: str) -> str:
    """The body of a native function, with the fragments that it includes.

    Args:
        module_file: ``__file__`` of the module whose ``native`` folder holds the fragments.
        name: of the fragment, without its suffix.
    """
    folder = Path(module_file).parent / "native"
    text = (folder / f"{name}.inc").read_text(encoding="utf-8")
    return "\n" + _INCLUDE.sub(lambda found: native(module_file, found.group(1)), text)
