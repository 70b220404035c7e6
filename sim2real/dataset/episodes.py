"""What a recording carries beside pictures: actions, states, rewards, times; untouched, for the frames that a clip shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import read_arrays, reason
from ..errors import BadValueError, EmptySceneError, MissingFileError, UnknownNameError, UnreadableFileError
from ..file_order import natural_key
from ..optional import require
from .lerobot_source import episode_arrays, is_lerobot, read_lerobot

_ROWS = ("", "states", "qpos")
_PER_FRAME = ("actions", "states", "rewards", "dones")


@dataclass(frozen=True, eq=False)
class Episode:
    """What a recording carries.

    - ``arrays``: by the recording's own names, one row per frame, in its own types and bits.
    - ``task``: what the robot was told, where the recording says it.
    - ``notes``: what was left out, and why.
    """

    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    task: str = ""
    notes: tuple[str, ...] = ()


def episode_of(
    path: Path | str, options: Mapping[str, Any] | None = None, *, frames: int | None = None, stride: int = 1
) -> Episode:
    """What the recording of a scene carries, for the frames that ``scene.load`` takes with the same options.

    - robomimic's HDF5: ``actions``, ``states``, ``rewards``, ``dones`` and low-dimensional ``obs/*`` of ``options["demo"]``,
      or of the first demonstration.
    - HDF5 of Isaac Lab and ManiSkill: actions where there are as many as frames, ``obs/NAME_root_pose``,
      ``obs/NAME_joint_position``.
    - A MuJoCo model with ``options["states"]``: the arrays of the ``.npz``, or the rows of a ``.npy`` as ``states``.
    - A folder with a LeRobotDataset v3.0: all columns but counters and paths of depth, of ``options["episode"]``
      or the first.
    - Anything else carries nothing.

    Args:
        path: as ``scene.load`` takes it, or the folder.
        options: how it is read, as ``SceneRecord.options`` has it.
        frames: how many; ``None``: all.
        stride: every n-th.

    Raises:
        MissingFileError: the recording is not there.
        UnreadableFileError: it cannot be understood.
        UnknownNameError: there is no such demonstration.
        BadValueError: there is no such episode; it has fewer frames; actions are not one per state.
        MissingPackageError: h5py or pyarrow is not installed.
    """
    path, options = Path(path), options or {}
    chosen = slice(0, None if frames is None else frames * stride, stride)
    if path.is_dir() and is_lerobot(path):
        whole = _lerobot_episode(path, int(options.get("episode") or 0))
    elif path.suffix.lower() in (".hdf5", ".h5"):
        whole = _recorded_episode(path, options.get("demo"))
    elif options.get("states") is not None:
        whole = _states_episode(Path(options["states"]))
    else:
        return Episode()
    arrays = {name: array[chosen] for name, array in whole.arrays.items()}
    for array in arrays.values():
        if frames is not None and len(array) < frames:
            every = f" with a stride of {stride}" if stride > 1 else ""
            raise BadValueError("the number of frames", frames, right=f"1 to {len(array)}{every}", where=path)
    return Episode(arrays, whole.task, whole.notes)


def _lerobot_episode(path: Path, index: int) -> Episode:
    """Without the columns of our own writer that say where depth is, for the files are not in the new dataset."""
    source = read_lerobot(path)
    arrays = episode_arrays(source, index)
    kept = {name: array for name, array in arrays.items() if not (name.startswith("depth.") and array.dtype.kind == "U")}
    return Episode(
        kept, "; ".join(source.episode(index).tasks), _left_out(set(arrays) - set(kept), source.episode(index).frames)
    )


def _states_episode(path: Path) -> Episode:
    if not path.is_file():
        raise MissingFileError(path, what="states file", fix="check --states")
    arrays = read_arrays(path, what="states file", fix="write it with numpy.save or numpy.savez")
    rows = next((arrays[name] for name in _ROWS if name in arrays), None)
    if rows is None:
        why = f"it holds {', '.join(arrays) or 'nothing'}"
        raise UnreadableFileError(path, what="states file", why=why, fix="name the rows 'states' or 'qpos'")
    if rows.ndim == 1:  # one frame
        return Episode({"states": rows[None]})
    kept = {name or "states": array for name, array in arrays.items() if array.ndim and len(array) == len(rows)}
    return Episode(kept, notes=_left_out(set(arrays) - {""} - set(kept), len(rows)))


def _recorded_episode(path: Path, demo: str | None) -> Episode:
    """Of robomimic, or of another simulator; a session of Isaac Sim's episode recorder holds nothing but poses."""
    from ..scene.readers.recordings.inside import episode_arrays, is_one, is_session

    if not path.is_file():
        raise MissingFileError(path, what="recording")
    if not is_one(path):
        return _robomimic_episode(path, demo)
    return Episode() if is_session(path) else Episode(episode_arrays(path, demo))


