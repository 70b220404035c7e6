"""Finer pictures within a clip, and how they are reduced."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sim2real.clip import read_clip
from sim2real.clip.within import FINE, finer, reduced
from sim2real.errors import BadValueError, UnreadableFileError
from sim2real.scene.colors import linear_from_srgb, srgb_from_linear


@given(arrays(np.uint8, (3, 5, 3)), st.integers(1, 4))
def test_a_picture_of_even_blocks_is_reduced_to_those_blocks(picture, factor):
    assert np.array_equal(reduced(picture.repeat(factor, axis=0).repeat(factor, axis=1), factor), picture)


@given(arrays(np.uint8, (4, 6, 3)))
def test_light_is_what_is_averaged(picture):
    linear = linear_from_srgb(picture / 255)
    blocks = np.stack([linear[y::2, x::2] for y in (0, 1) for x in (0, 1)]).mean(axis=0)
    assert np.abs(reduced(picture, 2) - 255 * srgb_from_linear(blocks)).max() <= 0.501


def test_black_and_white_make_the_gray_of_half_the_light():
    board = np.indices((4, 4)).sum(axis=0) % 2 * np.ones((3, 1, 1))
    assert (reduced((255 * board.transpose(1, 2, 0)).astype(np.uint8), 2) == 188).all()


def test_sides_must_be_multiples():
    with pytest.raises(BadValueError, match="5x6.*multiples of 2"):
        reduced(np.zeros((5, 6, 3), np.uint8), 2)


def change(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def fine_copy(clip, folder, factor=2, **changes):
    """The clip with itself as its finer pictures, and changes to what their record says."""
    shutil.copytree(clip.path, folder)
    shutil.copytree(clip.path, folder / FINE)
    change(folder / "clip.json", fine=factor)
    height, width = clip.record.size
    change(folder / FINE / "clip.json", **{"size": (factor * height, factor * width)} | changes)
    return read_clip(folder)


def test_a_clip_without_any_stands_for_itself(clip):
    assert finer(clip) == (clip, 1)


def test_how_much_finer_they_are_is_told_by_the_record(clip, tmp_path):
    found, factor = finer(fine_copy(clip, tmp_path / "copy", 3))
    assert (found.path, factor) == (tmp_path / "copy" / FINE, 3)


def test_they_may_be_deleted(clip, tmp_path):
    made = fine_copy(clip, tmp_path / "copy")
    shutil.rmtree(made.path / FINE)
    assert finer(made) == (made, 1)


def test_a_camera_of_that_name_is_none_of_them(clip, tmp_path):
    shutil.copytree(clip.path, tmp_path / "copy")
    shutil.copytree(clip.path / "front", tmp_path / "copy" / FINE)
    made = read_clip(tmp_path / "copy")
    assert finer(made) == (made, 1)


@pytest.mark.parametrize("size", [(25, 32), (48, 32), (24, 32), (72, 96)])
def test_what_is_of_another_size_is_refused(clip, tmp_path, size):
    with pytest.raises(UnreadableFileError, match="fine.*render the clip again, or delete the folder fine"):
        finer(fine_copy(clip, tmp_path / "copy", size=size))


def test_what_belongs_to_another_scene_is_refused(clip, tmp_path):
    with pytest.raises(UnreadableFileError, match="its scene, cameras, frames or size do not go with"):
        finer(fine_copy(clip, tmp_path / "copy", scene={"path": "scenes/other.yaml", "sha256": "1" * 64}))
