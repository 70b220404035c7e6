"""Blurs of one surface's noise: the kernel equals its twin, variance is one, what lies beside a surface has no part in it."""

import numpy as np
import pytest
import torch

from sim2real.devices import load
from sim2real.diffusion.families.embedded import texture_kernels
from sim2real.diffusion.families.embedded.blurs import (
    LEVELS,
    Ellipses,
    blurred,
    ellipses_of,
    gain_of,
    levels_for,
    levels_of,
    shares_of,
    taps_reference,
)


@pytest.fixture(autouse=True)
def _kernels():
    load(texture_kernels, "cpu")


def drawn(seed, *size):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(size).astype(np.float32))


def everywhere(first, second, size) -> Ellipses:
    return ellipses_of(*(torch.tensor(axis, dtype=torch.float32)[:, None, None].expand(2, *size) for axis in (first, second)))


def field_of(noise, by, here=None):
    here = torch.ones(noise.shape, dtype=torch.bool) if here is None else here
    return blurred(levels_of(noise * here, levels_for(by.minor[here])), by, here) * gain_of(by)


def test_the_kernel_equals_its_torch_twin():
    size = (40, 50)
    first, second = 4 * drawn(0, 2, *size), 2 * drawn(1, 2, *size)
    by, here = ellipses_of(first, second), drawn(2, *size) > -1
    levels = levels_of(drawn(3, *size), range(LEVELS))
    assert torch.allclose(blurred(levels, by, here), taps_reference(levels, by, here), atol=1e-5)
    assert not blurred(levels, by, here)[~here].any()


@pytest.mark.parametrize(("long", "short"), [(0.4, 0.4), (1, 1), (3, 3), (9, 9), (9, 1.5), (16, 4), (20, 20)])
@pytest.mark.parametrize("degrees", [0, 30])
def test_blurred_noise_has_unit_variance(long, short, degrees):
    angle, size = np.deg2rad(degrees), (400, 400)
    by = everywhere(long * np.array([np.cos(angle), np.sin(angle)]), short * np.array([-np.sin(angle), np.cos(angle)]), size)
    inside = field_of(drawn(3, *size), by)[60:-60, 60:-60]
    assert inside.std().item() == pytest.approx(1, abs=0.2 if long == 20 else 0.16)
    assert 0 < by.ratio.min() <= by.ratio.max() <= 1 and (long < 1 or by.ratio.min() > 0.8)


def test_an_ellipse_is_as_long_as_it_says():
    by = everywhere((12.0, 0.0), (0.0, 2.0), (300, 400))
    field = field_of(drawn(4, 300, 400), by)

    def fall(axis, apart):
        x = np.moveaxis(field.numpy(), axis, 0)
        return (x[:-apart] * x[apart:]).mean() / (x * x).mean()

    # a Gaussian's autocorrelation falls to exp(-1/4) where the distance is its standard deviation; a line of taps is blunter
    assert fall(0, 2) == pytest.approx(np.exp(-0.25), abs=0.08)
    assert fall(1, 12) == pytest.approx(np.exp(-0.25), abs=0.15)


def test_noise_beside_a_surface_has_no_part_in_its_texture():
    size = (60, 80)
    here = torch.zeros(size, dtype=torch.bool)
    here[10:40, 20:70] = True
    by, noise = everywhere((15.0, 2.0), (-1.0, 6.0), size), drawn(5, *size)
    other = torch.where(here, noise, drawn(6, *size))
    assert not torch.equal(noise, other)
    assert torch.equal(field_of(noise, by, here), field_of(other, by, here))


def test_a_part_of_a_surface_is_the_expected_value_of_all_of_it():
    """Over what is hidden noise counts as 0, its mean: the error is as large as the share that is hidden."""
    size = (200, 200)
    by, here = everywhere((10.0, 0.0), (0.0, 10.0), size), torch.zeros(size, dtype=torch.bool)
    here[:, :100] = True
    edge = np.s_[40:160, 97:100]
    whole, part = [], []
    for seed in range(12):
        noise = drawn(seed, *size)
        whole.append(field_of(noise, by)[edge].numpy())
        part.append(field_of(noise, by, here)[edge].numpy())
    share = blurred(shares_of(here.float(), levels_for(by.minor.flatten())), by, here)[edge].mean().item()
    assert share == pytest.approx(0.55, abs=0.07)
    assert np.mean(np.square(part)) == pytest.approx(share, rel=0.2)
    assert np.mean(np.square(np.array(whole) - part)) == pytest.approx(1 - share, rel=0.25)


def test_levels_are_made_only_where_a_blur_needs_them():
    noise, by = drawn(7, 64, 64), everywhere((5.0, 0.0), (0.0, 5.0), (64, 64))
    wanted, here = levels_for(by.minor.flatten()), torch.ones(64, 64, dtype=torch.bool)
    assert len(wanted) == 2 and 0 < wanted.start
    assert torch.equal(blurred(levels_of(noise, wanted), by, here), blurred(levels_of(noise, range(LEVELS)), by, here))
