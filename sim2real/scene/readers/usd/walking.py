"""What of a stage is drawn: its surfaces, cameras and lights, with what they inherit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool

from ....optional import require
from .shapes import is_read
from .types import Prim, Stage

_HIDDEN_PURPOSES = ("proxy", "guide")


@dataclass(frozen=True, eq=False)
class Found:
    """A prim, and in which frames it is visible (with all that it hangs on)."""

    prim: Prim
    visible: Bool[np.ndarray, "frames"]


@dataclass(frozen=True, eq=False)
class Walked:
    """What is found on a stage; ``left_out`` counts what is drawn elsewhere and not read, by its type."""

    surfaces: list[Found] = field(default_factory=list)
    instancers: list[Found] = field(default_factory=list)
    cameras: list[Prim] = field(default_factory=list)
    lights: list[Found] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    hidden: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, eq=False)
class _At:
    prim: Prim
    visible: np.ndarray
    purpose: Any


def prims_of(stage: Stage) -> list[Prim]:
    """All active, defined prims, those of instances too."""
    usd = require("pxr.Usd", "usd")
    return list(usd.PrimRange.Stage(stage, usd.TraverseInstanceProxies(usd.PrimDefaultPredicate)))


def walked(top: Prim, times: Sequence[Any]) -> Walked:
    """Everything below a prim, in the order of the stage.

    Args:
        top: the pseudo root, or the root of a prototype of a point instancer.
        times: time codes of all frames.
    """
    usd, geom = require("pxr.Usd", "usd"), require("pxr.UsdGeom", "usd")
    predicate = usd.TraverseInstanceProxies(usd.PrimDefaultPredicate)
    found = Walked()
    left = [_At(top, np.ones(len(times), bool), None)]
    while left:
        at = left.pop()
        imageable = geom.Imageable(at.prim)
        if imageable:
            purpose = imageable.ComputePurposeInfo() if at.purpose is None else imageable.ComputePurposeInfo(at.purpose)
            at = replace(at, visible=at.visible & _visible(imageable, times), purpose=purpose)
        if _sorted_in(at, found) and at.visible.any():
            children = list(at.prim.GetFilteredChildren(predicate))
            left += [_At(child, at.visible, at.purpose) for child in reversed(children)]
    return found


def _sorted_in(at: _At, found: Walked) -> bool:
    """Put a prim where it belongs; whether what is below it counts, too."""
    geom, lux = require("pxr.UsdGeom", "usd"), require("pxr.UsdLux", "usd")
    prim, kind = at.prim, str(at.prim.GetTypeName())
    if prim.IsA(geom.Camera):
        found.cameras.append(prim)
        return True
    if prim.HasAPI(lux.LightAPI):
        if at.visible.any():
            found.lights.append(Found(prim, at.visible))
        return True
    purpose = None if at.purpose is None else str(at.purpose.purpose)
    drawable = prim.IsA(geom.Gprim) or prim.IsA(geom.PointInstancer)
    if drawable and (purpose in _HIDDEN_PURPOSES or not at.visible.any()):
        found.hidden[purpose if purpose in _HIDDEN_PURPOSES else "invisible"] += 1
    elif prim.IsA(geom.PointInstancer):
        found.instancers.append(Found(prim, at.visible))
    elif is_read(prim):
        found.surfaces.append(Found(prim, at.visible))
    elif drawable:
        found.left_out[kind] += 1
    return not prim.IsA(geom.PointInstancer)


def _visible(imageable: Any, times: Sequence[Any]) -> Bool[np.ndarray, "frames"]:
    attribute = imageable.GetVisibilityAttr()
    if not attribute.ValueMightBeTimeVarying():
        return np.full(len(times), attribute.Get(times[0]) != "invisible")
    return np.array([attribute.Get(time) != "invisible" for time in times])
