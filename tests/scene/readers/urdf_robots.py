"""Robots for the tests of URDF: one of every kind of joint, small ones with meshes, and random ones for MuJoCo to judge."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from PIL import Image

TETRAHEDRON = "v 0 0 0\nv .2 0 0\nv 0 .3 0\nv 0 0 .4\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 1 4 3\n"
INERTIAL = '<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>'
BOX = '<visual><geometry><box size=".1 .2 .3"/></geometry></visual>'

ARM = """<?xml version="1.0"?>
<robot name="arm">
  <material name="red"><color rgba="1 0 0 1"/></material>
  <link name="base"><visual><geometry><box size=".4 .4 .1"/></geometry><material name="red"/></visual></link>
  <link name="upper">
    <visual><origin xyz="0 0 .25"/><geometry><cylinder radius=".05" length=".5"/></geometry>
      <material name="blue"><color rgba="0 0 1 1"/></material></visual>
    <collision><geometry><box size="1 1 1"/></geometry></collision>
  </link>
  <link name="lower">
    <visual><origin xyz="0 0 .2" rpy="0 .1 0"/><geometry><capsule radius=".04" length=".4"/></geometry>
      <material name="blue"/></visual>
    <visual><geometry><sphere radius=".07"/></geometry></visual>
  </link>
  <link name="slide"><visual><geometry><mesh filename="package://arm_description/meshes/tip.obj" scale="1 1 1"/></geometry>
    <material name="wood"><texture filename="package://arm_description/wood.png"/></material></visual></link>
  <link name="left"><visual><geometry><box size=".02 .02 .1"/></geometry></visual></link>
  <link name="right"><visual><geometry><box size=".02 .02 .1"/></geometry></visual></link>
  <link name="camera_optical_frame"/>
  <joint name="shoulder" type="revolute"><parent link="base"/><child link="upper"/><origin xyz="0 0 .05"/>
    <axis xyz="0 1 0"/><limit lower="-1.5" upper="1.5" effort="1" velocity="1"/></joint>
  <joint name="elbow" type="continuous"><parent link="upper"/><child link="lower"/><origin xyz="0 0 .5"/>
    <axis xyz="0 2 0"/></joint>
  <joint name="lift" type="prismatic"><parent link="lower"/><child link="slide"/><origin xyz="0 0 .45" rpy="0 0 .3"/>
    <axis xyz="0 0 1"/><limit lower="0" upper=".1" effort="1" velocity="1"/></joint>
  <joint name="left_finger" type="prismatic"><parent link="slide"/><child link="left"/><axis xyz="0 1 0"/>
    <limit lower="0" upper=".1" effort="1" velocity="1"/></joint>
  <joint name="right_finger" type="prismatic"><parent link="slide"/><child link="right"/><axis xyz="0 1 0"/>
    <limit lower="-.1" upper="0" effort="1" velocity="1"/><mimic joint="left_finger" multiplier="-1" offset="-.01"/></joint>
  <joint name="camera_joint" type="fixed"><parent link="slide"/><child link="camera_optical_frame"/>
    <origin xyz="0 0 .1" rpy="0 .2 0"/></joint>
</robot>
"""


def arm(folder: Path) -> Path:
    """The arm and the package that its mesh and its picture lie in."""
    package = folder / "arm_description"
    (package / "meshes").mkdir(parents=True, exist_ok=True)
    (package / "urdf").mkdir(exist_ok=True)
    (package / "meshes" / "tip.obj").write_text(TETRAHEDRON)
    Image.fromarray(np.full((4, 4, 3), 90, np.uint8)).save(package / "wood.png")
    path = package / "urdf" / "arm.urdf"
    path.write_text(ARM)
    return path


def robot(path: Path, body: str, name: str = "toy") -> Path:
    """A robot of some elements."""
    path.write_text(f'<robot name="{name}">{body}</robot>')
    return path


def link(name: str, visual: str = BOX) -> str:
    return f'<link name="{name}">{INERTIAL}{visual}</link>'


def joint(name: str, parent: str, child: str, *, kind: str = "fixed", origin: str = "", axis: str = "", more: str = "") -> str:
    turn = f'<axis xyz="{axis}"/>' if axis else ""
    limit = '<limit lower="-9" upper="9" effort="1" velocity="1"/>' if kind in ("revolute", "prismatic") else ""
    ends = f'<parent link="{parent}"/><child link="{child}"/>'
    return f'<joint name="{name}" type="{kind}">{ends}<origin {origin}/>{turn}{limit}{more}</joint>'


def _three(rng: random.Random, most: float) -> str:
    return " ".join(f"{rng.uniform(-most, most):.4f}" for _ in range(3))


def random_tree(rng: random.Random, links: int) -> str:
    """Elements of a robot whose root is ``l0``: joints of all kinds that MuJoCo has inside a tree, some that mimic others."""
    parts = [link(f"l{k}") for k in range(links)]
    single: list[str] = []
    for k in range(1, links):
        parent = rng.randrange(k)
        kind = rng.choice(["revolute", "continuous", "prismatic", "fixed", "planar"])
        origin, more = f'xyz="{_three(rng, 1)}" rpy="{_three(rng, 3)}"', ""
        if kind in ("revolute", "continuous", "prismatic"):
            if single and rng.random() < 0.4:
                multiplier, offset = rng.uniform(-2, 2), rng.choice([0.0, rng.uniform(-1, 1)])
                more = f'<mimic joint="{rng.choice(single)}" multiplier="{multiplier:.4f}" offset="{offset:.4f}"/>'
            single.append(f"j{k}")
        axis = "" if kind == "fixed" or rng.random() < 0.1 else _three(rng, 1)
        parts.append(joint(f"j{k}", f"l{parent}", f"l{k}", kind=kind, origin=origin, axis=axis, more=more))
    rng.shuffle(parts)
    return "".join(parts)
