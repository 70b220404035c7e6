from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from sim2real.clip import check_output, images, new_folder, read_clip
from sim2real.errors import BadValueError, MissingFileError, OutputExistsError, UnwritableOutputError


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_folder_appears_when_it_is_whole(tmp_path):
    with new_folder(tmp_path / "deep" / "clip") as work:
        (work / "a.txt").write_text("a")
        assert not (tmp_path / "deep" / "clip").exists()
    assert names(tmp_path / "deep") == ["clip"]
    assert names(tmp_path / "deep" / "clip") == ["a.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
def test_nothing_is_left_after_a_fault_or_an_interrupt(tmp_path, error):
    with pytest.raises(error), new_folder(tmp_path / "deep" / "clip") as work:
        (work / "a.txt").write_text("a")
        raise error
    assert names(tmp_path) == []


def test_an_existing_output_is_refused_before_work_begins(clip):
    with pytest.raises(OutputExistsError, match="--overwrite"), new_folder(clip.path):
        pytest.fail("the body ran")
    assert read_clip(clip.path).frames == 5


def test_overwrite_replaces_a_clip_folder(clip):
    with new_folder(clip.path, overwrite=True) as work:
        (work / "new").write_text("")
    assert names(clip.path) == ["new"]
    assert names(clip.path.parent) == ["clip"]


def test_the_old_clip_stays_when_its_replacement_fails(clip):
    with pytest.raises(KeyboardInterrupt), new_folder(clip.path, overwrite=True):
        raise KeyboardInterrupt
    assert read_clip(clip.path).frames == 5
    assert names(clip.path.parent) == ["clip"]


def test_overwrite_never_deletes_what_is_not_a_clip(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("")
    for victim in ("thesis", "file"):
        with pytest.raises(BadValueError, match="a clip folder"):
            check_output(tmp_path / victim, overwrite=True)
    assert (tmp_path / "thesis" / "thesis.tex").exists()


def test_an_empty_folder_may_be_overwritten(tmp_path):
    (tmp_path / "clip").mkdir()
    with new_folder(tmp_path / "clip", overwrite=True) as work:
        (work / "a").write_text("")
    assert names(tmp_path / "clip") == ["a"]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
        (RuntimeError('Failed to write pixel data to image file "x.exr". No space left on device.'), "disk is full"),
        (PermissionError(errno.EACCES, "Permission denied"), "no permission"),
    ],
)
def test_what_the_system_says_becomes_one_line_and_nothing_is_left(tmp_path, error, says):
    with pytest.raises(UnwritableOutputError, match=says) as caught, new_folder(tmp_path / "clip"):
        raise error
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == []


def test_a_parent_that_is_a_file_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableOutputError, match="a file is where"), new_folder(tmp_path / "file" / "clip"):
        pytest.fail("the body ran")


def test_a_full_disk_is_met_when_room_for_the_noise_is_reserved(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UnwritableOutputError, match="disk is full"), new_folder(tmp_path / "clip") as work:
        images.NoiseWriter(work / "noise.npy", (1, 1, 2, 2))
    assert names(tmp_path) == []


def test_a_folder_that_is_no_clip_says_what_a_clip_is(tmp_path):
    with pytest.raises(MissingFileError, match="sim2real render"):
        read_clip(tmp_path)
    with pytest.raises(MissingFileError, match="clip folder"):
        read_clip(tmp_path / "absent")


def test_a_clip_opens_by_folder_or_by_record(clip):
    assert read_clip(clip.path / "clip.json").path == clip.path


def test_everything_in_a_clip_reads_back_with_its_type(clip):
    assert clip.rgb("front", 0).shape == (24, 32, 3)
    assert clip.rgb("front", 0).dtype == np.uint8
    assert clip.depth("front", 4).dtype == np.float32
    assert clip.instances("wrist", 0).dtype == np.uint16
    assert clip.edges("front", 0).shape == (24, 32)
    assert clip.noise("front").shape == (2, 4, 3, 4)
    assert clip.has("front", "noise") and clip.has("front", "depth") and not clip.has("front", "flow")
    with pytest.raises(MissingFileError):
        clip.rgb("front", 5)
    for kind in (clip.albedo, clip.material, clip.light, clip.reflection, clip.gloss):
        with pytest.raises(MissingFileError):
            kind("front", 0)


@pytest.mark.parametrize("length", [1, 200, 241, 242, 250, 255])
def test_a_name_of_any_length_that_the_system_takes_is_made(length, tmp_path):
    with new_folder(tmp_path / ("é" * (length // 2) + "a" * (length % 2))) as work:
        (work / "a").write_text("")
    assert names(next(tmp_path.iterdir())) == ["a"]


def test_a_name_that_the_system_does_not_take_is_refused_in_one_line(tmp_path):
    with pytest.raises(UnwritableOutputError, match="its name is too long"), new_folder(tmp_path / ("a" * 256)):
        pass
    assert names(tmp_path) == []


def test_a_later_run_sweeps_what_killed_runs_of_its_target_left_and_nothing_else(tmp_path):
    dead, old, others = tmp_path / ".clip.0123abcd.tmp", tmp_path / ".clip.0123abcd.old", tmp_path / ".clip2.0123abcd.tmp"
    with new_folder(tmp_path / "clip") as running:
        for folder in (dead, old, others, running):
            folder.mkdir(exist_ok=True)
            os.utime(folder, (0, 0))
        with new_folder(tmp_path / "clip"):
            assert not dead.exists()
            assert old.exists()  # the target is not there: it may be the one copy
            assert others.exists()
            assert running.exists()
    with new_folder(tmp_path / "clip", overwrite=True):
        assert not old.exists()
