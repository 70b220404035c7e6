"""Recordings that rosbags writes: robots are where the URDF reader puts them, whatever the file and the messages' order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim2real.errors import BadValueError, EmptySceneError, MissingFileError, UnknownNameError, UnreadableFileError
from sim2real.scene import LoadOptions, Scene, load
from sim2real.scene.load import load_as
from sim2real.transforms import rigid, rotation_about

pytest.importorskip("rosbags")

from .bag_files import JOINTS, Words, mcap_of, ns, of_arm, positions_of, ros1, ros2
from .urdf_robots import ARM, arm, joint, link

SECONDS = np.arange(11) / 20


@pytest.fixture(scope="module")
def words() -> Words:
    return Words()


def by_table(folder: Path, seconds: np.ndarray, positions: np.ndarray) -> Scene:
    """The arm as the URDF reader moves it."""
    rows = [",".join(repr(float(v)) for v in (t, *row)) for t, row in zip(seconds, positions, strict=True)]
    (folder / "log.csv").write_text("\n".join(["time," + ",".join(JOINTS), *rows]))
    return load(arm(folder), joints=folder / "log.csv", camera_links="camera_optical_frame")


def same(ours: Scene, theirs: Scene, atol: float = 1e-9) -> None:
    assert not any("times left out" in note for note in ours.notes), ours.notes
    assert [thing.name for thing in ours.instances] == [thing.name for thing in theirs.instances]
    assert np.allclose(ours.world_from_instance, theirs.world_from_instance, atol=atol, rtol=0)
    for a, b in zip(ours.cameras, theirs.cameras, strict=True):
        assert np.allclose(a.world_from_camera, b.world_from_camera, atol=atol, rtol=0)
    assert ours.visible.all() and ours.fps == pytest.approx(theirs.fps)


@pytest.mark.parametrize("kind", ["mcap", "folder", "sqlite", "database", "compressed", "ros1"])
def test_a_robot_is_where_the_reader_of_urdf_puts_it(kind, words, tmp_path):
    theirs = by_table(tmp_path, SECONDS, positions_of(SECONDS))
    if kind == "ros1":
        path = ros1(tmp_path / "run.bag", of_arm(Words(one=True), SECONDS, SECONDS))
    else:
        storage = "mcap" if kind in ("mcap", "folder") else "sqlite3"
        compression = "MESSAGE" if kind == "compressed" else None
        path = ros2(tmp_path / "run", of_arm(words, SECONDS, SECONDS), storage, compression)
        path = next(path.glob("*.mcap")) if kind == "mcap" else next(path.glob("*.db3")) if kind == "database" else path
    scene = load(path)
    same(scene, theirs)
    assert {thing.class_name for thing in scene.instances} == {"arm"} and scene.cameras[0].name == "wrist"


def test_frames_are_at_the_cameras_stamps_and_joints_are_linear_between_their_messages(words, tmp_path):
    stamps = np.array([0.01, 0.033, 0.0999, 0.2, 0.4444])
    arm(tmp_path)
    path = mcap_of(tmp_path / "run", of_arm(words, SECONDS, stamps))
    rows = positions_of(SECONDS)
    between = np.stack([np.interp(stamps, SECONDS, rows[:, k]) for k in range(4)], axis=1)
    scene = load(path)
    theirs = by_table(tmp_path, stamps, between)
    assert np.allclose(scene.world_from_instance, theirs.world_from_instance, atol=1e-7)  # stamps are whole nanoseconds
    assert any("stamps of the camera are not evenly apart" in note for note in scene.notes)


def test_a_rate_samples_the_recording_and_a_stride_keeps_its_pace(words, tmp_path):
    arm(tmp_path)
    path = mcap_of(tmp_path / "run", of_arm(words, SECONDS, SECONDS[:3]))
    scene = load(path, LoadOptions(fps=40.0))
    assert scene.frames == 21 and scene.fps == 40
    theirs = by_table(tmp_path, SECONDS, positions_of(SECONDS))
    assert np.allclose(scene.world_from_instance[::2], theirs.world_from_instance, atol=1e-9)
    half = load(path, LoadOptions(fps=40.0, stride=4, frames=3))
    assert half.frames == 3 and half.fps == 10
    assert np.array_equal(half.world_from_instance, scene.world_from_instance[:12:4])


def test_messages_of_several_publishers_late_and_twice_are_the_same_motion(words, tmp_path):
    theirs = by_table(tmp_path, SECONDS, positions_of(SECONDS))
    said = [one for one in of_arm(words, SECONDS, SECONDS) if one[0] != "/joint_states"]
    for k, (time, row) in enumerate(zip(SECONDS.tolist(), positions_of(SECONDS), strict=True)):
        values = dict(zip(JOINTS, row, strict=True))
        said.append(("/joint_states", ns(time), words.joints(ns(time), shoulder=values["shoulder"], lift=values["lift"])))
        wrong = {"elbow": 0.0 if k == 3 else values["elbow"], "left_finger": values["left_finger"]}
        said.append(("/gripper/joint_states", ns(time) + 5, words.joints(ns(time), **wrong)))
    right = words.joints(ns(SECONDS[3]), elbow=positions_of(SECONDS)[3, 1])
    mixed = sorted(said, key=lambda one: (one[1] // 40_000_000) % 5)
    scene = load(mcap_of(tmp_path / "run", [*mixed, ("/gripper/joint_states", ns(0.9), right)]))
    same(scene, theirs)
    assert any("came late were put in order" in note and "/joint_states" in note for note in scene.notes)
    assert any("there twice" in note and "/gripper/joint_states (1)" in note for note in scene.notes)


def turning(seconds: float, rate: float = 2.0) -> np.ndarray:
    """A base that turns at a steady rate about a slanted axis while it moves on a straight line."""
    return rigid(rotation_about(np.array([1.0, 2, 3]), np.array(rate * seconds)), np.array([1 + seconds, -2 * seconds, 0.5]))


def test_a_base_moves_on_straight_lines_and_shorter_arcs_between_transforms(words, tmp_path):
    arm(tmp_path)
    stamps = np.array([0.012, 0.25, 0.3456])
    said = of_arm(words, SECONDS, stamps)
    for time in np.arange(0, 0.61, 0.1).tolist():
        said.append(("/tf", ns(time), words.transforms((ns(time), "odom", "base", turning(time)))))
    lifted = rigid(rotation_about(np.array([0.0, 0, 1]), np.array(0.5)), np.array([3.0, 0, 1]))
    said.append(("/tf_static", ns(0.55), words.transforms((0, "map", "odom", lifted))))
    path = mcap_of(tmp_path / "run", said)
    scene = load(path)
    for frame, time in enumerate(stamps.tolist()):
        assert np.allclose(scene.world_from_instance[frame, 0], lifted @ turning(time), atol=1e-8)
    inside = load(path, fixed_frame="base")
    assert np.allclose(inside.world_from_instance[:, 0], np.eye(4), atol=1e-12)
    assert np.allclose(
        inside.cameras[0].world_from_camera, np.linalg.inv(scene.world_from_instance[:, 0]) @ scene.cameras[0].world_from_camera
    )
    with pytest.raises(UnknownNameError, match="did you mean 'odom'"):
        load(path, fixed_frame="odo")


def test_transforms_are_checked_against_the_joints(words, tmp_path):
    theirs = by_table(tmp_path, SECONDS, positions_of(SECONDS))
    place = {thing.name: k for k, thing in enumerate(theirs.instances)}
    for off, says in ((0.0, "transforms of 2 links agree with the joint states to"), (0.05, "disagree by up to 0.05 m")):
        said = of_arm(words, SECONDS, SECONDS)
        for frame, time in enumerate(SECONDS.tolist()):
            world = theirs.world_from_instance[frame]
            lower = np.linalg.inv(world[place["upper"]]) @ world[place["lower"]]
            lower[0, 3] += off
            told = (ns(time), "base", "upper", world[place["upper"]]), (ns(time), "upper", "lower", lower)
            said.append(("/tf", ns(time), words.transforms(*told)))
        scene = load(mcap_of(tmp_path / f"run{off}", said), packages=str(tmp_path))
        same(scene, theirs)
        assert any(says in note for note in scene.notes), scene.notes


def test_joints_that_no_message_tells_of_are_where_transforms_put_them(words, tmp_path):
    theirs = by_table(tmp_path, SECONDS, positions_of(SECONDS))
    place = {thing.name: k for k, thing in enumerate(theirs.instances)}
    said = [one for one in of_arm(words, SECONDS, SECONDS) if one[0] != "/joint_states"]
    pairs = (("base", "upper"), ("upper", "lower"), ("lower", "slide"), ("slide", "left"), ("slide", "right"))
    for frame, time in enumerate(SECONDS.tolist()):
        world = theirs.world_from_instance[frame]
        told = [(ns(time), a, b, np.linalg.inv(world[place[a]]) @ world[place[b]]) for a, b in pairs]
        said.append(("/tf", ns(time), words.transforms(*told)))
    scene = load(mcap_of(tmp_path / "run", said))
    same(scene, theirs, atol=1e-7)  # what is fixed is there from the description alone
    assert any("are where transforms put them: shoulder, elbow, lift, left_finger, right_finger" in n for n in scene.notes)


TOY = f'<robot name="toy">{link("root")}{link("tip")}{joint("j", "root", "tip", kind="revolute", axis="0 0 1")}</robot>'


@pytest.mark.parametrize("how", ["prefix", "underscore", "namespaces"])
def test_robots_in_namespaces_have_their_own_joints_and_transforms(how, words, tmp_path):
    said = []
    for number, name in enumerate(("one", "two")):
        between = {"prefix": f"{name}/", "underscore": f"{name}_", "namespaces": ""}[how]
        topic = f"/{name}/tf" if how == "namespaces" else "/tf"
        said.append((f"/{name}/robot_description", ns(0), words.text(TOY)))
        for time in (0.0, 1.0):
            said.append((f"/{name}/joint_states", ns(time), words.joints(ns(time), j=time * (number + 1))))
            way = rigid(np.eye(3), np.array([number, time, 0]))
            said.append((topic, ns(time), words.transforms((ns(time), "map", f"{between}root", way))))
    scene = load(mcap_of(tmp_path / "run", said), LoadOptions(fps=2.0))
    assert [thing.name for thing in scene.instances] == ["one/root", "one/tip", "two/root", "two/tip"]
    assert np.allclose(scene.world_from_instance[1, 0, :3, 3], [0, 0.5, 0])
    assert np.allclose(scene.world_from_instance[1, 2, :3, 3], [1, 0.5, 0])
    for number in (0, 1):
        turn = rotation_about(np.array([0.0, 0, 1]), np.array(0.5 * (number + 1)))
        assert np.allclose(scene.world_from_instance[1, 2 * number + 1, :3, :3], turn)


def test_angles_that_wrap_go_the_shorter_way(words, tmp_path):
    said = [("/robot_description", ns(0), words.text(TOY.replace("revolute", "continuous")))]
    said += [("/joint_states", ns(t), words.joints(ns(t), j=v)) for t, v in ((0.0, 3.0), (1.0, -3.0))]
    scene = load(mcap_of(tmp_path / "run", said), LoadOptions(fps=2.0))
    assert np.allclose(scene.world_from_instance[1, 1, :3, :3], rotation_about(np.array([0.0, 0, 1]), np.array(np.pi)))


def test_stamps_count_unless_they_are_0_or_the_log_is_asked_for(words, tmp_path):
    said = [("/robot_description", ns(0), words.text(TOY))]
    said += [("/joint_states", ns(t + 0.1 * t), words.joints(ns(t), j=t)) for t in (0.0, 1.0)]
    path = mcap_of(tmp_path / "run", said)
    assert load(path, LoadOptions(fps=10.0)).frames == 11 and load(path, LoadOptions(fps=10.0), clock="log").frames == 12
    with pytest.raises(UnknownNameError, match="valid: header, log"):
        load(path, clock="wall")
    bare = [said[0], *(("/joint_states", time, words.joints(0, j=0.1)) for _, time, _ in said[1:])]
    assert load(mcap_of(tmp_path / "bare", bare), LoadOptions(fps=10.0)).frames == 12
    far = [said[0], *(("/joint_states", ns(t), words.joints(round(t * 1e9) + 1, j=t)) for t in (0.0, 1.0))]
    assert any("--clock log" in note for note in load(mcap_of(tmp_path / "far", far)).notes)


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_part_of_a_recording_is_read_with_what_was_latched_before(storage, words, tmp_path):
    said = [
        ("/robot_description", ns(0), words.text(TOY)),
        ("/tf_static", ns(0), words.transforms((0, "map", "root", np.eye(4)))),
    ]
    said += [("/joint_states", ns(t), words.joints(ns(t), j=t)) for t in np.arange(0, 3.01, 0.5).tolist()]
    path = ros2(tmp_path / "run", said, storage)
    scene = load(path, LoadOptions(fps=2.0), start=1.0, duration=1.2)
    assert scene.frames == 3
    assert np.allclose(scene.world_from_instance[0, 1, :3, :3], rotation_about(np.array([0.0, 0, 1]), np.array(1.0)))
    for own in ({"start": -1.0}, {"duration": 0.0}, {"duration": float("nan")}):
        with pytest.raises(BadValueError, match="seconds"):
            load(path, **own)


def test_gaps_are_told_and_what_lies_between_is_interpolated(words, tmp_path):
    said = [("/robot_description", ns(0), words.text(TOY)), ("/scan", ns(0), words.text("other"))]
    times = [*np.arange(0, 1, 0.05).tolist(), *np.arange(3, 4, 0.05).tolist()]
    said += [("/joint_states", ns(t), words.joints(ns(t), j=t / 4)) for t in times]
    scene = load(mcap_of(tmp_path / "run", said), LoadOptions(fps=10.0))
    assert any("/joint_states: nothing for 2.05 s from 0.950 s on; what lies between" in note for note in scene.notes)
    assert "topics that were not used: /scan (std_msgs/msg/String)" in scene.notes
    assert np.allclose(scene.world_from_instance[20, 1, :3, :3], rotation_about(np.array([0.0, 0, 1]), np.array(0.5)))


def test_without_a_description_a_urdf_file_or_meshes_for_frames_are_asked_for(words, tmp_path):
    theirs = by_table(tmp_path, SECONDS, positions_of(SECONDS))
    said = [one for one in of_arm(words, SECONDS, SECONDS) if one[0] != "/robot_description"]
    way = rigid(np.eye(3), np.array([0.0, 0, 1]))
    said += [("/tf", ns(t), words.transforms((ns(t), "map", "cup", way * [[1], [1], [1 + t], [1]]))) for t in (0.0, 0.5)]
    path = mcap_of(tmp_path / "run", said)
    with pytest.raises(EmptySceneError, match="pass --urdf FILE, or --mesh FRAME=FILE for frames: cup, map"):
        load(path)
    same(load(path, urdf=arm(tmp_path)), theirs)
    mesh = "arm_description/meshes/tip.obj"
    scene = load(path, LoadOptions(fps=2.0), mesh=(f"cup={tmp_path / mesh}", f"cup = ../{mesh}", f"map={tmp_path / mesh}"))
    assert [thing.name for thing in scene.instances] == ["cup", "cup-2", "map"]
    assert np.allclose(scene.world_from_instance[:, 0, 2, 3], [1, 1.5])
    assert "camera wrist is left out: it hangs on camera_optical_frame, which no transform connects with map" in scene.notes
    with pytest.raises(UnknownNameError, match="did you mean 'cup'"):
        load(path, mesh=("cupp=a.obj",))
    for wrong, error in (("cup", BadValueError), ("cup=nowhere.obj", MissingFileError)):
        with pytest.raises(error, match="--mesh"):
            load(path, mesh=(wrong,))
    told = {"mesh": [f"cup={tmp_path / mesh}"], "fps": 2.0}
    assert load_as(path, told).frames == 2
    (tmp_path / "scene.yaml").write_text(f"rollout: {{path: {path}, fps: 2, mesh: ['cup=../{mesh}'], fixed_frame: cup}}\n")
    assert load(tmp_path / "scene.yaml").frames == 2


def test_what_starts_late_is_waited_for(words, tmp_path):
    arm(tmp_path)
    said = of_arm(words, np.arange(4, 9) / 20, SECONDS)
    scene = load(mcap_of(tmp_path / "run", said))
    assert scene.frames == 5
    assert {"4 stamps of the camera before joint states of arm begins were left out"} <= set(scene.notes)
    assert {"2 stamps of the camera after joint states of arm has ended were left out"} <= set(scene.notes)
    never = of_arm(words, SECONDS[:3], SECONDS + 10)
    assert any("no stamp of the camera is between" in note for note in load(mcap_of(tmp_path / "never", never)).notes)


def test_what_is_read_decides_the_hash_and_what_is_not_does_not(words, tmp_path):
    said = [("/robot_description", ns(0), words.text(TOY)), ("/joint_states", ns(0), words.joints(ns(0), j=0.1))]
    first = load(mcap_of(tmp_path / "a", said)).sha256
    assert load(mcap_of(tmp_path / "b", [*said, ("/scan", ns(1), words.text("x"))])).sha256 == first
    assert load(mcap_of(tmp_path / "c", [said[0], ("/joint_states", ns(0), words.joints(ns(0), j=0.2))])).sha256 != first


# what is refused


def test_transforms_that_are_none_are_left_out_and_counted(words, tmp_path):
    said = [("/robot_description", ns(0), words.text(TOY)), ("/joint_states", ns(0), words.joints(ns(0), j=float("nan")))]
    bad = rigid(np.eye(3), np.array([np.nan, 0, 0]))
    for time in (0.0, 1.0):
        said.append(("/tf", ns(time), words.transforms((ns(time), "map", "root", np.eye(4)), (ns(time), "map", "x", bad))))
    scene = load(mcap_of(tmp_path / "run", said), LoadOptions(fps=1.0))
    assert "2 times left out, of /tf (of x: no transform)" in scene.notes
    assert "1 times left out, of /joint_states (a position of j is nan)" in scene.notes
    assert "joints that nothing tells of rest at 0: j" in scene.notes


def test_transforms_in_a_circle_are_refused_with_the_circle(words, tmp_path):
    said = [("/robot_description", ns(0), words.text(TOY))]
    said += [("/tf", ns(0), words.transforms((ns(0), a, b, np.eye(4)))) for a, b in (("a", "root"), ("b", "a"), ("a", "b"))]
    with pytest.raises(UnreadableFileError, match="go in a circle: (a on b on a|b on a on b)"):
        load(mcap_of(tmp_path / "run", said))


def test_a_frame_that_changes_its_parent_is_where_either_puts_it(words, tmp_path):
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    said = [("/tf_static", ns(0), words.transforms((0, "map", "hand", rigid(np.eye(3), np.array([5.0, 0, 0])))))]
    for time, parent, x in ((0.0, "map", 0.0), (1.0, "map", 1.0), (2.0, "hand", -1.0), (3.0, "hand", 1.0)):
        said.append(("/tf", ns(time), words.transforms((ns(time), parent, "cup", rigid(np.eye(3), np.array([x, 0, 0]))))))
    scene = load(mcap_of(tmp_path / "run", said), LoadOptions(fps=2.0), mesh=(f"cup={tmp_path / 'a.obj'}",))
    assert np.allclose(scene.world_from_instance[:, 0, 0, 3], [0, 0.5, 1, 1, 4, 5, 6])


def test_macros_missing_meshes_and_descriptions_that_are_none_end_in_one_line(words, tmp_path):
    macros = '<robot name="r" xmlns:xacro="x"><xacro:include filename="a"/></robot>'
    for name, text, error, says in (
        ("macros", macros, UnreadableFileError, "expand them before they are published, or pass --urdf"),
        ("empty", "", UnreadableFileError, "no XML"),
        ("mesh", ARM, MissingFileError, "pass --packages with the folder"),
    ):
        path = mcap_of(tmp_path.joinpath(*"abcde", name, "run"), [("/robot_description", ns(0), words.text(text))])
        with pytest.raises(error, match=says) as caught:
            load(path)
        assert "run.mcap" in str(caught.value) and "\n" not in str(caught.value)


# the command line


@pytest.mark.slow
def test_a_recording_is_rendered_by_the_command_line(words, tmp_path):
    from click.testing import CliRunner

    from sim2real.cli import main
    from sim2real.clip import read_clip

    arm(tmp_path)
    said = of_arm(words, SECONDS[:3], SECONDS[:3])
    said += [("/tf", ns(t), words.transforms((ns(t), "base", "cup", turning(t)))) for t in SECONDS[:3].tolist()]
    folder = ros2(tmp_path / "run", said)
    tip = f"{tmp_path}/arm_description/meshes/tip.obj"
    options = [
        "--mesh",
        f"cup={tip}",
        "--mesh",
        f"camera_optical_frame={tip}",
        "--size",
        "24x32",
        "--only",
        "noise,depth,instances",
    ]
    run = CliRunner().invoke(main, ["render", str(folder), "-o", str(tmp_path / "clip"), *options])
    assert run.exit_code == 0, run.output
    clip = read_clip(tmp_path / "clip")
    assert clip.frames == 3 and list(clip.cameras) == ["wrist"] and clip.record.size == (24, 32)
    assert {"cup", "camera_optical_frame", "base"} <= {thing.name for thing in clip.record.instances}
    assert (clip.depth("wrist", 2) > 0).any()
    told = CliRunner().invoke(main, ["inspect", str(folder), "--joints", "log.csv"])
    assert told.exit_code == 1 and "--joints" in told.output and "Traceback" not in told.output
