"""Recordings as Isaac Lab, ManiSkill, Isaac Sim and Habitat lay them out, small, with the robots that they are of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.spatial.transform import Rotation

FRAMES = 6
URDF = """<robot name="arm">
  <link name="base"><visual><geometry><box size="0.2 0.2 0.1"/></geometry></visual></link>
  <link name="upper"><visual><origin xyz="0 0 0.15"/><geometry><box size="0.06 0.06 0.3"/></geometry>
    <material name="red"><color rgba="0.8 0.1 0.1 1"/></material></visual></link>
  <link name="hand"><visual><geometry><sphere radius="0.05"/></geometry></visual></link>
  <link name="eye"/>
  <joint name="turn" type="revolute"><parent link="base"/><child link="upper"/><origin xyz="0 0 0.05"/><axis xyz="0 1 0"/>
    <limit lower="-3" upper="3" effort="1" velocity="1"/></joint>
  <joint name="reach" type="prismatic"><parent link="upper"/><child link="hand"/><origin xyz="0 0 0.3"/><axis xyz="0 0 1"/>
    <limit lower="0" upper="1" effort="1" velocity="1"/></joint>
  <joint name="mount" type="fixed"><parent link="hand"/><child link="eye"/><origin xyz="0.06 0 0"/></joint>
