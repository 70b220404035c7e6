"""An arm of three joints, how it stood, and a camera that has seen it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from sim2real.calibration import Estimate, Problem
from sim2real.calibration.coarse import drawn
from sim2real.calibration.inputs import robot_parts
from sim2real.calibration.views import RobotViews
from sim2real.camera import Camera
from sim2real.camera.paths import UP, intrinsics_of_fov
from sim2real.scene import Scene, load
from sim2real.scene.cameras.file import camera_entry
from sim2real.transforms import inverse_rigid, look_at, rotation_about

LINK = '<link name="{name}"><visual><origin xyz="{xyz}"/><geometry><box size="{size}"/></geometry></visual></link>'
JOINT = (
    '<joint name="{name}" type="revolute"><parent link="{parent}"/><child link="{child}"/><origin xyz="{xyz}"/>'
    '<axis xyz="{axis}"/><limit lower="-3" upper="3" effort="1" velocity="1"/></joint>'
)
URDF = "\n".join(
    [
        '<robot name="arm">',
        LINK.format(name="base", xyz="0 0 0.05", size="0.2 0.14 0.1"),
        LINK.format(name="turret", xyz="0 0 0.12", size="0.08 0.1 0.24"),
        LINK.format(name="upper", xyz="0.02 0 0.15", size="0.06 0.05 0.3"),
        LINK.format(name="lower", xyz="0 0.02 0.11", size="0.05 0.07 0.22"),
        JOINT.format(name="yaw", parent="base", child="turret", xyz="0 0 0.1", axis="0 0 1"),
        JOINT.format(name="shoulder", parent="turret", child="upper", xyz="0 0 0.22", axis="0 1 0"),
        JOINT.format(name="elbow", parent="upper", child="lower", xyz="0 0 0.28", axis="0 1 0"),
        "</robot>",
    ]
)
JOINTS = "yaw,shoulder,elbow\n0,0.6,0.9\n0.8,-0.5,1.4\n-1.1,0.9,-0.7\n0.3,0.2,-1.5\n"
SIZE = (120, 160)


def write_arm(folder: Path) -> tuple[Path, Path]:
    """The robot's file, and the table of its joints."""
    (folder / "arm.urdf").write_text(URDF)
    (folder / "log.csv").write_text(JOINTS)
    return folder / "arm.urdf", folder / "log.csv"


def arm(folder: Path) -> Scene:
    """Four states of the arm."""
    urdf, joints = write_arm(folder)
    return load(urdf, joints=joints)


def camera_at(pose: np.ndarray, frames: int = 4) -> Camera:
    """A camera that rests somewhere."""
    k = np.repeat(intrinsics_of_fov(45.0, SIZE)[None], frames, axis=0)
    return Camera("front", SIZE, k, np.repeat(pose[None], frames, axis=0))


def true_pose() -> np.ndarray:
    """Where it is: a metre away, looking down a little."""
    return look_at(np.array([0.75, -0.85, 0.75]), np.array([0.02, 0.03, 0.3]), UP)


def off_by(pose: np.ndarray, metres: float, degrees: float, seed: int = 0) -> np.ndarray:
    """A pose that is off in some direction."""
    random = np.random.default_rng(seed)
    shift, axis = random.normal(size=(2, 3))
    out = pose.copy()
    out[:3, 3] += metres * shift / np.linalg.norm(shift)
    out[:3, :3] = out[:3, :3] @ rotation_about(axis, np.array(np.deg2rad(degrees)))
    return out


def problem_for(scene: Scene, camera: Camera, carrier: np.ndarray | None = None) -> tuple[Problem, Estimate]:
    """What a camera has seen, and the answer."""
    frames = tuple(range(scene.frames))
    carrier = np.repeat(np.eye(4)[None], len(frames), axis=0) if carrier is None else carrier
    parts = robot_parts(scene, frames, None)
    blank = Problem(scene, camera, frames, carrier, parts, np.zeros((len(frames), *camera.size), np.float32))
    truth = Estimate(inverse_rigid(inverse_rigid(carrier[0]) @ camera.world_from_camera[0]))
    return replace(blank, masks=drawn(RobotViews(blank), truth)), truth


def write_masks(problem: Problem, folder: Path) -> None:
    """Masks as files."""
    folder.mkdir()
    for index, mask in enumerate(problem.masks):
        Image.fromarray((255 * (mask > 0.5)).astype(np.uint8)).save(folder / f"mask_{index}.png")


def write_camera(camera: Camera, path: Path, pose: np.ndarray, attached_to: str | None = None) -> Path:
    """A camera file."""
    path.write_text(json.dumps(camera_entry(camera, pose, attached_to)))
    return path
