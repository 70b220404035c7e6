from dataclasses import replace

import numpy as np
import pytest
import torch

from sim2real.diffusion.families.embedded.conditions import BASE, CHANNEL_NAMES, SHARES
from sim2real.diffusion.families.embedded.denoiser import SCALE
from sim2real.errors import BadValueError
from sim2real.training.data import Sampler
from sim2real.training.recipe import Degradation, NoiseLevels, Stage

NORMAL_X = CHANNEL_NAMES.index("normal x")
STAGE = Stage(steps=1, batch=8, frames=2, size=(16, 32))


def test_samples_do_not_depend_on_the_batch_around_them(clips, provider, recipe):
    sampler = Sampler(clips, provider, recipe)
    together = sampler.batch(8, STAGE.model_copy(update={"batch": 4}))
    alone = sampler.batch(10, STAGE.model_copy(update={"batch": 1}))
    for name in ("clean", "conditions", "sigma", "noise", "own"):
        assert torch.equal(getattr(together, name)[2], getattr(alone, name)[0]), name
    assert together.numbers[2] == alone.numbers[0]


def test_every_clip_is_seen_once_per_epoch(clips, provider, recipe):
    sampler = Sampler(clips, provider, recipe)
    epochs = [[sampler._clip_of(3 * epoch + i, STAGE) for i in range(3)] for epoch in range(6)]
    assert [sorted(epoch) for epoch in epochs] == [[0, 1, 2]] * 6 and len({tuple(epoch) for epoch in epochs}) > 1


def test_clips_that_are_too_short_for_a_stage_are_left_out(clips, provider, recipe):
    frames = clips[0].shape[0]
    still = replace(clips[1], shape=(1, *clips[1].shape[1:]))
    sampler = Sampler([clips[0], still, clips[2]], provider, recipe)
    single = STAGE.model_copy(update={"frames": 1})
    assert {sampler._clip_of(n, single) for n in range(3)} == {0, 1, 2}
    assert {sampler._clip_of(n, STAGE) for n in range(6)} == {0, 2}
    with pytest.raises(BadValueError, match=f"frames of a stage.*{frames + 1}.*at most {frames}"):
        sampler.sample(0, STAGE.model_copy(update={"frames": frames + 1}))


@pytest.mark.slow
def test_the_share_of_own_guesses_is_that_of_samples_with_a_picture_in_them(clips, provider, recipe):
    levels = NoiseLevels(pure=0.5, own=0.5)
    sampler = Sampler(clips, provider, recipe.model_copy(update={"noise_levels": levels}))
    samples = [sampler.sample(number, STAGE) for number in range(200)]
    assert not any(sample.own for sample in samples if sample.sigma == 1)
    assert 0.3 < np.mean([sample.own for sample in samples if sample.sigma < 1]) < 0.7


def test_pictures_conditions_and_noise_are_cropped_and_mirrored_alike(clips, recipe, tmp_path):
    class Marked:
        def noise(self, clip, draw, frames, rows, columns):
            place = np.arange(4 * 32 * 48, dtype=np.float32).reshape(4, 1, 32, 48)
            return np.repeat(place, 3, axis=1)[frames, :, rows, columns]

    record = np.load(clips[0].path)
    place = np.arange(4 * 32 * 48).reshape(4, 32, 48)
    for name in ("target", "albedo"):
        record["pixels"][name] = np.stack([place % 251, place // 251, 0 * place], -1)
    np.save(tmp_path / "marked.npy", record)
    always = Degradation(low=1, high=1, independent=0)
    sampler = Sampler(
        [replace(clips[0], path=tmp_path / "marked.npy")], Marked(), recipe.model_copy(update={"degradation": always})
    )
    signs = set()
    for number in range(12):
        sample = sampler.sample(number, STAGE)
        target, shown = (255 * (x + 1) / 2 for x in (sample.clean / SCALE, sample.conditions[:, BASE]))
        assert np.allclose(target, shown, atol=1e-2)
        assert np.allclose(np.round(target[:, 0]) + 251 * np.round(target[:, 1]), sample.noise[:, 0])
        mirrored = sample.noise[0, 0, 0, 0] > sample.noise[0, 0, 0, 1]
        covered = sample.conditions[:, SHARES].any(axis=(0, 2, 3))  # the border's pixels are covered from one side
        assert not covered[:2].any() and (covered.sum() == 1 or not covered.any())
        signs.add((bool(mirrored), bool(sample.conditions[0, NORMAL_X, 0, 0] < 0), bool(covered[3]), bool(covered.any())))
    assert {(mirrored, normal) for mirrored, normal, _, _ in signs} == {(False, False), (True, True)}
    assert {(mirrored, right) for mirrored, _, right, seen in signs if seen} == {(False, False), (True, True)}


def test_shares_of_noise_levels_are_as_asked(clips, provider, recipe):
    sampler = Sampler(clips, provider, recipe.model_copy(update={"noise_levels": NoiseLevels(pure=0.5)}))
    sigma = np.array([sampler.sample(number, STAGE).sigma for number in range(200)])
    assert 0.4 < (sigma == 1).mean() < 0.6 and 0 < sigma.min() < 0.4


def test_shrunk_samples_are_means_of_larger_ones_and_their_noise_keeps_its_variance(clips, provider, recipe):
    sampler = Sampler(clips, provider, recipe)
    large = sampler.sample(5, STAGE.model_copy(update={"size": (32, 48)}))
    small = sampler.sample(5, STAGE.model_copy(update={"size": (16, 24), "shrink": 2}))
    assert small.clean.shape[2:] == (16, 24) and small.sigma == large.sigma
    for name in ("clean", "conditions"):
        whole = getattr(large, name)
        mean = sum(whole[:, :, y::2, x::2] for y in (0, 1) for x in (0, 1)) / 4
        if name == "conditions":
            mean[:, SHARES] = 0
        np.testing.assert_allclose(getattr(small, name), mean, atol=1e-5)
    many = [sampler.sample(n, STAGE.model_copy(update={"size": (16, 16), "shrink": 2})).noise for n in range(20)]
    assert abs(np.var(many) - 1) < 0.05
    with pytest.raises(BadValueError, match="the crop"):
        sampler.sample(0, STAGE.model_copy(update={"size": (32, 48), "shrink": 2}))


@pytest.mark.parametrize("low", [0.0, 0.7, 1.0])
def test_noise_has_unit_variance_at_any_beta(clips, provider, recipe, low):
    sampler = Sampler(clips, provider, recipe.model_copy(update={"degradation": Degradation(low=low, high=low)}))
    noise = sampler.batch(0, STAGE.model_copy(update={"batch": 20})).noise
    assert abs(noise.mean()) < 0.02 and abs(noise.var() - 1) < 0.03
