"""Development of light: one exposure and white for a clip, whatever the light's unit, without flicker."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim2real.camera_effects import Development, develop
from sim2real.camera_effects.tone import LUMA, toned
from sim2real.errors import BadValueError

PLAIN = Development(white_balance=0.0, bloom=0.0)


@pytest.fixture(scope="module")
def light() -> np.ndarray:
    """A room: smooth light over a range of a thousand, warm, brighter in later frames; with a lamp."""
    y, x = np.mgrid[0:1:60j, 0:1:80j]
    shape = np.exp(2 * np.sin(5 * x + 3 * y) + 1.5 * np.cos(9 * y - 2 * x))[..., None] * [1.2, 1.0, 0.7]
    out = np.stack([shape * gain for gain in (0.8, 1.0, 1.2)]).astype(np.float32)
    out[:, 10:13, 20:23] = 400
    return out


def screen_luma(pictures: np.ndarray) -> np.ndarray:
    return pictures / 255 @ LUMA


def test_the_same_light_gives_the_same_picture(light):
    before = light.copy()
    np.testing.assert_array_equal(develop(light), develop(light))
    np.testing.assert_array_equal(light, before)


@pytest.mark.parametrize("factor", [4, 0.25, 2**-20])
def test_the_unit_of_light_does_not_matter(light, factor):
    np.testing.assert_array_equal(develop(light * np.float32(factor)), develop(light))


@pytest.mark.parametrize("target", [0.4, 0.54, 0.65])
def test_metering_reaches_its_target(light, target):
    y, x = np.mgrid[-1:1:60j, -1:1:80j]
    weight = np.exp(-(x * x + y * y))
    reached = (screen_luma(develop(light, Development(target=target, highlights=100.0))).mean(0) * weight).sum() / weight.sum()
    assert reached == pytest.approx(target, abs=0.015)


@pytest.mark.parametrize(("highlights", "contrast"), [(0.8, 0.5), (1.2, 0.6), (2.0, 0.65)])
def test_highlights_are_spared_before_the_target_is_reached(light, highlights, contrast):
    """A white robot among dark things is not to be a silhouette."""
    light = light ** np.float32(contrast)  # what is bright is so by a stop, not by many
    look = Development(highlights=highlights, bloom=0.0)
    brightest = toned(np.full(1, highlights, np.float32), look)[0]
    luma = screen_luma(develop(light, look))
    assert (luma > brightest + 0.01).mean() < 0.08
    assert screen_luma(develop(light, Development(highlights=100.0, bloom=0.0))).mean() > luma.mean()


@pytest.mark.parametrize("window", [1e2, 1e4])
def test_a_window_takes_one_stop_from_a_room_at_most(window):
    """However bright it is outside: a phone shows the room."""
    look = Development(bloom=0.0, white_balance=0.0)
    light = np.full((1, 60, 80, 3), 0.2, np.float32)
    light[:, :, 64:] = window
    room = screen_luma(develop(light, look))[0, 30, 40]
    freely = screen_luma(develop(light, replace(look, highlights=100.0)))[0, 30, 40]
    exposed = np.arange(2048, dtype=np.float32) / 512
    half = np.interp(np.interp(freely, toned(exposed, look), exposed) / 2, exposed, toned(exposed, look))
    assert room < freely and room == pytest.approx(float(half), abs=0.02)


def test_equal_light_is_equally_bright_in_all_frames_of_a_clip(light):
    """A bright thing that comes into view must not darken the rest."""
    still = light[[1, 1, 1]]
    still[2, 40:, :30] = 200
    first, second, third = develop(still, replace(Development(), bloom=0.0))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first[:40], third[:40])
    assert (first[40:, :30] != third[40:, :30]).any()


def test_white_balance_turns_the_mean_color_to_gray(light):
    def cast(strength: float) -> float:
        mean = develop(light, replace(PLAIN, white_balance=strength)).reshape(-1, 3).mean(0)
        return float(mean[0] - mean[2])

    assert cast(0.0) > 15
    assert 0.1 * cast(0.0) < cast(0.75) < 0.6 * cast(0.0)
    assert abs(cast(1.0)) < 0.25 * cast(0.0)


def test_white_balance_by_base_color_goes_by_the_lamp_and_not_by_what_it_lights():
    rng = np.random.default_rng(0)
    base_color = rng.uniform(0.2, 0.8, (1, 60, 80, 3)).astype(np.float32) * np.array([1.0, 0.4, 0.2], np.float32)
    base_color[:, :, 60:] = 0.7  # a white wall beside red things
    shading = rng.uniform(0.5, 1.5, (1, 60, 80, 1)).astype(np.float32)

    def wall(lamp, known):
        light = base_color * shading * np.array(lamp, np.float32)
        shown = develop(light, replace(PLAIN, white_balance=1.0), base_color if known else None)
        return shown[:, :, 62:].reshape(-1, 3).mean(0)

    for lamp in ((1.0, 1.0, 1.0), (1.0, 0.8, 0.5)):
        assert np.ptp(wall(lamp, known=True)) < 4
    assert wall((1.0, 1.0, 1.0), known=False)[2] - wall((1.0, 1.0, 1.0), known=False)[0] > 40


def test_the_curve_rises_and_stays_on_the_screen():
    light = np.geomspace(1e-4, 40, 2000, dtype=np.float32)
    for contrast in (0.0, 0.45, 1.0):
        value = toned(np.concatenate([[np.float32(0)], light]), Development(contrast=contrast))
        assert (np.diff(value) >= 0).all()
        assert value[0] == pytest.approx(0.008)
        assert value[-1] == pytest.approx(0.985)
        assert (np.diff(value[::40]) > 0).sum() > 30


def test_bloom_lights_what_is_around_a_lamp_and_nothing_else_much(light):
    lamp = np.full((1, 60, 80, 3), 0.2, np.float32)
    lamp[:, 28:32, 38:42] = 8
    dull, glowing = (develop(lamp, replace(PLAIN, bloom=bloom))[0].astype(int) for bloom in (0.0, 0.08))
    near, far = glowing[30, 45] - dull[30, 45], glowing[3, 3] - dull[3, 3]
    assert (near > far + 5).all()


def test_single_stray_paths_change_little(light):
    stray = light.copy()
    stray[0, 50, 70] = 1e6
    stray[1, 51, 7] = np.inf
    stray[1, 55, 7] = np.nan
    stray[2, 5, 5] = -3
    change = np.abs(develop(stray).astype(int) - develop(light))
    assert np.quantile(change, 0.97) <= 4


def test_no_light_is_black_and_one_pixel_is_a_picture():
    assert develop(np.zeros((2, 5, 7, 3), np.float32)).max() <= 3
    assert develop(np.ones((1, 1, 1, 3), np.float32)).shape == (1, 1, 1, 3)


def test_drawn_settings_are_keyed_differ_and_look_different(light):
    first, again, other = (Development.drawn(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert np.abs(develop(light, first).astype(int) - develop(light, other)).mean() > 2
    for seed in range(200):
        Development.drawn(np.random.default_rng(seed))


def test_impossible_settings_say_what_is_right():
    with pytest.raises(BadValueError, match=r"target is 7\.0, must be within 0\.05 to 0\.95"):
        Development(target=7.0)
    with pytest.raises(BadValueError, match="tint"):
        Development(tint=(1.0, 0.0, 1.0))
