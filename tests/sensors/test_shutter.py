"""Motion blur and rolling shutter: trapezoids about the labels, slanted bars, light kept, backgrounds uncovered."""

from __future__ import annotations

import numpy as np
import pytest

from sim2real.sensors.shutter import exposed

from .conftest import BOX, SIZE, box_depth


def box(inside: float = 1.0, outside: float = 0.0) -> np.ndarray:
    light = np.full((1, *SIZE), outside, np.float32)
    light[(slice(None), *BOX)] = inside
    return light


def flow_of(box_px: tuple[float, float], wall_px: tuple[float, float] = (0, 0)) -> np.ndarray:
    flow = np.broadcast_to(np.array(wall_px, np.float32), (*SIZE, 2)).copy()
    flow[BOX] = box_px
    return flow


def test_what_does_not_move_is_the_same_to_the_bit():
    light = np.random.default_rng(0).random((3, *SIZE), np.float32)
    still = flow_of((0, 0))
    assert exposed(light, still, box_depth(), exposure=1.0, readout=1.0) is light
    moving = exposed(light, flow_of((5, 0)), box_depth(), exposure=0.5, readout=0.5)
    np.testing.assert_allclose(moving[:, :, 90:], light[:, :, 90:], atol=1e-6)


@pytest.mark.parametrize("speed", [8.0, -8.0])
def test_a_moving_thing_is_smeared_evenly_to_both_sides_of_its_labels(speed):
    """Half of the way before and half after: a linear ramp, one half at the silhouette."""
    out = exposed(box(), flow_of((speed, 0)), box_depth(), exposure=0.5, readout=0.0)[0, 50]
    silhouette = np.zeros(SIZE[1])
    silhouette[BOX[1]] = 1
    expected = np.mean([np.roll(np.repeat(silhouette, 100), int(100 * s)) for s in np.linspace(-2, 2, 101)], axis=0)
    np.testing.assert_allclose(out, expected.reshape(-1, 100).mean(1), atol=0.2)
    assert out.sum() == pytest.approx(30, abs=0.7)
    assert (out * (np.arange(128) + 0.5)).sum() / out.sum() == pytest.approx(65, abs=0.1)


def test_blur_stays_within_its_extent():
    out = exposed(box(), flow_of((9, -7)), box_depth(), exposure=0.5, readout=0.25)[0]
    changed = np.argwhere(out != box()[0])
    reach = (0.25 + 0.125) * np.array([7, 9]) + 1
    inner = np.array([[30, 50], [70, 80]])
    assert len(changed) > 50
    near_row = np.minimum(abs(changed[:, 0] - inner[0, 0]), abs(changed[:, 0] + 1 - inner[1, 0])) <= reach[0]
    near_column = np.minimum(abs(changed[:, 1] - inner[0, 1]), abs(changed[:, 1] + 1 - inner[1, 1])) <= reach[1]
    assert (near_row | near_column).all()
    assert (changed >= inner[0] - reach).all() and (changed + 1 <= inner[1] + reach).all()


def test_a_rolling_shutter_slants_what_moves_about_the_middle_row():
    out = exposed(box(), flow_of((20, 0)), box_depth(), exposure=0.0, readout=0.5)[0]
    rows = np.arange(30, 70)
    left = np.array([np.flatnonzero(out[row] > 0.5)[0] for row in rows])
    expected = 50 + 20 * 0.5 * ((rows + 0.5) / SIZE[0] - 0.5)
    assert np.abs(left - expected).max() <= 0.75
    assert left[18] == 50  # row 48, the middle


@pytest.mark.parametrize("speed", [12.0, -12.0])
def test_a_rolling_shutter_stretches_what_moves_down(speed):
    """A row y shows what was at y - v t(y): the height grows by 1 / (1 - v readout / H)."""
    out = exposed(box(), flow_of((0, speed)), box_depth(), exposure=0.0, readout=1.0)[0, :, 60]
    top, bottom = (48 + (row - 48) / (1 - speed / SIZE[0]) for row in (30, 70))
    seen = np.flatnonzero(out > 0.5)
    assert seen[0] == pytest.approx(top, abs=1) and seen[-1] + 1 == pytest.approx(bottom, abs=1)


def test_near_things_pass_in_front_of_far_ones_and_uncover_what_is_beyond():
    light, depth = box(0.2, 0.9), box_depth()
    out = exposed(light, flow_of((10, 0)), depth, exposure=0.0, readout=1.0)[0]
    assert out.min() >= 0.2 - 1e-6 and out.max() <= 0.9 + 1e-6
    assert (out < 0.55).sum() == pytest.approx(40 * 30, abs=40)
    behind = exposed(light, flow_of((0, 0), (10, 0)), depth, exposure=0.6, readout=0.0)[0]
    np.testing.assert_allclose(behind, light[0], atol=1e-5)  # the wall slides behind the box and looks the same


def test_what_is_stretched_does_not_tear():
    """A near box that grows by a quarter hides the wall everywhere inside."""
    y, x = np.indices(SIZE) + 0.5
    flow = flow_of((0, 0))
    flow[BOX] = np.stack([(x - 65) / 2, (y - 50) / 2], axis=-1)[BOX]
    out = exposed(box(), flow, box_depth(), exposure=1e-6, readout=0.0)[0]
    np.testing.assert_array_equal(out, box()[0])
    later = exposed(box(), flow + np.array([0, 30], np.float32), box_depth(), exposure=0.0, readout=1.0)[0] > 0.5
    inside = np.flatnonzero(later[:, 65])
    assert later[inside[2] : inside[-2], 60:70].all()


def test_a_camera_that_pans_blurs_all_alike_up_to_the_border():
    rng = np.random.default_rng(1)
    stripes = np.broadcast_to(rng.random(SIZE[1]).astype(np.float32), (1, *SIZE)).copy()
    out = exposed(stripes, np.full((*SIZE, 2), (4, 0), np.float32), None, exposure=1.0, readout=0.0)[0, 40]
    at = np.arange(SIZE[1])
    expected = np.mean([np.interp(at - s, at, stripes[0, 40]) for s in (-1.6, -0.8, 0, 0.8, 1.6)], axis=0)
    np.testing.assert_allclose(out, expected, atol=1e-4)


def test_without_depth_nothing_fails_and_light_stays_within_bounds():
    light = np.random.default_rng(3).random((3, *SIZE), np.float32)
    flow = np.random.default_rng(4).normal(0, 30, (*SIZE, 2)).astype(np.float32)
    out = exposed(light, flow, None, exposure=1.0, readout=1.0)
    assert out.shape == light.shape and np.isfinite(out).all()
    assert out.min() >= light.min() and out.max() <= light.max()
    gone = exposed(light, np.full((*SIZE, 2), 1e4, np.float32), None, exposure=1.0, readout=0.0)
    assert np.isfinite(gone).all()
