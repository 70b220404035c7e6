"""Pictures that go through a video's color space come back as they were, but for rounding and halved color."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sim2real.yuv import rgb_picture, video_frame


def smooth(seed: int, height: int, width: int) -> np.ndarray:
    small = np.random.default_rng(seed).integers(40, 216, (3, 4, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


@given(st.integers(0, 999), st.integers(40, 90), st.integers(40, 90))
def test_pictures_come_back_neither_darker_nor_lighter(seed, height, width):
    picture = smooth(seed, height, width)
    frame = video_frame(picture)
    assert (frame.height % 2, frame.width % 2) == (0, 0)
    again = rgb_picture(frame)[:height, :width].astype(float)
    inside = again - picture
    assert abs(inside.mean()) < 0.35, "rounding has no direction"
    assert np.abs(inside).mean() < 3, "color is halved in both directions"


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (200, 30, 30), (20, 90, 220), (13, 200, 77)])
def test_plain_colors_are_kept_to_a_step_and_a_half(color):
    """BT.709 by its definition: 219 steps of luma and 224 of color for 255, so that nothing can be nearer."""
    picture = np.full((16, 24, 3), color, np.uint8)
    frame = video_frame(picture)
    r, g, b = np.array(color) / 255
    luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
    assert abs(frame.to_ndarray()[0, 0] - (16 + 219 * luma)) <= 1
    assert np.abs(rgb_picture(frame).astype(int) - color).max() <= 2


def test_pixels_that_are_not_square_are_made_so():
    assert rgb_picture(video_frame(smooth(0, 32, 32)), width=48).shape == (32, 48, 3)


def test_a_frame_may_say_itself_what_its_colors_are():
    frame = video_frame(smooth(1, 32, 32))
    frame.colorspace = av.video.reformatter.Colorspace.ITU709
    assert np.array_equal(rgb_picture(frame, None), rgb_picture(frame))
