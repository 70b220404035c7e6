"""Depth cameras: noise as their parameters say, steps of disparity, and holes only where they belong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sim2real.scene.lens import PINHOLE, Lens

from sim2real.sensors import DepthCamera, Triangulation
from sim2real.sensors.depth import deviation, sensed_depth
from sim2real.sensors.records import RangeNoise, Signal, TimeOfFlight
from sim2real.sensors.surface import Surface, cosines, slopes_of
from sim2real.sensors.triangulation import shadow

from .conftest import BOX, FAR, FOCAL, NEAR, SIZE, box_depth, depth_camera

K = np.array([[FOCAL, 0, SIZE[1] / 2], [0, FOCAL, SIZE[0] / 2], [0, 0, 1]])
DEPTH_CAMERAS = ("realsense_d435", "kinect_v1", "kinect_azure", "industrial")


def surface(depth: np.ndarray, reflectance: float | np.ndarray = 0.5, smooth: float | np.ndarray = 0.0) -> Surface:
    depth = depth.astype(np.float32)
    slopes = slopes_of(depth)
    planes = (np.broadcast_to(np.float32(value), depth.shape) for value in (reflectance, smooth))
    return Surface(depth, slopes, cosines(depth, slopes, K, PINHOLE), *planes, lost=depth <= 0, focal_px=FOCAL)


def wall(z: float, size: tuple[int, int] = (120, 160)) -> Surface:
    return surface(np.full(size, z))


def tilted(theta: float) -> np.ndarray:
    """A plane through (0, 0, 2) metres whose normal is turned by theta from the optical axis, about the vertical."""
    x = (np.arange(SIZE[1]) + 0.5 - SIZE[1] / 2) / FOCAL
    return np.broadcast_to(2 / (1 + np.tan(theta) * x), SIZE)


def measured(seen: Surface, by: DepthCamera, frame: int = 0, seed: int = 0) -> np.ndarray:
    return sensed_depth(seen, by, seed=seed, camera="front", frame=frame)


def test_a_depth_camera_without_errors_is_the_identity():
    seen = surface(box_depth())
    assert measured(seen, DepthCamera()) is seen.depth
    nearly = DepthCamera(max_m=900.0)
    np.testing.assert_array_equal(measured(seen, nearly), seen.depth)


@pytest.mark.parametrize("grain_px", [0.0, 2.0])
def test_noise_grows_as_its_parameters_say(grain_px):
    noise = RangeNoise(floor_m=0.001, per_m2=0.002, from_m=0.4)
    by = DepthCamera(noise=noise, grain_px=grain_px)
    for z in (0.5, 1.0, 2.0, 4.0):
        error = measured(wall(z), by) - z
        assert error.std() == pytest.approx(0.001 + 0.002 * (z - 0.4) ** 2, rel=0.08)
        assert abs(error.mean()) < 0.15 * error.std()


def test_noise_of_disparity_is_the_same_noise_of_depth():
    """With steps too fine to matter, triangulation keeps the standard deviation that is asked for."""
    noise = RangeNoise(per_m2=0.0025)
    by = DepthCamera(noise=noise, triangulation=Triangulation(baseline_m=0.05, focal_px=640, step_px=1e-3))
    for z in (0.7, 3.0):
        assert (measured(wall(z), by) - z).std() == pytest.approx(0.0025 * z**2, rel=0.05)


def test_the_kinects_noise_is_that_of_nguyen():
    """At 2 m and 60 degrees: 1.2 + 1.9 * 1.6^2 + 0.1 / sqrt(2) * 4 millimetres."""
    seen = surface(tilted(np.pi / 3))
    middle = deviation(seen, depth_camera("kinect_v1").noise)[48, 64]
    assert middle == pytest.approx(0.0012 + 0.0019 * 1.6**2 + 0.0001 / 2**0.5 * 4, rel=0.02)


def test_dark_surfaces_are_noisier_where_the_sensor_counts_light():
    noise = RangeNoise(floor_m=0.001, dark=0.5)
    np.testing.assert_allclose(deviation(surface(box_depth(), 0.125), noise), 0.002, rtol=1e-5)
    np.testing.assert_allclose(deviation(surface(box_depth(), 0.5), noise), 0.001, rtol=1e-5)


def test_steps_are_those_of_disparity_and_grow_with_the_square_of_depth():
    """Khoshelham and Oude Elberink: 2.85 mm z^2 for the first Kinect."""
    by = DepthCamera(triangulation=depth_camera("kinect_v1").triangulation)
    ramp = np.broadcast_to(np.linspace(0.8, 4, 4000), (2, 4000))
    seen = np.unique(measured(surface(ramp), by))
    seen = seen[seen > 0]
    disparity = 0.075 * 580 / seen
    np.testing.assert_allclose(disparity / 0.125, np.rint(disparity / 0.125), atol=2e-4)
    steps = np.diff(seen) / (seen[1:] * seen[:-1])
    np.testing.assert_allclose(steps, 0.00287, rtol=0.01)


def test_the_shadow_lies_to_one_side_and_is_as_wide_as_parallax():
    """f b (1 / near - 1 / far) pixels, on the left of the box for a second camera on the right."""
    for baseline in (0.2, -0.2):
        hidden = shadow(box_depth(), FOCAL, baseline)
        width = FOCAL * 0.2 * (1 / NEAR - 1 / FAR)
        row = np.flatnonzero(hidden[50])
        assert len(row) == pytest.approx(width, abs=1.01)
        assert (row[-1] == BOX[1].start - 1) if baseline > 0 else (row[0] == BOX[1].stop)
        hidden[BOX[0]] = False
        assert not hidden.any()


def test_the_second_camera_sees_between_what_is_thin():
    depth = np.full(SIZE, 2.0, np.float32)
    depth[:, 60:63] = 0.5  # its parallax to the wall is 33 px, far more than its width
    hidden = shadow(depth, FOCAL, 0.2)
    assert hidden[50].sum() == pytest.approx(3, abs=1)


@pytest.mark.parametrize("theta", [-1.2, -0.5, 0.5, 1.2])
def test_a_plane_casts_no_shadow_on_itself_and_nothing_hides_where_there_is_nothing(theta):
    depth = np.clip(tilted(theta), 0, 30).astype(np.float32)
    depth[:20] = 0
    assert not shadow(depth, FOCAL, 0.1)[:, 2:-2].any()


def test_the_band_beside_the_second_picture_is_lost_if_asked_for():
    hidden = shadow(np.full(SIZE, 2.0, np.float32), FOCAL, 0.2, band=True)
    assert hidden.sum(1).tolist() == [pytest.approx(FOCAL * 0.2 / 2, abs=1)] * SIZE[0]
    assert hidden[:, :10].all()


def test_holes_are_only_where_they_belong():
    """A matte gray box before a wall, close by: shadows and edges, nothing else."""
    seen = surface(box_depth())
    for name in DEPTH_CAMERAS:
        depth = measured(seen, depth_camera(name))
        holes = depth == 0
        near_edge = np.zeros(SIZE, bool)
        near_edge[BOX[0].start - 8 : BOX[0].stop + 8, BOX[1].start - 16 : BOX[1].stop + 8] = True
        near_edge[BOX[0].start + 8 : BOX[0].stop - 8, BOX[1].start + 8 : BOX[1].stop - 8] = False
        near_edge[:, :5] = True  # beside the second camera's picture
        assert holes.any(), name
        assert not (holes & ~near_edge).any(), name


def test_dark_shiny_and_steep_surfaces_are_lost_and_others_are_not():
    by = DepthCamera(signal=Signal(least=0.004, dazzle_deg=8, steepest_deg=80))
    assert (measured(surface(np.full(SIZE, 3.0), 0.02), by) == 0).all()
    assert (measured(surface(np.full(SIZE, 3.0), 0.4), by) > 0).all()
    assert (measured(surface(np.full(SIZE, 1.0), 0.02), by) > 0).all()  # near enough
    dazzling = measured(surface(np.full(SIZE, 1.0), smooth=1.0), by) == 0
    y, x = (np.indices(SIZE) + 0.5 - np.array(SIZE)[:, None, None] / 2) / FOCAL
    np.testing.assert_array_equal(dazzling, np.hypot(x, y) < np.tan(np.deg2rad(8)))
    steep = surface(tilted(np.deg2rad(81)).clip(0.5, 20))
    assert measured(steep, by)[48, 64] == 0
    assert measured(surface(tilted(np.deg2rad(75)).clip(0.5, 20)), by)[48, 64] > 0


def test_what_is_too_near_or_too_far_or_nowhere_is_nothing():
    depth = np.array([[0.0, 0.1, 0.3, 2.0, 4.9, 5.1]], np.float32)
    seen = replace(surface(np.ones((1, 6))), depth=depth, lost=depth <= 0)
    np.testing.assert_array_equal(
        measured(seen, DepthCamera(min_m=0.2, max_m=5)) > 0, [[False, False, True, True, True, False]]
    )


def test_flying_pixels_lie_between_the_two_sides_of_an_edge():
    by = DepthCamera(time_of_flight=TimeOfFlight(footprint_px=5))
    depth = measured(surface(box_depth()), by)
    between = (depth > NEAR + 0.05) & (depth < FAR - 0.05)
    assert between.sum() > 100
    assert depth.min() >= NEAR - 1e-4 and depth.max() <= FAR + 1e-4
    assert not between[:20].any() and not between[45:55, 60:70].any()
    strict = DepthCamera(time_of_flight=TimeOfFlight(footprint_px=5, mixed_loss=1.0))
    assert (measured(surface(box_depth()), strict)[between] == 0).all()


@pytest.mark.parametrize("footprint_px", [3.0, 0.0])
def test_a_footprint_leaves_planes_where_they_are(footprint_px):
    plane = tilted(0.4)
    by = DepthCamera(time_of_flight=TimeOfFlight(footprint_px=footprint_px, mixed_m=1.0))
    np.testing.assert_allclose(measured(surface(plane), by)[4:-4, 4:-4], plane[4:-4, 4:-4], rtol=2e-3)


def test_lateral_noise_moves_borders_and_leaves_planes():
    by = DepthCamera(lateral_px=6.0, grain_px=4.0)
    np.testing.assert_allclose(measured(surface(tilted(0.5)), by)[:, 4:-4], tilted(0.5)[:, 4:-4], rtol=1e-4)
    moved = (measured(surface(box_depth()), by) == NEAR) != (box_depth() == NEAR)
    assert moved.any()
    allowed = np.zeros(SIZE, bool)
    allowed[BOX[0].start - 6 : BOX[0].stop + 6, BOX[1].start - 6 : BOX[1].stop + 6] = True
    allowed[BOX[0].start + 6 : BOX[0].stop - 6, BOX[1].start + 6 : BOX[1].stop - 6] = False
    assert not (moved & ~allowed).any()


@pytest.mark.parametrize("theta", [-1.0, -0.3, 0.0, 0.6, 1.1])
def test_cosines_are_those_of_the_plane_and_the_line_of_sight(theta):
    depth = tilted(theta)
    depth = np.where((depth > 0) & (depth < 50), depth, 0).astype(np.float32)
    x, y = np.meshgrid((np.arange(SIZE[1]) + 0.5 - 64) / FOCAL, (np.arange(SIZE[0]) + 0.5 - 48) / FOCAL)
    expected = np.abs(np.sin(theta) * x + np.cos(theta)) / np.sqrt(x * x + y * y + 1)
    inside = depth[2:-2, 2:-2] > 0
    found = cosines(depth, slopes_of(depth), K, PINHOLE)[2:-2, 2:-2]
    np.testing.assert_allclose(found[inside], expected[2:-2, 2:-2][inside], rtol=0.01)


def test_cosines_know_bent_and_parallel_lines_of_sight():
    flat = np.full(SIZE, 2.0, np.float32)
    level = cosines(flat, slopes_of(flat), K, Lens("orthographic"))
    np.testing.assert_allclose(level, 1, atol=1e-6)
    bent = cosines(flat, slopes_of(flat), K, Lens("perspective", (-0.2, 0.05, 0.0, 0.0)))
    assert bent[0, 0] < cosines(flat, slopes_of(flat), K, PINHOLE)[0, 0] < bent[48, 64] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("name", DEPTH_CAMERAS)
def test_depth_has_noise_of_its_own_for_every_seed_camera_and_frame(name):
    by, seen = depth_camera(name), surface(box_depth())
    first = measured(seen, by)
    np.testing.assert_array_equal(measured(seen, by), first)
    others = [measured(seen, by, frame=1), measured(seen, by, seed=1), sensed_depth(seen, by, seed=0, camera="side", frame=0)]
    apart = np.indices(SIZE)[1] > BOX[1].stop + 8  # from edges, whose flying pixels are alike
    both = [(first > 0) & (other > 0) & apart for other in others]
    for other, where in zip(others, both, strict=True):
        a, b = first[where] - FAR, other[where] - FAR
        assert a.std() > 0 and abs(np.corrcoef(a, b)[0, 1]) < 0.15
