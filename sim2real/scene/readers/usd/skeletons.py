"""Skinned meshes, by USD's own skinning: in the first frame written into the session layer, in others when asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from ....optional import require
from .placing import is_flat
from .types import Prim, Stage

PointsAt = Callable[[Any], Float[np.ndarray, "points 3"]]
"""The points of a mesh at a time code, in its own frame."""


def bake_skins(stage: Stage, prims: Sequence[Prim], codes: Float[np.ndarray, "frames"]) -> dict[str, PointsAt]:
    """Give all skinned meshes of a stage the points and normals of the first frame; nothing on disk changes.

    Skeletons whose skins have blend shapes, or follow a joint as rigid things do, are written for all frames.

    Args:
        stage: the stage.
        prims: all of its prims.
        codes: time codes of all frames.

    Returns:
        By path, the meshes of all other skins as they are at any time.
    """
    usd, gf, skel, sdf = (require(f"pxr.{name}", "usd") for name in ("Usd", "Gf", "UsdSkel", "Sdf"))
    roots = [prim.GetPath() for prim in prims if prim.IsA(skel.Root)]
    if not roots:
        return {}
    with usd.EditContext(stage, stage.GetSessionLayer()):
        for path in roots:
            _own(stage, path)
        before = sdf.Layer.CreateAnonymous()
        before.TransferContent(stage.GetSessionLayer())
        unbaked = usd.Stage.Open(stage.GetRootLayer(), before, stage.GetPathResolverContext())
        found: dict[str, PointsAt] = {}
        for path in roots:
            skins = _skins(unbaked, path)
            found |= skins or {}
            last = codes.max() if skins is None else codes[0]
            first = codes.min() if skins is None else codes[0]
            skel.BakeSkinning(skel.Root(stage.GetPrimAtPath(path)), gf.Interval(float(first), float(last)))
    return found


def _skins(stage: Stage, root: object) -> dict[str, PointsAt] | None:
    """The meshes below a root by path; ``None`` where more than points is to be moved."""
    skel, usd, geom = (require(f"pxr.{name}", "usd") for name in ("UsdSkel", "Usd", "UsdGeom"))
    cache, top = skel.Cache(), skel.Root(stage.GetPrimAtPath(root))
    predicate = usd.TraverseInstanceProxies(usd.PrimDefaultPredicate)
    cache.Populate(top, predicate)
    found: dict[str, PointsAt] = {}
    for binding in cache.ComputeSkelBindings(top, predicate):
        skeleton = cache.GetSkelQuery(binding.GetSkeleton())
        for skin in binding.GetSkinningTargets():
            prim = skin.GetPrim()
            if skin.HasBlendShapes() or skin.IsRigidlyDeformed() or not prim.IsA(geom.Mesh) or not skeleton:
                return None
            found[str(prim.GetPath())] = _points_at(cache, skeleton, skin)
    return found


def _points_at(cache: Any, skeleton: Any, skin: Any) -> PointsAt:
    """The points of one skin; the cache and the stage are kept for as long as these are."""
    geom, vt = require("pxr.UsdGeom", "usd"), require("pxr.Vt", "usd")
    prim, bones = skin.GetPrim(), skeleton.GetPrim()
    held = cache, prim.GetStage()

    def at(time: Any) -> Float[np.ndarray, "points 3"]:
        _ = held
        points = vt.Vec3fArray(prim.GetAttribute("points").Get(time) or [])
        if not skin.ComputeSkinnedPoints(skeleton.ComputeSkinningTransforms(time), points, time):
            return np.array(points, np.float64).reshape(-1, 3)  # as USD's own baking leaves what it cannot skin
        ways = geom.XformCache(time)
        own = np.array(ways.GetLocalToWorldTransform(prim))
        if is_flat(own[None])[0]:  # nothing of the mesh is seen
            return np.array(points, np.float64).reshape(-1, 3)
        move = np.array(ways.GetLocalToWorldTransform(bones)) @ np.linalg.inv(own)
        return np.array(points, np.float64).reshape(-1, 3) @ move[:3, :3] + move[3, :3]

    return at


def _own(stage: Stage, path: object) -> None:
    """Make what is inside an instance a prim of its own, so that it can be changed."""
    while (prim := stage.GetPrimAtPath(path)).IsInstanceProxy():
        while prim and not prim.IsInstance():
            prim = prim.GetParent()
        prim.SetInstanceable(False)
