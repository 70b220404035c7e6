"""Where everything is in every frame: MuJoCo's kinematics of recorded states, without any physics."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ....errors import BadValueError, UnknownNameError
from ....optional import require
from ....transforms import OPENCV_FROM_OPENGL, rigid
from ...moving_vertices import MovingVertices
from .layouts import Layout, layout_of
from .states import Recording
from .types import MjData, MjModel

_KEPT = 3
"""Frames whose surfaces are kept."""
Surface = Callable[[MjData], Float[np.ndarray, "vertices 3"]]
"""Vertices in a state whose kinematics are computed."""


@dataclass(frozen=True, eq=False)
class Poses:
    """Where everything is in every frame: bodies as rigid matrices, cameras with OpenCV axes, lights in the first frame."""

    world_from_body: Float[np.ndarray, "frames bodies 4 4"]
    world_from_camera: Float[np.ndarray, "frames cameras 4 4"]
    light_position: Float[np.ndarray, "lights 3"]
    light_direction: Float[np.ndarray, "lights 3"]


@dataclass(frozen=True, eq=False)
class Replay:
    """What came of a recording.

    - ``surfaces``: the vertices of every surface that was asked for, in every frame, found when they are asked for.
    - ``seconds``: the frames' times where they are known.
    - ``layout`` of the rows, ``None`` without a recording; ``said``: that, or where the model rests, in words.
    - ``moves_mocap``: whether the recording says where mocap bodies are.
    """

    poses: Poses
    surfaces: tuple[MovingVertices, ...]
    seconds: Float[np.ndarray, "frames"] | None
    said: str
    moves_mocap: bool


def replay(
    model: MjModel,
    recording: Recording | None,
    *,
    surfaces: Sequence[Surface] = (),
    keyframe: object = None,
    state_spec: object = None,
) -> Replay:
    """Run MuJoCo's kinematics over all rows.

    Args:
        model: a compiled model.
        recording: its states; ``None``: one frame where the model rests.
        surfaces: what is made anew in every frame.
        keyframe: as for ``rest``.
        state_spec: what the rows hold, as for ``layout_of``.

    Raises:
        BadValueError: the rows' width fits no layout of this model, or the mocap poses are not those of its bodies.
        UnknownNameError: there is no such keyframe, or element of a state.
    """
    mujoco = require("mujoco", "mujoco")
    data = mujoco.MjData(model)
    if recording is None:
        said = rest(model, data, keyframe)
        poses = _stacked([pose_of(model, data, whole=bool(surfaces))])
        still = [surface(data).astype(np.float32) for surface in surfaces]
        return Replay(poses, tuple(MovingVertices(1, len(one), _always(one)) for one in still), None, said, False)
    layout = _checked_layout(model, recording, state_spec)

    def at(row: int) -> Pose:
        mujoco.mj_setState(model, data, np.ascontiguousarray(recording.rows[row]), layout.bits)
        if recording.mocap is not None:
            data.mocap_pos[:], data.mocap_quat[:] = recording.mocap[row, :, :3], recording.mocap[row, :, 3:]
        return pose_of(model, data, whole=bool(surfaces))

    frames = [at(row) for row in range(len(recording.rows))]
    made = _moving(surfaces, len(frames), lambda row: at(row) and data)
    seconds = recording.rows[:, 0] if recording.seconds is None and layout.holds("TIME") else recording.seconds
    moves_mocap = recording.mocap is not None or layout.holds("MOCAP_POS", "MOCAP_QUAT")
    return Replay(_stacked(frames), made, seconds, str(layout), moves_mocap)


def _moving(surfaces: Sequence[Surface], frames: int, state: Callable[[int], MjData]) -> tuple[MovingVertices, ...]:
    """Surfaces in the states of a recording, of which one is computed at a time; all of a frame are made together."""
    lock = threading.Lock()

    def of_all(frame: int) -> tuple[np.ndarray, ...]:
        with lock:
            data = state(frame)
            return tuple(surface(data).astype(np.float32) for surface in surfaces)

    kept = functools.lru_cache(maxsize=_KEPT)(of_all)
    counts = [len(one) for one in kept(0)]

    def only(number: int) -> Callable[[int], np.ndarray]:
        return lambda frame: kept(frame)[number]

    return tuple(MovingVertices(frames, count, only(number)) for number, count in enumerate(counts))


def _always(vertices: np.ndarray) -> Callable[[int], np.ndarray]:
    return lambda frame: vertices


def rest(model: MjModel, data: MjData, keyframe: object = None) -> str:
    """Put a model where it is shown without states: in a keyframe, or in its reference pose; says which.

    Args:
        model: a compiled model.
        data: its state, which is changed.
        keyframe: its name or number; ``None``: ``home``, else the first, else the reference pose.

    Raises:
        UnknownNameError: there is no such keyframe; lists those that there are.
    """
    mujoco = require("mujoco", "mujoco")
    mujoco.mj_resetData(model, data)
    names = [model.key(k).name or str(k) for k in range(model.nkey)]
    if keyframe is not None:
        key = _keyframe_number(str(keyframe), names)
    elif names:
        key = names.index("home") if "home" in names else 0
    else:
        return "the model's reference pose"
    mujoco.mj_resetDataKeyframe(model, data, key)
    return f"the model's keyframe {names[key]}"


def _keyframe_number(wanted: str, names: list[str]) -> int:
    if wanted in names:
        return names.index(wanted)
    if wanted.isdecimal() and int(wanted) < len(names):
        return int(wanted)
    raise UnknownNameError(wanted, names, what="keyframe of the model")


def at_reference(model: MjModel) -> MjData:
    """The state of a model in its reference pose, with its kinematics."""
    data = require("mujoco", "mujoco").MjData(model)
    pose_of(model, data, whole=True)
    return data


Pose = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def pose_of(model: MjModel, data: MjData, *, whole: bool = False) -> Pose:
    """Where a state's joints and mocap bodies put bodies, cameras (OpenCV axes) and lights (places, directions).

    Args:
        model: a compiled model.
        data: its state, whose kinematics are computed.
        whole: compute those of flexes and tendons, too.
    """
    mujoco = require("mujoco", "mujoco")
    mujoco.mj_kinematics(model, data)
    mujoco.mj_comPos(model, data)  # cameras and lights that track a center of mass need it
    mujoco.mj_camlight(model, data)
    if whole and model.nflex:
        mujoco.mj_flex(model, data)
    if whole and model.ntendon:
        mujoco.mj_tendon(model, data)
    bodies = rigid(data.xmat.reshape(-1, 3, 3), data.xpos)
    cameras = rigid(data.cam_xmat.reshape(-1, 3, 3), data.cam_xpos) @ OPENCV_FROM_OPENGL
    return bodies, cameras, data.light_xpos.copy(), data.light_xdir.copy()


def _checked_layout(model: MjModel, recording: Recording, spec: object) -> Layout:
    if recording.mocap is not None and recording.mocap.shape[1] != model.nmocap:
        right = f"{model.nmocap}, those of the model"
        raise BadValueError("the number of mocap bodies", recording.mocap.shape[1], right=right, where=recording.where)
    width = recording.rows.shape[1]
    if recording.timed and spec is None and width == 1 + model.nq:
        spec = "time,qpos"
    return layout_of(model, width, spec, recording.where)


def _stacked(frames: list[Pose]) -> Poses:
    bodies, cameras = (np.stack([frame[k] for frame in frames]) for k in (0, 1))
    return Poses(bodies, cameras, *frames[0][2:])
