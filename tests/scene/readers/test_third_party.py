"""Other people's files (``third_party``): read, and compared with what other programs or their own numbers make of them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from sim2real.errors import Sim2RealError, UnreadableFileError
from sim2real.scene import LoadOptions, Scene, load

from .third_party import asked_for, package
from .usd_stages import world_points

pytestmark = [asked_for, pytest.mark.network, pytest.mark.slow]


def low_and_high(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    points = world_points(scene, 0).reshape(-1, 3)
    return points.min(axis=0), points.max(axis=0)


# MuJoCo


def test_the_skin_of_dm_controls_dog_is_where_mujoco_has_it(tmp_path):
    mujoco = pytest.importorskip("mujoco")
    path = package("dm-control") / "dm_control" / "suite" / "dog.xml"
    model = mujoco.MjModel.from_xml_path(str(path))
    data, drawn = mujoco.MjData(model), mujoco.MjvScene(model, 2000)
    qpos = np.tile(model.qpos0, (3, 1))
    qpos[:, 7:] += np.random.default_rng(0).normal(0, 0.1, (3, model.nq - 7))
    np.save(tmp_path / "states.npy", qpos)
    scene = load(path, states=tmp_path / "states.npy", state_spec="qpos")
    number = [i.name for i in scene.instances].index(mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_SKIN, 0) or "skin_0")
    (mesh,) = (scene.meshes[part.mesh] for part in scene.parts if part.instance == number)
    for frame, row in enumerate(qpos):
        data.qpos[:] = row
        mujoco.mj_forward(model, data)
        option, camera = mujoco.MjvOption(), mujoco.MjvCamera()
        mujoco.mjv_updateScene(model, data, option, None, camera, mujoco.mjtCatBit.mjCAT_ALL, drawn)
        theirs = np.array(drawn.skinvert).reshape(-1, 3)[: model.skin_vertnum[0]]
        assert np.abs(mesh.deformed[frame] - theirs).max() < 1e-5
    assert len(mesh.faces) > 5000


# URDF


def robots() -> Path:
    return package("example-robot-data") / "cmeel.prefix" / "share" / "example-robot-data" / "robots"


def test_the_links_of_a_panda_are_where_mujocos_kinematics_have_them(tmp_path):
    mujoco = pytest.importorskip("mujoco")
    path = robots() / "panda_description" / "urdf" / "panda.urdf"
    tree = ElementTree.parse(path).getroot()
    for link in tree.iter("link"):
        for child in [*link.findall("visual"), *link.findall("collision")]:
            link.remove(child)
        if link.find("inertial") is None:
            link.append(ElementTree.fromstring('<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1"/></inertial>'))
            link.find("inertial/inertia").attrib.update(ixy="0", ixz="0", iyz="0")
    tree.append(ElementTree.fromstring('<mujoco><compiler fusestatic="false" balanceinertia="true"/></mujoco>'))
    model = mujoco.MjModel.from_xml_string(ElementTree.tostring(tree, "unicode"))
    names = [model.joint(k).name for k in range(model.njnt)]
    qpos = np.random.default_rng(0).uniform(-0.5, 0.5, (4, model.nq))
    finger = [names.index(name) for name in names if name.endswith("finger_joint2")]
    qpos[:, finger] = qpos[:, [names.index(names[k].replace("joint2", "joint1")) for k in finger]]  # it mimics the other
    rows = "\n".join(",".join(map(repr, row)) for row in qpos.tolist())
    (tmp_path / "log.csv").write_text(f"{','.join(names)}\n{rows}\n")
    scene = load(path, joints=tmp_path / "log.csv")
    data, compared = mujoco.MjData(model), 0
    for frame, row in enumerate(qpos):
        data.qpos[:] = row
        mujoco.mj_kinematics(model, data)
        for number, instance in enumerate(scene.instances):
            body = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, instance.name)
            if body > 0:
                world = scene.world_from_instance[frame, number]
                assert np.abs(world[:3, 3] - data.xpos[body]).max() < 1e-9
                assert np.abs(world[:3, :3] - data.xmat[body].reshape(3, 3)).max() < 1e-9
                compared += 1
    assert compared >= 40 and sum(len(scene.meshes[part.mesh].faces) for part in scene.parts) > 100_000


@pytest.mark.parametrize(
    ("path", "links", "note"),
    [
        ("talos_data/robots/talos_reduced.urdf", 52, "joints that are fixed do not mimic others: gripper_left_inner_double"),
        ("anymal_b_simple_description/robots/anymal.urdf", 18, "anymal_foot.dae: materials that lead nowhere are left out"),
        ("iris_description/robots/iris.urdf", 5, ""),
        ("alex_description/urdf/alex_psyonic_hands.urdf", 44, "joint Left_index_q2 mimics index_q1, which is no joint"),
        ("ur_description/urdf/ur5_robot.urdf", 7, ""),
    ],
)
def test_published_robots_are_read_and_what_is_wrong_with_them_is_said(path, links, note):
    scene = load(robots() / path)
    assert len(scene.instances) == links and any(found.startswith(note) for found in scene.notes)
    low, high = low_and_high(scene)
    assert 0.3 < (high - low).max() < 3  # metres


# USD


def test_newtons_quadcopter_stands_upright_in_metres():
    scene = load(package("newton") / "newton" / "examples" / "assets" / "crazyflie.usd")
    low, high = low_and_high(scene)
    width, depth, height = high - low
    assert sum(len(scene.meshes[part.mesh].faces) for part in scene.parts) > 5000
    assert height < min(width, depth) < 0.2  # flat, a hand wide


@pytest.mark.parametrize(
    ("name", "least"), [("humanoid.usda", 14), ("ant.usda", 9), ("cartpole.usda", 3), ("unisex_shirt.usd", 1)]
)
def test_newtons_robots_of_solids_have_a_thing_per_link(name, least):
    scene = load(package("newton") / "newton" / "examples" / "assets" / name)
    assert len(scene.instances) >= least and np.isfinite(world_points(scene, 0)).all()


def test_newtons_soft_bodies_are_closed_surfaces():
    scene = load(package("newton") / "newton" / "tests" / "assets" / "tetmesh_simple.usda")
    a, b, c = (world_points(scene, 0)[:, k] for k in range(3))
    assert np.einsum("fi,fi->f", a, np.cross(b, c)).sum() / 6 == pytest.approx(1 / 6)


# glTF


def gltf(name: str) -> Path:
    return package("assimp-testmodels") / "usr" / "share" / "assimp" / "models" / "glTF2" / name


def test_the_skin_of_the_sample_bends_about_its_joint():
    scene = load(gltf("simple_skin/simple_skin.gltf"))
    (mesh,) = scene.meshes
    assert scene.frames == 133  # 5.5 s
    turns = {12: 45, 24: 90, 60: 0}  # its keys are half a second apart: 0, 45, 90, 90, 45, 0 degrees about z, and back
    top = np.array([[-0.5, 1, 0], [0.5, 1, 0]])  # above the joint at (0, 1, 0), which they follow alone
    for frame, degrees in turns.items():
        c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        expected = top @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + [0, 1, 0]
        gaps = np.linalg.norm(mesh.deformed[frame][:, None] - expected[None], axis=-1)
        assert gaps.min(axis=0).max() < 0.01


def test_the_morph_targets_of_the_sample_are_reached_at_their_keys():
    path = gltf("glTF-Sample-Models/AnimatedMorphCube-glTF/AnimatedMorphCube.gltf")
    scene = load(path, LoadOptions(fps=100.0))
    (mesh,) = scene.meshes
    tree = json.loads(path.read_text())
    data = (path.parent / tree["buffers"][0]["uri"]).read_bytes()

    def array(index: int, width: int) -> np.ndarray:
        accessor = tree["accessors"][index]
        view = tree["bufferViews"][accessor["bufferView"]]
        start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        return np.frombuffer(data, "<f4", accessor["count"] * width, start).reshape(-1, width).astype(float)

    primitive, sampler = tree["meshes"][0]["primitives"][0], tree["animations"][0]["samplers"][0]
    seconds, weights = array(sampler["input"], 1)[:, 0], array(sampler["output"], 1).reshape(-1, 2)
    rest = array(primitive["attributes"]["POSITION"], 3)
    targets = [array(target["POSITION"], 3) for target in primitive["targets"]]
    node = np.array(tree["nodes"][0].get("scale", [1, 1, 1]))
    reached = 0
    for t, (a, b) in zip(seconds, weights, strict=True):
        expected = (rest + a * targets[0] + b * targets[1]) * np.abs(node)
        found = mesh.deformed[min(round(t * 100), scene.frames - 1)]
        gaps = np.linalg.norm(np.abs(found)[:, None] - np.abs(expected)[None], axis=-1)
        assert gaps.min(axis=0).max() < 0.02 * np.abs(expected).max()
        reached += max(a, b) > 0.9
    assert reached


def test_all_files_of_assimps_tests_are_read_or_refused_in_one_line():
    files = sorted([*gltf("").rglob("*.gltf"), *gltf("").rglob("*.glb")])
    refused = []
    for path in files:
        try:
            load(path, LoadOptions(frames=2))
        except Sim2RealError as error:
            assert "\n" not in str(error)
            refused.append(path.parent.name)
    assert len(files) > 40 and len(refused) < 24  # points, lines, nothing at all, and files that are wrong on purpose
    with pytest.raises(UnreadableFileError, match="its arrays do not fit each other"):
        load(gltf("IncorrectVertexArrays/Cube.gltf"))
