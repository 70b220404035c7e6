"""From a table's columns to the positions of a robot's joints, the place of its base, and the frame rate."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ....arrays import lengths_of
from ....errors import BadValueError
from ....transforms import rigid, rotation_from_quaternion
from ..reading import uneven
from .joint_table import EPISODE, JointTable
from .robot import SIZES, Joint, Robot

TIMES = ("time", "timestamp", "__time")
BASE = "base"
_POSE = ("x", "y", "z", "qw", "qx", "qy", "qz")
_PLANAR = ("x", "y", "yaw")
_BEFORE = re.compile(r"^/?(joint_states?|observation\.state|joint_pos(itions?)?|qpos|positions?|pos)[._/:]")
_AFTER = re.compile(r"[./:](positions?|pos|qpos)$")
_KEPT_OUT = {EPISODE, "frame_index", "index", "task_index", *TIMES}
"""Columns that are nobody's joint, of which no note is made."""
_LISTED = 8


@dataclass(frozen=True, eq=False)
class Motion:
    """A robot's way.

    - ``positions`` by joint, as ``kinematics.world_from_links`` takes them.
    - ``seconds``: the frames' times from the first on; ``None`` where the table has none.
    """

    positions: dict[str, Float[np.ndarray, "frames numbers"]]
    world_from_root: Float[np.ndarray, "frames 4 4"]
    seconds: Float[np.ndarray, "frames"] | None
    notes: tuple[str, ...]


def resting(frames: int) -> Motion:
    """All joints at 0."""
    return Motion({}, np.tile(np.eye(4), (frames, 1, 1)), None, ("no joint table given: all joints rest at 0",))


def motion_of(robot: Robot, table: JointTable, frames: slice | None, *, degrees: bool = False) -> Motion:
    """Match columns with joints.

    A column belongs to a joint if it has its name, or if that remains without what some recorders put before it
    (``joint_states``, ``observation.state``, ``position``, ``pos``, ``qpos``, ``joint_pos``, then one of ``. / _ :``) and
    behind it (``.position``, ``.pos``, ``.qpos``). Planar joints have columns JOINT_x, JOINT_y, JOINT_yaw; floating joints,
    and the base, whose columns are called so, JOINT_x, _y, _z and, if it turns, JOINT_qw, _qx, _qy, _qz.

    Args:
        robot: whose joints.
        table: the columns.
        frames: which rows; ``None``: all.
        degrees: angles are degrees; else radians.

    Raises:
        BadValueError: no column belongs to the robot, or two to the same joint; columns of a pose are lacking, values are not
            finite, a quaternion is 0, or no row is left.
    """
    parts = _parts_of(robot.joints)
    column_of = _matched(table, parts)
    lengths = {name: table.rows(column) for name, column in column_of.items()}
    count = next(iter(lengths.values()))
    other = next((name for name, length in lengths.items() if length != count), None)
    if other is not None:
        raise BadValueError(
            f"the number of rows of {other}", lengths[other], right=f"{count}, as others have", where=table.path
        )
    rows = range(count)[frames or slice(None)]
    if len(rows) == 0:
        right = "at least 1" if count == 0 else f"within 0:{count}"
        raise BadValueError("the range of rows", f"{rows.start}:{rows.stop}", right=right, where=table.path)
    values = {name: table.column(column)[rows.start : rows.stop : rows.step] for name, column in column_of.items()}
    positions: dict[str, np.ndarray] = {}
    for joint in robot.joints:
        held = _held([f"{joint.name}_{part}" for part in _suffixes(joint)] or [joint.name], values, table)
        if held is not None:
            positions[joint.name] = _in_radians(joint, held) if degrees else held
    base = _held([f"{BASE}_{part}" for part in _POSE] if BASE in parts.values() else [], values, table)
    still = np.tile(np.eye(4), (len(rows), 1, 1))
    world_from_root = still if base is None else rigid(rotation_from_quaternion(base[:, 3:]), base[:, :3])
    seconds, time_notes = _times(table, count, rows)
    notes = [*time_notes, *_notes(robot, table, positions, column_of, degrees)]
    return Motion(positions, world_from_root, seconds, tuple(notes))


def _suffixes(joint: Joint) -> tuple[str, ...]:
    return {"planar": _PLANAR, "floating": _POSE}.get(joint.kind, ())


def _parts_of(joints: Iterable[Joint]) -> dict[str, str]:
    """The names that columns can have, and whose joint (or ``BASE``) each moves; joints go before the base."""
    parts = {joint.name: joint.name for joint in joints if SIZES[joint.kind] == 1}
    for joint in joints:
        for part in _suffixes(joint):
            parts.setdefault(f"{joint.name}_{part}", joint.name)
    base = {f"{BASE}_{part}": BASE for part in _POSE}
    return parts if base.keys() & parts.keys() else {**parts, **base}


