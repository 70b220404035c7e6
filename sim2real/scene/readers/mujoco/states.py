"""Rows of simulator state, as people store them, and the poses that MuJoCo's kinematics makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ....arrays import first_broken_row, numbers, read_arrays
from ....errors import BadValueError, MissingFileError, UnreadableFileError
from ....optional import require
from ....transforms import OPENCV_FROM_OPENGL, rigid
from .types import MjData, MjModel


@dataclass(frozen=True, eq=False)
class Recording:
    """What a file of states holds: one row per frame, and where moved by hand, the mocap bodies' poses.

    - ``mocap`` rows are (x, y, z, qw, qx, qy, qz) per mocap body.
    - ``seconds`` are the frames' times where they are known.
    """

    rows: Float[np.ndarray, "frames width"]
    mocap: Float[np.ndarray, "frames bodies 7"] | None = None
    seconds: Float[np.ndarray, "frames"] | None = None
    where: str = ""


@dataclass(frozen=True, eq=False)
class Poses:
    """Where everything is in every frame: bodies as rigid matrices, cameras with OpenCV axes, lights in the first frame."""

    world_from_body: Float[np.ndarray, "frames bodies 4 4"]
    world_from_camera: Float[np.ndarray, "frames cameras 4 4"]
    light_position: Float[np.ndarray, "lights 3"]
    light_direction: Float[np.ndarray, "lights 3"]


def read_states(states: Path | str | np.ndarray, *, where: object = "") -> Recording:
    """Read a recording from ``.npy`` (the rows) or ``.npz`` (``states`` or ``qpos``; optionally ``mocap``, ``time``).

    Args:
        states: a file, or the rows themselves.
        where: what the rows themselves belong to, for errors.

    Raises:
        MissingFileError: there is no such file.
        UnreadableFileError: it is no array file, or has neither ``states`` nor ``qpos``.
        BadValueError: rows, poses or times are no tables of numbers that fit each other, or hold NaN or infinity.
    """
    if isinstance(states, np.ndarray):
        return _checked(_table(states, str(where)), None, None, str(where))
    path = Path(states)
    if not path.is_file():
        raise MissingFileError(path, what="states file", fix="check --states")
    if path.suffix.lower() not in (".npy", ".npz"):
        received, right = repr(path.suffix), ".npy or .npz"
        fix = "write them with numpy.save, numpy.loadtxt reads tables of text"
        raise BadValueError("the kind of states file", received, right=right, fix=fix, where=path)
    arrays = read_arrays(path, what="states file", fix="write it with numpy.save or numpy.savez")
    rows = next((arrays[name] for name in ("", "states", "qpos") if name in arrays), None)
    if rows is None:
        why = f"it holds {', '.join(arrays) or 'nothing'}"
        raise UnreadableFileError(path, what="states file", why=why, fix="name the rows 'states' or 'qpos'")
    mocap, seconds = arrays.get("mocap"), arrays.get("time")
    mocap = None if mocap is None else _mocap(mocap, str(path))
    seconds = None if seconds is None else _seconds(seconds, str(path))
    return _checked(_table(rows, str(path)), mocap, seconds, str(path))


def _table(rows: np.ndarray, where: str) -> np.ndarray:
    if rows.dtype.kind not in "fiu" or rows.ndim not in (1, 2) or rows.size == 0:
        received = f"an array of shape {rows.shape} and type {rows.dtype}"
        raise BadValueError("the states array", received, right="a table of numbers with one row per frame", where=where)
    return np.atleast_2d(numbers(rows, "the states", where=where))


def _mocap(poses: np.ndarray, where: str) -> np.ndarray:
    if poses.ndim not in (2, 3) or not poses.size or poses.shape[-1] % 7 or poses.ndim == 3 and poses.shape[2] != 7:
        raise BadValueError("the shape of mocap", poses.shape, right="(frames, bodies, 7)", where=where)
    return numbers(poses, "mocap", where=where).reshape(len(poses), -1, 7)


def _seconds(times: np.ndarray, where: str) -> np.ndarray:
    if times.shape not in ((times.size,), (times.size, 1)):
        raise BadValueError("the shape of time", times.shape, right="(frames,)", where=where)
    return numbers(times, "time", where=where).reshape(-1)


def _checked(rows: np.ndarray, mocap: np.ndarray | None, seconds: np.ndarray | None, where: str) -> Recording:
    tables = {"states": rows, "mocap": mocap, "time": seconds}
    for name, table in tables.items():
        if table is None:
            continue
        if len(table) != len(rows):
            right = f"{len(rows)}, one per row of states"
            raise BadValueError(f"the number of rows of {name}", len(table), right=right, where=where)
        if (row := first_broken_row(table)) is not None:
            fix = f"cut the recording before row {row}" if row else "record it again"
            received = "NaN, infinite or beyond 1e30"
            raise BadValueError(f"row {row} of {name}", received, right="finite", fix=fix, where=where)
    return Recording(rows, mocap, seconds, where)


def state_layouts(model: MjModel) -> dict[str, int]:
    """The row layouts that a model's states may have, and their widths; the first that fits is meant."""
    mujoco = require("mujoco", "mujoco")
    size = {name: mujoco.mj_stateSize(model, int(getattr(mujoco.mjtState, f"mjSTATE_{name}"))) for name in _FULL_STATES}
    return {
        "[time, qpos, qvel]": 1 + model.nq + model.nv,
        "[qpos]": model.nq,
        "[qpos, qvel]": model.nq + model.nv,
        **{f"mj_getState {name}": width for name, width in size.items()},
    }


