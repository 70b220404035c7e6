"""Prims put where a recording says, before a stage is read: time samples in the session layer, which is never saved."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from ....optional import require
from ....transforms import rigid
from .placing import linear_parts
from .types import Stage


def pose_prims(stage: Stage, ways: Mapping[str, Float[np.ndarray, "frames 4 4"]], fps: float) -> None:
    """Place prims in the world of a stage, frame by frame; what hangs on them follows, and they keep their scale.

    Args:
        stage: the stage; its frames become those of the ways.
        ways: rigid transforms by path, in the stage's axes and units, of prims that can be moved.
        fps: frames per second.
    """
    usd, geom, gf = (require(f"pxr.{name}", "usd") for name in ("Usd", "UsdGeom", "Gf"))
    stage.SetEditTarget(usd.EditTarget(stage.GetSessionLayer()))
    frames = max((len(way) for way in ways.values()), default=1)
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(frames - 1)
    stage.SetTimeCodesPerSecond(fps)
    stage.SetFramesPerSecond(fps)
    stretches = {path: rest_of(stage, path)[1] for path in ways}
    for path, way in ways.items():
        xformable = geom.Xformable(stage.GetPrimAtPath(path))
        xformable.ClearXformOpOrder()
        operation = xformable.MakeMatrixXform()
        xformable.SetResetXformStack(True)
        for frame, matrix in enumerate(way @ rigid(stretches[path], np.zeros(3))):
            operation.Set(gf.Matrix4d(*matrix.T.ravel().tolist()), float(frame))


def can_be_posed(stage: Stage, path: str) -> bool:
    """Whether there is a prim of that path that can be moved."""
    geom = require("pxr.UsdGeom", "usd")
    sdf = require("pxr.Sdf", "usd")
    if not sdf.Path.IsValidPathString(path) or not path.startswith("/"):
        return False
    prim = stage.GetPrimAtPath(path)
    return bool(prim) and prim.IsA(geom.Xformable) and not prim.IsInstanceProxy() and not prim.IsInPrototype()


def rest_of(stage: Stage, path: str) -> tuple[Float[np.ndarray, "4 4"], Float[np.ndarray, "3 3"]]:
    """Where a prim is on the stage as it was saved: a rigid transform, and the stretch before it."""
    geom, usd = require("pxr.UsdGeom", "usd"), require("pxr.Usd", "usd")
    world = np.array(geom.XformCache(usd.TimeCode.EarliestTime()).GetLocalToWorldTransform(stage.GetPrimAtPath(path))).T
    turn, stretch = (part[0] for part in linear_parts(world[None, :3, :3]))
    return rigid(turn, world[:3, 3]), stretch
