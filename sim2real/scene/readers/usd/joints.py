"""The joints of a robot on a USD stage (UsdPhysics), and where its bodies are at given joint positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ....arrays import lengths_of
from ....errors import UnreadableFileError
from ....optional import require
from ....transforms import inverse_rigid, rigid, rotation_about, rotation_from_quaternion
from .types import Prim, Stage
from .walking import prims_of

_AXES = {"X": np.array([1.0, 0, 0]), "Y": np.array([0.0, 1, 0]), "Z": np.array([0.0, 0, 1])}
KINDS = {"PhysicsRevoluteJoint": "revolute", "PhysicsPrismaticJoint": "prismatic", "PhysicsFixedJoint": "fixed"}


@dataclass(frozen=True, eq=False)
class StageJoint:
    """A joint between two bodies, by their paths: ``parent_from_joint`` and ``child_from_joint`` are its frames in them."""

    name: str
    kind: str
    parent: str
    child: str
    parent_from_joint: Float[np.ndarray, "4 4"]
    child_from_joint: Float[np.ndarray, "4 4"]
    axis: Float[np.ndarray, "3"]


def joints_of(stage: Stage, path: Path) -> list[StageJoint]:
    """The joints that hold bodies together, in the order of the stage; those with the world are left out.

    Raises:
        UnreadableFileError: bodies hang on each other in a circle, or a frame is not finite.
    """
    found = [joint for prim in prims_of(stage) if (joint := _joint(prim, path)) is not None]
    reached = set(roots_of(found))
    below = _by_body(found)
    waiting = list(reached)
    while waiting:
        new = [joint.child for joint in below.get(waiting.pop(), ()) if joint.child not in reached]
        reached.update(new)
        waiting += new
    lost = next((joint for joint in found if joint.child not in reached), None)
    if lost is not None:
        why = f"the bodies around the joint {lost.name} hang on each other in a circle"
        raise UnreadableFileError(path, what="the USD stage", why=why, fix="export the robot again")
    return found


def roots_of(joints: Sequence[StageJoint]) -> list[str]:
    """The bodies that hang on no other, in the order of the joints."""
    children = {joint.child for joint in joints}
    return [body for body in dict.fromkeys(joint.parent for joint in joints) if body not in children]


def root_from_bodies(
    joints: Sequence[StageJoint],
    root: str,
    positions: Mapping[str, Float[np.ndarray, "frames"]],
    frames: int,
    unit_m: float,
) -> dict[str, Float[np.ndarray, "frames 4 4"]]:
    """Where bodies are in the frame of the root body, in the stage's units; those that no joint leads to are left out.

    Args:
        joints: of the robot.
        root: the path of the body to start from.
        positions: by joint, radians or metres; others rest at 0.
        frames: how many.
        unit_m: metres per unit of the stage.
    """
    placed = {root: np.tile(np.eye(4), (frames, 1, 1))}
    near, waiting = _by_body(joints, both=True), [root]
    while waiting:
        body = waiting.pop()
        for joint in near.get(body, ()):
            other = joint.child if body == joint.parent else joint.parent
            if other in placed:
                continue
            moved = joint.parent_from_joint @ _moved(joint, positions.get(joint.name), frames, unit_m)
            parent_from_child = moved @ inverse_rigid(joint.child_from_joint)
            placed[other] = placed[body] @ (parent_from_child if other == joint.child else inverse_rigid(parent_from_child))
            waiting.append(other)
    return placed


def _by_body(joints: Sequence[StageJoint], *, both: bool = False) -> dict[str, list[StageJoint]]:
    """Joints by the body that they hang on, or by either of their bodies."""
    found: dict[str, list[StageJoint]] = {}
    for joint in joints:
        for body in (joint.parent, joint.child) if both else (joint.parent,):
            found.setdefault(body, []).append(joint)
    return found


def _moved(joint: StageJoint, position: np.ndarray | None, frames: int, unit_m: float) -> Float[np.ndarray, "frames 4 4"]:
    at = np.zeros(frames) if position is None or joint.kind == "fixed" else position
    if joint.kind == "prismatic":
        return rigid(np.eye(3), at[:, None] / unit_m * joint.axis)
    return rigid(rotation_about(joint.axis, at), np.zeros((frames, 3)))


def _joint(prim: Prim, path: Path) -> StageJoint | None:
    physics = require("pxr.UsdPhysics", "usd")
    kind = KINDS.get(str(prim.GetTypeName()))
    if kind is None:
        return None
    joint = physics.Joint(prim)
    bodies = [relation.GetTargets() for relation in (joint.GetBody0Rel(), joint.GetBody1Rel())]
    if not all(bodies):
        return None
    frames = [
        _frame(position.Get(), rotation.Get(), prim, path)
        for position, rotation in (
            (joint.GetLocalPos0Attr(), joint.GetLocalRot0Attr()),
            (joint.GetLocalPos1Attr(), joint.GetLocalRot1Attr()),
        )
    ]
    axis = _AXES.get(str(prim.GetAttribute("physics:axis").Get() or "X"), _AXES["X"])
    return StageJoint(prim.GetName(), kind, str(bodies[0][0]), str(bodies[1][0]), frames[0], frames[1], axis)


def _frame(position: Any, rotation: Any, prim: Prim, path: Path) -> Float[np.ndarray, "4 4"]:
    p = np.zeros(3) if position is None else np.array(position, np.float64)
    q = np.array([1.0, 0, 0, 0]) if rotation is None else np.array([rotation.GetReal(), *rotation.GetImaginary()], np.float64)
    if not (np.isfinite(p).all() and np.isfinite(q).all() and lengths_of(q) > 1e-6):
        why = f"the frames of the joint {prim.GetPath()} are not finite"
        raise UnreadableFileError(path, what="the USD stage", why=why, fix="export the robot again")
    return rigid(rotation_from_quaternion(q), p)