_FULL_STATES = ("FULLPHYSICS", "INTEGRATION")


def replay(model: MjModel, recording: Recording | None) -> tuple[Poses, np.ndarray | None, str]:
    """Run MuJoCo's kinematics (no physics) over all rows.

    Args:
        model: a compiled model.
        recording: its states; ``None``: the keyframe ``home``, else the first keyframe, else the reference pose.

    Returns:
        The poses, the frames' times in seconds where the rows tell them, and which layout was recognized.

    Raises:
        BadValueError: the rows' width fits no layout of this model, or the mocap poses are not those of its bodies.
    """
    mujoco = require("mujoco", "mujoco")
    data = mujoco.MjData(model)
    frames: list[Pose] = []
    if recording is None:
        layout = rest(model, data)
        frames.append(pose_of(model, data))
        return _stacked(frames), None, layout
    layout = _layout_of(model, recording)
    seconds = recording.seconds
    for k, row in enumerate(recording.rows):
        _set_state(mujoco, model, data, layout, row)
        if recording.mocap is not None:
            data.mocap_pos[:], data.mocap_quat[:] = recording.mocap[k, :, :3], recording.mocap[k, :, 3:]
        frames.append(pose_of(model, data))
    if seconds is None and not layout.startswith("[qpos"):
        seconds = recording.rows[:, 0]  # full states start with the time, too
    return _stacked(frames), seconds, layout


def rest(model: MjModel, data: MjData) -> str:
    """Put a model where it is shown without states: keyframe ``home``, else the first, else the reference pose; says which."""
    mujoco = require("mujoco", "mujoco")
    mujoco.mj_resetData(model, data)
    names = [model.key(k).name for k in range(model.nkey)]
    if not names:
        return "the model's reference pose"
    key = names.index("home") if "home" in names else 0
    mujoco.mj_resetDataKeyframe(model, data, key)
    return f"the model's keyframe {names[key] or key}"


def _layout_of(model: MjModel, recording: Recording) -> str:
    layouts = state_layouts(model)
    width = recording.rows.shape[1]
    if recording.mocap is not None and recording.mocap.shape[1] != model.nmocap:
        right = f"{model.nmocap}, those of the model"
        raise BadValueError("the number of mocap bodies", recording.mocap.shape[1], right=right, where=recording.where)
    for name, wanted in layouts.items():
        if width == wanted:
            return name
    right = "one of " + ", ".join(f"{wanted} {name}" for name, wanted in layouts.items())
    fix = "check that the states were recorded with this model"
    raise BadValueError("the width of the states", width, right=right, fix=fix, where=recording.where)


def _set_state(mujoco, model: MjModel, data: MjData, layout: str, row: np.ndarray) -> None:
    if layout.startswith("mj_getState"):
        kind = int(getattr(mujoco.mjtState, f"mjSTATE_{layout.split()[1]}"))
        mujoco.mj_setState(model, data, row, kind)
    else:
        start = 1 if layout.startswith("[time") else 0
        data.qpos[:] = row[start : start + model.nq]


Pose = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def pose_of(model: MjModel, data: MjData) -> Pose:
    """Where a state's joints and mocap bodies put bodies, cameras (OpenCV axes) and lights (places, directions)."""
    mujoco = require("mujoco", "mujoco")
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)  # cameras and lights that track a center of mass need it
    mujoco.mj_camlight(model, data)
    bodies = rigid(data.xmat.reshape(-1, 3, 3), data.xpos)
    cameras = rigid(data.cam_xmat.reshape(-1, 3, 3), data.cam_xpos) @ OPENCV_FROM_OPENGL
    return bodies, cameras, data.light_xpos.copy(), data.light_xdir.copy()


def _stacked(frames: list[Pose]) -> Poses:
    bodies, cameras = (np.stack([frame[k] for frame in frames]) for k in (0, 1))
    return Poses(bodies, cameras, *frames[0][2:])
