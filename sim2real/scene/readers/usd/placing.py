"""Where prims are in every frame, as a rigid way and what else their transforms do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from ....errors import BadValueError
from ....optional import require
from ....transforms import rigid
from .types import Prim

_FARTHEST_M, _FLATTEST = 1e9, 1e-27


def ways_of(
    prims: Sequence[Prim], times: Sequence[Any], z_up_m: Float[np.ndarray, "4 4"], where: Path
) -> dict[str, Float[np.ndarray, "frames 4 4"]]:
    """Our world (metres, z up) from prims, by path, in every frame.

    Args:
        prims: of the stage.
        times: time codes of all frames.
        z_up_m: our world from the stage's.
        where: the file, for errors.

    Raises:
        BadValueError: a transform is not finite, or farther away than a million kilometres.
    """
    geom = require("pxr.UsdGeom", "usd")
    moving = {str(prim.GetPath()) for prim in prims if moves(prim)}
    rows: dict[str, list[np.ndarray]] = {str(prim.GetPath()): [] for prim in prims}
    for k, time in enumerate(times):
        cache = geom.XformCache(time)
        for prim in prims:
            path = str(prim.GetPath())
            if k == 0 or path in moving:
                rows[path].append(np.array(cache.GetLocalToWorldTransform(prim), np.float64).T)
    ways = {path: z_up_m @ np.broadcast_to(np.stack(found), (len(times), 4, 4)) for path, found in rows.items()}
    return {path: checked(way, path, where) for path, way in ways.items()}


def checked(world: Float[np.ndarray, "frames 4 4"], path: str, where: Path) -> Float[np.ndarray, "frames 4 4"]:
    """The same transforms, finite.

    Raises:
        BadValueError: one is not, or is farther away than a million kilometres.
    """
    bad = np.flatnonzero(~(np.abs(world) <= _FARTHEST_M).all(axis=(1, 2)))
    if len(bad):
        right = "finite, and within a million kilometres"
        raise BadValueError(f"the transform of {path} in frame {bad[0]}", "not", right=right, where=where)
    return world


def moves(prim: Prim) -> bool:
    """Whether a prim or anything that it hangs on has a transform that changes."""
    geom = require("pxr.UsdGeom", "usd")
    while prim and not prim.IsPseudoRoot():
        xformable = geom.Xformable(prim)
        if xformable and xformable.TransformMightBeTimeVarying():
            return True
        if xformable and xformable.GetResetXformStack():
            return False
        prim = prim.GetParent()
    return False


def is_flat(world: Float[np.ndarray, "frames 4 4"]) -> Bool[np.ndarray, "frames"]:
    """Where a transform leaves nothing of a volume: what it places cannot be seen."""
    return np.abs(np.linalg.det(world[:, :3, :3])) < _FLATTEST


def rigid_way(world: Float[np.ndarray, "frames 4 4"]) -> Float[np.ndarray, "frames 4 4"]:
    """Transforms without what is not rigid in them; where one is flat, it is not turned."""
    linear = np.where(is_flat(world)[:, None, None], np.eye(3), world[:, :3, :3])
    return rigid(linear_parts(linear)[0], world[:, :3, 3])


def linear_parts(
    linear: Float[np.ndarray, "frames 3 3"],
) -> tuple[Float[np.ndarray, "frames 3 3"], Float[np.ndarray, "frames 3 3"]]:
    """Rotations, and the stretches (mirror images among them) that come before them: ``linear = rotation @ stretch``."""
    u, _, v = np.linalg.svd(linear)
    turn = u @ v
    turn[np.linalg.det(turn) < 0] *= -1  # a mirror image is one through a point: which plane it has would be anybody's choice
    return turn, np.swapaxes(turn, 1, 2) @ linear
