from __future__ import annotations

import numpy as np
import pytest

from sim2real.metrics.whiteness import estimates, radial_spectrum, whiteness

RNG = np.random.default_rng(3)
WHITE = RNG.standard_normal((4, 16, 40, 50))


def test_independent_normals_pass():
    assert whiteness(WHITE).worst() < 4.5


@pytest.mark.parametrize(
    ("defect", "damaged"),
    [
        ("variance", WHITE * 1.02),
        ("mean", WHITE + 0.02),
        ("ks_p", np.sign(WHITE) * np.abs(WHITE) ** 1.05),
        ("kurtosis", np.random.default_rng(0).standard_t(8, WHITE.shape) / np.sqrt(8 / 6)),
        ("neighbor_right", (WHITE + 0.02 * np.roll(WHITE, 1, 3)) / np.hypot(1, 0.02)),
        ("neighbor_below", (WHITE + 0.02 * np.roll(WHITE, 1, 2)) / np.hypot(1, 0.02)),
        ("neighbor_diagonal", (WHITE + 0.02 * np.roll(WHITE, (1, 1), (2, 3))) / np.hypot(1, 0.02)),
        ("lag_2_right", (WHITE + 0.02 * np.roll(WHITE, 2, 3)) / np.hypot(1, 0.02)),
        ("channels", (WHITE + 0.06 * RNG.standard_normal((4, 1, 40, 50))) / np.hypot(1, 0.06)),
        ("spectrum", 0.85 * WHITE + np.sqrt(1 - 0.85**2) * np.roll(WHITE, 1, 3)),
    ],
)
def test_each_defect_is_found_by_its_own_figure(defect, damaged):
    assert whiteness(WHITE).worst() < 4.5
    result = whiteness(damaged)
    assert result.ks_p < 1e-3 if defect == "ks_p" else abs(getattr(result, defect)) > 4.5, result


def test_plain_values_are_what_they_are_called():
    found = estimates(1.1 * (WHITE + 0.5 * np.roll(WHITE, 1, 3)))
    assert found["variance"].value == pytest.approx(1.21 * 1.25, rel=0.02)
    assert found["neighbor_right"].value == pytest.approx(1.21 * 0.5, rel=0.03)
    assert found["lag_2_right"].value == pytest.approx(0, abs=0.02)


def test_the_spectrum_of_a_blur_falls_as_theory_says():
    frequency, power, count = radial_spectrum(WHITE, rings=6)
    assert np.abs((power - 1) * np.sqrt(count)).max() < 5
    blurred = (WHITE + np.roll(WHITE, 1, 3) + np.roll(WHITE, 1, 2) + np.roll(WHITE, (1, 1), (2, 3))) / 4
    _, fallen, _ = radial_spectrum(blurred, rings=6)
    assert np.all(np.diff(fallen) < 0)
    assert fallen[0] > 0.9 and fallen[-1] < 0.01
    assert np.all(np.diff(frequency) > 0)
