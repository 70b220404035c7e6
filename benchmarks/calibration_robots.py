"""Robots, joint states and cameras on which calibration is measured."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from numpy.random import Generator
from scipy import ndimage

from sim2real.camera import Camera
from sim2real.camera.paths import UP, intrinsics_of_fov
from sim2real.scene import Scene, load
from sim2real.transforms import look_at, rigid, rotation_about

FRANKA = """<mujoco>
  <include file="{assets}/assets.xml"/>
  <compiler angle="radian" meshdir="{assets}/meshes"/>
  <worldbody><include file="{assets}/chain.xml"/></worldbody>
</mujoco>"""
FETCH = """<mujoco>
  <compiler angle="radian" coordinate="local" meshdir="{assets}/stls/fetch" texturedir="{assets}/textures"/>
  <include file="{assets}/fetch/shared.xml"/>
  <worldbody>
    <include file="{assets}/fetch/robot.xml"/>
    <body pos="0.9 0.75 0.2" name="table0"><geom size="0.25 0.35 0.2" type="box"/></body>
  </worldbody>
</mujoco>"""
ROBOTS = {"franka": ("panda0_link0",), "fetch": ("robot0:base_link",)}
"""Robots of gymnasium-robotics by the classes that are the robot; the Fetch stands beside a table."""


def robot(name: str, states: int, seed: int, folder: Path) -> Scene:
    """A robot in random joint states, uniform in the middle 70 % of the joints' ranges."""
    import mujoco

    found = find_spec("gymnasium_robotics")
    assert found is not None and found.origin is not None, "pip install 'sim2real[kitchen]'"
    assets = Path(found.origin).parent / "envs/assets"
    model = folder / f"{name}.xml"
    if name == "franka":
        model.write_text(FRANKA.format(assets=assets / "kitchen_franka/franka_assets"))
    else:
        model.write_text(FETCH.format(assets=assets))
    compiled = mujoco.MjModel.from_xml_path(str(model))
    random = np.random.default_rng(seed)
    rows = np.repeat(compiled.qpos0[None], states, axis=0)
    for joint in range(compiled.njnt):
        if compiled.jnt_limited[joint]:
            low, high = compiled.jnt_range[joint]
            rows[:, compiled.jnt_qposadr[joint]] = random.uniform(0.85 * low + 0.15 * high, 0.15 * low + 0.85 * high, states)
    np.save(folder / f"{name}-{seed}.npy", rows)
    return load(model, states=folder / f"{name}-{seed}.npy", state_spec="qpos")


def random_camera(scene: Scene, robot: Bool[np.ndarray, "parts"], size: tuple[int, int], random: Generator) -> Camera:
    """A camera somewhere around a robot from which most of it is in the picture, 15 degrees askew at most."""
    points = np.concatenate([_corners(scene, k) for k in np.flatnonzero(robot)])
    middle = np.median(points, axis=0)
    reach = float(np.quantile(np.linalg.norm(points - middle, axis=1), 0.8))
    turn, rise = random.uniform(0, 2 * np.pi), np.deg2rad(random.uniform(0, 50))
    direction = np.array([np.cos(turn) * np.cos(rise), np.sin(turn) * np.cos(rise), np.sin(rise)])
    fov_deg = random.uniform(40, 65)
    eye = middle + random.uniform(1.1, 1.5) * reach / np.tan(np.deg2rad(fov_deg) / 2) * direction
    pose = look_at(eye, middle + random.uniform(-0.15, 0.15, 3) * reach, UP)
    pose = pose @ rigid(rotation_about(np.array([0.0, 0, 1]), np.deg2rad(random.uniform(-15, 15))), np.zeros(3))
    k = np.repeat(intrinsics_of_fov(fov_deg, size)[None], scene.frames, axis=0)
    return Camera("real", size, k, np.repeat(pose[None], scene.frames, axis=0))


def _corners(scene: Scene, part: int) -> Float[np.ndarray, "points 3"]:
    """Where the corners of the box around a part are, in all frames."""
    own = scene.parts[part]
    vertices = scene.meshes[own.mesh].vertices
    sides = zip(vertices.min(axis=0), vertices.max(axis=0), strict=True)
    box = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(8, 3)
    way = scene.world_from_instance[:, own.instance] @ own.instance_from_mesh
    return (np.einsum("fij,cj->fci", way[:, :3, :3], box) + way[:, None, :3, 3]).reshape(-1, 3)


def off(camera: Camera, metres: float, degrees: float, random: Generator) -> Camera:
    """A camera that is off by so much, in random directions."""
    shift, axis = random.normal(size=3), random.normal(size=3)
    pose = camera.world_from_camera[0].copy()
    pose[:3, 3] += metres * shift / np.linalg.norm(shift)
    pose[:3, :3] = pose[:3, :3] @ rotation_about(axis, np.deg2rad(degrees))
    return replace(camera, world_from_camera=np.repeat(pose[None], len(camera.world_from_camera), axis=0))


def noisy(mask: np.ndarray, share: float, random: Generator) -> np.ndarray:
    """A mask as a careless segmentation leaves it.

    Discs of 2 to 8 px (of 480 rows) on the outline are added to it and taken from it in turn, until as many pixels are wrong as
    the given share of the mask's.
    """
    clean = mask > 0.5
    rows, columns = np.nonzero(clean ^ ndimage.binary_erosion(clean, border_value=1))
    out, wrong, k = clean.copy(), 0, 0
    y, x = np.ogrid[: mask.shape[0], : mask.shape[1]]
    while wrong < share * clean.sum():
        at, radius = random.integers(len(rows)), random.uniform(2, 8) * mask.shape[0] / 480
        out[(y - rows[at]) ** 2 + (x - columns[at]) ** 2 <= radius**2] = k % 2 == 0
        wrong, k = int((out ^ clean).sum()), k + 1
    return out.astype(np.float32)
