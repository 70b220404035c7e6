"""Blurs of one surface's noise: the kernel equals its twin, variance is one, what lies beside a surface has no part in it."""

import numpy as np
import pytest
import torch

from sim2real.devices import load
from sim2real.diffusion.families.embedded import texture_kernels
from sim2real.diffusion.families.embedded.blurs import (
    LEVELS,
    Ellipses,
    _squared,
    _unit_variance,
    blurred,
    ellipses_of,
    gain_of,
    levels_of,
    levels_reference,
    seen_of,
    shares_of,
    taps_reference,
)


def test_levels_are_those_of_scipy():
    size = (37, 90)
    owner = np.zeros(size, int)
    owner[5:30, 20:61], owner[30:, :9], owner[36, 89] = 1, 2, 3
    first = torch.full((2, *size), 0.1)
    first[:, :, :40], first[:, 20:] = 6.0, 60.0
    by, noise = ellipses_of(first, first.flip(0) * torch.tensor([1.0, -1])[:, None, None]), drawn(5, *size).numpy()
    seen = {number: of for number, of in seen_of(owner).items() if number}
    pictures = {number: noise[box] * here for number, (box, here) in seen.items()}
    levels = levels_of(noise, seen, by)
    assert len({tuple(place[1:]) for place in levels.places.reshape(-1, 4)}) > 8
    np.testing.assert_allclose(levels.values, levels_reference(pictures, levels, _unit_variance), atol=2e-5)
    shares = shares_of(seen, by)
    whole = {number: here.astype(np.float32) for number, (_, here) in seen.items()}
    np.testing.assert_allclose(shares.values, levels_reference(whole, shares, _squared), atol=2e-5)


@pytest.fixture(autouse=True)
def _kernels():
    load(texture_kernels, "cpu")


def drawn(seed, *size):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(size).astype(np.float32))


def everywhere(first, second, size) -> Ellipses:
    return ellipses_of(*(torch.tensor(axis, dtype=torch.float32)[:, None, None].expand(2, *size) for axis in (first, second)))


def field_of(noise, by, owner=None):
    owner = np.zeros(noise.shape, np.int64) if owner is None else owner
    return blurred(levels_of(noise.numpy(), seen_of(owner), by), by, owner) * gain_of(by)


def test_the_kernel_equals_its_torch_twin():
    size = (40, 50)
    by, owner = ellipses_of(4 * drawn(0, 2, *size), 2 * drawn(1, 2, *size)), (drawn(2, *size).numpy() > -1).astype(np.int64)
    owner[:3], owner[:, 45:], owner[20, 20] = -1, 3, 2
    levels = levels_of(drawn(3, *size).numpy(), {number: of for number, of in seen_of(owner).items() if number}, by)
    assert torch.allclose(blurred(levels, by, owner), taps_reference(levels, by, owner), atol=1e-5)
    assert blurred(levels, by, owner)[20, 20] and not blurred(levels, by, owner)[owner < 1].any(), "of one pixel, and of none"


@pytest.mark.parametrize("owner", [np.full((5, 7), -1), np.full((5, 7), 300), np.arange(35).reshape(5, 7)])
def test_every_surface_has_the_blurs_that_it_has_alone(owner):
    by, noise = everywhere((40.0, 3.0), (1.0, 2.0), owner.shape), drawn(8, *owner.shape)
    together = field_of(noise, by, owner)
    for number in np.unique(owner):
        alone = field_of(noise, by, np.where(owner == number, number, -1))
        assert torch.equal(together[owner == number], alone[owner == number])
        assert bool(alone.any()) == (number >= 0)


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


@pytest.mark.parametrize("ratio", [8, 20, 30])
def test_grain_is_long_and_no_stronger_where_the_picture_ends(ratio):
    """What is beyond the picture is unknown: places there count as nothing, not as what the margin holds."""
    size = (64, 160)
    by = everywhere((1.5 * ratio, 0.0), (0.0, 1.5), size)
    fields = torch.stack([field_of(drawn(seed, *size), by) for seed in range(24)])
    deviation = fields.square().mean((0, 1)).sqrt()
    assert deviation[60:100].mean() == pytest.approx(1, abs=0.06)
    assert deviation.max() < 1.15
    assert deviation[[0, -1]].min() > 0.55
    apart = int(1.5 * ratio)  # one standard deviation: the blur of white noise is alike by exp(-1/4) there
    alike = (fields[..., 60:100] * fields[..., 60 + apart : 100 + apart]).mean()
    assert float(alike) == pytest.approx(0.78, abs=0.12)


def test_noise_beside_a_surface_has_no_part_in_its_texture():
    size = (60, 80)
    here = torch.zeros(size, dtype=torch.bool)
    here[10:40, 20:70] = True
    by, noise = everywhere((15.0, 2.0), (-1.0, 6.0), size), drawn(5, *size)
    other = torch.where(here, noise, drawn(6, *size))
    assert not torch.equal(noise, other)
    owner = here.long().numpy() - 1
    assert torch.equal(field_of(noise, by, owner), field_of(other, by, owner))


def test_a_part_of_a_surface_is_the_expected_value_of_all_of_it():
    """Over what is hidden noise counts as 0, its mean: the error is as large as the share that is hidden."""
    size = (200, 200)
    by, here = everywhere((10.0, 0.0), (0.0, 10.0), size), torch.zeros(size, dtype=torch.bool)
    here[:, :100] = True
    edge, owner = np.s_[40:160, 97:100], here.long().numpy() - 1
    whole, part = [], []
    for seed in range(12):
        noise = drawn(seed, *size)
        whole.append(field_of(noise, by)[edge].numpy())
        part.append(field_of(noise, by, owner)[edge].numpy())
    share = blurred(shares_of(seen_of(owner), by), by, owner)[edge].mean().item()
    assert share == pytest.approx(0.55, abs=0.07)
    assert np.mean(np.square(part)) == pytest.approx(share, rel=0.2)
    assert np.mean(np.square(np.array(whole) - part)) == pytest.approx(1 - share, rel=0.25)


def test_levels_are_made_only_where_a_blur_needs_them():
    by, owner = everywhere((5.0, 0.0), (0.0, 5.0), (64, 64)), np.zeros((64, 64), np.int64)
    levels = levels_of(drawn(7, 64, 64).numpy(), seen_of(owner), by)
    rows = levels.places[0, :, 1]
    assert len(rows) == LEVELS and np.flatnonzero(rows > 1).tolist() == [3, 4]
    assert len(levels.values) == 1 + 32 * 32 + 16 * 16
