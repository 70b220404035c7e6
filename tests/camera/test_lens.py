from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.camera import Camera, Lens, camera_from_px, check_lens, px_from_camera, ray_from_px, ray_table
from sim2real.camera import lens as lens_module
from sim2real.camera.lens import PINHOLE, distorted, lens_map, undistorted
from sim2real.errors import BadValueError

SIZE = (48, 64)
K = np.array([[40.0, 0.7, 33.5], [0, 38, 22.1], [0, 0, 1]])
LENSES = {
    "barrel": Lens("perspective", (-0.3, 0.1, 0.001, -0.002)),
    "pincushion": Lens("perspective", (0.2, 0.05, -0.003, 0.001, 0.01)),
    "rational": Lens("perspective", (0.1, 0.02, 0.001, 0.002, 0.003, 0.3, 0.03, 0.002)),
    "prism": Lens("perspective", (-0.2, 0.05, 0.001, 0.002, 0, 0.01, 0, 0, 0.01, 0.002, -0.01, 0.003)),
    "fisheye": Lens("fisheye", (-0.02, 0.01, -0.003, 0.0005)),
}
PARALLEL = Lens("orthographic")
ALL = {"pinhole": PINHOLE, "orthographic": PARALLEL, **LENSES}


def camera(lens: Lens, k: np.ndarray = K, size: tuple[int, int] = SIZE, frames: int = 1) -> Camera:
    poses = np.tile(np.eye(4), (frames, 1, 1))
    return Camera("eye", size, np.tile(k, (frames, 1, 1)), poses, 0.01, np.array(lens.distortion), lens.projection)


def pixels(size: tuple[int, int] = SIZE, step: float = 1.0) -> np.ndarray:
    y, x = np.meshgrid(np.arange(0, size[0], step) + 0.5, np.arange(0, size[1], step) + 0.5, indexing="ij")
    return np.stack([x, y], axis=-1)


@pytest.mark.parametrize("name", ALL)
def test_points_on_the_rays_of_pixels_fall_on_these_pixels(name: str) -> None:
    depth = 0.2 + np.arange(SIZE[0] * SIZE[1]).reshape(SIZE) % 7
    back = px_from_camera(camera_from_px(pixels(), depth, K, ALL[name]), K, ALL[name])
    np.testing.assert_allclose(back, pixels(), atol=1e-9)


@pytest.mark.slow
@given(
    radial=st.lists(st.floats(-0.25, 0.25), min_size=6, max_size=6),
    tangential=st.lists(st.floats(-0.01, 0.01), min_size=2, max_size=2),
    prism=st.lists(st.floats(-0.01, 0.01), min_size=4, max_size=4),
    at=st.tuples(st.floats(-1, 1), st.floats(-1, 1)),
)
@settings(max_examples=200, deadline=None)
def test_undistorting_undoes_distorting_wherever_the_lens_shows_anything(radial, tangential, prism, at) -> None:
    k1, k2, k3, k4, k5, k6 = radial
    lens = Lens("perspective", (k1, k2, *tangential, k3, k4, k5, k6, *prism))
    moved = distorted(np.array([at]), lens)
    back = undistorted(moved, lens)
    if np.isfinite(back).all():
        np.testing.assert_allclose(distorted(back, lens), moved, atol=1e-9)
    if np.isfinite(moved).all() and np.linalg.norm(at) < 0.5:  # far inside of the field, there is but one
        np.testing.assert_allclose(back, [at], atol=1e-7)


