from __future__ import annotations

import av
import numpy as np
import pytest

from sim2real.clip import VideoWriter, read_video
from sim2real.clip.video import noise_picture
from sim2real.errors import UnreadableFileError


def smooth(size: tuple[int, int], phase: float = 0.0) -> np.ndarray:
    y, x = np.mgrid[: size[0], : size[1]] / max(size)
    waves = [np.sin(4 * x + phase), np.sin(5 * y + phase), np.sin(3 * x + 4 * y)]
    return (np.stack(waves, axis=-1) * 100 + 128).astype(np.uint8)


def test_a_video_is_h264_in_the_form_that_browsers_play(tmp_path):
    with VideoWriter(tmp_path / "v.mp4", 23.976) as video:
        for k in range(6):
            video.write(smooth((48, 64), k / 9))
    with av.open(str(tmp_path / "v.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, stream.frames) == (64, 48, 6)
        assert float(stream.average_rate) == pytest.approx(23.976, rel=1e-3)
    data = (tmp_path / "v.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "the index must come first (faststart)"


def test_colors_come_back(tmp_path):
    colors = [(255, 0, 0), (0, 255, 0), (20, 40, 220), (200, 190, 30), (128, 128, 128), (255, 255, 255)]
    with VideoWriter(tmp_path / "v.mp4", 24.0) as video:
        for color in colors:
            video.write(np.full((48, 64, 3), color, np.uint8))
    again = list(read_video(tmp_path / "v.mp4"))
    assert len(again) == len(colors)
    for color, picture in zip(colors, again, strict=True):
        assert np.abs(np.median(picture, axis=(0, 1)) - color).max() <= 4


@pytest.mark.parametrize("size", [(33, 64), (48, 65), (1, 1)])
def test_odd_sizes_are_padded_not_squeezed(tmp_path, size):
    picture = np.repeat(smooth(size), 1, axis=0)
    with VideoWriter(tmp_path / "v.mp4", 24.0, crf=1) as video:
        video.write(picture)
    (again,) = read_video(tmp_path / "v.mp4")
    assert again.shape == (size[0] + size[0] % 2, size[1] + size[1] % 2, 3)
    assert np.abs(again[: size[0], : size[1]].astype(int) - picture).mean() < 3


def test_gray_pictures_become_gray_videos(tmp_path):
    with VideoWriter(tmp_path / "v.mp4", 24.0) as video:
        video.write(smooth((32, 32))[..., 0])
    (again,) = read_video(tmp_path / "v.mp4")
    assert np.ptp(again.astype(int), axis=2).max() <= 2


def test_a_file_that_is_no_video_is_named(tmp_path):
    (tmp_path / "v.mp4").write_bytes(b"no video")
    with pytest.raises(UnreadableFileError, match=r"v\.mp4"):
        list(read_video(tmp_path / "v.mp4"))


def test_noise_pictures_show_six_sigma_and_reach_the_picture_size():
    noise = np.zeros((4, 3, 5), np.float32)
    noise[0, 0, 0], noise[1, 0, 0], noise[2, 0, 0] = -9, 0, 9
    picture = noise_picture(noise, (24, 32))
    assert picture.shape == (24, 40, 3)
    assert picture[0, 0].tolist() == [0, 128, 255]
    assert (picture[:8, :8] == picture[0, 0]).all(), "cells are enlarged without smoothing"
    assert noise_picture(noise[:1]).shape == (3, 5, 3)
