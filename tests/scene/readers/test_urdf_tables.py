"""Joint tables of any format move the same joints, and what is wrong with one is said with its row and its column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim2real.errors import BadValueError, MissingFileError, UnreadableFileError
from sim2real.scene import LoadOptions, Scene, load
from sim2real.scene.readers.urdf.joint_table import read_joint_table
from sim2real.scene.readers.urdf.motion import motion_of
from sim2real.scene.readers.urdf.robot import read_robot
from sim2real.transforms import rotation_about

from .urdf_robots import arm, joint, link, robot

NAMES = ("shoulder", "elbow", "lift", "left_finger")


@pytest.fixture
def urdf(tmp_path: Path) -> Path:
    return arm(tmp_path)


def values(frames: int = 5) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 0.1, (frames, len(NAMES)))


def text(header: str, rows: Any, between: str = ",") -> str:
    return "\n".join([header, *(between.join(str(number) for number in row) for row in rows)]) + "\n"


def moved(urdf: Path, table: Path, **own: Any) -> Scene:
    return load(urdf, joints=table, **own)


def same_way(a: Scene, b: Scene) -> None:
    assert np.array_equal(a.world_from_instance, b.world_from_instance) and a.fps == b.fps


def write(folder: Path, kind: str) -> Path:
    """One and the same table in a format."""
    rows, path = values(), folder / f"log-{kind}"
    seconds = np.arange(5) / 30
    if kind == "csv":
        path = path.with_suffix(".csv")
        path.write_text(text("time," + ",".join(NAMES), np.c_[seconds, rows].tolist()))
    elif kind in ("bom", "semicolons", "tabs"):
        path, between = path.with_suffix(".csv"), {"semicolons": ";", "tabs": "\t"}.get(kind, ",")
        table = text(between.join(["time", *NAMES]), np.c_[seconds, rows].tolist(), between)
        path.write_bytes(table.replace("\n", "\r\n").encode("utf-8-sig" if kind == "bom" else "utf-16"))
    elif kind == "arrays":
        path = path.with_suffix(".npz")
        np.savez(path, time=seconds, **{name: rows[:, k] for k, name in enumerate(NAMES)})
    elif kind == "names":
        path = path.with_suffix(".npz")
        np.savez(path, time=seconds, names=np.array(NAMES), positions=rows)
    else:
        arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        path = path.with_suffix(".parquet")
        parquet.write_table(arrow.table({"time": seconds, **{name: rows[:, k] for k, name in enumerate(NAMES)}}), path)
    return path


@pytest.mark.parametrize("kind", ["bom", "semicolons", "tabs", "arrays", "names", "parquet"])
def test_all_formats_say_the_same(kind, urdf, tmp_path):
    plain = moved(urdf, write(tmp_path, "csv"))
    assert plain.frames == 5 and plain.fps == 30
    same_way(moved(urdf, write(tmp_path, kind)), plain)


@pytest.mark.parametrize(
    "pattern",
    [
        "position.{}",
        "positions/{}",
        "qpos_{}",
        "joint_states.{}",
        "/joint_states/{}/position",
        "observation.state.{}.pos",
        "pos_{}",
    ],
)
def test_names_that_recorders_put_around_joints_are_left_out(pattern, urdf, tmp_path):
    plain, around = tmp_path / "plain.csv", tmp_path / "around.csv"
    plain.write_text(text(",".join(NAMES), values()))
    around.write_text(text(",".join(pattern.format(name) for name in NAMES), values()))
    same_way(moved(urdf, around), moved(urdf, plain))


def test_velocities_and_other_columns_are_listed_and_may_hold_anything(urdf, tmp_path):
    (tmp_path / "log.csv").write_text("elbow,velocity.elbow,frame_id,timestamp\n0.1,nan,world,0\n0.2,,world,0.05\n")
    scene = moved(urdf, tmp_path / "log.csv")
    assert scene.fps == 20
    assert "columns that are no joint's were not used: velocity.elbow, frame_id" in scene.notes
    assert "joints that are not in the table rest at 0: shoulder, lift, left_finger" in scene.notes


def test_nanoseconds_are_told_by_their_size_and_dates_are_read(urdf, tmp_path):
    start = 1_700_000_000_000_000_000
    (tmp_path / "ns.csv").write_text("timestamp,elbow\n" + "".join(f"{start + k * 40_000_000},0\n" for k in range(4)))
    scene = moved(urdf, tmp_path / "ns.csv")
    assert scene.fps == pytest.approx(25, abs=0.01) and "timestamp was read as nanoseconds" in scene.notes
    (tmp_path / "s.csv").write_text("timestamp,elbow\n" + "".join(f"{start / 1e9 + k * 0.04},0\n" for k in range(4)))
    scene = moved(urdf, tmp_path / "s.csv")
    assert scene.fps == pytest.approx(25, abs=0.01) and not any("nanoseconds" in note for note in scene.notes)
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    dates = np.datetime64("2026-01-01T00:00:00", "us") + np.arange(4) * np.timedelta64(40, "ms")
    parquet.write_table(arrow.table({"time": dates, "elbow": np.zeros(4)}), tmp_path / "d.parquet")
    assert moved(urdf, tmp_path / "d.parquet").fps == pytest.approx(25)


def test_the_rate_follows_the_rows_that_are_chosen_and_uneven_ones_are_noted(urdf, tmp_path):
    table = write(tmp_path, "csv")
    scene = load(urdf, LoadOptions(frames=2, stride=2), joints=table)
    assert scene.frames == 2 and scene.fps == 15
    whole = moved(urdf, table)
    assert np.array_equal(scene.world_from_instance, whole.world_from_instance[:4:2])
    assert load(urdf, LoadOptions(fps=7.0), joints=table).fps == 7
    (tmp_path / "uneven.csv").write_text("time,elbow\n0,0\n.1,0\n.2,0\n.9,0\n")
    assert any(
        "not evenly apart in time (up to 0.7 s where 0.1 s is usual)" in n for n in moved(urdf, tmp_path / "uneven.csv").notes
    )
    (tmp_path / "back.csv").write_text("time,elbow\n0,0\n.1,0\n.05,0\n.15,0\n")
    assert any("does not always rise" in note for note in moved(urdf, tmp_path / "back.csv").notes)
    (tmp_path / "none.csv").write_text("elbow\n0\n0\n")
    assert load(urdf, LoadOptions(stride=2), joints=tmp_path / "none.csv").fps == 12


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 1e-3))
def test_a_base_column_places_the_whole_robot_whatever_the_length_of_its_quaternion(tmp_path_factory, quaternion):
    folder = tmp_path_factory.getbasetemp()
    urdf, path = arm(folder), folder / "base.csv"
    header = "base_qx,base_qy,base_qz,base_qw,base_x,base_y,base_z,elbow"
    w, x, y, z = quaternion
    path.write_text(text(header, [[x, y, z, w, 1, 2, 3, 0.3]]))
    tree, still = read_robot(urdf), folder / "still.csv"
    still.write_text("elbow\n0.3\n")
    base = motion_of(tree, read_joint_table(path), None).world_from_root[0]
    axis = np.array([x, y, z])
    length = np.linalg.norm(axis)
    turn = rotation_about(axis, np.array(2 * np.arctan2(length, w))) if length > 1e-9 else np.eye(3)
    assert np.allclose(base[:3, :3], turn, atol=1e-7) and base[:3, 3].tolist() == [1, 2, 3]


def test_a_base_without_quaternion_moves_and_one_without_a_part_is_refused(urdf, tmp_path):
    path = tmp_path / "base.csv"
    path.write_text("base_x,base_y,base_z\n1,2,3\n")
    scene = moved(urdf, path)
    assert scene.world_from_instance[0, 0, :3, 3].tolist() == [1, 2, 3]
    path.write_text("base_x,base_y\n1,2\n")
    with pytest.raises(BadValueError, match="base_x, base_y without base_z"):
        moved(urdf, path)
    path.write_text("base_x,base_y,base_z,base_qw\n1,2,3,1\n")
    with pytest.raises(BadValueError, match="without base_qx, base_qy, base_qz"):
        moved(urdf, path)
    path.write_text("base_x,base_y,base_z,base_qw,base_qx,base_qy,base_qz\n1,2,3,1,0,0,0\n1,2,3,0,0,0,0\n")
    with pytest.raises(BadValueError, match="quaternion in frame 1"):
        moved(urdf, path)


def test_joints_that_are_called_like_the_base_are_joints(tmp_path):
    slides = "".join(
        joint(f"base_{axis}", f"l{k}", f"l{k + 1}", kind="prismatic", axis=d)
        for k, (axis, d) in enumerate([("x", "1 0 0"), ("y", "0 1 0")])
    )
    path = robot(tmp_path / "mobile.urdf", "".join(link(f"l{k}") for k in range(3)) + slides)
    (tmp_path / "log.csv").write_text("base_x,base_y\n1,2\n")
    scene = load(path, joints=tmp_path / "log.csv")
    assert scene.world_from_instance[0, :, :3, 3].tolist() == [[0, 0, 0], [1, 0, 0], [1, 2, 0]]


def test_planar_and_floating_joints_have_columns_of_their_own(tmp_path):
    body = (
        link("a")
        + link("b")
        + link("c")
        + joint("cart", "a", "b", kind="planar", axis="0 0 1")
        + joint("ball", "a", "c", kind="floating")
    )
    path = robot(tmp_path / "two.urdf", body)
    (tmp_path / "log.csv").write_text("cart_x,cart_y,cart_yaw,ball_x,ball_y,ball_z\n1,2,90,4,5,6\n")
    scene = load(path, joints=tmp_path / "log.csv", degrees=True)
    assert scene.world_from_instance[0, 1:, :3, 3].tolist() == [[1, 2, 0], [4, 5, 6]]
    assert np.allclose(scene.world_from_instance[0, 1, :3, 0], [0, 1, 0])


def test_degrees_turn_and_do_not_stretch(urdf, tmp_path):
    (tmp_path / "rad.csv").write_text(text("shoulder,lift", [[np.deg2rad(60), 0.05]]))
    (tmp_path / "deg.csv").write_text("shoulder,lift\n60,0.05\n")
    a, b = moved(urdf, tmp_path / "rad.csv"), moved(urdf, tmp_path / "deg.csv", degrees=True)
    assert np.allclose(a.world_from_instance, b.world_from_instance)
    notes = moved(urdf, tmp_path / "deg.csv").notes
    assert any("leave their limits: shoulder (60 to 60, limits -1.5 to 1.5); if angles are degrees" in note for note in notes)
    assert not any("limits" in note for note in a.notes + b.notes)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("", "the columns of the joint table is none"),
        ("0.1,0.2\n0.3,0.4\n", "must be named like joints (shoulder, elbow, lift"),
        ("elbow\n", "the range of rows"),
        ("elbow\n0\nnan\n", "elbow in row 1 is nan"),
        ("elbow\n0\n1e400\n", "elbow in row 1 is inf"),
        ("elbow,lift\n0,0\n0\n", "lift in row 1 is empty"),
        ("elbow\n0\nhigh\n", "elbow in row 1 is 'high'"),
        ("elbow,elbow\n0,0\n", "'elbow' twice"),
        ("elbow,position.elbow\n0,0\n", "not 'elbow' and 'position.elbow'"),
        ("lift\n1e20\n", "the place of a link in frame 0 is too far"),
        ("time,elbow\n0,0\nnow,0\n", "time in row 1 is 'now'"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_in_one_line(table, says, urdf, tmp_path):
    (tmp_path / "log.csv").write_text(table)
    with pytest.raises(BadValueError) as caught:
        moved(urdf, tmp_path / "log.csv")
    assert says in str(caught.value) and "log.csv" in str(caught.value)


def test_tables_of_other_kinds_are_refused(urdf, tmp_path):
    with pytest.raises(MissingFileError, match="absent.csv"):
        moved(urdf, tmp_path / "absent.csv")
    (tmp_path / "log.bag").write_text("")
    with pytest.raises(BadValueError, match="one of .csv, .npz, .parquet"):
        moved(urdf, tmp_path / "log.bag")
    np.savez(tmp_path / "log.npz", positions=values())
    with pytest.raises(BadValueError, match="beside an array 'names'"):
        moved(urdf, tmp_path / "log.npz")
    np.savez(tmp_path / "log.npz", positions=values(), names=np.array(NAMES[:2]))
    with pytest.raises(BadValueError, match=r"\(5, 4\), must be \(frames, 2\)"):
        moved(urdf, tmp_path / "log.npz")
    np.savez(tmp_path / "log.npz", elbow=np.zeros(3), lift=np.zeros(4))
    with pytest.raises(BadValueError, match="number of rows of lift"):
        moved(urdf, tmp_path / "log.npz")
    (tmp_path / "log.parquet").write_text("PAR1")
    pytest.importorskip("pyarrow")
    with pytest.raises(UnreadableFileError, match="log.parquet"):
        moved(urdf, tmp_path / "log.parquet")


def lerobot(folder: Path, names: Any) -> Path:
    """Two episodes in one file, as LeRobot 3 has them."""
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    file = folder / "data" / "chunk-000" / "file-000.parquet"
    file.parent.mkdir(parents=True)
    (folder / "meta").mkdir()
    (folder / "meta" / "info.json").write_text(json.dumps({"features": {"observation.state": {"names": names}}}))
    rows = np.rad2deg(values(8)).astype(np.float32)
    state = arrow.FixedSizeListArray.from_arrays(arrow.array(rows.ravel()), 4)
    episode = np.repeat([4, 6], 4)
    columns = {
        "observation.state": state,
        "action": state,
        "episode_index": episode,
        "timestamp": np.tile(np.arange(4) / 50, 2),
    }
    parquet.write_table(arrow.table(columns), file)
    return file


@pytest.mark.parametrize("names", [[f"{name}.pos" for name in NAMES], {"motors": list(NAMES)}], ids=["list", "motors"])
def test_a_file_of_a_lerobot_dataset_goes_in_as_it_is(names, urdf, tmp_path):
    file = lerobot(tmp_path / "set", names)
    scene = load(urdf, joints=file, degrees=True)
    assert scene.frames == 4 and scene.fps == 50
    assert "episode 4 of the 2 in file-000.parquet" in scene.notes
    (tmp_path / "plain.csv").write_text(text("time," + ",".join(NAMES), np.c_[np.arange(4) / 50, values(8)[4:]]))
    second, plain = load(urdf, joints=file, degrees=True, episode=6), load(urdf, joints=tmp_path / "plain.csv")
    angles = [k for k, thing in enumerate(plain.instances) if thing.name in ("upper", "lower")]
    assert np.allclose(second.world_from_instance[:, angles], plain.world_from_instance[:, angles], atol=1e-6)
    with pytest.raises(BadValueError, match="must be one of 4, 6"):
        load(urdf, joints=file, episode=5)


def test_an_episode_of_what_has_none_and_options_without_a_table_are_refused(urdf, tmp_path):
    with pytest.raises(BadValueError, match="no column episode_index"):
        load(urdf, joints=write(tmp_path, "csv"), episode=0)
    for own in ({"episode": 0}, {"degrees": True}):
        with pytest.raises(BadValueError, match="left out without --joints"):
            load(urdf, **own)


def test_lists_without_names_are_told_in_the_columns(urdf, tmp_path):
    with pytest.raises(BadValueError, match="'observation.state'.*must be named like joints"):
        load(urdf, joints=lerobot(tmp_path / "set", None))
