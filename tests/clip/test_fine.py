"""Finer pictures within a clip."""

from __future__ import annotations

import json
import shutil

import pytest

from sim2real.clip import read_clip
from sim2real.clip.within import FINE, finer
from sim2real.errors import UnreadableFileError


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
