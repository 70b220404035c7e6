"""Fields of view, orbits and turns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.camera import ray_from_px
from sim2real.camera.paths import UP, circle, intrinsics_of, intrinsics_of_fov, orbit, turned


@given(fov=st.floats(5, 150), height=st.integers(2, 2000), width=st.integers(2, 2000))
@settings(max_examples=30, deadline=None)
def test_a_field_of_view_reaches_from_the_top_to_the_bottom_of_the_picture(fov: float, height: int, width: int) -> None:
    top, bottom = ray_from_px(np.array([[width / 2, 0.0], [width / 2, height]]), intrinsics_of_fov(fov, (height, width)))
    angles = np.rad2deg(np.arctan([top[1], bottom[1]]))
    np.testing.assert_allclose(angles, [-fov / 2, fov / 2], atol=1e-9)
    assert abs(top[0]) < 1e-12


def test_intrinsics_are_made_of_four_numbers_each() -> None:
    k = intrinsics_of(np.array([[10.0, 20, 3, 4], [1, 2, 3, 4]]))
    assert k.shape == (2, 3, 3) and k[0].tolist() == [[10, 0, 3], [0, 20, 4], [0, 0, 1]]


def test_whole_turns_loop_and_parts_of_one_reach_their_end() -> None:
    np.testing.assert_allclose(np.rad2deg(circle(4, 360.0)), [0, 90, 180, 270])
    np.testing.assert_allclose(np.rad2deg(circle(4, 90.0, 10.0)), [10, 40, 70, 100])
    assert circle(1, 90.0).tolist() == [0]


@given(radius=st.floats(0.1, 10), height=st.floats(-5, 5), degrees=st.floats(-720, 720))
@settings(max_examples=30, deadline=None)
def test_cameras_of_an_orbit_look_at_its_center_from_a_circle_around_it(radius: float, height: float, degrees: float) -> None:
    center = np.array([1.0, -2, 3])
    poses = orbit(center, radius, height, 7, degrees=degrees)
    away = poses[:, :3, 3] - center
    np.testing.assert_allclose(np.linalg.norm(away[:, :2], axis=1), radius, rtol=1e-9)
    np.testing.assert_allclose(away[:, 2], height, atol=1e-9)
    ahead = poses[:, :3, 2]
    np.testing.assert_allclose(ahead, -away / np.linalg.norm(away, axis=1, keepdims=True), atol=1e-9)


@pytest.mark.parametrize("degrees", [30.0, 360.0])
def test_turning_keeps_places_and_the_angle_to_the_vertical(degrees: float) -> None:
    poses = orbit(np.zeros(3), 2.0, 1.0, 5, degrees=0.0)
    after = turned(poses, degrees, UP)
    np.testing.assert_allclose(after[:, :3, 3], poses[:, :3, 3])
    np.testing.assert_allclose(after[:, 2, 2], poses[:, 2, 2], atol=1e-12)
    assert np.abs(after[-1, :3, 2] - poses[-1, :3, 2]).max() > 0.1
