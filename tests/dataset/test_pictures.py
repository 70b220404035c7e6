"""Pictures of clips as files, and what is said where they are missing."""

import shutil

import numpy as np
import pytest

from sim2real.clip.images import read_png, write_png
from sim2real.dataset.kinds import check_kinds
from sim2real.dataset.pictures import millimetres, write_pictures
from sim2real.errors import BadValueError, MissingFileError
from tests.dataset.labels import contents, copied, with_footage


def test_the_render_is_copied_where_there_is_no_footage(tiny_clips, tmp_path):
    write_pictures(tiny_clips[0], "still", tmp_path / "a" / "b")
    assert contents(tmp_path / "a" / "b") == contents(tiny_clips[0].clip.folder("still") / "rgb")


def test_lossless_footage_is_copied_and_a_video_is_decoded(tiny_clips, tmp_path):
    clip = copied(tiny_clips[0], tmp_path)
    pictures = with_footage(clip, "still")
    with_footage(clip, "moving", video=True)
    write_pictures(clip, "still", tmp_path / "still")
    write_pictures(clip, "moving", tmp_path / "moving")
    assert all((read_png(tmp_path / "still" / f"{frame:06d}.png") == p).all() for frame, p in enumerate(pictures))
    decoded = list(clip.pictures("moving"))
    found = [read_png(path) for path in sorted((tmp_path / "moving").iterdir())]
    assert len(found) == clip.clip.frames and all((a == b).all() for a, b in zip(found, decoded, strict=True))


def test_footage_that_labels_do_not_fit_is_refused(tiny_clips, tmp_path):
    clip = copied(tiny_clips[0], tmp_path)
    with_footage(clip, "still")
    frames = clip.footage["still"] / "frames"
    write_png(frames / "000001.png", np.zeros((24, 32, 3), np.uint8))
    with pytest.raises(BadValueError, match=r"size is 24x32, must be 48x64, that of the labels \(clip moving-3, camera still"):
        write_pictures(clip, "still", tmp_path / "a")
    (frames / "000001.png").unlink()
    with pytest.raises(BadValueError, match="length is 4, must be 5 frames"):
        write_pictures(clip, "still", tmp_path / "b")
    (clip.clip.folder("moving") / "rgb" / "000002.png").unlink()
    with pytest.raises(MissingFileError, match="picture of clip moving-3"):
        write_pictures(clip, "moving", tmp_path / "c")


def test_a_clip_that_lacks_a_kind_is_refused_with_the_command_that_adds_it(tiny_clips, tmp_path):
    clip = copied(tiny_clips[0], tmp_path)
    check_kinds([clip], ("rgb", "depth", "instances"))
    shutil.rmtree(clip.clip.folder("still") / "instances")
    with pytest.raises(MissingFileError, match=r"instances of clip moving-3 not found; .*--only .*instances") as error:
        check_kinds([tiny_clips[1], clip], ("rgb", "instances"))
    assert "sim2real render" in str(error.value) and "rgb" in str(error.value) and len(str(error.value).splitlines()) == 1
    shutil.rmtree(clip.clip.folder("still") / "rgb")
    with pytest.raises(MissingFileError, match="rgb of clip moving-3"):
        check_kinds([clip], ("rgb",))
    (clip.clip.folder("still") / "generated" / "a").mkdir(parents=True)
    (clip.clip.folder("still") / "generated" / "a" / "settings.json").write_text("{}")
    check_kinds([copied(clip, tmp_path / "again")], ("rgb",))  # footage stands in


def test_a_clip_of_a_video_is_not_told_to_render(tiny_clips, tmp_path):
    def of_video(record):
        return record.model_copy(update={"scene": record.scene.model_copy(update={"options": {"reader": "video"}})})

    clip = copied(tiny_clips[0], tmp_path, of_video)
    shutil.rmtree(clip.clip.folder("still") / "instances")
    with pytest.raises(MissingFileError, match="leave the clip out: it was made of a video"):
        check_kinds([clip], ("instances",))


def test_millimetres_are_rounded_and_what_they_cannot_hold_is_nothing():
    depth = np.array([[0.0, 0.0004, 0.0126], [65.535, 65.536, 1e6]], np.float32)
    assert millimetres(depth).tolist() == [[0, 0, 13], [65535, 0, 0]] and millimetres(depth).dtype == np.uint16
