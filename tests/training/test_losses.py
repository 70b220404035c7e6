from dataclasses import replace

import pytest
import torch

from sim2real.diffusion.families.embedded.conditions import CHANNELS
from sim2real.diffusion.families.embedded.denoiser import SCALE
from sim2real.training.data import Batch
from sim2real.training.losses import training_loss
from sim2real.training.recipe import Losses


class Told:
    """A model that predicts what it is told, and keeps what it was asked."""

    def __init__(self, clean):
        self.clean = clean

    def predict(self, noisy, sigma, conditions, state=None):
        self.noisy = noisy
        return self.clean, {}


def batch(sigma, size=32, seed=0):
    rng = torch.Generator().manual_seed(seed)
    samples = len(sigma)
    clean, noise = (torch.randn(samples, 1, 3, size, size, generator=rng) for _ in range(2))
    conditions = torch.zeros(samples, 1, CHANNELS, size, size)
    own = torch.zeros(samples, dtype=torch.bool)
    return Batch(clean, conditions, torch.tensor(sigma), noise, own, tuple(range(samples)))


def test_the_error_is_that_of_the_velocity_held_near_sigma_zero():
    given = batch([1.0, 0.8, 0.1])
    model = Told(given.clean + 0.3)
    loss = training_loss(model.predict, given, Losses(absolute=0, clamp=0.5), perceptual=None)
    expected = 0.09 * (1 + 1 / 0.64 + 1 / 0.25) / 3
    assert loss.item() == pytest.approx(expected, rel=1e-4)
    assert torch.allclose(model.noisy[1], 0.2 * given.clean[1] + 0.8 * given.noise[1])


def test_an_own_guess_stands_for_the_truth_in_what_is_denoised_but_not_in_what_is_asked():
    given = replace(batch([0.8, 0.8]), own=torch.tensor([False, True]))
    asked = []

    def predict(noisy, sigma, conditions):
        asked.append((noisy, sigma))
        return given.clean[-len(noisy) :] + 0.5, {}

    loss = training_loss(predict, given, Losses(absolute=0, clamp=0.5), perceptual=None)
    (guessed, pure), (noisy, sigma) = asked
    assert torch.equal(guessed, given.noise[1:]) and pure.tolist() == [1.0] and sigma.tolist() == pytest.approx([0.8, 0.8])
    assert torch.allclose(noisy[0], 0.2 * given.clean[0] + 0.8 * given.noise[0], atol=1e-6)
    assert torch.allclose(noisy[1], 0.2 * (given.clean[1] + 0.5) + 0.8 * given.noise[1], atol=1e-6)
    assert loss.item() == pytest.approx(0.25 / 0.64, rel=1e-4)


def test_perceptual_distance_sees_the_same_part_of_both_in_pictures_of_unit_range():
    given = batch([0.5, 0.5])
    seen = []

    def distance(a, b):
        seen.append((a, b))
        return torch.ones(len(a))

    losses = Losses(absolute=0, perceptual=0.25, perceptual_size=16)
    loss = training_loss(Told(given.clean.clone()).predict, given, losses, perceptual=distance)
    ((a, b),) = seen
    assert loss.item() == pytest.approx(0.25) and a.shape == (2, 3, 16, 16) and torch.equal(a, b)
    whole = (given.clean[0, 0] / SCALE).unfold(1, 16, 1).unfold(2, 16, 1)
    assert (whole == b[0][:, None, None]).all(dim=-1).all(dim=-1).all(dim=0).any()