</robot>"""
MJCF = """<mujoco><worldbody><body name="base"><geom type="box" size="0.1 0.1 0.05"/>
  <body name="upper" pos="0 0 0.05"><joint name="turn" type="hinge" axis="0 1 0"/>
    <geom type="box" size="0.03 0.03 0.15" pos="0 0 0.15"/>
    <body name="hand" pos="0 0 0.3"><joint name="reach" type="slide" axis="0 0 1"/><geom type="sphere" size="0.05"/>
      <body name="eye" pos="0.06 0 0"/></body></body></body></worldbody></mujoco>"""
USD = """#usda 1.0
(
    defaultPrim = "arm"
    metersPerUnit = 1
    upAxis = "Z"
)
def Xform "arm"
{
    def Xform "base" (prepend apiSchemas = ["PhysicsRigidBodyAPI"])
    {
        def Cube "box"
        {
            double size = 1
            float3 xformOp:scale = (0.2, 0.2, 0.1)
            uniform token[] xformOpOrder = ["xformOp:scale"]
        }
    }
    def Xform "upper" (prepend apiSchemas = ["PhysicsRigidBodyAPI"])
    {
        double3 xformOp:translate = (0, 0, 0.05)
        uniform token[] xformOpOrder = ["xformOp:translate"]
        def Cube "box"
        {
            double size = 1
            double3 xformOp:translate = (0, 0, 0.15)
            float3 xformOp:scale = (0.06, 0.06, 0.3)
            uniform token[] xformOpOrder = ["xformOp:translate", "xformOp:scale"]
        }
    }
    def Xform "hand" (prepend apiSchemas = ["PhysicsRigidBodyAPI"])
    {
        double3 xformOp:translate = (0, 0, 0.35)
        uniform token[] xformOpOrder = ["xformOp:translate"]
        def Sphere "ball"
        {
            double radius = 0.05
        }
    }
    def PhysicsRevoluteJoint "turn"
    {
        uniform token physics:axis = "Y"
        rel physics:body0 = </arm/base>
        rel physics:body1 = </arm/upper>
        point3f physics:localPos0 = (0, 0, 0.05)
    }
    def PhysicsPrismaticJoint "reach"
    {
        uniform token physics:axis = "Z"
        rel physics:body0 = </arm/upper>
        rel physics:body1 = </arm/hand>
        point3f physics:localPos0 = (0, 0, 0.3)
    }
}
"""


def wxyz(rotation: Rotation) -> np.ndarray:
    """Quaternions with w first."""
    return np.roll(rotation.as_quat(), 1, axis=-1)


def robot_root(frames: int = FRAMES) -> np.ndarray:
    """A root that stands still, turned about the vertical."""
    return np.tile([0.1, -0.2, 0.05, *wxyz(Rotation.from_euler("z", 30, degrees=True))], (frames, 1))


def robot_joints(frames: int = FRAMES) -> np.ndarray:
    return np.stack([np.linspace(0, 0.8, frames), np.linspace(0, 0.1, frames)], axis=1)


def cube_way(frames: int = FRAMES, rate: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    """Poses (w first) of a tumbling cube, and its angular velocities."""
    speed = np.array([0.5, -1.0, 0.8])
    turns = Rotation.from_rotvec(np.arange(frames)[:, None] / rate * speed) * Rotation.from_euler(
        "xyz", [20, 40, 60], degrees=True
    )
    places = np.stack([np.linspace(0.3, 0.4, frames), np.linspace(0, 0.1, frames), np.full(frames, 0.2)], axis=1)
    return np.concatenate([places, wxyz(turns)], axis=1), np.tile(speed, (frames, 1))


def in_order(poses: np.ndarray, order: str) -> np.ndarray:
    return poses if order == "wxyz" else np.concatenate([poses[:, :3], np.roll(poses[:, 3:], -1, axis=1)], axis=1)


def isaac_lab(path: Path, order: str = "wxyz", *, velocities: bool = True, demos: int = 1, **env_args: Any) -> Path:
    """A dataset of ``HDF5DatasetFileHandler``."""
    import h5py

    cube, speed = cube_way()
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        data.attrs["total"] = FRAMES * demos
        data.attrs["env_args"] = json.dumps({"env_name": "Isaac-Lift-Cube-Franka-v0", "type": 2, **env_args})
        for k in range(demos):
            demo = data.create_group(f"demo_{k}")
            demo.attrs["num_samples"], demo.attrs["success"] = FRAMES, True
            demo["actions"] = np.zeros((FRAMES, 3), np.float32)
            demo["obs/policy"] = np.zeros((FRAMES, 4), np.float32)
            for name, rows in (("initial_state", 1), ("states", FRAMES)):
                robot = demo.create_group(f"{name}/articulation/robot")
                robot["root_pose"] = in_order(robot_root(rows), order).astype(np.float32)
                robot["joint_position"] = robot_joints()[:rows].astype(np.float32)
                robot["joint_velocity"] = np.zeros((rows, 2), np.float32)
                thing = demo.create_group(f"{name}/rigid_object/cube")
                thing["root_pose"] = in_order(cube[:rows], order).astype(np.float32)
                if velocities:
                    robot["root_velocity"] = np.zeros((rows, 6), np.float32)
                    thing["root_velocity"] = np.concatenate([np.zeros((rows, 3)), speed[:rows]], axis=1).astype(np.float32)
                demo.create_group(f"{name}/deformable_object")
    return path


def maniskill(path: Path, *, rate: int | None = None) -> Path:
    """A trajectory of ``RecordEpisode``, with its JSON."""
    import h5py

    cube, speed = cube_way()
    still = np.zeros((FRAMES, 3))
    robot = np.concatenate([robot_root(), still, still, robot_joints(), np.zeros((FRAMES, 2))], axis=1)
    with h5py.File(path, "w") as file:
        trajectory = file.create_group("traj_0")
        trajectory["actions"] = np.zeros((FRAMES - 1, 3), np.float32)
        trajectory["env_states/articulations/arm"] = robot.astype(np.float32)
        trajectory["env_states/actors/cube"] = np.concatenate([cube, still, speed], axis=1).astype(np.float32)
    kwargs = {} if rate is None else {"sim_config": {"control_freq": rate}}
    info = {"env_info": {"env_id": "PickCube-v1", "env_kwargs": kwargs}, "episodes": [{"episode_id": 0}]}
    path.with_suffix(".json").write_text(json.dumps(info))
    return path


MAPPING = {
    "size": [48, 64],
    "articulations": {"robot": {"robot": "arm.urdf"}},
    "objects": {"cube": {"primitive": "box", "half_size": [0.02, 0.03, 0.04], "material": {"color": [0.1, 0.6, 0.2]}}},
    "static": [{"name": "table", "primitive": "box", "half_size": [0.5, 0.5, 0.01], "position": [0.2, 0, 0]}],
    "cameras": [
        {"name": "front", "position": [1.2, -0.9, 0.8], "look_at": [0.2, 0, 0.2], "fov_deg": 50},
        {
            "name": "wrist",
            "attached_to": "robot/eye",
            "position": [0, 0, 0.02],
            "quaternion": [1, 0, 0, 0],
            "convention": "world",
        },
    ],
}


def mapping(folder: Path, changes: dict[str, Any] | None = None) -> Path:
    """A mapping file of all that is recorded, and the robot's files."""
    for name, text in (("arm.urdf", URDF), ("arm.xml", MJCF), ("arm.usda", USD)):
        (folder / name).write_text(text)
    path = folder / "mapping.yaml"
    path.write_text(yaml.safe_dump(MAPPING | (changes or {})))
    return path


