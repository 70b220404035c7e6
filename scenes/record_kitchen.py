"""Record the rollout of ``scenes/kitchen.yaml``: a Franka arm opens the microwave of Gymnasium-Robotics' kitchen.

``python scenes/record_kitchen.py`` writes ``assets/kitchen/states.npy`` again; it needs ``pip install 'sim2real[kitchen]'``.
The motion is scripted in space, followed by inverse kinematics and position servos, and simulated by MuJoCo: the door opens
because the fingers hold its handle. Nothing is drawn at random.
"""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

import mujoco
import numpy as np

FPS, FRAMES = 24, 97
MODEL = "envs/assets/kitchen_franka/kitchen_assets/kitchen_env_model.xml"
OUTPUT = Path(__file__).parent.parent / "assets" / "kitchen" / "states.npy"

# seconds: rest, reach in front of the handle, around it, fingers close, door opens, rest
TIMES = {"rest": 0.0, "reach": 1.5, "around": 1.75, "closed": 1.95, "open": 3.85}
DOOR_OPEN_DEG = 50.0
HANDLE_IN_HAND = 0.03  # metres from the hand's site to the middle of the grip, towards the finger tips
STAND_OFF = 0.11
HAND_YAW, HAND_PITCH = 0.5, 0.7  # where the hand points at the handle, radians: from +y towards -x, and down
FINGER_OPEN = 0.04
ARM = slice(0, 7)
POSTURE = np.array([-1.5, -1.2, 2.5, -1.5, 0.0, 1.65, 1.0])  # joint angles that the arm prefers at the microwave, radians


def model_path() -> Path:
    """The kitchen's XML inside the installed package."""
    spec = find_spec("gymnasium_robotics")
    if spec is None or spec.origin is None:
        raise SystemExit("this needs the package gymnasium_robotics; install it with: pip install 'sim2real[kitchen]'")
    return Path(spec.origin).parent / MODEL


def eased(t: float, start: float, end: float) -> float:
    """From 0 at ``start`` to 1 at ``end`` with the least jerk (speed and acceleration are 0 at both)."""
    s = float(np.clip((t - start) / (end - start), 0, 1))
    return s**3 * (10 - 15 * s + 6 * s * s)


def hand_rotation(yaw: float, pitch: float) -> np.ndarray:
    """Columns: the hand's own up, where it closes (level), where it points (``yaw`` from +y to -x, ``pitch`` down)."""
    closing = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    pointing = np.array([-np.sin(yaw) * np.cos(pitch), np.cos(yaw) * np.cos(pitch), -np.sin(pitch)])
    return np.stack([np.cross(closing, pointing), closing, pointing], axis=1)


class Plan:
    """Where the hand should be at a time, once it is at the microwave."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self.hinge = data.xanchor[model.joint("microwave").id].copy()
        self.handle = data.site("microhandle_site").xpos.copy()

    def hand(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        """Position and rotation of the hand's site: in front of the handle, around it, then along the handle's arc."""
        angle = -np.radians(DOOR_OPEN_DEG) * eased(t, TIMES["closed"], TIMES["open"])
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        handle = self.hinge + turn @ (self.handle - self.hinge)
        away = HANDLE_IN_HAND + STAND_OFF * (1 - eased(t, TIMES["reach"] - 0.25, TIMES["around"]))
        rotation = hand_rotation(HAND_YAW, HAND_PITCH)
        return handle - rotation[:, 2] * away, rotation

    def fingers(self, t: float) -> float:
        """How far each finger is open, metres."""
        return FINGER_OPEN * eased(t, 0.1, 0.7) * (1 - eased(t, TIMES["around"], TIMES["closed"]))


class Arm:
    """Joint angles that bring the hand to a pose: damped least squares on a copy of the arm's kinematics."""

    def __init__(self, model: mujoco.MjModel, qpos: np.ndarray) -> None:
        self.model, self.data = model, mujoco.MjData(model)
        self.data.qpos[:] = qpos
        self.data.qpos[ARM] = POSTURE
        self.low, self.high = model.jnt_range[ARM].T

    def follow(self, position: np.ndarray, rotation: np.ndarray, steps: int = 2) -> np.ndarray:
        """Joint angles near the last ones, drawn towards ``POSTURE`` where the pose leaves a choice."""
        model, data = self.model, self.data
        jacobian = np.zeros((6, model.nv))
        for _ in range(steps):
            mujoco.mj_kinematics(model, data)
            mujoco.mj_comPos(model, data)
            site = data.site("end_effector")
            now = site.xmat.reshape(3, 3)
            turn = 0.5 * sum(np.cross(now[:, k], rotation[:, k]) for k in range(3))
            error = np.concatenate([position - site.xpos, turn])
            mujoco.mj_jacSite(model, data, jacobian[:3], jacobian[3:], model.site("end_effector").id)
            j = jacobian[:, ARM]
            inverse = j.T @ np.linalg.inv(j @ j.T + 1e-4 * np.eye(6))
            idle = (np.eye(7) - inverse @ j) @ (POSTURE - data.qpos[ARM])
            data.qpos[ARM] = np.clip(data.qpos[ARM] + inverse @ error + 0.001 * idle, self.low, self.high)
        return data.qpos[ARM].copy()


def record() -> tuple[mujoco.MjModel, np.ndarray]:
    """Simulate the rollout.

    Returns:
        The model, and rows of [time, qpos, qvel], one per frame.
    """
    model = mujoco.MjModel.from_xml_path(str(model_path()))
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    mujoco.mj_forward(model, data)
    for _ in range(250):  # the kettle settles on its burner
        data.ctrl[:9] = model.key_qpos[0, :9]
        data.qfrc_applied[ARM] = data.qfrc_bias[ARM]
        mujoco.mj_step(model, data)
    data.time = 0.0
    plan, arm = Plan(model, data), Arm(model, data.qpos.copy())
    home = data.qpos[ARM].copy()
    arm.follow(*plan.hand(0.0), steps=200)
    wanted = home
    rows = []
    while len(rows) < FRAMES:
        if data.time >= len(rows) / FPS - 0.25 * model.opt.timestep:
            rows.append(np.concatenate([[len(rows) / FPS], data.qpos, data.qvel]))
        reach = eased(data.time, TIMES["rest"], TIMES["reach"])
        before, wanted = wanted, (1 - reach) * home + reach * arm.follow(*plan.hand(data.time))
        data.ctrl[ARM] = wanted
        data.ctrl[7:9] = plan.fingers(data.time)
        # the arm carries its own weight and overcomes its own friction, as its controller would
        friction = model.dof_damping[ARM] * (wanted - before) / model.opt.timestep
        data.qfrc_applied[ARM] = data.qfrc_bias[ARM] + friction
        mujoco.mj_step(model, data)
    return model, np.array(rows, np.float32)


def main() -> None:
    """Write the states."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT, help="where to write the states (default: %(default)s)")
    output = parser.parse_args().output
    model, rows = record()
    output.parent.mkdir(parents=True, exist_ok=True)
    np.save(output, rows)
    door = np.degrees(rows[:, 1 + model.joint("microwave").qposadr[0]])
    sys.stdout.write(f"{len(rows)} frames at {FPS} per second; the door opens by {-door[-1]:.0f} degrees: {output}\n")


if __name__ == "__main__":
    main()
