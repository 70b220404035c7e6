"""What point instancers scatter: every instance is a thing of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from ....optional import require
from ..frame_count import check_frames
from .labels import Thing, label_of
from .placing import checked, moves, ways_of
from .types import Prim
from .values import integers_of
from .walking import Found, walked


@dataclass(frozen=True, eq=False)
class Placed:
    """A surface where it is drawn, and the thing that it belongs to, in every frame."""

    prim: Prim
    thing: Thing
    world_from_prim: Float[np.ndarray, "frames 4 4"]
    world_from_thing: Float[np.ndarray, "frames 4 4"]
    visible: Bool[np.ndarray, "frames"]


@dataclass(frozen=True, eq=False)
class _Instances:
    """The instances of one instancer by number: which prototype, where, and when they are there."""

    prototype: dict[int, int]
    local: dict[int, Float[np.ndarray, "frames 4 4"]]
    there: dict[int, Bool[np.ndarray, "frames"]]


def scattered(
    found: Found, times: Sequence[Any], z_up_m: Float[np.ndarray, "4 4"], where: Path, notes: list[str]
) -> list[Placed]:
    """All surfaces that a point instancer draws; errors as of ``ways_of`` and ``check_frames``.

    Args:
        found: the instancer.
        times: time codes of all frames.
        z_up_m: our world from the stage's.
        where: the file, for errors.
        notes: gets a sentence for what is left out.
    """
    instancer = require("pxr.UsdGeom", "usd").PointInstancer(found.prim)
    path, stage = str(found.prim.GetPath()), found.prim.GetStage()
    prototypes = [stage.GetPrimAtPath(target) for target in instancer.GetPrototypesRel().GetForwardedTargets()]
    world = ways_of([found.prim], times, z_up_m, where)[path]
    instances = _instances(instancer, times, where)
    surfaces: dict[int, list[tuple[Found, np.ndarray]]] = {}
    placed, empty = [], 0
    for number, kind in instances.prototype.items():
        if not 0 <= kind < len(prototypes) or not prototypes[kind]:
            empty += 1
            continue
        if kind not in surfaces:
            inside = walked(prototypes[kind], times)
            surfaces[kind] = [(one, _below(one.prim, prototypes[kind], times)) for one in inside.surfaces]
            nested = sum(inside.left_out.values()) + len(inside.instancers)
            if nested:
                notes.append(f"{path}: {nested} surfaces of its prototype {prototypes[kind].GetName()} are not read")
        name = f"{found.prim.GetName()}_{number}"
        thing = Thing(f"{path}[{number}]", name, label_of(prototypes[kind]) or prototypes[kind].GetName())
        way = checked(world @ instances.local[number], thing.path, where)
        there = found.visible & instances.there[number]
        placed += [Placed(one.prim, thing, way @ below, way, there & one.visible) for one, below in surfaces[kind]]
    if empty:
        notes.append(f"{path}: {empty} instances have no prototype and are left out")
    return placed


def _below(prim: Prim, prototype: Prim, times: Sequence[Any]) -> Float[np.ndarray, "frames 4 4"]:
    """A prototype's frame from a prim below it."""
    geom = require("pxr.UsdGeom", "usd")
    some = times if moves(prim) else times[:1]
    rows = [geom.XformCache(time).ComputeRelativeTransform(prim, prototype)[0] for time in some]
    return np.broadcast_to(np.stack([np.array(row, np.float64).T for row in rows]), (len(times), 4, 4))


def _instances(instancer: Any, times: Sequence[Any], where: Path) -> _Instances:
    prototype, local, there = {}, {}, {}
    for frame, time in enumerate(times):
        kinds = integers_of(instancer.GetProtoIndicesAttr(), time)
        rows = instancer.ComputeInstanceTransformsAtTime(time, time, instancer.IncludeProtoXform, instancer.IgnoreMask)
        matrices = np.swapaxes(np.array(rows, np.float64).reshape(-1, 4, 4), 1, 2)
        ids = integers_of(instancer.GetIdsAttr(), time)
        numbers = ids if len(ids) else np.arange(len(kinds))
        mask = np.array(instancer.ComputeMaskAtTime(time) or [True] * len(kinds), bool)
        if frame == 0:
            check_frames(len(times), len(kinds), where)
        for number, kind, matrix, shown in zip(numbers.tolist(), kinds.tolist(), matrices, mask, strict=False):
            if number not in prototype:
                prototype[number] = kind
                local[number] = np.tile(matrix, (len(times), 1, 1))
                there[number] = np.zeros(len(times), bool)
            local[number][frame:] = matrix
            there[number][frame] = shown and prototype[number] == kind
    return _Instances(prototype, local, there)