STAGE = """#usda 1.0
(
    defaultPrim = "World"
    metersPerUnit = 1
    upAxis = "Z"
)
def Xform "World"
{
    def Xform "arm"
    {
        def Xform "base"
        {
            def Cube "box"
            {
                double size = 0.2
            }
        }
        def Xform "hand"
        {
            double3 xformOp:translate = (0, 0, 0.5)
            float3 xformOp:scale = (1, 2, 1)
            uniform token[] xformOpOrder = ["xformOp:translate", "xformOp:scale"]
            def Cube "box"
            {
                double size = 0.1
            }
        }
    }
    def Cube "cube"
    {
        double size = 0.06
    }
    def Cube "table"
    {
        double size = 0.4
        double3 xformOp:translate = (0, 0, -0.2)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }
    def Camera "eye"
    {
        float focalLength = 20
        float horizontalAperture = 20
    }
}
"""


def session(path: Path, *, version: int = 2, stage: bool = True) -> Path:
    """A session of Isaac Sim's episode recorder, with its stage."""
    import h5py

    cube, _ = cube_way()
    links = ["/World/arm", "/World/arm/base", "/World/arm/hand"]
    hand = np.tile([0.0, 0, 0.5, 1, 0, 0, 0], (FRAMES, 1))
    hand[:, 0] = np.linspace(0, 0.3, FRAMES)
    rest = np.tile([0.0, 0, 0, 1, 0, 0, 0], (FRAMES, 1))
    arm = np.stack([rest, rest, hand], axis=1)
    camera = np.tile([0.0, -2, 0.2, *wxyz(Rotation.from_euler("x", 90, degrees=True))], (FRAMES, 1))
    tracks = [
        {"type": "sim_time", "group": "meta/time"},
        {"type": "articulation", "group": "state/arm", "prim_path": "/World/arm", "include_root": True, "link_paths": links},
        {"type": "rigid_body", "group": "objects/cube", "prim_path": "/World/cube"},
        {"type": "camera", "group": "cameras/eye", "prim_path": "/World/eye", "resolution": [64, 48]},
        {"type": "usd_attribute", "group": "lamp", "prim_path": "/World/lamp", "attribute_name": "intensity"},
        {"type": "xform", "group": "gone", "prim_path": "/World/gone", "space": "world"},
    ]
    with h5py.File(path, "w") as file:
        file.attrs["schema_version"], file.attrs["stage_snapshot"] = version, "stage_snapshot.usda"
        for name, held in (
            ("tracks", tracks),
            ("session", {}),
            ("sampling", {"mode": "physics_post_step", "decimation": 1}),
            ("coord_conventions", {"quaternion_order": "wxyz"}),
        ):
            file[f"manifest/{name}"] = json.dumps(held)
        episode = file.create_group("episodes/episode_00000")
        episode.attrs["num_frames"] = FRAMES
        episode["meta/time/sim_time"] = np.arange(FRAMES) / 50
        episode["state/arm/positions"] = arm[..., :3].astype(np.float32)
        episode["state/arm/orientations"] = arm[..., 3:].astype(np.float32)
        episode["lamp/value"] = np.zeros(FRAMES, np.float32)
        for name, way in (("objects/cube", cube), ("cameras/eye", camera), ("gone", cube)):
            episode[f"{name}/position"], episode[f"{name}/orientation"] = way[:, :3].astype("f4"), way[:, 3:].astype("f4")
            episode[f"{name}/orientation"].attrs["quaternion_order"] = "wxyz"
        for name, first, last in (("focal_length", 20, 30), ("horizontal_aperture", 20, 20), ("vertical_aperture", 15, 15)):
            episode[f"cameras/eye/{name}"] = np.linspace(first, last, FRAMES, dtype=np.float32)
    if stage:
        (path.parent / "stage_snapshot.usda").write_text(STAGE)
    return path


