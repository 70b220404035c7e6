"""Motion between keys, along ways, and out of tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sim2real.errors import BadValueError, MissingFileError, UnreadableFileError
from sim2real.scene.readers.keys import Interpolation, interpolated, interpolated_rotations
from sim2real.scene.readers.scene_file import trajectories as motion
from sim2real.scene.readers.scene_file.tables import read_table
from sim2real.transforms import quaternion_from_rotation, rotation_about, rotation_from_quaternion

VALUES = arrays(np.float64, (5, 3), elements=st.floats(-2, 2))
TIMES = np.array([0.0, 1.0, 4.0, 6.0, 10.0])


@settings(deadline=None, max_examples=20)
@given(VALUES, st.sampled_from(["smooth", "linear", "step"]))
def test_motion_passes_its_keys_and_stays_between_them(values: np.ndarray, how: Interpolation) -> None:
    np.testing.assert_allclose(interpolated(TIMES, values, TIMES, how), values, atol=1e-12)
    at = np.linspace(-3, 13, 161)
    between = interpolated(TIMES, values, at, how)
    span = np.clip(np.searchsorted(TIMES, at, side="right") - 1, 0, 3)
    low, high = np.minimum(values[span], values[span + 1]), np.maximum(values[span], values[span + 1])
    assert ((between >= low - 1e-9) & (between <= high + 1e-9)).all()


def test_smooth_motion_starts_and_ends_at_rest_and_has_no_jumps_of_speed() -> None:
    values = np.array([[0.0], [1.0], [3.0], [2.0], [2.0]])
    at = np.linspace(0, 10, 10001)
    speed = np.diff(interpolated(TIMES, values, at, "smooth")[:, 0]) / np.diff(at)
    assert abs(speed[0]) < 1e-2 and abs(speed[-1]) < 1e-2
    assert np.abs(np.diff(speed)).max() < 0.02


@settings(deadline=None, max_examples=20)
@given(arrays(np.float64, (3, 4), elements=st.floats(0.1, 1)))
def test_rotations_pass_their_keys_and_are_rotations(wxyz: np.ndarray) -> None:
    for how in ("smooth", "linear", "step"):
        turned = interpolated_rotations(TIMES[:3], wxyz, np.linspace(0, 4, 41), how)
        np.testing.assert_allclose(turned @ turned.swapaxes(1, 2), np.tile(np.eye(3), (41, 1, 1)), atol=1e-9)
        np.testing.assert_allclose(turned[[0, 10, 40]], rotation_from_quaternion(wxyz), atol=1e-9)


@settings(deadline=None, max_examples=40)
@given(arrays(np.float64, 4, elements=st.floats(-1, 1)).filter(lambda q: np.linalg.norm(q) > 0.1))
def test_a_rotation_and_its_quaternion_say_the_same(q: np.ndarray) -> None:
    rotation = rotation_from_quaternion(q)
    np.testing.assert_allclose(rotation_from_quaternion(quaternion_from_rotation(rotation)), rotation, atol=1e-9)


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("loop", [False, True])
def test_a_way_is_traveled_at_its_speed_and_passes_its_points(smooth: bool, loop: bool) -> None:
    points = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.5]])
    place, direction = motion.along(points, 2000, 100.0, speed=0.2, smooth=smooth, loop=loop)
    steps = np.linalg.norm(np.diff(place, axis=0), axis=1)
    moving = slice(0, 1300)
    np.testing.assert_allclose(steps[moving], 0.002, rtol=0.03 if smooth else 0.5)
    assert np.median(steps[moving]) == pytest.approx(0.002, rel=1e-3)
    for point in points:
        assert np.linalg.norm(place - point, axis=1).min() < 0.0025
    np.testing.assert_allclose(np.linalg.norm(direction, axis=1), 1)
    assert (steps[-1] > 0) == loop


def test_a_way_without_speed_lasts_the_clip() -> None:
    points = np.array([[0.0, 0, 0], [2, 0, 0]])
    place, _ = motion.along(points, 5, 24.0, speed=None, smooth=False, loop=False)
    np.testing.assert_allclose(place[:, 0], [0, 0.5, 1, 1.5, 2])


def test_headings_bring_x_to_the_direction() -> None:
    turned = motion.headings(np.array([[0.0, 1, 0], [-1, 0, 0]]))
    np.testing.assert_allclose(turned[:, :, 0], [[0, 1, 0], [-1, 0, 0]], atol=1e-12)


def test_a_spin_turns_by_its_rate() -> None:
    turned = motion.spun((0.0, 0.0, 1.0), 90.0, 13, 12.0)
    np.testing.assert_allclose(turned[12, :3, :3], rotation_about(np.array([0.0, 0, 1]), np.array(np.pi / 2)), atol=1e-12)


def rows(count: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.random((count, 7)), 50 + rng.random((count, 4))], axis=1)


def test_a_csv_table_equals_its_npy_table_in_any_order_of_columns(tmp_path: Path) -> None:
    values = rows(4)
    np.save(tmp_path / "a.npy", values)
    names = "x y z qw qx qy qz fx fy cx cy".split()
    order = [3, 0, 1, 2, 6, 5, 4, 10, 9, 8, 7]
    lines = [",".join(["frame", *(names[k] for k in order)])]
    lines += [",".join([str(n), *(repr(float(row[k])) for k in order)]) for n, row in enumerate(values)]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    a, b = read_table(tmp_path / "a.npy"), read_table(tmp_path / "a.csv")
    assert a.rotation is not None and b.rotation is not None and b.intrinsics is not None
    np.testing.assert_array_equal(a.position, b.position)
    np.testing.assert_array_equal(a.rotation, b.rotation)
    np.testing.assert_array_equal(b.intrinsics, values[:, 7:])
    np.save(tmp_path / "m.npy", a.matrices(np.eye(3)))
    np.testing.assert_allclose(read_table(tmp_path / "m.npy").matrices(np.eye(3)), a.matrices(np.eye(3)))


def test_broken_tables_are_refused_in_one_line(tmp_path: Path) -> None:
    bad = rows(3)[:, :7]
    bad[1, 2] = np.nan
    slanted = np.tile(np.eye(4) * 2, (2, 1, 1))
    cases = {"nan.npy": (bad, "row 1"), "wide.npy": (rows(3)[:, :5], "shape"), "slanted.npy": (slanted, "rotation")}
    for name, (values, word) in cases.items():
        np.save(tmp_path / name, values)
        with pytest.raises(BadValueError, match=word):
            read_table(tmp_path / name)
    (tmp_path / "head.csv").write_text("a,b,c\n1,2,3\n")
    with pytest.raises(BadValueError, match="header"):
        read_table(tmp_path / "head.csv")
    (tmp_path / "word.csv").write_text("x,y,z\n1,2,three\n")
    with pytest.raises(BadValueError, match="row 0"):
        read_table(tmp_path / "word.csv")
    (tmp_path / "cut.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(UnreadableFileError):
        read_table(tmp_path / "cut.npy")
    with pytest.raises(MissingFileError):
        read_table(tmp_path / "none.csv")


def test_a_mark_and_line_ends_of_a_table_do_not_matter(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfx,y,z\r\n" + b"1,2,3\r\n" * 2)
    assert read_table(tmp_path / "a.csv").position.tolist() == [[1, 2, 3]] * 2
