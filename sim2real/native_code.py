"""C++ of kernels, from files of its own: ``native/NAME.inc`` beside the module that uses it, or farther up."""

from __future__ import annotations

import re
from pathlib import Path

_INCLUDE = re.compile(r'^[ \t]*#include "(\w+)\.inc"[ \t]*\n', re.MULTILINE)


def native(module_file: str, name: str) -> str:
    """The body of a native function, with the fragments that it includes.

    Args:
        module_file: ``__file__`` of the module. A fragment is in the ``native`` folder beside it, or else in the next one up.
        name: of the fragment, without its suffix.
    """
    files = [folder / "native" / f"{name}.inc" for folder in Path(module_file).parents]
    text = next((file for file in files if file.exists()), files[0]).read_text(encoding="utf-8")
    return "\n" + _INCLUDE.sub(lambda found: native(module_file, found.group(1)), text)