def replay(folder: Path, changes: dict[str, Any] | None = None) -> Path:
    """A gfx-replay file of Habitat with a stage, a chair that comes, moves and goes, a ball and a camera; and their files."""
    import trimesh

    trimesh.creation.box((4, 0.2, 4)).export(folder / "room.stage.glb")
    trimesh.creation.box((0.4, 0.8, 0.4)).export(folder / "chair.ply")
    up = {"up": [0, 1, 0], "front": [0, 0, -1], "origin": [0, 0, 0]}
    z_up = {"up": [0, 0, 1], "front": [0, 1, 0], "origin": [0, 0, 0]}
    ball = "uvSphereSolid_rings_8_segments_16_useTexCoords_false_useTangents_false"

    def state(key: int, place: list[float], turn: list[float] | None = None) -> dict[str, Any]:
        return {"instanceKey": key, "state": {"absTransform": {"translation": place, "rotation": turn or [1, 0, 0, 0]}}}

    def created(key: int, name: str, **more: Any) -> dict[str, Any]:
        flags = {"isStatic": False, "isRGBD": True, "isSemantic": True, "lightSetupKey": ""}
        return {"instanceKey": key, "creation": {"filepath": name, **flags, **more}}

    eye = {"name": "sensor", "transform": {"translation": [0, 1.5, 3], "rotation": [0.9848, -0.1736, 0, 0]}}
    keyframes = [
        {
            "loads": [
                {"type": 1, "filepath": "/data/scenes/room.stage.glb", "frame": up, "virtualUnitToMeters": 1.0},
                {"type": 4, "filepath": ball, "frame": up, "virtualUnitToMeters": 1.0},
            ],
            "creations": [created(0, "/data/scenes/room.stage.glb"), created(1, ball, scale=[0.2, 0.4, 0.2])],
            "stateUpdates": [state(0, [0, -0.1, 0]), state(1, [1, 0.4, 0])],
            "metadata": [{"instanceKey": 1, "metadata": {"objectId": 3, "semanticId": 7}}],
            "userTransforms": [eye, {"name": "agent", "transform": {"translation": [0, 0, 3], "rotation": [1, 0, 0, 0]}}],
            "lightsChanged": True,
            "lights": [{"vector": [0, -1, 0, 0], "color": [1, 0.5, 0.5], "model": "global"}],
        },
        {
            "loads": [{"type": 1, "filepath": "chair.ply", "frame": z_up, "virtualUnitToMeters": 1.0}],
            "creations": [created(2, "chair.ply"), created(5, "chair.ply?material=x", isRGBD=False)],
            "stateUpdates": [state(2, [-1, 0.4, 0])],
        },
        {"stateUpdates": [state(2, [-1, 0.4, 1], [0.7071, 0, 0.7071, 0])], "userTransforms": [eye]},
        {"deletions": [2]},
    ]
    path = folder / "episode.json"
    path.write_text(json.dumps({"keyframes": keyframes} | (changes or {})))
    return path