def _matched(table: JointTable, parts: dict[str, str]) -> dict[str, str]:
    """By name of a part, the column that has it."""
    found: dict[str, str] = {}
    for column in table.columns:
        part = _part(column, parts)
        if part is None or column in TIMES:
            continue
        if part in found:
            right = f"one column, not {found[part]!r} and {column!r}"
            raise BadValueError(f"what moves {part}", "two columns", right=right, where=table.path)
        found[part] = column
    if not found:
        received = listed(repr(name) for name in table.columns) or "none"
        right = f"named like joints ({listed(parts)})"
        raise BadValueError("the columns of the joint table", received, right=right, where=table.path)
    return found


def _part(column: str, parts: dict[str, str]) -> str | None:
    """The part that a column is named after."""
    plain = column
    while plain not in parts:
        shorter = _BEFORE.sub("", plain, count=1)
        shorter = _AFTER.sub("", plain, count=1) if shorter == plain else shorter
        if shorter == plain:
            return None
        plain = shorter
    return plain


def _held(names: list[str], values: dict[str, np.ndarray], table: JointTable) -> Float[np.ndarray, "frames numbers"] | None:
    """The columns of a joint side by side; ``None`` where there are none."""
    there = [name for name in names if name in values]
    if not there:
        return None
    needed = names if any(name in values for name in names[3:]) else names[:3]
    lacking = [name for name in needed if name not in values]
    if lacking:
        received = f"{', '.join(there)} without {', '.join(lacking)}"
        raise BadValueError("a pose in the joint table", received, right=f"whole: {', '.join(needed)}", where=table.path)
    columns = np.stack([values[name] for name in needed], axis=1)
    if len(names) != len(_POSE):
        return columns
    if len(needed) == 3:  # it only moves
        return np.concatenate([columns, np.tile([1.0, 0, 0, 0], (len(columns), 1))], axis=1)
    norms = lengths_of(columns[:, 3:])
    if (norms < 1e-6).any():
        row, fix = int(np.argmax(norms < 1e-6)), f"columns are {', '.join(names[3:])}"
        received = columns[row, 3:].tolist()
        raise BadValueError(f"the quaternion in frame {row}", received, right="not zero", fix=fix, where=table.path)
    return columns


def _in_radians(joint: Joint, values: np.ndarray) -> np.ndarray:
    if joint.kind in ("revolute", "continuous"):
        return np.deg2rad(values)
    return np.concatenate([values[:, :2], np.deg2rad(values[:, 2:])], axis=1) if joint.kind == "planar" else values


def _times(table: JointTable, count: int, rows: range) -> tuple[Float[np.ndarray, "frames"] | None, list[str]]:
    """The times of the chosen rows, and what is to be said of them."""
    name = next((name for name in TIMES if name in table.columns and table.rows(name) == count), None)
    if name is None:
        return None, []
    seconds, large = table.seconds(name)
    seconds = seconds[rows.start : rows.stop : rows.step]
    notes = [f"{name} was read as nanoseconds"] if large else []
    steps = np.diff(seconds)
    if len(steps) and steps.min() <= 0:
        notes.append(f"{name} does not always rise; frames are shown in the order of rows")
    else:
        notes += uneven("rows", seconds)
    return seconds, notes


def _notes(
    robot: Robot, table: JointTable, positions: dict[str, np.ndarray], column_of: dict[str, str], degrees: bool
) -> list[str]:
    """What rests, what no joint is, and what leaves its limits."""
    notes = []
    still = [j.name for j in robot.joints if SIZES[j.kind] and j.mimic is None and j.name not in positions]
    if still:
        notes.append(f"joints that are not in the table rest at 0: {listed(still)}")
    others = [name for name in table.columns if name not in _KEPT_OUT and name not in column_of.values()]
    if others:
        notes.append(f"columns that are no joint's were not used: {listed(others)}")
    beyond = beyond_limits(robot, positions)
    if beyond and not degrees:
        beyond = [f"{beyond[0]}; if angles are degrees, pass --degrees"]
    return notes + beyond


def beyond_limits(robot: Robot, positions: dict[str, np.ndarray]) -> list[str]:
    """A note of the joints that leave their limits; none if all are within."""
    beyond = [text for joint in robot.joints if (text := _beyond(joint, positions.get(joint.name)))]
    return [f"joints that leave their limits: {listed(beyond)}"] if beyond else []


def _beyond(joint: Joint, values: np.ndarray | None) -> str | None:
    """What is said of a joint that leaves its limits by more than a twentieth of their range."""
    if values is None or joint.limits is None or joint.kind not in ("revolute", "prismatic"):
        return None
    low, high = joint.limits
    slack = 0.05 * (high - low)
    if low >= high or (values.min() >= low - slack and values.max() <= high + slack):
        return None
    return f"{joint.name} ({values.min():.3g} to {values.max():.3g}, limits {low:.3g} to {high:.3g})"


def listed(names: Iterable[str]) -> str:
    """Names in a note: the first of them, and how many more there are."""
    every = list(names)
    return ", ".join(every[:_LISTED]) + (f" and {len(every) - _LISTED} more" if len(every) > _LISTED else "")
