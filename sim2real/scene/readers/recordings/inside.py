"""Which simulator wrote an HDF5 file, by what is in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import EmptySceneError
from ..hdf5 import dataset, opened, readable, rows_of, subgroup
from . import episode_recorder, isaac_lab, maniskill
from .log import Log, chosen


@dataclass(frozen=True)
class Dialect:
    """How a simulator writes: its key in mapping files, the names of a file's episodes, and one of them."""

    key: str
    episodes: Callable[[Any], list[str]]
    read_log: Callable[[Any, str, Path], Log]


DIALECTS = tuple(Dialect(one.KEY, one.episodes, one.read_log) for one in (isaac_lab, maniskill))


def is_one(path: Path) -> bool:
    """Whether a file was written by one of these simulators.

    Raises:
        UnreadableFileError: it is no HDF5, or damaged.
        MissingPackageError: h5py is not installed.
    """
    with opened(path) as file, readable(path):
        return episode_recorder.is_one(file) or _dialect(file) is not None


def is_session(path: Path) -> bool:
    """Whether a file is a session of Isaac Sim's episode recorder.

    Raises:
        UnreadableFileError: it is damaged.
    """
    with opened(path) as file, readable(path):
        return episode_recorder.is_one(file)


def read_log(path: Path, episode: str | None) -> tuple[Log, list[str]]:
    """Read one episode of a file.

    Args:
        path: the file.
        episode: its name; ``None``: the first.

    Returns:
        The log, and the names of all episodes.

    Raises:
        UnknownNameError: there is no such episode; lists those that there are.
        EmptySceneError: there is none.
        Sim2RealError: whatever is wrong with its tables.
    """
    with opened(path) as file, readable(path):
        dialect = _dialect(file)
        names = [] if dialect is None else dialect.episodes(file)
        if dialect is None or not names:
            raise EmptySceneError(path, lacks="recorded states", fix="record the simulator's states, not only observations")
        return dialect.read_log(file, chosen(names, episode, path), path), names


def _dialect(file: Any) -> Dialect | None:
    return next((dialect for dialect in DIALECTS if dialect.episodes(file)), None)


def episode_arrays(path: Path, episode: str | None) -> dict[str, np.ndarray]:
    """The numbers of an episode that belong to its frames: actions, and of every thing where it is, by name.

    Args:
        path: the file.
        episode: its name; ``None``: the first.

    Returns:
        ``actions`` where there are as many as frames (ManiSkill records one fewer); ``obs/NAME_root_pose`` and
        ``obs/NAME_joint_position``, quaternions in the recording's order.

    Raises:
        Sim2RealError: as ``read_log``.
    """
    log, _ = read_log(path, episode)
    arrays: dict[str, np.ndarray] = {}
    with opened(path) as file, readable(path):
        group = subgroup(file, "data") or file
        actions = dataset(group[log.episode], "actions")
        if actions is not None and actions.shape and len(actions) == log.frames:
            arrays["actions"] = rows_of(actions, "actions", f"{path} {log.episode}").astype(actions.dtype)
    for track in log.tracks:
        arrays[f"obs/{track.name}_root_pose"] = track.root
        if track.joints is not None and track.joints.shape[1]:
            arrays[f"obs/{track.name}_joint_position"] = track.joints
    return arrays
