"""ManiSkill's trajectories: ``traj_N/env_states/{actors,articulations}`` in HDF5, and a JSON of the same name beside it.

A row of an actor is its position, quaternion (w first), linear and angular velocity; a row of an articulation is that of its
root, then the positions of its joints, then their velocities. What cannot move is not recorded.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import BadValueError, Sim2RealError, UnreadableFileError
from ....file_order import natural_key
from ....text_files import read_json
from ..hdf5 import dataset, rows_of, subgroup
from .log import Log, Track, checked

KEY = "maniskill"
_NAME = re.compile(r"traj_\d+")
_ROOT = 13
USUAL_RATE = 20.0
"""ManiSkill's default ``control_freq``."""


def episodes(file: Any) -> list[str]:
    """Names of the trajectories that are recorded with states, in natural order."""
    named = (name for name in file if _NAME.fullmatch(name) and subgroup(file, name) is not None)
    return sorted((name for name in named if "env_states" in file[name]), key=natural_key)


def read_log(file: Any, episode: str, source: Path) -> Log:
    """Read one trajectory.

    Raises:
        UnreadableFileError: its states have no names, as ManiSkill 2 wrote them.
        BadValueError: tables of other shapes, without numbers, of different lengths; quaternions that are no rotations.
    """
    states, where = subgroup(file[episode], "env_states"), f"{source} {episode}"
    if states is None:
        why, fix = "its env_states have no names, as ManiSkill 2 wrote them", "replay it with ManiSkill 3, which names them"
        raise UnreadableFileError(where, what="recording", why=why, fix=fix)
    tracks = []
    for kind in ("articulations", "actors"):
        group = subgroup(states, kind)
        for name in group if group is not None else ():
            table = dataset(group, name)
            if table is not None:
                tracks.append(_track(rows_of(table, f"the states of {name}", where), name, kind, where))
    return checked(Log("ManiSkill", KEY, episode, tuple(tracks), "wxyz", _rate(source)), where)


def _track(rows: np.ndarray, name: str, kind: str, where: str) -> Track:
    width, joined = rows.shape[1], kind == "articulations"
    if width < _ROOT or (width != _ROOT and not joined) or (width - _ROOT) % 2:
        right = "13 and twice the number of joints" if joined else "13"
        raise BadValueError(f"the width of the states of {name}", width, right=right, where=where)
    joints = rows[:, _ROOT : _ROOT + (width - _ROOT) // 2] if joined else None
    return Track(name, rows[:, :7], joints, rows[:, 10:_ROOT])


def _rate(source: Path) -> float | None:
    """``control_freq`` of the JSON beside a recording; ``None`` where it does not say."""
    try:
        told: Any = read_json(source.with_suffix(".json"), what="ManiSkill's JSON", fix="keep it beside the recording")
    except Sim2RealError:
        return None
    for key in ("env_info", "env_kwargs", "sim_config"):
        told = told.get(key) if isinstance(told, dict) else None
    rate = told.get("control_freq") if isinstance(told, dict) else None
    return float(rate) if isinstance(rate, (int, float)) and 0 < rate < np.inf else None
