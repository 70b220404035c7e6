"""A camera's effects on finished pictures: keyed noise, nothing moves, nothing depends on the batch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter

from sim2real.camera_effects import NAMES, CameraEffects, apply, apply_frame, binned, effects
from sim2real.camera_effects.lens import confusion, out_of_focus, through_lens
from sim2real.camera_effects.processor import tone_table
from sim2real.camera_effects.sensor import noisy
from sim2real.camera_effects.shutter import smeared
from sim2real.errors import BadValueError, UnknownNameError
from sim2real.scene.colors import linear_from_srgb, srgb_from_linear

CAMERAS = NAMES[1:]


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """Three pictures with edges in all directions, of 120 x 160."""
    rng = np.random.default_rng(5)
    smooth = gaussian_filter(rng.standard_normal((3, 120, 160, 3)), (0, 5, 5, 0))
    regions = np.digitize(smooth / smooth.std(), [-0.7, 0, 0.7])
    return (40 + 55 * regions).astype(np.uint8)


@pytest.fixture(scope="module")
def depth() -> np.ndarray:
    return np.broadcast_to(np.linspace(3, 0.5, 120, dtype=np.float32)[:, None], (3, 120, 160)).copy()


def test_an_unknown_camera_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match="'webcm'.*did you mean 'webcam'.*none, phone, webcam, realsense"):
        effects("webcm")


def test_none_changes_nothing(frames, depth):
    np.testing.assert_array_equal(apply(frames, effects("none"), seed=3, depth=depth), frames)
    assert effects("none").nothing
    assert not any(effects(name).nothing for name in CAMERAS)


def test_a_camera_without_effects_keeps_every_screen_value():
    """The way to linear light and back, which ``none`` does not take, loses nothing."""
    ramp = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 256, 3)
    nearly = CameraEffects("nearly", gains=(1.0, 1.0, 1.0 + 1e-9))
    np.testing.assert_array_equal(apply_frame(ramp, nearly, seed=0, frame=0), ramp)


@pytest.mark.parametrize("name", CAMERAS)
def test_every_camera_changes_the_picture_within_reason(frames, depth, name):
    change = apply(frames, effects(name), seed=3, depth=depth).astype(float) - frames
    assert 0.5 < np.abs(change).mean() < {"phone": 9, "webcam": 20, "realsense": 25}[name]


@pytest.mark.parametrize("name", CAMERAS)
def test_a_frame_does_not_depend_on_its_batch(frames, depth, name):
    whole = apply(frames, effects(name), seed=3, depth=depth)
    np.testing.assert_array_equal(apply(frames[1:], effects(name), seed=3, depth=depth[1:], first_frame=1), whole[1:])
    np.testing.assert_array_equal(apply_frame(frames[2], effects(name), seed=3, frame=2, depth=depth[2]), whole[2])


def test_noise_is_fresh_in_every_frame_and_for_every_seed(frames):
    gray = np.full((2, 96, 128, 3), 120, np.uint8)
    bare = replace(effects("realsense"), quality=None, vignetting=0.0)
    first, second = (apply(gray, bare, seed=8) - 120.0 for _ in range(2))
    np.testing.assert_array_equal(first, second)
    other = apply(gray, bare, seed=9) - 120.0

    def alike(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.corrcoef((a - a.mean((0, 1))).ravel(), (b - b.mean((0, 1))).ravel())[0, 1])

    assert abs(alike(first[0], first[1])) < 0.05
    assert abs(alike(first[0], other[0])) < 0.05
    assert first[0].std() > 0.5


def test_noise_has_the_variance_that_is_asked_for_and_grows_with_light():
    camera = CameraEffects("noise", shot=4e-4, read=0.004, grain_px=0.8)
    levels = np.array([0.0, 0.05, 0.2, 0.8], np.float32)
    light = np.repeat(levels, 480 * 160).reshape(4, 480, 160)
    for level, plane in zip(levels, light, strict=True):
        measured = (noisy(np.stack([plane] * 3), camera, seed=1, frame=0) - plane).var()
        assert measured == pytest.approx(camera.shot * level + camera.read**2, rel=0.03)


def test_colored_noise_is_coarser_than_that_of_brightness():
    camera = CameraEffects("noise", read=0.01, chroma=1.0, chroma_px=2.0)
    red, green, blue = noisy(np.zeros((3, 480, 640), np.float32), camera, seed=1, frame=0)
    gray = 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def neighbors(plane: np.ndarray) -> float:
        return float(np.corrcoef(plane[:, 1:].ravel(), plane[:, :-1].ravel())[0, 1])

    assert abs(neighbors(gray)) < 0.02
    assert neighbors(red - gray) > 0.8


def test_small_pictures_stand_for_larger_pixels():
    def strength(rows: int) -> float:
        light = np.full((3, rows, rows), 0.2, np.float32)
        return float((noisy(light, effects("realsense"), seed=0, frame=0) - light).std())

    assert strength(120) == pytest.approx(strength(480) / 4, rel=0.1)


@pytest.mark.parametrize("name", CAMERAS)
@pytest.mark.parametrize("size", [(120, 160), (99, 131)])
def test_no_camera_moves_the_picture(frames, depth, name, size):
    """In every quarter, the edges before and after lie upon each other: labels stay right."""
    height, width = size
    before = frames[0, :height, :width]
    after = apply_frame(before, effects(name), seed=3, frame=0, depth=depth[0, :height, :width])
    a, b = (edges(picture) for picture in (before, after))
    for rows in (slice(0, 48), slice(height - 48, height)):
        for columns in (slice(0, 64), slice(width - 64, width)):
            assert np.abs(shift_between(a[rows, columns], b[rows, columns])).max() < 0.1


def edges(picture: np.ndarray) -> np.ndarray:
    down, right = np.gradient(picture.astype(float).mean(-1))
    return np.hypot(down, right)


def shift_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(down, right) in pixels, to parts of one, of ``b`` against ``a`` by their cross-correlation's peak."""
    spectrum = np.conj(np.fft.fft2(a - a.mean())) * np.fft.fft2(b - b.mean())
    peaks = np.fft.fftshift(np.fft.ifft2(spectrum).real)
    y, x = np.unravel_index(peaks.argmax(), peaks.shape)
    parts = []
    for low, top, high in ((peaks[y - 1, x], peaks[y, x], peaks[y + 1, x]), (peaks[y, x - 1], peaks[y, x], peaks[y, x + 1])):
        parts.append((low - high) / (2 * (low - 2 * top + high)))
    return np.array([y - a.shape[0] // 2, x - a.shape[1] // 2]) + parts


def test_the_measure_of_shifts_sees_a_quarter_pixel(frames):
    a = edges(frames[0])[20:68, 20:84]
    b = edges(0.75 * frames[0] + 0.25 * np.roll(frames[0], 1, axis=1))[20:68, 20:84]
    down, right = shift_between(a, b)
    assert abs(down) < 0.05
    assert 0.1 < right < 0.5


def test_what_is_out_of_focus_is_blurred_and_what_is_in_focus_is_not():
    stripes = np.broadcast_to((np.arange(160) // 4 % 2).astype(np.float32), (3, 480, 160)).copy()
    depth = np.full((480, 160), 5, np.float32)
    depth[160:320] = 0.6
    seen = out_of_focus(stripes, confusion(depth, 0.006, None))
    assert seen[0, 240].std() > 0.98 * stripes[0, 240].std()
    assert seen[0, 40].std() < 0.85 * stripes[0, 40].std()


def test_sharp_things_do_not_bleed_into_the_blurred_background():
    light = np.zeros((3, 60, 80), np.float32)
    light[:, :, :40] = 1
    disk = np.zeros((60, 80), np.float32)
    disk[:, 40:] = 8
    assert out_of_focus(light, disk)[:, :, 41:].max() < 0.05


def test_focus_does_not_need_depth_everywhere():
    assert (confusion(np.zeros((8, 9), np.float32), 0.004, None) == 0).all()
    assert np.isfinite(confusion(np.full((8, 9), np.inf, np.float32), 0.004, 1.0)).all()


def test_corners_are_darker_and_the_middle_is_not():
    light = np.full((3, 90, 120), 0.5, np.float32)
    dim = through_lens(light, CameraEffects("dim", vignetting=0.3), None)
    assert dim[0, 45, 60] == pytest.approx(0.5, rel=1e-3)
    assert dim[0, 0, 0] == pytest.approx(0.35, rel=0.02)


def test_fringes_pull_red_out_and_blue_in_and_leave_green():
    light = np.broadcast_to((np.arange(160) > 130).astype(np.float32), (3, 120, 160)).copy()
    red, green, blue = through_lens(light, CameraEffects("fringe", fringe_px=8.0), None).sum(-1)[:, 60]
    assert red < green == light[0, 0].sum() < blue


def test_glare_keeps_the_light_that_it_spreads():
    light = np.full((3, 120, 160), 0.1, np.float32)
    light[:, 55:65, 75:85] = 0.85
    spread = through_lens(light, CameraEffects("glare", glare=0.2), None)
    assert spread.mean() == pytest.approx(light.mean(), rel=0.01)
    assert spread[0, 50, 80] > 0.105


@pytest.mark.parametrize("name", CAMERAS)
def test_every_tone_curve_rises(name):
    camera = effects(name)
    assert (np.diff(tone_table(camera.contrast, camera.black, camera.white)) > 0).all()


def test_sharpening_makes_edges_steeper_and_leaves_flat_parts(frames):
    step = np.full((60, 80, 3), 90, np.uint8)
    step[:, 40:] = 150
    after = apply_frame(step, CameraEffects("sharp", sharpening=0.8, sharpening_px=8.0), seed=0, frame=0).astype(int)
    assert after[30, 40, 0] - after[30, 39, 0] > 65
    assert np.abs(after[:, :30] - 90).max() <= 1


def test_denoising_takes_faint_detail_and_keeps_edges():
    rng = np.random.default_rng(0)
    step = np.full((60, 80), 90.0)
    step[:, 40:] = 150
    picture = np.rint(step + rng.normal(0, 1.5, step.shape)).astype(np.uint8)[..., None].repeat(3, axis=2)
    after = apply_frame(picture, CameraEffects("calm", denoising=0.9, faint=0.03, sharpening_px=8.0), seed=0, frame=0)
    assert after[:, 5:35].std() < 0.7 * picture[:, 5:35].std()
    assert (after[:, 40:].mean() - after[:, :40].mean()) == pytest.approx(60, abs=1)
    assert (after[:, 40, 0].astype(int) - after[:, 39, 0]).mean() > 50


def test_webcams_are_warm_and_realsense_is_cool_and_flat(frames):
    gray = np.full((1, 96, 128, 3), 128, np.uint8)
    warm, cool = (apply(gray, effects(name), seed=0)[0].mean((0, 1)) for name in ("webcam", "realsense"))
    assert warm[0] > warm[2] + 4
    assert cool[2] > cool[0] + 4
    assert apply(frames, effects("realsense"), seed=0).std() < 0.9 * frames.std()


def test_depth_of_another_size_is_refused(frames):
    with pytest.raises(BadValueError, match=r"depth's shape is \(3, 60, 80\), must be \(3, 120, 160\)"):
        apply(frames, effects("phone"), seed=0, depth=np.ones((3, 60, 80), np.float32))


def test_linear_light_of_pictures_is_the_screens():
    """A gain of one half halves linear light, not screen values."""
    gray = np.full((8, 8, 3), 188, np.uint8)
    half = apply_frame(gray, CameraEffects("dark", gains=(0.5, 0.5, 0.5)), seed=0, frame=0)
    assert linear_from_srgb(half[0, 0] / 255) == pytest.approx(linear_from_srgb(np.full(3, 188 / 255)) / 2, rel=0.01)


def test_what_moves_is_smeared_along_its_way_and_what_rests_is_not():
    light = np.zeros((3, 60, 80), np.float32)
    light[:, 20:40, 20:60] = 1
    motion = np.zeros((60, 80, 2), np.float32)
    motion[:30] = (12.0, 0.0)
    out = smeared(light, motion, 0.5)
    np.testing.assert_array_equal(out[:, 30:], light[:, 30:])
    assert out[:, 25, 18].min() > 0.05 and out[:, 25, 21].max() < 0.95  # three pixels to either side of the edge
    np.testing.assert_allclose(out[:, 25, [12, 30, 50, 70]], light[:, 25, [12, 30, 50, 70]], atol=1e-6)
    assert out[:, 20:30].sum() == pytest.approx(light[:, 20:30].sum(), rel=1e-3)
    column = smeared(light.transpose(0, 2, 1).copy(), motion.transpose(1, 0, 2)[..., ::-1].copy(), 0.5)
    np.testing.assert_allclose(column.transpose(0, 2, 1), out, atol=1e-6)
    assert smeared(light, motion, 0.0) is light


def test_only_cameras_with_a_shutter_smear_and_only_what_moves(frames):
    still, moving = np.zeros((3, 120, 160, 2), np.float32), np.full((3, 120, 160, 2), 108.0, np.float32)
    sharp = replace(effects("webcam"), exposure_s=0.0)
    np.testing.assert_array_equal(apply(frames, sharp, seed=1, motion=moving), apply(frames, sharp, seed=1))
    np.testing.assert_array_equal(apply(frames, effects("webcam"), seed=1, motion=still), apply(frames, sharp, seed=1))
    assert (apply(frames, effects("webcam"), seed=1, motion=moving) != apply(frames, sharp, seed=1)).mean() > 0.3
    with pytest.raises(BadValueError, match="motion's shape"):
        apply(frames, effects("webcam"), seed=1, motion=still[:2])


@given(arrays(np.uint8, (3, 5, 3)), st.integers(1, 4))
def test_a_picture_of_even_blocks_is_binned_to_those_blocks(picture, factor):
    assert np.array_equal(binned(picture.repeat(factor, axis=0).repeat(factor, axis=1), factor), picture)


@given(arrays(np.uint8, (4, 6, 3)))
def test_light_is_what_binning_averages(picture):
    linear = linear_from_srgb(picture / 255)
    blocks = np.stack([linear[y::2, x::2] for y in (0, 1) for x in (0, 1)]).mean(axis=0)
    assert np.abs(binned(picture, 2) - 255 * srgb_from_linear(blocks)).max() <= 0.501


def test_black_and_white_make_the_gray_of_half_the_light():
    board = np.indices((4, 4)).sum(axis=0) % 2 * np.ones((3, 1, 1))
    assert (binned((255 * board.transpose(1, 2, 0)).astype(np.uint8), 2) == 188).all()
