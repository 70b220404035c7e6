from dataclasses import replace

import numpy as np
import pytest
import torch

from sim2real.diffusion.families.embedded.conditions import CHANNEL_NAMES
from sim2real.diffusion.families.embedded.denoiser import SCALE
from sim2real.training.data import Sampler
from sim2real.training.recipe import Degradation, Losses, NoiseLevels, Stage, Uses

KEPT, NORMAL_X = CHANNEL_NAMES.index("kept"), CHANNEL_NAMES.index("normal x")
STAGE = Stage(steps=1, batch=8, frames=2, size=(16, 32))


def with_uses(recipe, keep, restyle, **others):
    return recipe.model_copy(update={"uses": Uses(keep=keep, restyle=restyle), **others})


def test_samples_do_not_depend_on_the_batch_around_them(clips, provider, recipe):
    sampler = Sampler(clips, provider, recipe)
    together = sampler.batch(8, STAGE.model_copy(update={"batch": 4}))
    alone = sampler.batch(10, STAGE.model_copy(update={"batch": 1}))
    for name in ("clean", "conditions", "sigma"):
        assert torch.equal(getattr(together, name)[2], getattr(alone, name)[0]), name
    assert torch.equal(together.noise[together.of == 2], alone.noise) and together.numbers[2] == alone.numbers[0]


def test_every_clip_is_seen_once_per_epoch(clips, provider, recipe):
    sampler = Sampler(clips, provider, recipe)
    epochs = [[sampler._clip_of(3 * epoch + i) for i in range(3)] for epoch in range(6)]
    assert [sorted(epoch) for epoch in epochs] == [[0, 1, 2]] * 6 and len({tuple(epoch) for epoch in epochs}) > 1


def test_pictures_conditions_and_noise_are_cropped_and_mirrored_alike(clips, recipe, tmp_path):
    class Marked:
        def noise(self, clip, draw, frames, rows, columns):
            place = np.arange(4 * 32 * 48, dtype=np.float32).reshape(4, 1, 32, 48)
            return np.repeat(place, 3, axis=1)[frames, :, rows, columns]

    record = np.load(clips[0].path)
    place = np.arange(4 * 32 * 48).reshape(4, 32, 48)
    for name in ("target", "rgb"):
        record["pixels"][name] = np.stack([place % 251, place // 251, 0 * place], -1)
    np.save(tmp_path / "marked.npy", record)
    always = Degradation(low=1, high=1, independent=0)
    sampler = Sampler([replace(clips[0], path=tmp_path / "marked.npy")], Marked(), with_uses(recipe, 1, 0, degradation=always))
    signs = set()
    for number in range(12):
        sample = sampler.sample(number, STAGE)
        target, shown = (255 * (x + 1) / 2 for x in (sample.clean / SCALE, sample.conditions[:, :3]))
        assert np.allclose(target, shown, atol=1e-2)
        assert np.allclose(np.round(target[:, 0]) + 251 * np.round(target[:, 1]), sample.noise[0, :, 0])
        mirrored = sample.noise[0, 0, 0, 0, 0] > sample.noise[0, 0, 0, 0, 1]
        signs.add((bool(mirrored), bool(sample.conditions[0, NORMAL_X, 0, 0] < 0)))
    assert signs == {(False, False), (True, True)}


def test_shares_of_uses_and_noise_levels_are_as_asked(clips, provider, recipe):
    sampler = Sampler(clips, provider, with_uses(recipe, 0.4, 0.3, noise_levels=NoiseLevels(pure=0.5)))
    whole = Stage(steps=1, batch=1, frames=1, size=(32, 48))
    samples = [sampler.sample(number, whole) for number in range(200)]
    kept = np.array([(sample.conditions[:, KEPT] > 0).mean() for sample in samples])
    assert 0.3 < np.isclose(kept, 1).mean() < 0.65  # mixtures may happen to keep both surfaces
    assert 0.2 < np.isclose(kept, 0).mean() < 0.55 and 0.05 < (np.abs(kept - 0.5) < 0.1).mean() < 0.3
    sigma = np.array([sample.sigma for sample in samples])
    assert 0.4 < (sigma == 1).mean() < 0.6 and 0 < sigma.min() < 0.4
    for sample, share in zip(samples, kept, strict=True):
        twice = len(sample.noise) == 2
        assert not (twice and sample.sigma < 1) and (twice or sample.sigma < 1 or share > 0)


def test_draws_that_are_compared_differ_in_their_noise_alone(clips, provider, recipe):
    sampler = Sampler(clips, provider, with_uses(recipe, 0, 1, noise_levels=NoiseLevels(pure=1)))
    sample = sampler.sample(3, STAGE)
    assert sample.noise.shape == (2, 2, 3, 16, 32)
    assert abs(np.corrcoef(sample.noise[0].ravel(), sample.noise[1].ravel())[0, 1]) < 0.1
    quiet = with_uses(recipe, 0, 1, noise_levels=NoiseLevels(pure=1), losses=Losses(energy=0))
    assert len(Sampler(clips, provider, quiet).sample(3, STAGE).noise) == 1


@pytest.mark.parametrize("low", [0.0, 0.7, 1.0])
def test_noise_has_unit_variance_at_any_beta(clips, provider, recipe, low):
    sampler = Sampler(clips, provider, recipe.model_copy(update={"degradation": Degradation(low=low, high=low)}))
    noise = sampler.batch(0, STAGE.model_copy(update={"batch": 20})).noise
    assert abs(noise.mean()) < 0.02 and abs(noise.var() - 1) < 0.03
