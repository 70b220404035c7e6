"""Smooth pictures are taken apart into one surface per pixel, and finished ones mixed again."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sim2real.conditions.coverage import NEIGHBORS
from sim2real.diffusion.families.embedded.borders import Mixed
from sim2real.diffusion.families.embedded.denoiser import SCALE, mixed

SIZE = (12, 16)


def random_shares(rng):
    """At most three fifths of some pixels, none of what is beyond the margin."""
    drawn = rng.integers(0, 3, (1, 4, *SIZE)) * (rng.random((1, 1, *SIZE)) < 0.3) * 3 / 40
    for k, (i, j) in enumerate(NEIGHBORS):
        outside = np.ones(SIZE, bool)
        outside[max(-i, 0) : SIZE[0] - max(i, 0), max(-j, 0) : SIZE[1] - max(j, 0)] = False
        drawn[0, k][outside] = 0
    return drawn.astype(np.float32)


def blended(picture, shares):
    """Each pixel and its neighbors by their shares."""
    padded = np.pad(picture, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    out = (1 - shares.sum(axis=1))[..., None] * picture
    for k, (i, j) in enumerate(NEIGHBORS):
        out += shares[:, k, ..., None] * padded[:, 1 + i : 1 + i + SIZE[0], 1 + j : 1 + j + SIZE[1]]
    return out


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_mixing_is_undone_where_a_surface_goes_on_beside_its_border(seed):
    rng = np.random.default_rng(seed)
    shares, row = random_shares(rng), rng.integers(3, 9)
    own = np.full((1, *SIZE, 3), 0.2, np.float32)
    own[:, row:] = 0.8
    shares[:, 2:] = 0  # the border lies across: what is left and right shows the same surface
    shares[:, :, : row - 1], shares[:, :, row + 1 :] = 0, 0
    shares[:, 0, row - 1], shares[:, 1, row] = 0, 0
    smooth = blended(own, shares)
    apart = Mixed(shares).undone(smooth)
    assert np.abs(apart - own).max() <= 0.35 * max(np.abs(smooth - own).max(), 1e-6)
    assert apart.min() >= smooth.min() and apart.max() <= smooth.max()
    nothing = shares.sum(axis=1) == 0
    np.testing.assert_array_equal(apart[nothing], smooth[nothing])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_finished_pictures_are_mixed_in_linear_light_and_only_where_something_is_covered(seed):
    rng = np.random.default_rng(seed)
    shares = random_shares(rng)
    screen = rng.uniform(0.05, 1, (1, *SIZE, 3)).astype(np.float32)
    wanted = np.sqrt(blended(screen**2, shares))
    clean = torch.from_numpy(SCALE * (2 * np.moveaxis(screen, -1, 1) - 1))
    got = mixed(clean, torch.from_numpy(shares))
    np.testing.assert_allclose(np.moveaxis(got.numpy(), 1, -1), SCALE * (2 * wanted - 1), atol=1e-5)
    assert torch.equal(got.movedim(1, -1)[0][shares.sum(axis=1)[0] == 0], clean.movedim(1, -1)[0][shares.sum(axis=1)[0] == 0])
    assert mixed(clean, torch.from_numpy(shares)[:, :0]) is clean
