import numpy as np
import pytest

from sim2real.diffusion.controls import inverse_depth_control, inverse_depth_range


def test_range_is_one_for_the_whole_clip():
    near, far = np.full((1, 8, 8), 1.0), np.full((1, 8, 8), 4.0)
    assert inverse_depth_range(np.concatenate([near, far])) == pytest.approx((0.25, 1.0))
    assert inverse_depth_range(np.zeros((2, 4, 4))) == (0.0, 1.0)


def test_the_control_shows_near_bright_far_dark_and_nothing_black():
    depth = np.array([[[1.0, 2.0, 4.0, 0.0]]])
    control = inverse_depth_control(depth)
    assert control.shape == (1, 3, 1, 4) and control.dtype == np.float32
    assert control[0, 0, 0, 0] == 1 > control[0, 0, 0, 1] > control[0, 0, 0, 2] == control[0, 0, 0, 3] == 0
    assert (control == control[:, :1]).all()
