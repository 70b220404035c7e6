"""Whatever array a file holds, a reader takes it, finite, or refuses it in one line that says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sim2real.arrays import lengths_of, reason
from sim2real.clip.images import read_noise
from sim2real.errors import BadValueError, Sim2RealError, UnreadableFileError
from sim2real.flow import read_flow
from sim2real.scene.readers.mujoco.states import read_states
from sim2real.scene.readers.scene_file.tables import read_table
from sim2real.transforms import rotation_from_quaternion
from sim2real.video import DepthFiles, read_poses

EXTREMES = [0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 1e300, -1e300, 1e-300]
KINDS = ["<f8", "<f4", "<f2", "<i4", "<u8", "?", "<c16", "<U3", "S2", "M8[s]"]


@st.composite
def any_array(draw: st.DrawFn, *widths: tuple[int, ...]) -> np.ndarray:
    """Arrays of every kind and shape, those that a reader expects among them."""
    shapes = [arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)]
    shapes += [st.integers(0, 3).map(lambda rows, width=width: (rows, *width)) for width in widths]
    shape, kind = draw(st.one_of(shapes)), np.dtype(draw(st.sampled_from(KINDS)))
    if kind.kind != "f":
        return np.ones(shape).astype(kind) if kind.kind != "M" else np.zeros(shape, kind)
    size = int(np.prod(shape))
    values = np.array(draw(st.lists(st.sampled_from(EXTREMES), min_size=size, max_size=size))).reshape(shape)
    with np.errstate(over="ignore"):
        return values.astype(kind)


def taken(read: Callable[[], list[np.ndarray | None]]) -> None:
    """Read: all is finite, or the error is one line."""
    try:
        found = read()
    except Sim2RealError as error:
        assert "\n" not in str(error)
        return
    for values in found:
        assert values is None or (values.size and np.isfinite(values).all())


hard = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.slow
@hard
@given(any_array((3,), (7,), (11,), (4, 4)))
def test_any_table_of_transforms_is_taken_or_refused(tmp_path: Path, values: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", values)

    def read() -> list[np.ndarray | None]:
        table = read_table(tmp_path / "a.npy")
        return [table.position, table.rotation, table.intrinsics]

    taken(read)


@pytest.mark.slow
@hard
@given(any_array((2,)), st.none() | any_array((7,), (2, 7)), st.none() | any_array((), (1,)))
def test_any_recording_is_taken_or_refused(
    tmp_path: Path, rows: np.ndarray, mocap: np.ndarray | None, time: np.ndarray | None
) -> None:
    held = {name: values for name, values in (("mocap", mocap), ("time", time)) if values is not None}
    np.savez(tmp_path / "a.npz", allow_pickle=False, states=rows, **held)

    def read() -> list[np.ndarray | None]:
        recording = read_states(tmp_path / "a.npz")
        return [recording.rows, recording.mocap, recording.seconds]

    taken(read)


@pytest.mark.slow
@hard
@given(any_array((2, 2)), st.none() | any_array((2,)))
def test_any_motion_is_taken_or_refused(tmp_path: Path, motion: np.ndarray, visible: np.ndarray | None) -> None:
    if visible is None:
        np.savez(tmp_path / "a.npz", forward=motion)
    else:
        np.savez(tmp_path / "a.npz", forward=motion, visible=visible)
    taken(lambda: [read_flow(tmp_path / "a.npz", (2, 2))[0].numpy()])


@pytest.mark.slow
@hard
@given(any_array((4, 4), (3, 4), (12,), (16,)))
def test_any_poses_are_taken_or_refused(tmp_path: Path, poses: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", poses)
    taken(lambda: [read_poses(tmp_path / "a.npy", 2)])


@pytest.mark.slow
@hard
@given(any_array((2,)))
def test_any_depth_is_taken_or_refused(tmp_path: Path, depth: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", depth)
    taken(lambda: [DepthFiles(tmp_path, 1, (2, 2)).frame(0)])


@pytest.mark.parametrize("values", [np.ones(3, np.float32), np.ones((0, 2, 2, 2), np.float32), np.full((1, 1, 1, 1), "a")])
def test_noise_of_another_shape_or_kind_is_refused(tmp_path: Path, values: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(UnreadableFileError, match="the noise cannot be read"):
        read_noise(tmp_path / "a.npy")


@pytest.mark.parametrize("width", [3, 7, 11])
def test_a_table_without_rows_says_so(tmp_path: Path, width: int) -> None:
    np.save(tmp_path / "a.npy", np.zeros((0, width)))
    (tmp_path / "a.csv").write_text(",".join("x y z qw qx qy qz fx fy cx cy".split()[:width]) + "\n")
    for name in ("a.npy", "a.csv"):
        with pytest.raises(BadValueError, match="the number of rows of the table is 0, must be at least 1"):
            read_table(tmp_path / name)


@settings(hard, max_examples=80)
@given(st.sampled_from(["a.npy", "a.npz"]), st.integers(0, 400), st.integers(0, 255), st.booleans())
def test_damaged_files_of_arrays_are_refused_or_read(tmp_path: Path, name: str, place: int, byte: int, cut: bool) -> None:
    path = tmp_path / name
    (np.save if name == "a.npy" else np.savez)(path, np.ones((3, 7)))
    content = bytearray(path.read_bytes())
    content[place % len(content)] = byte
    path.write_bytes(content[:place] if cut else content)
    taken(lambda: [read_states(path).rows])
    taken(lambda: [read_flow(path, (3, 7))[0].numpy()])
    path.rename(tmp_path / "b.npy")
    taken(lambda: [read_table(tmp_path / "b.npy").position])


def test_what_a_library_says_keeps_its_quotes_but_for_missing_keys():
    assert reason(KeyError("scenes")) == "scenes"
    assert reason(AttributeError("'str' object has no attribute 'get'")) == "'str' object has no attribute 'get'"
    assert reason(ValueError()) == "ValueError"


def test_lengths_of_huge_and_tiny_vectors_do_not_overflow():
    vectors = np.array([[3.0, 4.0], [3e200, 4e200], [3e-200, 4e-200], [0, 0], [np.inf, 1], [np.nan, 1]])
    np.testing.assert_allclose(lengths_of(vectors), [5, 5e200, 5e-200, 0, np.nan, np.nan], rtol=1e-12)
    assert lengths_of(np.array([1e308, 1e308, 1e308, 1e308])) == np.inf
    turn = np.array([0.5, -0.1, 0.7, 0.2])
    for scale in (1e160, 1e-160):
        np.testing.assert_allclose(rotation_from_quaternion(scale * turn), rotation_from_quaternion(turn), atol=1e-12)
