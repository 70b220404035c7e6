"""Files of what is behind clear things: read as they were written, or refused in one line."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.clip.behind import SeenBehind, fitting, nothing_behind, read_behind, write_behind
from sim2real.errors import MissingFileError, UnreadableFileError


def some(count, seed=0):
    rng = np.random.default_rng(seed)
    return SeenBehind(
        at=np.sort(rng.choice(1000, count, replace=False)).astype(np.uint32),
        share=rng.uniform(0, 1, count).astype(np.float16),
        color=rng.uniform(0, 1, (count, 3)).astype(np.float16),
        material=rng.uniform(0, 1, (count, 3)).astype(np.float16),
        ids=rng.integers(0, 9, count).astype(np.uint16),
        depth=rng.uniform(0, 9, count).astype(np.float32),
        normals=rng.integers(0, 256, (count, 3)).astype(np.uint8),
        noise=rng.standard_normal((count, 3)).astype(np.float16),
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 200), st.integers(0, 99))
def test_what_is_written_is_read_back(tmp_path_factory, count, seed):
    file = tmp_path_factory.mktemp("behind") / "000000.npz"
    written = some(count, seed)
    write_behind(file, written)
    read = read_behind(file)
    assert len(read) == count
    for field in fields(SeenBehind):
        ours, theirs = getattr(read, field.name), getattr(written, field.name)
        assert ours.dtype == theirs.dtype and np.array_equal(ours, theirs), field.name


def test_nothing_is_read_back_as_nothing(tmp_path):
    write_behind(tmp_path / "a.npz", nothing_behind())
    assert len(read_behind(tmp_path / "a.npz")) == 0


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("at", lambda at: at[::-1], "at does not ascend"),
        ("share", lambda share: share[:-1], r"share is float16 \(4,\), must be float16 \(5,\)"),
        ("color", lambda color: color.astype(np.float32), "color is float32"),
        ("depth", lambda depth: depth * np.nan, "depth has numbers that are not finite"),
        ("noise", lambda noise: np.array([{}] * 5), "Object arrays cannot be loaded"),
        ("at", lambda at: at[0], r"at is uint32 \(\), must be uint32 \(0,\)"),
    ],
)
def test_files_that_are_not_what_they_should_be_are_refused_in_a_line(tmp_path, name, change, says):
    arrays = {field.name: getattr(some(5), field.name) for field in fields(SeenBehind)}
    np.savez(tmp_path / "a.npz", **{**arrays, name: change(arrays[name])})
    with pytest.raises(UnreadableFileError, match=says) as caught:
        read_behind(tmp_path / "a.npz")
    assert "\n" not in str(caught.value)


def test_files_that_lack_an_array_are_damaged_or_absent_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", at=np.zeros(0, np.uint32))
    with pytest.raises(UnreadableFileError, match="it has no array share"):
        read_behind(tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:-30])
    with pytest.raises(UnreadableFileError):
        read_behind(tmp_path / "b.npz")
    with pytest.raises(MissingFileError):
        read_behind(tmp_path / "c.npz")


def test_pixels_that_the_picture_does_not_have_are_refused(tmp_path):
    behind = some(5)
    last = int(behind.at[-1])
    assert fitting(behind, (1, last + 1), tmp_path / "a.npz") is behind
    assert len(fitting(nothing_behind(), (1, 1), tmp_path / "a.npz")) == 0
    with pytest.raises(UnreadableFileError, match=f"it has a pixel {last}, the picture 1 x {last}; .*a.npz"):
        fitting(behind, (1, last), tmp_path / "a.npz")