@given(
    bend=st.tuples(st.floats(-0.05, 0.05), st.floats(-0.02, 0.02), st.floats(-0.005, 0.005), st.floats(-0.001, 0.001)),
    focal=st.floats(25, 80),
    at=st.lists(st.tuples(st.floats(0, 64), st.floats(0, 48)), min_size=1, max_size=20),
)
@settings(max_examples=50, deadline=None)
def test_rays_of_a_fisheye_lead_back_to_their_places_of_the_picture(bend, focal, at) -> None:
    lens, k = Lens("fisheye", bend), np.array([[focal, 0.3, 31.5], [0, focal, 24.2], [0, 0, 1]])
    rays = ray_from_px(np.array(at), k, lens)
    there = np.isfinite(rays).all(axis=-1)
    back = px_from_camera(np.concatenate([rays, np.ones((len(at), 1))], axis=-1), k, lens)
    np.testing.assert_allclose(back[there], np.array(at)[there], atol=1e-9)
    near = np.linalg.norm((np.array(at) - k[:2, 2]) / focal, axis=-1) < 0.8
    assert there[near].all()


@pytest.mark.parametrize("name", LENSES)
def test_rays_that_are_solved_together_are_those_that_are_solved_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ray_from_px(pixels(), K, LENSES[name])
    monkeypatch.setattr(lens_module, "_AT_ONCE", 100)
    np.testing.assert_allclose(ray_from_px(pixels(), K, LENSES[name]), whole, rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", [n for n in LENSES if n != "fisheye"])
def test_lenses_are_those_of_opencv(name: str) -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    coefficients = np.array(LENSES[name].distortion)
    points = np.concatenate([ray_from_px(pixels(), K, LENSES[name]), np.ones((*SIZE, 1))], axis=-1)
    straight = K * [[1, 0, 1], [1, 1, 1], [1, 1, 1]]  # OpenCV has no skew
    theirs = cv2.projectPoints(points.reshape(-1, 3), np.zeros(3), np.zeros(3), straight, coefficients)[0].reshape(*SIZE, 2)
    np.testing.assert_allclose(px_from_camera(points, straight, LENSES[name]), theirs, atol=1e-8)
    wanted = ray_from_px(pixels(), straight, LENSES[name])
    centers = pixels().reshape(-1, 1, 2)
    solved = cv2.undistortPoints(centers, straight, coefficients, criteria=(3, 200, 1e-13)).reshape(*SIZE, 2)
    np.testing.assert_allclose(wanted, solved, atol=1e-5)


def test_fisheyes_are_those_of_opencv() -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    lens, straight = LENSES["fisheye"], K * [[1, 0, 1], [1, 1, 1], [1, 1, 1]]
    points = np.concatenate([ray_from_px(pixels(), straight, lens), np.ones((*SIZE, 1))], axis=-1)
    flat = points.reshape(-1, 1, 3)
    theirs = cv2.fisheye.projectPoints(flat, np.zeros(3), np.zeros(3), straight, np.array(lens.distortion))[0]
    np.testing.assert_allclose(theirs.reshape(*SIZE, 2), pixels(), atol=1e-8)


@pytest.mark.parametrize("name", LENSES)
def test_the_jacobian_is_that_of_the_map(name: str) -> None:
    at, h = np.random.default_rng(0).uniform(-0.8, 0.8, (50, 2)), 1e-6
    _, jacobian = lens_map(at, LENSES[name])
    for axis in range(2):
        step = h * np.eye(2)[axis]
        slope = (lens_map(at + step, LENSES[name])[0] - lens_map(at - step, LENSES[name])[0]) / (2 * h)
        np.testing.assert_allclose(jacobian[..., axis], slope, atol=1e-8)
    axis_point, _ = lens_map(np.array([[1e-6, 0.0], [2e-3, 0.0]]), LENSES[name])  # the series of the fisheye and its formula
    assert np.isfinite(axis_point).all()


def test_a_ray_table_holds_the_rays_of_pixel_corners_and_is_smooth_between_them() -> None:
    size, k = (240, 320), K * [[5], [5], [1]]
    view = camera(LENSES["barrel"], k, size)
    table = ray_table(view, 0)
    assert table is not None and table.shape == (241, 321, 2)
    np.testing.assert_array_equal(table[7, 11], ray_from_px(np.array([11.0, 7.0]), k, view.lens))
    middle = (table[1:, 1:] + table[:-1, 1:] + table[1:, :-1] + table[:-1, :-1]) / 4
    assert np.abs(middle - ray_from_px(pixels(size), k, view.lens)).max() * 200 < 3e-3  # pixels
    assert ray_table(camera(PINHOLE), 0) is None and ray_table(camera(PARALLEL), 0) is None
    half = ray_table(view, 0, (120, 160))
    assert half is not None
    np.testing.assert_allclose(half, table[::2, ::2], atol=1e-9)


def test_resizing_and_cropping_keep_the_rays() -> None:
    view = camera(LENSES["prism"])
    twice, part = view.resized((96, 128)), view.cropped(10, 20, (16, 32))
    np.testing.assert_allclose(
        ray_from_px(pixels() * 2, twice.intrinsics[0], twice.lens), ray_from_px(pixels(), K, view.lens), atol=1e-12
    )
    np.testing.assert_allclose(
        ray_from_px(pixels((16, 32)), part.intrinsics[0], part.lens),
        ray_from_px(pixels(), K, view.lens)[10:26, 20:52],
        atol=1e-12,
    )


def test_coefficients_that_fold_the_picture_are_refused() -> None:
    with pytest.raises(BadValueError, match="folds back"):
        check_lens(camera(Lens("perspective", (-0.9, 0, 0, 0))), "a.yaml")
    with pytest.raises(BadValueError, match="folds back"):
        ray_table(camera(Lens("perspective", (-0.9, 0, 0, 0))), 0)
    narrow = K * [[4], [4], [1]]
    narrow[:2, 2] = K[:2, 2]
    check_lens(camera(Lens("perspective", (-0.9, 0, 0, 0)), narrow))  # the fold is outside of this picture
    zooming = camera(Lens("perspective", (-0.9, 0, 0, 0)), frames=3)
    with pytest.raises(BadValueError, match="folds back"):
        check_lens(replace(zooming, intrinsics=np.stack([narrow, narrow, K])))
    with pytest.raises(BadValueError, match="within 89 degrees"):
        check_lens(camera(Lens("fisheye", (0, 0, 0, 0)), K * [[0.4], [0.4], [1]]))


def test_what_folds_back_into_the_picture_is_not_seen() -> None:
    lens = Lens("perspective", (-0.3, 0.0, 0.0, 0.0))
    inside, beyond = np.array([0.5, 0, 1.0]), np.array([1.7, 0, 1.0])  # 1.7 (1 - 0.3 1.7^2) = 0.23
    assert np.isfinite(px_from_camera(inside, K, lens)).all()
    assert np.isnan(px_from_camera(beyond, K, lens)).all()
    assert np.isnan(px_from_camera(np.array([0, 0, -1.0]), K, lens)).all()
    assert np.isnan(px_from_camera(np.array([0, 0, -1.0]), K, PINHOLE)).all()
    assert np.isfinite(px_from_camera(np.array([0, 0, -1.0]), K, PARALLEL)).all()


def test_wrong_lenses_say_what_would_be_right() -> None:
    with pytest.raises(BadValueError, match="0 or 4 or 5 or 8 or 12"):
        Lens("perspective", (0.1,))
    with pytest.raises(BadValueError, match="4 finite numbers"):
        Lens("fisheye", ())
    with pytest.raises(BadValueError, match="finite"):
        Lens("perspective", (np.nan, 0, 0, 0))
    with pytest.raises(BadValueError, match="orthographic"):
        Lens("orthographic", (0.1, 0, 0, 0))


def test_a_lens_without_effect_is_a_pinhole() -> None:
    assert Lens("perspective", (0.0, 0, 0, 0)).plain
    assert not Lens("fisheye", (0.0, 0, 0, 0)).plain
    assert PARALLEL.parallel and not PARALLEL.bent and not PARALLEL.plain
