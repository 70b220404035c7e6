"""Which surfaces of a stage are one thing, and of which class it is.

USD does not say what a thing is, so this is a rule. The thing of a surface is the nearest prim, at or above it, that

- is moved by recorded transforms of its own, or is a rigid body of UsdPhysics, or is a model of the kind ``component``;
- else: the topmost prim above it that does not merely group others (its top).

The top is looked for below the default prim, below prims of the kind ``group`` or ``assembly``, below Scopes, and below the
``envs/env_0`` of Isaac Lab. The class is the label that semantics give the thing or what it hangs on (UsdSemantics, or the
``semantic:...:params:semanticData`` of Omniverse, type ``class``), else the name of the top.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ....optional import require
from .types import Prim, Stage

_CLONES = re.compile(r"envs|env_\d+")
_DATA = "params:semanticData"


@dataclass(frozen=True)
class Thing:
    """A rigid thing: the path of its prim, its name and its class."""

    path: str
    name: str
    class_name: str


def thing_of(prim: Prim, stage: Stage) -> Thing:
    """The thing that a surface belongs to (the rule is the module's)."""
    chain = _chain(prim)
    top = _top(chain, stage)
    own = next((p for p in reversed(chain) if _is_one(p)), top)
    class_name = label_of(own) or (own if own in chain[: chain.index(top)] else top).GetName()
    return Thing(str(own.GetPath()), own.GetName(), class_name)


def _chain(prim: Prim) -> list[Prim]:
    """A prim and what it hangs on, from the top."""
    chain = []
    while prim and not prim.IsPseudoRoot():
        chain.append(prim)
        prim = prim.GetParent()
    return chain[::-1]


def _top(chain: list[Prim], stage: Stage) -> Prim:
    roots = [p for p in stage.GetPseudoRoot().GetChildren() if p.IsDefined()]
    default = stage.GetDefaultPrim() or (roots[0] if len(roots) == 1 else None)
    rest = chain[1:] if default and chain[0] == default else chain
    return next((p for p in rest if not _only_groups(p)), chain[-1])


def _only_groups(prim: Prim) -> bool:
    kinds, usd = require("pxr.Kind", "usd"), require("pxr.Usd", "usd")
    kind = str(usd.ModelAPI(prim).GetKind())
    grouping = bool(kind) and kinds.Registry.IsA(kind, "group")
    return grouping or prim.GetTypeName() == "Scope" or _CLONES.fullmatch(prim.GetName()) is not None


def _is_one(prim: Prim) -> bool:
    geom, usd, kinds = (require(f"pxr.{name}", "usd") for name in ("UsdGeom", "Usd", "Kind"))
    kind = str(usd.ModelAPI(prim).GetKind())
    xformable = geom.Xformable(prim)
    return (
        bool(kind and kinds.Registry.IsA(kind, "component"))
        or "PhysicsRigidBodyAPI" in prim.GetAppliedSchemas()
        or bool(xformable and xformable.TransformMightBeTimeVarying())
    )


def label_of(prim: Prim) -> str:
    """The class that semantics give a prim or what it hangs on, the nearest first; empty where they give none."""
    while prim and not prim.IsPseudoRoot():
        label = _new_label(prim) or _old_label(prim)
        if label:
            return label
        prim = prim.GetParent()
    return ""


def _new_label(prim: Prim) -> str:
    for name in prim.GetPropertyNames():
        if name in ("semantics:labels:class", "semantics:labels:category"):
            value = prim.GetAttribute(name).Get()
            words = [] if value is None or isinstance(value, str) else list(value)
            if words:
                return str(words[0])
    return ""


def _old_label(prim: Prim) -> str:
    for name in prim.GetPropertyNames():
        if name.startswith("semantic:") and name.endswith(_DATA):
            kind = prim.GetAttribute(name.removesuffix("Data") + "Type").Get()
            value = prim.GetAttribute(name).Get()
            if value and kind in (None, "class"):
                return str(value)
    return ""
