"""The scene that a row of a plan is made of, read as it was when it was planned."""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path

import numpy as np

from ..errors import UnknownNameError
from ..scene import Scene
from .lerobot_source import episode_arrays, read_lerobot
from .plan import Row, check_unchanged


def read_scene(row: Row, work: Path) -> Scene:
    """The row's scene; the last ones are kept, because rows of one source follow each other.

    Args:
        row: what is to be made.
        work: a path that is free, beside which a recording's states may lie for a while.

    Raises:
        BadValueError: the scene is another one than was planned.
        Sim2RealError: whatever the reader finds wrong.
    """
    check_unchanged(row, "the scene", hashlib.sha256(Path(row.scene).read_bytes()).hexdigest())
    reading = dict(row.reading)
    if row.lerobot is None:
        return _read(row.scene, json.dumps(reading, sort_keys=True))
    states = work.with_name(f"{work.name}.states.npy")
    try:
        np.save(states, lerobot_states(row))
        return _read.__wrapped__(row.scene, json.dumps({**reading, "states": str(states)}))
    finally:
        states.unlink(missing_ok=True)


def lerobot_states(row: Row) -> np.ndarray:
    """The column of a LeRobot episode that says where the model's joints are, one row per frame.

    Raises:
        UnknownNameError: the dataset has no such column.
    """
    assert row.lerobot is not None
    arrays = episode_arrays(read_lerobot(row.lerobot), row.episode)
    if row.states_column not in arrays:
        raise UnknownNameError(row.states_column, sorted(arrays), what="column", where=row.lerobot)
    return np.asarray(arrays[row.states_column], np.float64)


@functools.lru_cache(maxsize=2)
def _read(path: str, reading: str) -> Scene:
    from ..scene import load_as

    return load_as(path, json.loads(reading))
