"""Recordings of Isaac Lab, ManiSkill and Isaac Sim, from HDF5 files of the published layouts that are written here."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from scipy.spatial.transform import Rotation

from sim2real.errors import (
    BadKeyError,
    BadValueError,
    EmptySceneError,
    MissingFileError,
    UnknownNameError,
    UnreadableFileError,
)
from sim2real.scene import LoadOptions, Scene, load
from sim2real.scene.readers.recordings.mapping import MappingFile
from sim2real.scene.readers.registry import outline, reader_of
from sim2real.scene.readers.scene_file.yaml import read_yaml

h5py = pytest.importorskip("h5py")

from .simulator_logs import (  # noqa: E402
    FRAMES,
    MAPPING,
    cube_way,
    isaac_lab,
    maniskill,
    mapping,
    robot_joints,
    robot_root,
    session,
)


def matrix(pose: np.ndarray) -> np.ndarray:
    """4x4 of x, y, z and a quaternion with w first, by scipy."""
    whole = np.eye(4)
    whole[:3, :3], whole[:3, 3] = Rotation.from_quat(np.roll(pose[3:], -1)).as_matrix(), pose[:3]
    return whole


def hand_by_hand(frame: int) -> np.ndarray:
    """Where the robot's hand is: its root, then a turn about y at 5 cm, then a way along z beyond 30 cm."""
    angle, way = robot_joints()[frame]
    turned = np.eye(4)
    turned[:3, :3], turned[2, 3] = Rotation.from_euler("y", angle).as_matrix(), 0.05
    reached = np.eye(4)
    reached[2, 3] = 0.3 + way
    return matrix(robot_root()[frame]) @ turned @ reached


def place(scene: Scene, name: str) -> np.ndarray:
    return scene.world_from_instance[:, [i.name for i in scene.instances].index(name)]


@pytest.mark.parametrize("order", ["wxyz", "xyzw"])
def test_isaac_labs_things_are_where_they_were_recorded_in_either_order_of_quaternions(tmp_path, order):
    path = isaac_lab(tmp_path / "demo.hdf5", order)
    scene = load(path, mapping=mapping(tmp_path))
    assert [i.name for i in scene.instances] == ["robot/base", "robot/upper", "robot/hand", "cube", "table"]
    assert {i.class_name for i in scene.instances} == {"robot", "cube", "table"}
    for frame in range(FRAMES):
        np.testing.assert_allclose(place(scene, "robot/hand")[frame], hand_by_hand(frame), atol=1e-6)
        np.testing.assert_allclose(place(scene, "cube")[frame], matrix(cube_way()[0][frame]), atol=1e-6)
    assert any(note.startswith(f"quaternions were read as {order}: things turn about the axes") for note in scene.notes)


@pytest.mark.parametrize("file", ["arm.urdf", "arm.xml", "arm.usda"])
def test_a_robot_is_the_same_from_any_kind_of_file(tmp_path, file):
    if file.endswith("xml"):
        pytest.importorskip("mujoco")
    if file.endswith("usda"):
        pytest.importorskip("pxr")
    path = isaac_lab(tmp_path / "demo.hdf5")
    scene = load(path, mapping=mapping(tmp_path, {"articulations": {"robot": {"robot": file}}, "cameras": []}))
    for frame in range(FRAMES):
        np.testing.assert_allclose(place(scene, "robot/hand")[frame], hand_by_hand(frame), atol=1e-6)
    boxes = [k for k, mesh in enumerate(scene.meshes) if len(mesh.faces) == 12]
    sizes = {tuple(np.round(np.ptp(scene.meshes[k].vertices, axis=0), 6)) for k in boxes}
    assert {(0.2, 0.2, 0.1), (0.06, 0.06, 0.3)} <= sizes


def test_maniskills_trajectories_are_read_with_the_rate_of_their_json(tmp_path):
    other = {"articulations": {"arm": {"robot": "arm.urdf", "class": "panda"}}, "cameras": [], "env_origin": [0, 0, 1]}
    scene = load(maniskill(tmp_path / "trajectory.h5", rate=25), mapping=mapping(tmp_path, other))
    lifted = hand_by_hand(3) + np.array([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]])
    np.testing.assert_allclose(place(scene, "arm/hand")[3], lifted, atol=1e-6)
    assert scene.fps == 25 and "panda" in {i.class_name for i in scene.instances}
    assert "quaternions were read as wxyz: as ManiSkill writes them" in scene.notes
    assert load(maniskill(tmp_path / "b.h5"), mapping=mapping(tmp_path, other)).fps == 20


