from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from sim2real.diffusion.embedded import EmbeddedSpec, load_model
from sim2real.diffusion.pixel_vae import unfold_pixels
from sim2real.diffusion.train import TrainingRecipe, learning_rate, train
from sim2real.diffusion.training_data import Recolouring, Sampler, Stage, read_training_clip
from sim2real.errors import BadValueError, MissingFileError, UnreadableFileError

TINY = EmbeddedSpec(width=32, layers=2, vace_layers=(0,), heads=2, hidden=64)
RECIPE = TrainingRecipe(model=TINY, stages=(Stage(6, 4, 3, 16), Stage(4, 2, 4, 24)), learning_rate=5e-3, warmup=2, cooldown=4)


class Independent:
    """Noise without geometry: enough to test everything but the motion."""

    def noise(self, clip, draw, frames, rows, columns):
        whole = np.random.default_rng([clip, draw]).standard_normal((6, 3, 32, 40), np.float32)
        return whole[frames, :, rows, columns]


@pytest.fixture
def clips(tmp_path):
    made = []
    for index in range(3):
        rng = np.random.default_rng(index)
        rgb = np.empty((6, 32, 40, 3), np.uint8)
        rgb[:] = rng.integers(0, 255, 3)
        depth = np.broadcast_to(np.linspace(1, 2 + index, 40), (6, 32, 40)).astype(np.float16)
        path = tmp_path / f"{index}.npz"
        np.savez(path, rgb=rgb, depth=depth, edges=np.zeros((6, 32, 40), np.uint8), K=np.diag([50.0, 50, 1]))
        made.append(read_training_clip(path))
    return made


def test_training_lowers_the_loss_and_writes_a_model(clips, tmp_path):
    recipe = replace(RECIPE, stages=(Stage(20, 4, 3, 16),))
    told = []
    folder = train(recipe, clips, Independent(), tmp_path / "run", report=told.append, report_every=5)
    assert told[-1].step == 20 and told[-1].loss < 0.6 * told[0].loss
    _, palettes, info = load_model(folder)
    assert info.window == (3, 16, 16) and len(palettes) == 3 and info.training["recipe"]["learning_rate"] == 5e-3


def test_a_stopped_run_goes_on_bit_for_bit(clips, tmp_path):
    train(RECIPE, clips, Independent(), tmp_path / "whole")
    assert train(RECIPE, clips, Independent(), tmp_path / "parts", stop_after=4) is None
    train(RECIPE, clips, Independent(), tmp_path / "parts", stop_after=7)
    train(RECIPE, clips, Independent(), tmp_path / "parts")
    for name in ("model", "averaged", "optimizer"):
        whole, parts = (load_file(tmp_path / run / "checkpoint-0000010" / f"{name}.safetensors") for run in ("whole", "parts"))
        assert whole.keys() == parts.keys() and all(torch.equal(whole[k], parts[k]) for k in whole), name


def test_another_recipe_does_not_go_on_from_a_checkpoint(clips, tmp_path):
    train(RECIPE, clips, Independent(), tmp_path / "run", stop_after=1)
    with pytest.raises(BadValueError, match="differs in: learning_rate"):
        train(replace(RECIPE, learning_rate=1e-3), clips, Independent(), tmp_path / "run")


def test_samples_do_not_depend_on_the_batch_size(clips):
    sampler = Sampler(clips, Independent(), seed=5)
    together, alone = sampler.batch(8, Stage(1, 4, 3, 16)), sampler.batch(10, Stage(1, 1, 3, 16))
    for name in ("clean", "noise", "condition", "palette", "sigma"):
        assert torch.equal(getattr(together, name)[2], getattr(alone, name)[0]), name


def test_single_pictures_are_samples_too(clips):
    batch = Sampler(clips, Independent(), seed=5).batch(0, Stage(1, 12, 1, 16))
    assert batch.clean.shape == (12, 48, 1, 4, 4) and torch.isfinite(batch.noise).all()


