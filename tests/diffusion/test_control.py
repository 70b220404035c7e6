import numpy as np
import pytest

from sim2real.diffusion.control import inverse_depth_range


def test_range_is_one_for_the_whole_clip():
    near, far = np.full((1, 8, 8), 1.0), np.full((1, 8, 8), 4.0)
    assert inverse_depth_range(np.concatenate([near, far])) == pytest.approx((0.25, 1.0))
    assert inverse_depth_range(np.zeros((2, 4, 4))) == (0.0, 1.0)