def test_cameras_ride_on_links_with_the_axes_that_isaac_lab_names(tmp_path):
    path, seen = isaac_lab(tmp_path / "demo.hdf5"), {}
    turns = {"ros": [0.5, -0.5, 0.5, -0.5], "opengl": [0.5, 0.5, -0.5, -0.5], "world": [1, 0, 0, 0]}
    for convention, turn in turns.items():
        camera = MAPPING["cameras"][1] | {"quaternion": turn, "convention": convention}
        scene = load(path, mapping=mapping(tmp_path, {"cameras": [camera]}))
        seen[convention] = scene.camera("wrist").world_from_camera
    eye = np.eye(4)
    eye[0, 3], eye[2, 3] = 0.06, 0.02
    right_down_forward = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])  # forward is the link's x
    for convention in turns:
        np.testing.assert_allclose(seen[convention][4], hand_by_hand(4) @ eye @ right_down_forward, atol=1e-6)


def test_frames_strides_sizes_and_rates_are_as_asked_for(tmp_path):
    path = isaac_lab(tmp_path / "demo.hdf5", demos=2, sim_args={"dt": 0.01, "decimation": 5})
    scene = load(path, LoadOptions(frames=2, stride=3, size=(24, 32)), mapping=mapping(tmp_path), demo="demo_1")
    assert scene.frames == 2 and scene.fps == pytest.approx(20 / 3) and scene.camera("front").size == (24, 32)
    np.testing.assert_allclose(place(scene, "robot/hand")[1], hand_by_hand(3), atol=1e-6)
    with pytest.raises(UnknownNameError, match="demonstration 'demo_7'.*demo_0, demo_1"):
        load(path, mapping=mapping(tmp_path), demo="demo_7")


def test_an_order_that_cannot_be_told_is_asked_for_and_one_that_stands_upright_is_found(tmp_path):
    path = isaac_lab(tmp_path / "demo.hdf5", velocities=False)
    tilted = np.tile([0, 0, 0, *np.roll(Rotation.from_euler("xyz", [50, 40, 60], degrees=True).as_quat(), 1)], (FRAMES, 1))
    with h5py.File(path, "a") as file:
        file["data/demo_0/states/articulation/robot/root_pose"][:] = tilted
    with pytest.raises(BadValueError, match="unknown: nothing turns.*pass --quaternions wxyz"):
        load(path, mapping=mapping(tmp_path))
    asked = load(path, mapping=mapping(tmp_path), quaternions="xyzw")
    assert "quaternions were read as xyzw: as asked for" in asked.notes
    assert load(path, mapping=mapping(tmp_path, {"quaternions": "wxyz"})).frames == FRAMES
    upright = isaac_lab(tmp_path / "upright.hdf5", "xyzw", velocities=False)
    notes = load(upright, mapping=mapping(tmp_path)).notes
    assert any("read as xyzw: in the first frame, 0 of 2 as wxyz and 1 of 2 as xyzw stand upright" in note for note in notes)
    with pytest.raises(UnknownNameError, match="order of quaternions 'wxzy'"):
        load(path, mapping=mapping(tmp_path), quaternions="wxzy")


def test_a_recording_without_a_mapping_says_what_is_in_it_and_how_to_map_it(tmp_path):
    path = isaac_lab(tmp_path / "demo.hdf5")
    with pytest.raises(MissingFileError, match="mapping file not found; pass --mapping; sim2real inspect demo.hdf5"):
        load(path)
    facts = outline(path, {})
    assert facts is not None and facts["quaternions"]["order"] == "wxyz" and facts["frames"] == FRAMES
    assert [(t["name"], t["joints"]) for t in facts["articulations"]] == [("robot", 2)]
    assert facts["objects"][0]["moves"] and facts["objects"][0]["first_position_m"] == [0.3, 0.0, 0.2]
    assert outline(path, {"mapping": mapping(tmp_path)}) is None
    skeleton = tmp_path / "skeleton.yaml"
    skeleton.write_text(facts["mapping_skeleton"])
    with pytest.raises(BadKeyError, match=r"articulations.robot.robot: is '\?\?\?', must be filled in"):
        load(path, mapping=skeleton)
    filled = facts["mapping_skeleton"].replace("robot: ???", "robot: arm.urdf")
    skeleton.write_text(filled.replace("mesh: ???", "leave_out: true"))
    assert [i.name for i in load(path, mapping=skeleton).instances] == ["robot/base", "robot/upper", "robot/hand", "ground"]


