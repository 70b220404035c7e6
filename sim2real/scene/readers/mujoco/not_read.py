"""What MuJoCo draws of a model besides geoms, which this reader does not read: skins, flexes, tendons, sites."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from .materials import UNSET_RGBA
from .types import MjModel

_WRAP_JOINT = 1
_KINDS = (("skin", "skins"), ("flex", "flexes"), ("tendon", "tendons"), ("site", "sites"))


def drawn_but_not_read(model: MjModel) -> dict[str, int]:
    """How many of each kind MuJoCo's viewer draws without being asked: those of groups 0, 1 and 2 that are not invisible."""
    drawn = {kind: int(_drawn(model, kind).sum()) for kind, _ in _KINDS if getattr(model, f"n{kind}")}
    return {kind: count for kind, count in drawn.items() if count}


def note_of_what_is_not_read(model: MjModel) -> str | None:
    """One sentence with the number of each kind; ``None`` where geoms are all that MuJoCo draws."""
    counts = drawn_but_not_read(model)
    said = [f"{counts[one]} {one if counts[one] == 1 else many}" for one, many in _KINDS if one in counts]
    return f"left out, though MuJoCo draws them: {', '.join(said)}; only geoms are read" if said else None


def _drawn(model: MjModel, kind: str) -> Bool[np.ndarray, "things"]:
    group: Int[np.ndarray, "things"] = np.asarray(getattr(model, f"{kind}_group"))
    rgba: Float[np.ndarray, "things 4"] = np.array(getattr(model, f"{kind}_rgba"), np.float64)
    # MuJoCo 4's bindings give flex_matid the length of the flexes' elements
    material: Int[np.ndarray, "things"] = np.asarray(getattr(model, f"{kind}_matid"))[: len(group)]
    unset = (material >= 0) & (rgba == UNSET_RGBA).all(axis=1)
    alpha = np.where(unset, model.mat_rgba[material, 3], rgba[:, 3]) if model.nmat else rgba[:, 3]
    drawn = (group <= 2) & (alpha > 0)
    if kind == "tendon":  # those that couple joints have no path
        drawn &= np.asarray(model.wrap_type)[model.tendon_adr] != _WRAP_JOINT
    return drawn
