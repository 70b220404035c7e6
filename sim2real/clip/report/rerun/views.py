"""How a recording is laid out when it is opened: the world, and a tab of pictures per camera."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from ....optional import require

NOTES = "notes"
"""The entity that says what the recording is of."""


@dataclass(frozen=True)
class CameraViews:
    """A camera's pictures in the layout: entity paths by title.

    - ``shown``: beside each other in the camera's tab; ``more``: in a tab of their own.
    - ``in_world``: those that are also shown in the world; others would cover them.
    """

    shown: Mapping[str, str]
    more: Mapping[str, str]
    in_world: Collection[str]


@dataclass(frozen=True, eq=False)
class WorldView:
    """The world in the layout: its entity, from where it is looked at first, and at what."""

    entity: str
    position: Float64[np.ndarray, "3"]
    target: Float64[np.ndarray, "3"]


def layout(cameras: Mapping[str, CameraViews], *, fps: float, world: WorldView | None) -> Any:
    """A blueprint.

    Args:
        cameras: by name.
        fps: frames per second of the timeline ``frame``.
        world: ``None`` where there is none.
    """
    rrb = require("rerun.blueprint", "view")

    def tab(name: str, pictures: Mapping[str, str]) -> Any:
        return rrb.Grid(*(rrb.Spatial2DView(origin=path, name=title) for title, path in pictures.items()), name=name)

    tabs = [tab(name, views.shown) for name, views in cameras.items()]
    tabs += [tab(f"{name}, more", views.more) for name, views in cameras.items() if views.more]
    right = rrb.Tabs(*tabs, rrb.TextDocumentView(origin=NOTES, name="notes"))
    panels = [
        rrb.BlueprintPanel(state="collapsed"),
        rrb.SelectionPanel(state="collapsed"),
        rrb.TimePanel(state="collapsed", timeline="frame", fps=fps),
    ]
    if world is None:
        return rrb.Blueprint(right, *panels)
    left_out = [p for v in cameras.values() for p in (*v.shown.values(), *v.more.values()) if p not in v.in_world]
    eye = rrb.EyeControls3D(position=world.position, look_target=world.target, eye_up=(0, 0, 1))
    contents = ["$origin/**", *(f"- {path}" for path in left_out)]
    space = rrb.Spatial3DView(origin=world.entity, name="world", contents=contents, eye_controls=eye)
    return rrb.Blueprint(rrb.Horizontal(space, right), *panels)
