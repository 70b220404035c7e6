"""What is silent in CogVideoX: dtypes, learned positions, pairs of latents, LoRA files, what its folders are called."""

from dataclasses import replace

import diffusers
import numpy as np
import pytest
import torch
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from sim2real.diffusion import GenerateOptions, LargeModelOptions, families
from sim2real.diffusion.family import ClipFacts
from sim2real.diffusion.large_models import Lora
from sim2real.diffusion.pipelines.loading import forget_pipeline, loaded_pipeline
from sim2real.errors import BadValueError, UnknownNameError
from tests.diffusion.families.kit import family_called, footage, listened, options_for, rendered
from tests.diffusion.families.tiny import tiny_families
from tests.diffusion.families.tiny.cogvideox import save_cogvideox

FAMILY, SMALL = family_called("cogvideox"), tiny_families()["cogvideox"]
VIDEO = family_called("cogvideox-v2v")
LEARNED = {"use_learned_positional_embeddings": True, "use_rotary_positional_embeddings": True}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    yield save_cogvideox(tmp_path_factory.mktemp("models") / "tiny", "CogVideoXPipeline")
    forget_pipeline()


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return rendered(tmp_path_factory.mktemp("clip") / "clip", FAMILY, SMALL)


def noise_of(clip):
    return FAMILY.latents(np.array(clip.noise(clip.cameras[0]), np.float32))


@pytest.mark.slow
def test_noise_is_cast_to_what_the_transformer_computes_in(folder, clip):
    options = options_for(folder, SMALL, camera=clip.cameras[0], large={"dtype": "bfloat16"})
    found = listened(clip, options, FAMILY, SMALL)
    assert np.array_equal(found.denoiser[0][:1], torch.from_numpy(noise_of(clip)).bfloat16().float().numpy())


@pytest.mark.slow
def test_the_sampler_that_draws_takes_draws_of_the_clip_and_one_that_draws_none_keeps_the_noise_schedule(folder, tmp_path):
    pipeline = diffusers.CogVideoXPipeline.from_pretrained(folder)
    pipeline.scheduler = diffusers.CogVideoXDPMScheduler.from_config(pipeline.scheduler.config)
    pipeline.save_pretrained(tmp_path / "dpm")
    for steps, draws in ((4, 3), (6, 6)):  # of four steps the last ends beyond the schedule, without noise; of six it ends at 0
        assert FAMILY.draws_needed(replace(options_for(tmp_path / "dpm", SMALL), steps=steps)) == draws
    assert FAMILY.draws_needed(options_for(folder, SMALL)) == 0
    asked = options_for(tmp_path / "dpm", SMALL, large={"scheduler": "CogVideoXDDIM"})
    sampler = loaded_pipeline(FAMILY, asked).scheduler
    assert type(sampler).__name__ == "CogVideoXDDIMScheduler" and sampler.config.rescale_betas_zero_snr


def test_samplers_that_do_not_know_its_noise_schedule_are_not_offered(folder):
    with pytest.raises(UnknownNameError, match="valid: CogVideoXDDIM"):
        FAMILY.check(options_for(folder, SMALL, large={"scheduler": "DPMSolver"}))


@pytest.mark.slow
def test_version_1_5_gets_a_latent_before_an_odd_number(clip, tmp_path):
    folder = save_cogvideox(
        tmp_path / "tiny", "CogVideoXPipeline", patch_size_t=2, patch_bias=False, use_rotary_positional_embeddings=True
    )
    found = listened(clip, options_for(folder, SMALL, camera=clip.cameras[0]), FAMILY, SMALL)
    seen, noise = found.denoiser[0][:1], noise_of(clip)
    assert noise.shape[1] == 3 and seen.shape[1] == 4 and np.array_equal(seen[:, 1:], noise)
    assert not found.drawn and footage(clip, clip.cameras[0]).shape == (9, *SMALL.size, 3)


def test_lengths_that_decode_to_more_frames_are_refused(folder):
    FAMILY.check(options_for(folder, SMALL), ClipFacts(9, (32, 48)))
    with pytest.raises(BadValueError, match=r"number of frames is 13, must be 8 n \+ 1 for cogvideox; .*--frames 9"):
        FAMILY.check(options_for(folder, SMALL), ClipFacts(13, (32, 48)))


def test_from_a_video_version_1_5_is_refused(tmp_path):
    save_cogvideox(tmp_path / "tiny", VIDEO.pipeline, patch_size_t=2, patch_bias=False)
    with pytest.raises(BadValueError, match="of version 1.5, must be CogVideoX-2b or -5b"):
        VIDEO.check(options_for(tmp_path / "tiny", SMALL))


def test_learned_positions_are_of_one_size_and_length(tmp_path):
    family = family_called("cogvideox-i2v")
    options = GenerateOptions(model=tmp_path / "tiny", large=LargeModelOptions(first_frame="rgb"))
    save_cogvideox(tmp_path / "tiny", family.pipeline, wide=True, **LEARNED)
    family.check(options, ClipFacts(9, (32, 48)))
    for frames, size in ((17, (32, 48)), (9, (48, 48))):
        with pytest.raises(BadValueError, match="must be 9 frames of 32x48: these weights have learned positions"):
            family.check(options, ClipFacts(frames, size))


@pytest.mark.slow
def test_lora_files_in_the_layout_of_go_with_the_flow_change_the_footage(folder, clip, tmp_path):
    trained = diffusers.CogVideoXTransformer3DModel.from_pretrained(folder / "transformer")
    attention = ["to_q", "to_k", "to_v", "to_out.0"]
    trained.add_adapter(LoraConfig(r=4, target_modules=attention, init_lora_weights=False))
    layers = get_peft_model_state_dict(trained)
    assert len(layers) == 2 * len(attention)
    diffusers.CogVideoXPipeline.save_lora_weights(tmp_path, transformer_lora_layers=layers)
    file = tmp_path / "pytorch_lora_weights.safetensors"
    made = []
    for loras in ((), (Lora(file),), (Lora(file, 0.5),)):
        options = options_for(folder, SMALL, camera=clip.cameras[0], large={"loras": loras})
        listened(clip, options, FAMILY, SMALL)
        made.append(footage(clip, clip.cameras[0]))
    assert not np.array_equal(made[0], made[1]) and not np.array_equal(made[1], made[2])


@pytest.mark.slow
def test_from_a_video_half_the_strength_is_part_of_our_noise(clip, tmp_path):
    tiny = tiny_families()["cogvideox-v2v"]
    tiny.save(tmp_path / "tiny")
    options = options_for(tmp_path / "tiny", tiny, camera=clip.cameras[0], large={"strength": 0.5})
    found = listened(clip, options, VIDEO, tiny)
    sampler, noise = loaded_pipeline(VIDEO, options).scheduler, noise_of(clip)
    left = float(sampler.alphas_cumprod[int(sampler.timesteps[-1])])
    kept = float((found.denoiser[0][:1] * noise).mean() / np.square(noise).mean())
    assert not found.drawn and 0.02 < left < 0.9 and abs(kept - np.sqrt(1 - left)) < 0.1


def test_weights_of_two_families_are_told_apart_by_the_transformer(folder, tmp_path):
    wide = save_cogvideox(tmp_path / "wide", "CogVideoXFunControlPipeline", wide=True, named="CogVideoXPipeline")
    known = families()
    assert known["cogvideox-fun-control"].recognizes(wide) and not known["cogvideox"].recognizes(wide)
    assert known["cogvideox"].recognizes(folder) and not known["cogvideox-fun-control"].recognizes(folder)
