"""Blurs keep light and place; pictures made small and large again stay where they were."""

from __future__ import annotations

import numpy as np
import pytest

from sim2real.camera_effects.filters import blurred, enlarged, gaussian_taps, reduced, sampled


@pytest.mark.parametrize("sigma", [0.1, 0.2, 0.5, 1.0, 3.0])
def test_a_blur_has_the_width_that_is_asked_for(sigma):
    taps = np.array(gaussian_taps(sigma))
    places = np.arange(len(taps))
    assert taps[0] + 2 * taps[1:].sum() == pytest.approx(1)
    assert 2 * (places**2 * taps).sum() == pytest.approx(sigma**2, rel=0.06)


def test_a_blur_keeps_light_and_place():
    point = np.zeros((2, 41, 31), np.float32)
    point[:, 20, 15] = 1
    out = blurred(point, 1.7)
    y, x = np.mgrid[:41, :31]
    assert out.sum() == pytest.approx(2, rel=1e-5)
    assert ((y * out).sum() / 2, (x * out).sum() / 2) == pytest.approx((20, 15), abs=1e-3)
    np.testing.assert_array_equal(out[0], out[1])


def test_no_blur_gives_the_picture_itself():
    picture = np.random.default_rng(0).random((3, 5, 7), np.float32)
    np.testing.assert_array_equal(blurred(picture, 0.0), picture)


def test_a_blur_wider_than_the_picture_is_its_border_and_mean():
    picture = np.full((1, 2, 3), 0.7, np.float32)
    np.testing.assert_allclose(blurred(picture, 5.0), picture, rtol=1e-5)


@pytest.mark.parametrize("size", [(12, 16), (13, 18)])
def test_a_ramp_made_small_and_large_again_is_the_ramp_inside(size):
    ramp = np.add.outer(np.arange(size[0]), 2 * np.arange(size[1])).astype(np.float32)[None]
    again = enlarged(reduced(ramp, 4), 4, size)
    np.testing.assert_allclose(again[:, 2:9, 2:13], ramp[:, 2:9, 2:13], atol=1e-4)


def test_sampling_between_pixels_is_linear_and_holds_at_the_border():
    row = np.array([[[0, 1, 4]]], np.float32)
    np.testing.assert_allclose(sampled(row, np.array([-1, 0.25, 1.5, 9], np.float32), -1), [[[0, 0.25, 2.5, 4]]])
    np.testing.assert_allclose(sampled(row.transpose(0, 2, 1), np.array([0.5], np.float32), -2), [[[0.5]]])