def test_names_that_yaml_would_read_otherwise_are_quoted_in_the_skeleton(tmp_path):
    path = isaac_lab(tmp_path / "demo.hdf5")
    odd = ["on", "1e3", "a: b", "null", "é #1", "x\ny", '"']
    with h5py.File(path, "a") as file:
        for name in odd:
            file.copy("data/demo_0/states/rigid_object/cube", f"data/demo_0/states/rigid_object/{name}")
    text = (outline(path, {}) or {})["mapping_skeleton"]
    assert set(yaml.safe_load(text)["objects"]) == {*odd, "cube"}


def test_joints_that_branch_must_be_named_and_fit(tmp_path):
    path, branch = isaac_lab(tmp_path / "demo.hdf5"), tmp_path / "branch.urdf"
    source = mapping(tmp_path, {"articulations": {"robot": {"robot": "branch.urdf"}}, "cameras": []})
    link = '<link name="{0}"><visual><geometry><box size="1 1 1"/></geometry></visual></link>'
    joint = '<joint name="{0}{1}" type="revolute"><parent link="{0}"/><child link="{1}"/><axis xyz="0 0 1"/></joint>'
    edges = ["ab", "bd", "ac", "ce"]
    branch.write_text(f"<robot name='r'>{''.join(map(link.format, 'abcde'))}{''.join(joint.format(*e) for e in edges)}</robot>")
    with h5py.File(path, "a") as file:
        del file["data/demo_0/states/articulation/robot/joint_position"]
        file["data/demo_0/states/articulation/robot/joint_position"] = np.tile([0.1, 0.2, 0.3, 0.4], (FRAMES, 1))
    with pytest.raises(BadValueError, match=r"order of the joints of robot is unknown: .*breadth_first \(ab, ac, bd, ce\)"):
        load(path, mapping=source)
    for joints, angle_of_c in (("breadth_first", 0.2), (["ac", "ab", "bd", "ce"], 0.1), ("file", 0.3)):
        told = {"articulations": {"robot": {"robot": "branch.urdf", "joints": joints}}, "cameras": []}
        turned = place(load(path, mapping=mapping(tmp_path, told)), "robot/c")[0, :3, :3]
        root = matrix(robot_root()[0])[:3, :3]
        np.testing.assert_allclose(Rotation.from_matrix(root.T @ turned).as_rotvec(), [0, 0, angle_of_c], atol=1e-6)
    for joints, error in (
        (["ab"], r"is 1 \(ab\), must be 4"),
        (["ab"] * 4, "ab, twice"),
        (["x"], "unknown joint of robot 'x'"),
    ):
        told = {"articulations": {"robot": {"robot": "branch.urdf", "joints": joints}}, "cameras": []}
        with pytest.raises((BadValueError, UnknownNameError), match=error):
            load(path, mapping=mapping(tmp_path, told))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"articulations": {"robo": {"robot": "arm.urdf"}}}, "unknown recorded articulation 'robo'.*did you mean 'robot'"),
        ({"articulations": {"robot": {"robot": "arm.obj"}}}, "articulations.robot.robot: is 'arm.obj', must end in"),
        ({"articulations": {"robot": {"robot": "omniverse://x/arm.usd"}}}, "must be a file on this machine"),
        ({"articulations": {"robot": {"robot": "gone.urdf"}}}, "the file of robot not found.*mapping.yaml"),
        ({"articulations": {"robot": {"robot": "arm.urdf", "root": "foot"}}}, "unknown root of robot 'foot'"),
        (
            {"articulations": {"robot": {"robot": "arm.urdf", "scale": 2}}},
            "scale of robot is given, must be left out for a robot",
        ),
        ({"objects": {"cube": {"primitive": "box"}}}, "objects.cube.primitive: a box needs: half_size"),
        (
            {"objects": {"cube": {"primitive": "sphere", "radius": 1, "joints": ["a"]}}},
            "joints of cube is given, must be left out",
        ),
        (
            {"objects": {"cube": {"mesh": "a.obj", "motion": {"spin": {"deg_per_s": 1}}}}},
            "motion: does not belong to a recorded",
        ),
        ({"simulator": "maniskill"}, "simulator is maniskill, must be isaac_lab"),
        ({"quaternions": "zyxw"}, "quaternions: is 'zyxw', must be one of: auto, wxyz, xyzw"),
        ({"fsp": 3}, "fsp: unknown key; did you mean 'fps'"),
        (
            {"cameras": [{"name": "a", "position": [0, 0, 1], "attached_to": "robot/foot", "euler_deg": [0, 0, 0]}]},
            "'robot/foot'",
        ),
        ({"static": [{"name": "cube", "primitive": "sphere", "radius": 1}]}, "the name of an object is 'cube'"),
    ],
)
def test_mapping_files_that_do_not_fit_are_refused_in_one_line(tmp_path, changes, error):
    path = isaac_lab(tmp_path / "demo.hdf5")
    with pytest.raises((BadKeyError, BadValueError, MissingFileError, UnknownNameError), match=error) as caught:
        load(path, mapping=mapping(tmp_path, changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "rows", "error"),
    [
        ("rigid_object/cube/root_pose", np.full((FRAMES, 7), np.nan), "root_pose of cube in frame 0 is NaN"),
        ("rigid_object/cube/root_pose", np.zeros((FRAMES, 7)), "the quaternion of cube in frame 0 is .*must be of length 1"),
        ("rigid_object/cube/root_pose", np.zeros((FRAMES, 6)), "the width of root_pose of cube is 6, must be 7"),
        ("rigid_object/cube/root_pose", robot_root(3), "number of frames of cube is 3, must be 6"),
        ("rigid_object/cube/root_pose", np.array([b"x"] * 6), "must be a table of numbers"),
        (
            "articulation/robot/joint_position",
            np.zeros((FRAMES, 3)),
            r"number of joints of robot is 2 \(turn, reach\), must be 3",
        ),
        ("articulation/robot/joint_position", np.zeros((4, 2)), "rows of joint_position of robot is 4, must be 6"),
        ("rigid_object/cube/root_pose", robot_root() * [1e12, 1, 1, 1, 1, 1, 1], "the place of cube in frame 0 is too far"),
    ],
)
def test_tables_that_are_none_are_refused_in_one_line(tmp_path, table, rows, error):
    path = isaac_lab(tmp_path / "demo.hdf5", velocities=False)
    with h5py.File(path, "a") as file:
        del file[f"data/demo_0/states/{table}"]
        file[f"data/demo_0/states/{table}"] = rows
    with pytest.raises(BadValueError, match=error):
        load(path, mapping=mapping(tmp_path), quaternions="wxyz")


