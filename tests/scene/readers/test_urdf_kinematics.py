"""Links are where MuJoCo, which reads the same files, has them."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.errors import UnreadableFileError
from sim2real.scene.readers.urdf.kinematics import joint_from_child, rest, with_mimics, world_from_links
from sim2real.scene.readers.urdf.robot import SIZES, Joint, Robot, read_robot
from sim2real.transforms import quaternion_from_rotation, rotation_about

from .urdf_robots import joint, link, random_tree, robot

FREE = '<mujoco><compiler fusestatic="false" discardvisual="false"/></mujoco>'


def drawn(tree: Robot, rng: np.random.Generator, frames: int) -> dict[str, np.ndarray]:
    """Positions of all joints that do not mimic."""
    found = {}
    for one in tree.joints:
        if one.mimic is None:
            found[one.name] = rng.uniform(-3, 3, (frames, SIZES[one.kind]))
    return found


def position(name: str, text: ElementTree.Element, given: dict[str, np.ndarray], frame: int) -> float:
    """The position of a joint by the file's text alone."""
    mimic = text.find(f"joint[@name='{name}']/mimic")
    if mimic is None:
        return float(given[name][frame, 0])
    followed = position(mimic.attrib["joint"], text, given, frame)
    return float(mimic.attrib["multiplier"]) * followed + float(mimic.attrib["offset"])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), links=st.integers(2, 9))
def test_forward_kinematics_are_those_of_mujoco(seed, links, tmp_path_factory):
    mujoco = pytest.importorskip("mujoco")
    rng, frames = random.Random(seed), 2
    body = random_tree(rng, links)
    tree = read_robot(robot(tmp_path_factory.getbasetemp() / "kinematics.urdf", body))
    text = f'<robot name="toy">{FREE}{body}</robot>'
    model = mujoco.MjModel.from_xml_string(text)
    given = drawn(tree, np.random.default_rng(seed), frames)
    ours = world_from_links(tree, given, np.tile(np.eye(4), (frames, 1, 1)))
    for frame in range(frames):
        data = mujoco.MjData(model)
        for k in range(model.njnt):
            name = model.joint(k).name
            start = int(model.jnt_qposadr[k])
            if any(j.name == name for j in tree.joints):
                data.qpos[start] = position(name, ElementTree.fromstring(text), given, frame)
            else:  # of the three that make a planar joint: name_tx, name_ty, name_rz
                planar = next(j.name for j in tree.joints if name.startswith(f"{j.name}_"))
                data.qpos[start] = given[planar][frame, ("TX", "TY", "RZ").index(name.removeprefix(f"{planar}_"))]
        mujoco.mj_kinematics(model, data)
        for number, name in enumerate(tree.links):
            if name == tree.root:
                assert (ours[frame, number] == np.eye(4)).all()
                continue
            body_id = model.body(name).id
            assert np.allclose(ours[frame, number, :3, 3], data.xpos[body_id], atol=1e-9)
            assert np.allclose(ours[frame, number, :3, :3], data.xmat[body_id].reshape(3, 3), atol=1e-9)


def of_kind(kind: str, axis: tuple[float, float, float] = (0, 0, 1)) -> Joint:
    return Joint("j", kind, "a", "b", np.eye(4), np.array(axis) / np.linalg.norm(axis))


@given(st.tuples(*[st.floats(-3, 3)] * 3), st.tuples(*[st.floats(-1, 1)] * 3))
def test_a_planar_joint_moves_in_its_plane_and_turns_about_its_normal(values, axis):
    if np.linalg.norm(axis) < 1e-3:
        axis = (0, 0, -1)
    one = of_kind("planar", axis)
    (moved,) = joint_from_child(one, np.array([values]))
    assert abs(moved[:3, 3] @ one.axis) < 1e-12
    assert np.linalg.norm(moved[:3, 3]) == pytest.approx(np.hypot(*values[:2]))
    assert np.allclose(moved[:3, :3], rotation_about(one.axis, np.array(values[2])))
    upright = joint_from_child(of_kind("planar"), np.array([values]))[0]
    assert np.allclose(upright[:3, 3], [values[0], values[1], 0])


@pytest.mark.parametrize("kind", SIZES)
def test_every_joint_at_rest_is_the_identity(kind):
    assert np.allclose(joint_from_child(of_kind(kind), rest(of_kind(kind), 3)), np.eye(4))


