import numpy as np
import pytest
import torch

from sim2real.diffusion.families.embedded import denoiser as module
from sim2real.diffusion.families.embedded import scale
from sim2real.diffusion.families.embedded.conditions import CHANNELS, PICTURE
from sim2real.diffusion.families.embedded.denoiser import SCALE, build_denoiser, reflected
from sim2real.diffusion.folding import fold_pixels, unfold_pixels


def inputs(frames=4, size=(32, 48), seed=0, batch=1):
    rng = torch.Generator().manual_seed(seed)
    noisy = torch.randn(batch, frames, 3, *size, generator=rng)
    conditions = torch.rand(batch, frames, CHANNELS, *size, generator=rng) * 2 - 1
    return noisy, torch.ones(batch), conditions


def test_an_untrained_network_returns_the_picture_that_it_is_given(fresh):
    noisy, sigma, conditions = inputs()
    clean, _ = fresh.predict(noisy, sigma, conditions)
    assert torch.allclose(clean, SCALE * conditions[:, :, PICTURE], atol=1e-6)


@pytest.mark.parametrize("cuts", [[1, 1, 1, 1, 1], [2, 3], [4, 1]])
def test_a_stream_gives_the_same_bits_as_a_clip(denoiser, cuts):
    noisy, sigma, conditions = inputs(frames=5)
    whole, _ = denoiser.predict(noisy, sigma, conditions)
    state, parts = None, []
    for noise, known in zip(noisy.split(cuts, 1), conditions.split(cuts, 1), strict=True):
        part, state = denoiser.predict(noise, sigma, known, state)
        parts.append(part)
    assert torch.equal(torch.cat(parts, 1), whole)


def test_frames_that_run_together_while_training_give_the_same_pictures(denoiser):
    noisy, sigma, conditions = inputs(batch=2)
    sigma = torch.tensor([1.0, 0.5])
    one_by_one, _ = denoiser.eval().predict(noisy, sigma, conditions)
    together, _ = denoiser.train().predict(noisy, sigma, conditions)
    assert torch.allclose(one_by_one, together, atol=1e-4)


def test_no_frame_depends_on_a_later_one_and_some_on_earlier_ones(denoiser):
    noisy, sigma, conditions = inputs()
    before, _ = denoiser.predict(noisy, sigma, conditions)
    noisy[:, 2] += 1
    conditions[:, 2] *= -1
    after, _ = denoiser.predict(noisy, sigma, conditions)
    changed = (before != after).flatten(2).any(2)[0].tolist()
    assert changed == [False, False, True, True]


def test_everything_that_goes_in_counts(denoiser):
    noisy, sigma, conditions = inputs(frames=1)
    before, _ = denoiser.predict(noisy, sigma, conditions)
    for channel in range(CHANNELS):
        other = conditions.clone()
        other[:, :, channel] *= -1
        assert not torch.equal(denoiser.predict(noisy, sigma, other)[0], before), channel
    assert not torch.equal(denoiser.predict(noisy + 1, sigma, conditions)[0], before)
    assert not torch.equal(denoiser.predict(noisy, sigma / 2, conditions)[0], before)


def test_translating_everything_translates_the_picture(denoiser, monkeypatch):
    """But for margins, and for the exposure, which is guessed from the whole picture and is switched off here."""
    denoiser.exposure[-1].weight.zero_()
    monkeypatch.setattr(scale, "LONGEST_PX", 416)
    noisy, sigma, conditions = inputs(frames=1, size=(16, 416))
    moved = [torch.roll(x, 16, -1) for x in (noisy, conditions)]
    here, _ = denoiser.predict(noisy, sigma, conditions)
    there, _ = denoiser.predict(moved[0], sigma, moved[1])
    reach = 176
    assert torch.allclose(here[..., reach : 416 - reach], there[..., reach + 16 : 416 - reach + 16], atol=1e-4)


def test_an_even_picture_stays_even_up_to_its_margins_and_leaves_no_grid(denoiser):
    """What repeats values or takes margins for black shows in a wall without texture."""
    flat = torch.full((1, 1, CHANNELS, 48, 80), 0.3)
    clean, _ = denoiser.predict(torch.zeros(1, 1, 3, 48, 80), torch.ones(1), flat)
    assert clean.std(dim=(3, 4)).max() < 1e-4 and (clean - SCALE * 0.3).abs().max() > 1e-3
    slope = flat * torch.linspace(-1, 1, 80)
    sloping, _ = denoiser.predict(torch.zeros(1, 1, 3, 48, 80), torch.ones(1), slope)
    bends = sloping[0, 0, :, 24, 24:56].diff(n=2).abs()
    assert bends.max() < 6 * bends.median()