def _robomimic_episode(path: Path, demo: str | None) -> Episode:
    h5py = require("h5py", "mujoco")
    try:
        with h5py.File(path, "r") as file:
            return _read_demo(file, path, demo, h5py)
    except OSError as error:
        fix = "copy the file again, or choose another --demo"
        raise UnreadableFileError(path, what="recording", why=reason(error), fix=fix) from error


def _read_demo(file: Any, path: Path, demo: str | None, h5py: Any) -> Episode:
    data = file.get("data")
    demos = sorted((name for name in data or () if isinstance(data[name], h5py.Group)), key=natural_key)
    demos = [name for name in demos if isinstance(data[name].get("states"), h5py.Dataset)]
    if not demos:
        fix = "give a robomimic or robosuite HDF5 file"
        raise EmptySceneError(path, lacks="demonstrations (data/demo_N/states)", fix=fix)
    name = demos[0] if demo is None else demo
    if name not in demos:
        raise UnknownNameError(name, demos, what="demonstration", where=path)
    group = data[name]
    frames = len(group["states"])
    arrays: dict[str, np.ndarray] = {}
    left_out: set[str] = set()
    for key, dataset in _datasets(group, h5py):
        if key in _PER_FRAME and (not dataset.ndim or len(dataset) != frames):
            right = f"{frames}, one per row of states"
            received = len(dataset) if dataset.ndim else "none"
            raise BadValueError(f"the number of rows of {key}", received, right=right, where=f"{path} {name}")
        if dataset.ndim in (1, 2) and len(dataset) == frames and dataset.dtype.kind in "fiub":
            arrays[key] = dataset[()]
        elif key.startswith("obs/") and dataset.ndim < 3:
            left_out.add(key)
    return Episode(arrays, _task(group.attrs, data.attrs), _left_out(left_out, frames))


def _datasets(group: Any, h5py: Any) -> Iterator[tuple[str, Any]]:
    """The arrays that belong to frames: those of ``_PER_FRAME``, and all below ``obs``."""
    for key in _PER_FRAME:
        if isinstance(group.get(key), h5py.Dataset):
            yield key, group[key]
    found: list[str] = []
    if isinstance(group.get("obs"), h5py.Group):
        group["obs"].visit(found.append)
    for name in sorted(found, key=natural_key):
        if isinstance(group["obs"][name], h5py.Dataset):
            yield f"obs/{name}", group["obs"][name]


def _task(*attributes: Any) -> str:
    """The task in words, wherever a recorder put it: RoboCasa's ``ep_meta``, LIBERO's ``problem_info``, plain attributes."""
    for held in attributes:
        for key in ("task", "language_instruction", "language"):
            if isinstance(held.get(key), (str, bytes)):
                return _text(held[key])
        for key, entry in (("ep_meta", "lang"), ("problem_info", "language_instruction")):
            try:
                said = json.loads(_text(held[key])) if key in held else {}
            except ValueError:  # neither text nor JSON
                continue
            if isinstance(said, dict) and isinstance(said.get(entry), (str, list)):
                return said[entry] if isinstance(said[entry], str) else "".join(said[entry])
    return ""


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _left_out(names: set[str], frames: int) -> tuple[str, ...]:
    said = ", ".join(sorted(names, key=natural_key))
    return (f"left out, as they are not rows of numbers for each of the {frames} frames: {said}",) if names else ()