def test_a_floating_joint_is_placed_by_position_and_quaternion():
    turn = rotation_about(np.array([1.0, 2, 3]), np.array(0.7))
    (moved,) = joint_from_child(of_kind("floating"), np.array([[1, 2, 3, *(2 * quaternion_from_rotation(turn))]]))
    assert np.allclose(moved[:3, :3], turn) and moved[:3, 3].tolist() == [1, 2, 3]


def chain(folder: Path, mimics: dict[str, str]) -> Path:
    names = ["a", "b", "c", "d"]
    links = [link("root"), *map(link, names)]
    joints = [joint(f"j{n}", "root", n, kind="revolute", axis="0 0 1", more=mimics.get(f"j{n}", "")) for n in names]
    return robot(folder / "chain.urdf", "".join([*links, *joints]))


def test_mimics_of_mimics_are_followed_and_a_recorded_one_is_as_recorded(tmp_path):
    tree = read_robot(chain(tmp_path, {"ja": '<mimic joint="jb" multiplier="2" offset="1"/>', "jb": '<mimic joint="jc"/>'}))
    whole = with_mimics(tree, {"jc": np.array([[0.5]])}, 1)
    assert [float(whole[name][0, 0]) for name in ("ja", "jb", "jc", "jd")] == [2, 0.5, 0.5, 0]
    whole = with_mimics(tree, {"jb": np.array([[3.0]])}, 1)
    assert [float(whole[name][0, 0]) for name in ("ja", "jb", "jc")] == [7, 3, 0]


@pytest.mark.parametrize(
    ("mimics", "says"),
    [
        (
            {"ja": '<mimic joint="jb"/>', "jb": '<mimic joint="jc"/>', "jc": '<mimic joint="ja"/>'},
            "in a circle: ja, jb, jc, ja",
        ),
        ({"ja": '<mimic joint="ja"/>'}, "in a circle: ja, ja"),
        ({"ja": '<mimic multiplier="2"/>'}, "joint ja: a <mimic> has no joint"),
        ({"ja": '<mimic joint="jb" multiplier="nan"/>'}, "multiplier of <mimic> is 'nan'"),
    ],
)
def test_mimics_that_lead_nowhere_are_refused(mimics, says, tmp_path):
    with pytest.raises(UnreadableFileError) as caught:
        read_robot(chain(tmp_path, mimics))
    assert says in str(caught.value) and "chain.urdf" in str(caught.value)


def test_mimics_of_joints_that_are_not_there_and_by_fixed_ones_are_said_and_do_not_count(tmp_path):
    mimics = {"ja": '<mimic joint="nobody"/>', "jb": '<mimic joint="jc" multiplier="2"/>'}
    path = chain(tmp_path, mimics)
    path.write_text(path.read_text().replace('name="jb" type="revolute"', 'name="jb" type="fixed"'))
    tree = read_robot(path)
    assert tree.notes == (
        "joints that are fixed do not mimic others: jb",
        "joint ja mimics nobody, which is no joint: it moves only if it is recorded",
    )
    whole = with_mimics(tree, {"jc": np.array([[0.5]])}, 1)
    assert whole["ja"].tolist() == [[0.0]] and whole["jb"].shape == (1, 0)


@pytest.mark.parametrize("most", ["1e16", "inf", "1.7976931348623157e308"])
def test_limits_that_mean_none_are_none(most, tmp_path):
    path = chain(tmp_path, {})
    path.write_text(path.read_text().replace('lower="-9" upper="9"', f'lower="-{most}" upper="{most}"'))
    assert {one.limits for one in read_robot(path).joints} == {(-np.inf, np.inf)}
    path.write_text(path.read_text().replace(f'upper="{most}"', 'upper="nan"'))
    with pytest.raises(UnreadableFileError, match="upper of <limit> is 'nan', must be a number"):
        read_robot(path)


def test_long_chains_of_links_and_of_mimics_take_no_recursion(tmp_path):
    count = 3000
    links = [link(f"l{k}", "") for k in range(count)]
    joints = [
        joint(
            f"j{k}",
            f"l{k}",
            f"l{k + 1}",
            kind="prismatic",
            axis="1 0 0",
            more=f'<mimic joint="j{k + 1}"/>' if k < count - 2 else "",
        )
        for k in range(count - 1)
    ]
    tree = read_robot(robot(tmp_path / "long.urdf", "".join(links + joints)))
    world = world_from_links(tree, {f"j{count - 2}": np.array([[0.5]])}, np.eye(4)[None])
    assert world[0, tree.links.index(f"l{count - 1}"), 0, 3] == pytest.approx(0.5 * (count - 1))