@pytest.mark.parametrize("size", [(20, 30), (33, 47), (7, 100), (5, 6)])
def test_any_size_will_do(denoiser, size):
    noisy, sigma, conditions = inputs(frames=1, size=size)
    clean, _ = denoiser.predict(noisy, sigma, conditions)
    assert clean.shape == noisy.shape and torch.isfinite(clean).all()


def test_padding_reflects_and_leaves_multiples_alone():
    picture = torch.arange(12.0).view(1, 1, 3, 4)
    padded = reflected(picture, 5)
    assert padded.shape == (1, 1, 5, 5) and torch.equal(padded[0, 0, 3], padded[0, 0, 1]) and padded[0, 0, 0, 4] == 2
    assert reflected(picture, 1) is picture


def test_it_is_called_as_a_pipeline_calls_its_transformer(denoiser):
    noisy, sigma, conditions = inputs(frames=2)
    states = {}
    folded = fold_pixels(noisy.transpose(1, 2))
    given = {"conditions": conditions, "states": states}
    (clean,) = denoiser(hidden_states=folded, timestep=1000 * sigma, encoder_hidden_states=None, attention_kwargs=given)
    expected, _ = denoiser.predict(noisy, sigma, conditions)
    assert torch.equal(unfold_pixels(clean).transpose(1, 2), expected) and set(states) == {1000.0}


def test_the_same_seed_builds_the_same_network_and_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    sizes = {"widths": [8, 8, 8, 8], "down": [1, 1, 1, 1], "up": [1, 1, 1, 1], "embedding": 8}
    one, two, other = (build_denoiser(seed, **sizes) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one.enter.weight, two.enter.weight) and not torch.equal(one.enter.weight, other.enter.weight)


def test_the_network_of_the_recipe_fits_the_budget():
    from torch.utils.flop_counter import FlopCounterMode

    model = build_denoiser().eval()
    noisy, sigma, conditions = inputs(frames=1, size=(64, 64))
    with FlopCounterMode(display=False) as flops, torch.inference_mode():
        model.predict(noisy, sigma, conditions)
    assert flops.get_total_flops() / 64**2 < 260e3
    assert 2 * sum(np.prod(value.shape) for value in model.parameters()) < 40e6


def test_large_pictures_untrained_are_what_is_given(fresh, monkeypatch):
    monkeypatch.setattr(scale, "LONGEST_PX", 40)
    noisy, sigma, conditions = inputs(frames=2, size=(50, 70))
    clean, _ = fresh.predict(noisy, sigma, conditions)
    assert torch.allclose(clean, SCALE * conditions[:, :, PICTURE], atol=1e-5)


def test_quick_pictures_are_seen_at_half_the_size():
    sizes = [(48, 64), (192, 200), (240, 320), (480, 640), (1080, 1920)]
    assert [scale.pixels_per_cell(*size) for size in sizes] == [1, 1, 1, 2, 5]
    assert [scale.pixels_per_cell(*size, quick=True) for size in sizes] == [1, 1, 2, 4, 10]


def test_a_quick_network_says_what_it_says_of_half_as_many_pixels(monkeypatch):
    model, (noisy, sigma, conditions) = build_denoiser(3).eval(), inputs(frames=2, size=(24, 208))
    with torch.inference_mode():
        model.finish.weight.normal_(0, 0.02, generator=torch.Generator().manual_seed(1))
        quick, _ = model.predict(noisy, sigma, conditions, quick=True)
        usual, _ = model.predict(noisy, sigma, conditions)
        monkeypatch.setattr(scale, "LONGEST_PX", 200)
        halved, _ = model.predict(noisy, sigma, conditions)
    assert torch.equal(quick, halved) and not torch.equal(quick, usual)


@pytest.mark.parametrize("share", [1.0, 0.7, 0.1])
def test_fewer_pixels_have_the_share_of_noise_that_they_are_said_to_have(share):
    rng = torch.Generator().manual_seed(0)
    noise, clean = torch.randn(1, 3, 400, 400, generator=rng), torch.full((1, 3, 400, 400), 0.7)
    few, sigma = module._coarser((1 - share) * clean + share * noise, torch.tensor([share]), 2)
    assert few.shape[-2:] == (200, 200)
    rest = few - (1 - sigma) * 0.7
    assert rest.mean().abs() < 0.01 and rest.std() == pytest.approx(float(sigma), rel=0.02)


def test_what_is_said_of_a_surface_stays_on_it():
    given = torch.zeros(1, CHANNELS, 40, 60)
    given[..., 23:] = 0.8  # the border lies within a coarse pixel
    known = torch.nn.functional.avg_pool2d(given, 2)
    change = torch.where(torch.arange(30) < 11, -1.0, 1.0).expand(1, 4, 20, 30)
    full = module._spread(change, known, given, 2)
    assert (full[..., :22] < -0.99).all() and (full[..., 24:] > 0.99).all()
    assert module._spread(torch.full((1, 4, 20, 30), 0.3), known, given, 2).sub(0.3).abs().max() < 1e-6
