from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sim2real.errors import BadValueError, MissingFileError, UnreadableFileError
from sim2real.video import open_part, open_pictures
from sim2real.video.pictures import crop_box
from tests.video.conftest import FRAMES


def test_a_folder_is_read_to_the_bit_in_the_order_of_names(disc_folder, disc_frames):
    pictures = open_pictures(disc_folder)
    assert (pictures.frames, pictures.size, pictures.fps) == (FRAMES, disc_frames[0].shape[:2], 24.0)
    assert all(np.array_equal(a, b) for a, b in zip(pictures, disc_frames, strict=True))


def test_a_video_is_read_with_its_rate_and_colors(disc_video, disc_frames):
    pictures = open_pictures(disc_video)
    assert (pictures.frames, pictures.fps) == (FRAMES, 12.0)
    for found, true in zip(pictures, disc_frames, strict=True):
        assert np.abs(found.astype(int) - true).mean() < 4
        assert np.abs(found.mean((0, 1)) - true.mean((0, 1))).max() < 1.5  # no cast: the color matrix is undone


def test_stride_and_frames_choose_frames(disc_folder, disc_frames):
    pictures = open_pictures(disc_folder, stride=2, frames=2, fps=30.0)
    assert (pictures.frames, pictures.fps) == (2, 15)
    assert [np.array_equal(p, disc_frames[k]) for p, k in zip(pictures, (0, 2), strict=True)] == [True, True]
    assert open_pictures(disc_folder, stride=2).frames == 3


@pytest.mark.parametrize(("first", "frames", "stride"), [(0, 5, 1), (1, 3, 1), (3, 2, 1), (4, 1, 1), (1, 2, 2)])
def test_a_part_of_a_video_file_begins_at_its_time(disc_video, first, frames, stride):
    whole, part = list(open_pictures(disc_video)), open_part(disc_video, first / 12, frames, fps=12.0, stride=stride)
    assert (part.frames, part.fps, part.size) == (frames, 12 / stride, whole[0].shape[:2])
    chosen = whole[first :: max(stride, 1)][:frames]
    assert all(np.array_equal(a, b) for a, b in zip(part, chosen, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(part, chosen, strict=True)), "any number of times"


def test_a_part_that_the_file_does_not_have_is_refused(disc_video, tmp_path):
    with pytest.raises(UnreadableFileError, match="it ends early, 2 of 3 frames from 0.25 s on could be read"):
        open_part(disc_video, 3 / 12, 3, fps=12.0)
    with pytest.raises(UnreadableFileError, match="it has no frames"):
        open_part(disc_video, 5.0, 3, fps=12.0)
    with pytest.raises(MissingFileError, match="video not found"):
        open_part(tmp_path / "none.mp4", 0.0, 1, fps=12.0)


def test_scaling_covers_the_size_and_distorts_nothing(tmp_path):
    y, x = np.mgrid[:120, :240] + 0.5
    disc = ((x - 120) ** 2 + (y - 60) ** 2 < 30**2) * np.uint8(255)
    Image.fromarray(np.repeat(disc[..., None], 3, 2)).save(tmp_path / "a.png")
    (picture,) = open_pictures(tmp_path, size=(80, 80))
    lit = np.argwhere(picture[..., 0] > 127)
    high, wide = np.ptp(lit, axis=0) + 1
    assert picture.shape == (80, 80, 3)
    assert abs(high - 40) <= 1
    assert abs(wide - 40) <= 1
    assert crop_box((120, 240), (80, 80)) == (60, 0, 180, 120)


def test_the_same_content_has_the_same_hash_and_another_has_not(disc_folder, disc_video):
    assert open_pictures(disc_folder).sha256 == open_pictures(disc_folder, frames=2).sha256
    assert open_pictures(disc_folder).sha256 != open_pictures(disc_video).sha256


def test_what_is_no_video_is_said_in_one_line(tmp_path):
    with pytest.raises(MissingFileError, match="video not found"):
        open_pictures(tmp_path / "nowhere.mp4")
    (tmp_path / "text.mp4").write_text("not a video")
    with pytest.raises(UnreadableFileError, match="the video cannot be read: .*; pass a video file"):
        open_pictures(tmp_path / "text.mp4")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFileError, match="pictures in the folder not found"):
        open_pictures(tmp_path / "empty")
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for k, size in enumerate([(20, 30), (20, 31)]):
        Image.fromarray(np.zeros((*size, 3), np.uint8)).save(mixed / f"{k}.png")
    with pytest.raises(BadValueError, match="the picture size is 20x31 in frame 1, must be 20x30 as in frame 0"):
        open_pictures(mixed)
    (mixed / "0.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(UnreadableFileError, match="the picture cannot be read"):
        open_pictures(mixed)


def test_numbers_without_leading_zeros_are_in_order_and_a_gap_is_noted(tmp_path):
    for k in range(12):
        Image.fromarray(np.full((4, 6, 3), k, np.uint8)).save(tmp_path / f"frame_{k}.png")
    pictures = open_pictures(tmp_path)
    assert [int(picture[0, 0, 0]) for picture in pictures] == list(range(12))
    assert pictures.notes == ()
    (tmp_path / "frame_9.png").unlink()
    (note,) = open_pictures(tmp_path).notes
    assert "frame_8.png is followed by frame_10.png" in note
    assert open_pictures(tmp_path, frames=8).notes == ()


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path):
    gray = np.linspace(0, 65535, 300).astype(np.uint16)[None].repeat(4, 0)
    for k, suffix in enumerate(("png", "tif")):
        Image.fromarray(gray).save(tmp_path / f"{k}.{suffix}")
    for picture in open_pictures(tmp_path):
        assert np.abs(picture - gray[..., None] / 257).max() <= 0.51


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_numbers_that_do_not_say_what_white_is_are_refused(kind, tmp_path):
    Image.fromarray(np.ones((4, 6), kind)).save(tmp_path / "0.tif")
    with pytest.raises(UnreadableFileError, match="do not say what white is; write it with 8 or 16 bits a channel: .*0.tif"):
        open_pictures(tmp_path)


def test_an_animated_webp_is_read_with_its_rate_and_refused_as_one_of_many_pictures(tmp_path):
    frames = [Image.fromarray(np.full((8, 10, 3), 40 * k, np.uint8)) for k in range(5)]
    frames[0].save(tmp_path / "moving.webp", save_all=True, append_images=frames[1:], duration=50, lossless=True)
    pictures = open_pictures(tmp_path / "moving.webp")
    assert (pictures.frames, pictures.fps) == (5, 20.0)
    assert [int(picture[0, 0, 0]) for picture in pictures] == [0, 40, 80, 120, 160]
    with pytest.raises(UnreadableFileError, match="it is 5 pictures; write a file per frame, or pass the animation itself"):
        open_pictures(tmp_path)
