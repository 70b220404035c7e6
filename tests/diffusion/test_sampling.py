import diffusers
import numpy as np
import pytest
import torch

from sim2real.diffusion import FAMILIES
from sim2real.diffusion.embedded import EmbeddedInfo, load_model, pipeline_of, quiet_diffusers, vace_condition
from sim2real.diffusion.palette import palette_of
from sim2real.diffusion.pixel_vae import PixelVAE, fold_pixels
from sim2real.diffusion.sampling import sample_embedded
from sim2real.diffusion.schedulers import embedded_scheduler, require_deterministic
from sim2real.errors import BadValueError, MissingFileError, UnreadableFileError

PALETTE = np.zeros((6, 4), np.float32)


def inputs(rng, frames=6, size=(40, 56)):
    noise = rng.standard_normal((frames, 3, *size), np.float32)
    return noise, rng.random((frames, 3, *size), np.float32)


def test_noise_reaches_the_denoiser_verbatim_and_training_sees_the_same_condition(transformer, rng):
    calls = []
    handle = transformer.register_forward_pre_hook(lambda _, args, kw: calls.append(kw), with_kwargs=True)
    noise, control = inputs(rng, frames=5, size=(32, 48))
    latents = fold_pixels(torch.from_numpy(noise).transpose(0, 1)[None])
    with quiet_diffusers():
        pipeline_of(transformer)(
            video=torch.from_numpy(control)[None],
            height=32,
            width=48,
            num_frames=5,
            num_inference_steps=3,
            guidance_scale=1.0,
            latents=latents,
            prompt_embeds=torch.from_numpy(PALETTE)[None],
            output_type="pt",
        )
    handle.remove()
    assert len(calls) == 3
    assert torch.equal(calls[0]["hidden_states"], latents)
    trained_on = vace_condition(PixelVAE(), torch.from_numpy(control).transpose(0, 1)[None])
    assert torch.equal(calls[0]["control_hidden_states"], trained_on)


def test_the_same_noise_gives_the_same_pictures_and_other_noise_others(transformer, rng):
    info = EmbeddedInfo(window=(4, 32, 32), steps=2)
    noise, control = inputs(rng)
    first = sample_embedded(transformer, info, noise, control, PALETTE)
    assert first.shape == (6, 40, 56, 3)
    assert np.array_equal(first, sample_embedded(transformer, info, noise, control, PALETTE))
    assert not np.array_equal(first, sample_embedded(transformer, info, -noise, control, PALETTE))


def test_sizes_that_are_no_multiple_of_a_token_are_padded_and_cut(transformer, rng):
    noise, control = inputs(rng, frames=1, size=(5, 11))
    assert sample_embedded(transformer, EmbeddedInfo(window=(4, 32, 32)), noise, control, PALETTE, steps=1).shape == (
        1,
        5,
        11,
        3,
    )


def test_progress_counts_windows_of_all_steps(transformer, rng):
    told = []
    noise, control = inputs(rng)
    info = EmbeddedInfo(window=(4, 32, 32), steps=2)
    sample_embedded(transformer, info, noise, control, PALETTE, progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] and [d for d, _ in told] == sorted({d for d, _ in told})


def test_noise_of_another_shape_and_no_steps_are_refused(transformer, rng):
    noise, control = inputs(rng)
    with pytest.raises(BadValueError, match="the shape of the noise"):
        sample_embedded(transformer, EmbeddedInfo(), noise[:2], control, PALETTE)
    with pytest.raises(BadValueError, match="the number of steps is 0"):
        sample_embedded(transformer, EmbeddedInfo(), noise, control, PALETTE, steps=0)


def test_samplers_that_draw_noise_are_refused_with_the_reason():
    wan, ddpm = FAMILIES["wan-vace"], FAMILIES["animatediff-controlnet"]
    require_deterministic(embedded_scheduler(), FAMILIES["embedded"])
    require_deterministic(diffusers.FlowMatchEulerDiscreteScheduler(), wan)
    for scheduler, family, reason in (
        (diffusers.FlowMatchEulerDiscreteScheduler(stochastic_sampling=True), wan, "stochastic_sampling adds fresh noise"),
        (diffusers.FlowMatchLCMScheduler(), wan, "FlowMatchLCMScheduler.*UniPCMultistepScheduler"),
        (diffusers.LCMScheduler(), ddpm, "LCMScheduler"),
        (diffusers.DPMSolverMultistepScheduler(algorithm_type="sde-dpmsolver++"), ddpm, "sde- algorithm adds fresh noise"),
    ):
        with pytest.raises(BadValueError, match=reason):
            require_deterministic(scheduler, family)


def test_saving_and_loading_gives_the_same_model(transformer, model_folder, rng):
    loaded, palettes, info = load_model(model_folder)
    assert info.window == (4, 32, 32) and info.steps == 2 and palettes.shape == (3, 6, 4)
    for name, value in transformer.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value.half().float()), name
    assert sum(f.stat().st_size for f in model_folder.rglob("*")) < 1e6


def test_a_folder_without_a_model_or_with_a_damaged_one_is_named(model_folder, tmp_path):
    with pytest.raises(MissingFileError, match="sim2real train"):
        load_model(tmp_path)
    (model_folder / "transformer" / "diffusion_pytorch_model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(UnreadableFileError, match="model cannot be read"):
        load_model(model_folder)


def test_a_palette_holds_the_colours_of_a_clip_by_share():
    rgb = np.zeros((2, 8, 10, 3), np.uint8)
    rgb[:, :, :3] = (255, 0, 0)
    palette = palette_of(rgb)
    assert np.allclose(palette[0], [-1, -1, -1, np.sqrt(0.7)], atol=0.01)
    assert any(np.allclose(colour, [1, -1, -1, np.sqrt(0.3)], atol=0.01) for colour in palette)
    assert palette[:, 3] @ palette[:, 3] == pytest.approx(1, abs=1e-5)
