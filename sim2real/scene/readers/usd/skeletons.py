"""Skinned meshes: USD's own skinning, written into the stage's session layer as points that move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....optional import require
from .types import Prim, Stage


def bake_skins(stage: Stage, prims: Sequence[Prim], codes: np.ndarray) -> bool:
    """Give all skinned meshes of a stage the points that their skeletons make of them; nothing on disk changes.

    Args:
        stage: the stage.
        prims: all of its prims.
        codes: time codes of all frames.

    Returns:
        Whether there are any.
    """
    usd, gf, skel = (require(f"pxr.{name}", "usd") for name in ("Usd", "Gf", "UsdSkel"))
    roots = [prim.GetPath() for prim in prims if prim.IsA(skel.Root)]
    with usd.EditContext(stage, stage.GetSessionLayer()):
        for path in roots:
            _own(stage, path)
            root = stage.GetPrimAtPath(path)
            skel.BakeSkinning(skel.Root(root), gf.Interval(float(codes.min()), float(codes.max())))
    return bool(roots)


def _own(stage: Stage, path: object) -> None:
    """Make what is inside an instance a prim of its own, so that it can be changed."""
    while (prim := stage.GetPrimAtPath(path)).IsInstanceProxy():
        while prim and not prim.IsInstance():
            prim = prim.GetParent()
        prim.SetInstanceable(False)
