"""What MuJoCo's USD exporter writes, and leaves unsaid.

It writes metres without ``metersPerUnit``, an ``endTimeCode`` one past its last frame (where all is invisible), and names that
begin with what a prim is for.
"""

from __future__ import annotations

import re

from .types import Stage

_NAME = re.compile(r"Mesh_Xform_(?P<name>.*?)_id(?P<number>\d+)_(geom|tendon_segid\d+)")


def is_mujoco_export(stage: Stage) -> bool:
    """Whether everything below ``/World`` is named as the exporter names it."""
    world = stage.GetPrimAtPath("/World")
    names = [prim.GetName() for prim in world.GetChildren()] if world else []
    own = [name for name in names if name != "_materials"]
    return any(_NAME.fullmatch(name) for name in own) and all(
        name.startswith(("Mesh_Xform_", "Camera_Xform_", "Light_Xform_")) for name in own
    )


def plain_name(name: str) -> str:
    """A geom's name in the model; others stay as they are."""
    found = _NAME.fullmatch(name)
    if found is None:
        return name
    return f"geom_{found['number']}" if found["name"] == "None" else found["name"]
