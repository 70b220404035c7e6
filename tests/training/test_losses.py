import pytest
import torch

from sim2real.diffusion.families.embedded.denoiser import SCALE
from sim2real.training.data import Batch
from sim2real.training.losses import energy_score, patch_distance, training_loss
from sim2real.training.recipe import Losses


class Told:
    """A model that predicts what it is told, and keeps what it was asked."""

    def __init__(self, clean):
        self.clean = clean

    def predict(self, noisy, sigma, conditions, state=None):
        self.noisy = noisy
        return self.clean, {}


def batch(sigma, of, size=32, seed=0):
    rng = torch.Generator().manual_seed(seed)
    samples = len(sigma)
    clean, noise = torch.randn(samples, 1, 3, size, size, generator=rng), torch.randn(len(of), 1, 3, size, size, generator=rng)
    conditions = torch.zeros(samples, 1, 17, size, size)
    return Batch(clean, conditions, torch.tensor(sigma), noise, torch.tensor(of), tuple(range(samples)))


def test_the_error_is_that_of_the_velocity_held_near_sigma_zero():
    given = batch([1.0, 0.8, 0.1], [0, 1, 2])
    model = Told(given.clean + 0.3)
    loss = training_loss(model.predict, given, Losses(absolute=0, clamp=0.5), perceptual=None)
    expected = 0.09 * (1 + 1 / 0.64 + 1 / 0.25) / 3
    assert loss.item() == pytest.approx(expected, rel=1e-4)
    assert torch.allclose(model.noisy[1], 0.2 * given.clean[1] + 0.8 * given.noise[1])


def test_perceptual_distance_sees_the_same_part_of_both_in_pictures_of_unit_range():
    given = batch([0.5, 0.5], [0, 1])
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


def test_two_draws_of_a_sample_are_scored_together_and_not_by_the_error():
    given = batch([1.0, 1.0], [0, 1, 1])
    truth = given.clean[given.of]
    right = training_loss(Told(truth).predict, given, Losses(energy=2), perceptual=None)
    spread = truth.clone()
    spread[1] += 1
    spread[2] -= 1
    # (1 + 1 - 2) / 2 = 0: draws on both sides of the truth are as good as the truth twice.
    assert training_loss(Told(spread).predict, given, Losses(energy=2), perceptual=None).item() == pytest.approx(
        right.item(), abs=5e-3
    )
    both = truth.clone()
    both[1:] += 1
    assert training_loss(Told(both).predict, given, Losses(energy=2), perceptual=None).item() == pytest.approx(1, abs=5e-3)


def test_the_energy_score_is_least_for_the_true_distribution():
    rng = torch.Generator().manual_seed(0)

    def score(spread):
        first, second = (spread * torch.randn(400, 3, 16, 16, generator=rng) for _ in range(2))
        return energy_score(first, second, torch.randn(400, 3, 16, 16, generator=rng), patch_distance).mean().item()

    assert score(1.0) < score(0.0) - 0.05 and score(1.0) < score(0.6) and score(1.0) < score(1.5)


def test_patches_are_compared_at_several_sizes():
    rng = torch.Generator().manual_seed(0)
    fine = torch.randn(1, 3, 64, 64, generator=rng)
    coarse = fine[..., ::4, ::4].repeat_interleave(4, -1).repeat_interleave(4, -2)
    nothing = torch.zeros_like(fine)
    assert patch_distance(coarse, nothing) > 1.3 * patch_distance(fine, nothing)
    assert patch_distance(fine, fine).item() < 2e-3
