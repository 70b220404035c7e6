"""Isaac Lab's HDF5 (``HDF5DatasetFileHandler``): states of articulations and rigid objects per demonstration.

``data/demo_N/states/articulation/NAME/{root_pose, root_velocity, joint_position}`` and
``data/demo_N/states/rigid_object/NAME/{root_pose, root_velocity}`` hold a row per step; ``initial_state`` holds one. Names of
joints, files of geometry and the order of quaternions (w first until Isaac Lab 2, last since 3) are not in the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ....errors import BadValueError
from ....file_order import natural_key
from ..hdf5 import dataset, json_of, rows_of, subgroup
from .log import Log, Track, checked

KEY = "isaac_lab"
_STATES = ("states", "initial_state")
_KINDS = ("articulation", "rigid_object")


def episodes(file: Any) -> list[str]:
    """Names of the demonstrations with states of scene entities, in natural order."""
    data = subgroup(file, "data")
    return [] if data is None else sorted((name for name in data if _states(subgroup(data, name))), key=natural_key)


def read_log(file: Any, episode: str, source: Path) -> Log:
    """Read one demonstration.

    Raises:
        BadValueError: tables of other shapes, without numbers, of different lengths; quaternions that are no rotations.
    """
    demo = file["data"][episode]
    name = _states(demo)
    states, tracks, unread = demo[name], list[Track](), list[str]()
    for kind in states:
        entities = subgroup(states, kind)
        if entities is None or not len(entities):
            continue
        if kind in _KINDS:
            tracks += [_track(entities[entity], entity, kind, f"{source} {episode}") for entity in entities]
        else:
            unread.append(f"{len(entities)} of the kind {kind} ({', '.join(list(entities)[:4])}) are not read")
    if name == "initial_state":
        unread.append("only the initial state was recorded: one frame")
    log = Log("Isaac Lab", KEY, episode, tuple(tracks), None, _rate(file["data"].attrs), tuple(unread))
    return checked(log, f"{source} {episode}")


def _states(demo: Any) -> str:
    """Which group of a demonstration holds its states; empty where none does."""
    for name in _STATES:
        group = subgroup(demo, name)
        if any(subgroup(group, kind) is not None and len(group[kind]) for kind in _KINDS):
            return name
    return ""


def _track(entity: Any, name: str, kind: str, where: str) -> Track:
    def table(key: str, width: int | None = None) -> np.ndarray | None:
        held = dataset(entity, key)
        return None if held is None else rows_of(held, f"{key} of {name}", where, width=width)

    root, velocity = table("root_pose", 7), table("root_velocity", 6)
    if root is None:
        root = np.zeros((0, 7))
    joints = table("joint_position") if kind == "articulation" else None
    if kind == "articulation" and joints is None:
        joints = np.zeros((len(root), 0))
    turning = None if velocity is None or len(velocity) != len(root) else velocity[:, 3:]
    if joints is not None and len(joints) != len(root):
        right = f"{len(root)}, as root_pose has"
        raise BadValueError(f"the number of rows of joint_position of {name}", len(joints), right=right, where=where)
    return Track(name, root, joints, turning)


def _rate(attributes: Any) -> float | None:
    """Steps per second: of the simulator, divided by how many of them one step of the environment has."""
    told = json_of(attributes, "env_args").get("sim_args")
    try:
        rate = 1.0 / (float(told["dt"]) * float(told.get("decimation", 1)))  # type: ignore[index]
    except (TypeError, KeyError, ValueError, AttributeError, ZeroDivisionError):
        return None
    return round(rate, 6) if 0 < rate < np.inf else None
