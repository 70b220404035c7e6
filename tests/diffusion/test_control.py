import numpy as np
import pytest

from sim2real.diffusion.control import control_video, facing_ratio, inverse_depth_range
from sim2real.errors import BadValueError


def plane(tilt, size, distance=2.0):
    """Depth and intrinsics of a plane tilted about the vertical axis."""
    height, width = size
    k = np.array([[1.2 * width, 0, width / 2], [0, 1.2 * width, height / 2], [0, 0, 1]])
    x = (np.arange(width) + 0.5 - k[0, 2]) / k[0, 0]
    depth = distance / (1 - np.tan(tilt) * x)
    return np.broadcast_to(depth, (1, height, width)).astype(np.float64), k


@pytest.mark.parametrize("tilt_deg", [0, 20, 50])
def test_facing_ratio_of_a_plane_is_the_cosine_at_any_resolution(tilt_deg):
    tilt = np.deg2rad(tilt_deg)
    for size in ((24, 32), (96, 128)):
        depth, k = plane(tilt, size)
        x = (np.arange(size[1]) + 0.5 - k[0, 2]) / k[0, 0]
        y = (np.arange(size[0])[:, None] + 0.5 - k[1, 2]) / k[1, 1]
        normal = np.array([np.sin(tilt), 0, -np.cos(tilt)])
        exact = np.abs(x * normal[0] + normal[2]) / np.sqrt(x * x + y * y + 1)
        assert np.abs(facing_ratio(depth, k[None])[0] - exact).max() < 2e-3


def test_facing_ratio_does_not_reach_across_a_silhouette():
    depth, k = plane(0.0, (24, 32))
    depth = depth.copy()
    depth[:, :, 16:] *= 3
    assert facing_ratio(depth, k[None]).min() > 0.85


def test_near_is_bright_and_nothing_is_black():
    depth, k = plane(np.deg2rad(40), (24, 32))
    depth = depth.copy()
    depth[:, :4] = 0
    control = control_video(depth, np.zeros(depth.shape, np.uint8), k)
    assert (control[:, :, :4] == 0).all() and control.min() >= 0 and control.max() <= 1
    row_depth, row_red = depth[0, 10], control[0, 0, 10]
    assert (np.diff(row_red[np.argsort(row_depth)]) <= 1e-6).all() and np.ptp(row_red) > 0.5


def test_range_is_one_for_the_whole_clip():
    near, far = np.full((1, 8, 8), 1.0), np.full((1, 8, 8), 4.0)
    assert inverse_depth_range(np.concatenate([near, far])) == pytest.approx((0.25, 1.0))
    assert inverse_depth_range(np.zeros((2, 4, 4))) == (0.0, 1.0)


def test_edges_of_another_size_are_refused():
    depth, k = plane(0.0, (24, 32))
    with pytest.raises(BadValueError, match=r"the shape of edges is \(1, 8, 8\)"):
        control_video(depth, np.zeros((1, 8, 8), np.uint8), k)