def test_files_of_other_kinds_and_versions_are_told_apart(tmp_path):
    assert reader_of(isaac_lab(tmp_path / "a.hdf5")).module == "recordings.scene"
    assert reader_of(maniskill(tmp_path / "b.h5")).module == "recordings.scene"
    with h5py.File(tmp_path / "c.hdf5", "w") as file:
        file["data/demo_0/states"] = np.zeros((3, 4))
    assert reader_of(tmp_path / "c.hdf5").module == "robomimic"
    with pytest.raises(BadValueError, match="--mapping is x.yaml, must be left out for such a recording"):
        load(tmp_path / "c.hdf5", mapping="x.yaml")
    with pytest.raises(BadValueError, match="--asset-root"):
        load(tmp_path / "a.hdf5", asset_root=tmp_path)
    with h5py.File(tmp_path / "flat.h5", "w") as file:
        file["traj_0/env_states"] = np.zeros((3, 40))
    with pytest.raises(UnreadableFileError, match="no names, as ManiSkill 2 wrote them"):
        load(tmp_path / "flat.h5", mapping=mapping(tmp_path))
    whole = (tmp_path / "a.hdf5").read_bytes()
    (tmp_path / "cut.hdf5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableFileError, match="it is truncated"):
        load(tmp_path / "cut.hdf5", mapping=mapping(tmp_path))


def test_the_mappings_that_ship_say_what_can_be_said():
    from pathlib import Path

    files = sorted((Path(__file__).parents[3] / "docs" / "mappings").glob("*.yaml"))
    assert len(files) >= 2
    for file in files:
        assert read_yaml(file, MappingFile).surroundings.cameras


class TestEpisodeRecorder:
    """Sessions of Isaac Sim, which need usd-core."""

    @pytest.fixture(autouse=True)
    def _usd(self):
        pytest.importorskip("pxr")

    def test_recorded_prims_move_on_the_stage_and_keep_their_scale(self, tmp_path):
        scene = load(session(tmp_path / "session.hdf5"))
        assert scene.frames == FRAMES and scene.fps == 50
        np.testing.assert_allclose(place(scene, "hand")[:, 0, 3], np.linspace(0, 0.3, FRAMES), atol=1e-6)
        for frame in range(FRAMES):
            np.testing.assert_allclose(place(scene, "cube")[frame], matrix(cube_way()[0][frame]), atol=1e-6)
        hand = next(p for p in scene.parts if scene.instances[p.instance].name == "hand")
        np.testing.assert_allclose(np.ptp(scene.meshes[hand.mesh].vertices, axis=0), [0.1, 0.2, 0.1], atol=1e-6)
        eye = scene.camera("eye")
        assert eye.size == (48, 64)
        np.testing.assert_allclose(eye.intrinsics[:, 0, 0], np.linspace(64, 96, FRAMES), atol=1e-4)
        np.testing.assert_allclose(
            eye.world_from_camera[0], matrix(np.array([0, -2, 0.2, 0.5**0.5, -(0.5**0.5), 0, 0])), atol=1e-6
        )
        notes = " ".join(scene.notes)
        assert "recorded and not read: 1 usd_attribute" in notes and "not on the stage: /World/gone" in notes

    def test_frames_are_chosen_and_the_stage_on_disk_stays_as_it_was(self, tmp_path):
        path = session(tmp_path / "session.hdf5")
        before = (tmp_path / "stage_snapshot.usda").read_bytes()
        scene = load(path, LoadOptions(frames=2, stride=2))
        assert scene.frames == 2 and scene.fps == 25
        np.testing.assert_allclose(place(scene, "hand")[:, 0, 3], [0, 0.12], atol=1e-6)
        assert load(path, LoadOptions(frames=1)).frames == 1
        assert (tmp_path / "stage_snapshot.usda").read_bytes() == before

    def test_a_session_whose_stage_is_elsewhere_asks_for_it(self, tmp_path):
        path = session(tmp_path / "session.hdf5")
        (tmp_path / "stage_snapshot.usda").rename(tmp_path / "other.usda")
        with pytest.raises(MissingFileError, match="USD stage that the session was recorded on not found.*--stage"):
            load(path)
        facts = outline(path, {})
        assert facts is not None and "/World/arm/hand" in facts["prims"] and facts["fps"] == 50
        assert load(path, stage=tmp_path / "other.usda").frames == FRAMES
        (tmp_path / "empty.usda").write_text('#usda 1.0\ndef Cube "x" {\n}\n')
        with pytest.raises(EmptySceneError, match="no recorded prim on the stage"):
            load(path, stage=tmp_path / "empty.usda")
        with pytest.raises(BadValueError, match="--mapping .*must be left out for a session"):
            load(path, mapping=mapping(tmp_path))

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            (lambda file: file.attrs.__setitem__("schema_version", 1), "schema version is 1, must be 2"),
            (lambda file: file.attrs.__setitem__("schema_version", "two"), "schema version is two, must be 2"),
            (lambda file: file.__delitem__("manifest/tracks"), "manifest lists no tracks"),
            (
                lambda file: file["manifest/tracks"].write_direct(np.array(b"[1", object)),
                "manifest holds no JSON|lists no tracks",
            ),
            (
                lambda file: file["episodes/episode_00000/objects/cube/orientation"].__setitem__(2, 0),
                "quaternion of /World/cube in frame 2",
            ),
            (lambda file: file["episodes/episode_00000/state/arm/positions"].__setitem__((1, 0, 0), np.nan), "frame 1 is NaN"),
            (lambda file: file.__delitem__("episodes/episode_00000"), "no episodes"),
        ],
    )
    def test_sessions_that_are_none_are_refused_in_one_line(self, tmp_path, change, error):
        path = session(tmp_path / "session.hdf5")
        with h5py.File(path, "a") as file:
            change(file)
        with pytest.raises((UnreadableFileError, BadValueError, EmptySceneError), match=error) as caught:
            load(path)
        assert "\n" not in str(caught.value)
