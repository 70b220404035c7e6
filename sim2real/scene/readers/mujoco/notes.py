"""What is said of a model: what was chosen, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool

from .drawn.kinds import note_of_what_is_left_out
from .geoms import is_infinite
from .labels import Labeling, body_name
from .replay import Replay
from .types import MjModel


def notes_of_geoms(
    model: MjModel, labeling: Labeling, shown: Bool[np.ndarray, "geoms"], automatic: bool, horizon: float
) -> list[str]:
    """Which geoms are shown, and how.

    Args:
        model: a compiled model.
        labeling: of the shown geoms.
        shown: which they are.
        automatic: nobody asked for groups.
        horizon: metres from the model's middle to where infinite planes end.
    """
    groups = np.asarray(model.geom_group)
    seen = np.unique(groups[shown])
    hidden = np.setdiff1d(groups, seen)
    chosen = "chosen automatically, --groups chooses others" if automatic else "as asked"
    rest = f", hidden: {', '.join(map(str, hidden))}" if len(hidden) else ""
    notes = [f"geom groups shown ({chosen}): {', '.join(map(str, seen))}{rest}"] if len(groups) else []
    left_out = np.flatnonzero(~shown & np.isin(groups, seen))
    if len(left_out):
        names = _some(dict.fromkeys(body_name(model, int(model.geom_bodyid[g])) for g in left_out))
        notes.append(f"{len(left_out)} colliding geom(s) of group 0 hidden, whose bodies have pictures of their own: {names}")
    endless = [g for g in labeling.geom_instance if is_infinite(model, g)]
    if endless:
        notes.append(f"{len(endless)} infinite plane(s) drawn {2 * horizon:.0f} m wide, past any camera's horizon")
    lost = [g for g in labeling.geom_instance if int(model.geom_type[g]) >= 7 and int(model.geom_dataid[g]) < 0]
    if lost:
        notes.append(f"{len(lost)} signed-distance geom(s) without a mesh were left out")
    return notes


def notes_of_replay(model: MjModel, played: Replay, kinds: tuple[str, ...], *, recorded: bool) -> list[str]:
    """Which states are shown, what rests in them, and what is not shown at all.

    Args:
        model: a compiled model.
        played: what came of its recording.
        kinds: what is shown besides geoms.
        recorded: there is a recording.
    """
    notes = [f"states read as {played.said}" if recorded else f"no states given: one frame at {played.said}"]
    if recorded and model.nmocap and not played.moves_mocap:
        resting = [body_name(model, int(body)) for body in np.flatnonzero(np.asarray(model.body_mocapid) >= 0)]
        notes.append(f"mocap bodies rest, since the recording does not say where they are: {_some(resting)}")
    besides = note_of_what_is_left_out(model, kinds)
    return notes if besides is None else [*notes, besides]


def _some(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    every = list(names)
    return ", ".join(every[:3]) + (f" and {len(every) - 3} more" if len(every) > 3 else "")