def test_every_clip_is_seen_once_per_epoch_and_noise_has_unit_variance(clips):
    sampler = Sampler(clips, Independent(), seed=5)
    stage = Stage(1, 30, 4, 32)
    batch = sampler.batch(0, stage)
    assert abs(batch.noise.mean()) < 0.01 and abs(batch.noise.var() - 1) < 0.02
    assert ((batch.sigma > 0) & (batch.sigma <= 1)).all() and 0 < (batch.sigma == 1).sum() < 10
    assert [sorted(sampler._clip_of(3 * e + i) for i in range(3)) for e in range(4)] == [[0, 1, 2]] * 4


def test_pictures_control_and_noise_are_cropped_and_flipped_alike(clips):
    class Marked(Independent):
        def noise(self, clip, draw, frames, rows, columns):
            place = np.arange(6 * 32 * 40, dtype=np.float32).reshape(6, 1, 32, 40)
            return np.repeat(place, 3, axis=1)[frames, :, rows, columns]

    marked = np.arange(6 * 32 * 40).reshape(6, 1, 32, 40)
    rgb = np.concatenate([marked % 251, marked // 251, marked * 0], axis=1).astype(np.uint8)
    sampler = Sampler([replace(clips[0], rgb=rgb, control=rgb)], Marked(), seed=1)
    sampler.degradation = replace(sampler.degradation, low=1.0, high=1.0)
    for number in range(12):
        pixels, control, noise, *_ = sampler._sample(number, Stage(1, 1, 3, 16))
        assert torch.equal(pixels, control)
        assert torch.equal(pixels[0] + 251 * pixels[1], noise[0])


def test_learning_rate_rises_stays_and_falls_whatever_the_length_before_the_end():
    recipe = replace(RECIPE, stages=(Stage(1000, 1, 1, 8),), warmup=10, cooldown=100, learning_rate=1.0)
    rates = [learning_rate(recipe, step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.1) and set(rates[9:901]) == {1.0} and rates[-1] == pytest.approx(0.02)
    longer = replace(recipe, stages=(Stage(5000, 1, 1, 8),))
    assert rates[:900] == [learning_rate(longer, step) for step in range(900)]


def test_clips_that_are_missing_damaged_or_too_small_are_named(clips, tmp_path):
    with pytest.raises(MissingFileError, match="training clip"):
        read_training_clip(tmp_path / "none.npz")
    np.savez(tmp_path / "odd.npz", rgb=np.zeros((2, 4, 4, 3), np.uint8))
    with pytest.raises(UnreadableFileError, match="depth"):
        read_training_clip(tmp_path / "odd.npz")
    with pytest.raises(BadValueError, match=r"crop .* at most 6, 32"):
        Sampler(clips, Independent(), seed=0).batch(0, Stage(1, 1, 3, 64))
    with pytest.raises(BadValueError, match="the number of training clips is 0"):
        train(RECIPE, [], Independent(), tmp_path / "run")


def test_recoloured_samples_keep_their_shapes_and_their_palettes_follow(clips):
    plain = Sampler(clips, Independent(), seed=5, palette_dropout=0.0).batch(0, Stage(1, 12, 1, 16))
    always = Sampler(
        clips, Independent(), seed=5, palette_dropout=0.0, recolouring=Recolouring(share=1.0, hue_deg=30.0, gain=0.1)
    )
    changed = always.batch(0, Stage(1, 12, 1, 16))
    assert torch.equal(plain.condition, changed.condition) and torch.equal(plain.noise, changed.noise)
    assert not torch.equal(plain.clean, changed.clean)
    assert torch.equal(plain.palette[..., 3], changed.palette[..., 3])
    # a palette colour that occurs in the picture still does afterwards
    for sample in range(12):
        pixels = unfold_pixels(changed.clean[sample] / 2).flatten(1).T
        before = unfold_pixels(plain.clean[sample] / 2).flatten(1).T
        colour, place = (torch.cdist(before, plain.palette[sample, :, :3])).min(0)
        moved = (pixels[place] - changed.palette[sample, :, :3]).norm(dim=1)
        assert (moved <= 1.5 * colour + 0.02).all()


def test_recolouring_about_the_grey_axis_leaves_grey_alone():
    matrix = Recolouring(share=1.0, hue_deg=60.0, gain=0.0).draw(np.random.default_rng(0))
    assert np.allclose(matrix @ np.ones(3), 1, atol=1e-6) and not np.allclose(matrix, np.eye(3), atol=0.05)
    assert Recolouring(share=0.0).draw(np.random.default_rng(0)) is None
