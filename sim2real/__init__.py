"""Noise that sticks to surfaces, and the labeled footage that video models make from it.

Conventions, everywhere in this package:

- Transforms are named ``a_from_b`` (4x4, columns) and compose by adjacent names: ``a_from_c = a_from_b @ b_from_c``.
- Cameras look along +z, x right, y down (OpenCV); pixel centers lie at 0.5; sizes are (height, width).
- Quaternions are (w, x, y, z); lengths are metres, angles radians; any other unit is a suffix (``_px``, ``_deg``).
- Arrays have frames first and channels before height and width; ``noise`` always has unit variance.

Importing this module loads nothing heavy; the names in ``FRONT_DOOR`` are imported when they are asked for.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

FRONT_DOOR = {
    "load": "scene",
    "LoadOptions": "scene",
    "render_clip": "render",
    "RenderOptions": "render",
    "generate": "diffusion",
    "GenerateOptions": "diffusion",
}
"""What most people need, and the package that has it."""


def __getattr__(name: str) -> Any:
    if name not in FRONT_DOOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{FRONT_DOOR[name]}", __name__), name)
