"""A video becomes the noise that leads back to it; surface noise is mixed in as much as it is asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import CogVideoXDDIMScheduler, DDIMScheduler, UniPCMultistepScheduler
from hypothesis import given
from hypothesis import strategies as st

from sim2real.diffusion import ClipFacts, GenerateOptions, LargeModelOptions, families, generate
from sim2real.diffusion.generate import check_options
from sim2real.diffusion.inputs import noise_source
from sim2real.diffusion.pipelines.inversion import FirstOrder, inverted, mixed, sampler, ways_of
from sim2real.diffusion.pipelines.loading import forget_pipeline
from sim2real.errors import BadValueError, UnknownNameError
from tests.diffusion.families.kit import footage, options_for, rendered, saved_with_clips
from tests.diffusion.families.tiny import tiny_families

STEPS, TINY = 4, tiny_families()
INVERTIBLE = sorted(name for name, family in families().items() if getattr(family, "inverts", False))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Tiny pipelines and clips, by family."""
    yield saved_with_clips(tmp_path_factory)
    forget_pipeline()


def asked(folder, tiny, clip, **large):
    options = options_for(folder, tiny, camera=clip.cameras[0], large={"invert": 0.0, "source_prompt": tiny.prompt, **large})
    return replace(options, onto="rgb", steps=STEPS)


def tame(pipeline, family):
    """Random weights answer to a small change with a large one, other than a denoiser that has learned: make it a small one."""
    denoiser = getattr(pipeline, family.denoisers[0])
    last = denoiser.conv_out if hasattr(denoiser, "conv_out") else denoiser.proj_out
    with torch.no_grad():
        for parameter in last.parameters():
            parameter *= 0.05


# The way there and back


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n == "wan" else pytest.mark.slow) for n in INVERTIBLE])
def test_a_video_comes_back_from_its_noise_with_the_same_prompt(made, name):
    family, tiny, folder, clip = made(name)
    model, camera = family.load(asked(folder, tiny, clip)), clip.cameras[0]
    inputs = model.inputs(clip, camera, noise_source(clip, camera, family.layout, "clip", 0))
    tame(model.pipeline, family)
    pipeline, noise = model.pipeline, inputs.noise(slice(0, family.noise_latents(clip.frames)))
    arguments, ways = family.arguments(pipeline, inputs, noise), ways_of(pipeline.scheduler, STEPS)
    clean = family.encode(pipeline, inputs.source)
    assert clean.shape == arguments["latents"].shape
    clean = (clean - clean.mean()) / clean.std()

    def away(rounds):
        found = inverted(pipeline, ways, arguments, clean, rounds)
        with sampler(pipeline, FirstOrder(ways)):
            result = pipeline(**(arguments | {"latents": found, "output_type": "latent"}))
        back = result.frames if hasattr(result, "frames") else result.images
        return float((back - clean).abs().max() / clean.std())

    once, thrice, often = away(1), away(3), away(8)
    forget_pipeline()
    assert often < 1e-3 and thrice < 0.5 * once, "each round brings it nearer; the latents have unit variance"


@pytest.mark.parametrize("predicts", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("kind", [DDIMScheduler, CogVideoXDDIMScheduler])
def test_the_way_forth_is_ddims_own(kind, predicts):
    own = kind(beta_schedule="scaled_linear", prediction_type=predicts, timestep_spacing="trailing", clip_sample=False)
    answers, samples = torch.Generator().manual_seed(0), []
    ours = FirstOrder(ways_of(own, 5))
    for one in (own, ours):
        one.set_timesteps(5)
        answers.manual_seed(0)
        sample = torch.randn(2, 3, generator=answers)
        for timestep in one.timesteps:
            sample = one.step(torch.randn(2, 3, generator=answers), timestep, sample, return_dict=False)[0]
        samples.append(sample)
    torch.testing.assert_close(samples[1], samples[0], rtol=1e-4, atol=1e-4)


def test_the_way_forth_of_flow_matching_goes_straight_from_sigma_to_sigma():
    own = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    ours = FirstOrder(ways_of(own, 4))
    ours.set_timesteps(4)
    own.set_timesteps(4)
    sample, sigmas = torch.zeros(3), own.sigmas
    for index, timestep in enumerate(ours.timesteps):
        sample = ours.step(torch.full((3,), 2.0), timestep, sample).prev_sample
        assert sample.tolist() == pytest.approx([2 * float(sigmas[index + 1] - sigmas[0])] * 3, abs=1e-6)
    assert timestep == own.timesteps[-1] and float(sigmas[-1]) == 0


@pytest.mark.parametrize(("gain", "comes_back"), [(0.5, True), (20.0, False)])
def test_rounds_that_lead_apart_are_left_out(gain, comes_back):
    ways = ways_of(UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0), 10)
    found = {}
    for rounds in (1, 3, 12):
        back, sample = FirstOrder(ways, rounds), torch.ones(4)
        back.set_timesteps(10)
        for timestep in back.timesteps:
            sample = back.step(gain * sample, timestep, sample, return_dict=False)[0]
        found[rounds] = sample
    exact = torch.ones(4)
    for p, q in reversed(ways.factors):
        exact = exact / (p + q * gain)
    assert bool(torch.allclose(found[12], exact, rtol=1e-4)) == comes_back
    assert (found[3] - exact).norm() < (found[1] - exact).norm() if comes_back else found[12].norm() < 100 * found[1].norm()


def test_what_a_model_predicts_in_another_way_is_refused():
    with pytest.raises(BadValueError, match="what the model predicts is velocity"):
        ways_of(DDIMScheduler(prediction_type="velocity"), 3)


# Surface noise in it


@given(st.floats(0, 1), st.floats(0.2, 5), st.floats(-2, 2))
def test_what_is_mixed_has_unit_variance_where_surface_noise_counts_and_is_untouched_where_it_does_not(share, std, mean):
    generator = torch.Generator().manual_seed(0)
    noise, surface = (torch.randn(1, 2, 3, 32, 32, generator=generator) for _ in range(2))
    found = mixed(std * noise + mean, surface, share)
    assert torch.equal(mixed(noise, surface, 0.0), noise) and torch.equal(mixed(noise, surface, 1.0), surface)
    if share > 0.95:
        assert abs(float(found.std()) - 1) < 0.1
    correlation = float((mixed(noise, surface, share) * surface).mean() / surface.square().mean())
    assert correlation == pytest.approx(share, abs=0.06)


# The command


@pytest.mark.slow
def test_footage_goes_on_from_what_is_given_as_far_as_it_is_asked(made):
    family, tiny, folder, clip = made("wan")
    camera, films = clip.cameras[0], {}
    for name, large in (("0", {}), ("again", {}), ("other", {"source_prompt": "lab"}), ("1", {"invert": 1.0})):
        options = asked(folder, tiny, clip, **large)
        generate(clip.path, options)
        films[name] = footage(clip, camera)
    newest = clip.generated(camera)[-1]
    settings = json.loads((newest / "settings.json").read_text())
    assert newest.name == "model-0-onto-rgb-invert-1"
    assert (settings["onto"], settings["invert"], settings["guidance"]) == ("rgb", 1.0, family.guidance_off)
    assert settings["source_prompt"] == tiny.prompt and "change" not in settings
    assert np.array_equal(films["0"], films["again"])
    assert not np.array_equal(films["0"], films["1"]) and not np.array_equal(films["0"], films["other"])
    generate(clip.path, replace(asked(folder, tiny, clip, invert=0.5, source_prompt=None), onto=newest.name))
    made_of = json.loads((clip.generated(camera)[-1] / "settings.json").read_text())
    assert made_of["source_prompt"] == tiny.prompt, "what that footage was made with"


@pytest.mark.slow
def test_each_way_is_gone_with_the_guidance_that_the_pipeline_is_prepared_for(made):
    family, tiny, folder, clip = made("text2video-zero")
    model, camera = family.load(asked(folder, tiny, clip, guidance=3.0)), clip.cameras[0]
    inputs = model.inputs(clip, camera, noise_source(clip, camera, family.layout, "clip", 0))
    batches, unet = [], model.pipeline.unet

    def on_call(_, args, kwargs):
        frames = (args[0] if args else kwargs["sample"]).shape[0]
        batches.append((frames // clip.frames, {one.batch_size for one in unet.attn_processors.values()}))

    ear = unet.register_forward_pre_hook(on_call, with_kwargs=True)
    list(model.run(inputs, lambda *_: None))
    ear.remove()
    assert batches == [(1, {1})] * 3 * STEPS + [(2, {2})] * STEPS


@pytest.mark.slow
def test_with_surface_noise_alone_nothing_of_the_footage_is_left(made, tmp_path):
    family, tiny, folder, clip = made("wan")
    model = family.load(asked(folder, tiny, clip, invert=1.0))
    inputs = model.inputs(clip, clip.cameras[0], noise_source(clip, clip.cameras[0], family.layout, "clip", 0))
    films = [
        np.stack(list(model.run(replace(inputs, source=one), lambda *_: None))) for one in (inputs.source, 255 - inputs.source)
    ]
    assert np.array_equal(*films)


@pytest.mark.slow
def test_every_window_begins_from_its_own_frames_and_progress_ends_with_all_steps(made):
    family, tiny, folder, clip = made("animatediff-controlnet")
    long = rendered(folder.parent / "long", family, replace(tiny, frames=4))
    camera, told = long.cameras[0], []
    model = family.load(asked(folder, tiny, long, window=2, overlap=1))
    inputs = model.inputs(long, camera, noise_source(long, camera, family.layout, "clip", 0))
    for first in inputs.windows.first:
        assert np.array_equal(inputs.given(first, None).source, np.stack([long.rgb(camera, first + k) for k in range(2)]))
    assert len(list(model.run(inputs, lambda done, total: told.append((done, total))))) == 4
    assert told[-1][0] == told[-1][1] and told == sorted(told)


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("wan", {"onto": None, "large": {"invert": 0.5}}, "--invert is 0.5, must be together with --onto"),
        ("wan", {"large": {}}, "--onto is rgb, must be together with --change, or with --invert"),
        ("wan", {"large": {"invert": 0.5, "scheduler": "UniPC"}}, "--scheduler is UniPC, must be left out beside --invert"),
        ("wan", {"large": {"invert": 0.5, "timesteps": (1000,)}}, "--timesteps is .* left out beside --invert"),
        ("wan-vace", {"large": {"invert": 0.5, "references": (Path("a.png"),)}}, "--reference is .* left out beside --invert"),
        ("wan", {"large": {"invert": 0.5, "negative_prompt": "fog"}}, "without guidance"),
        ("ltx", {"large": {"invert": 0.5}}, "left out for ltx: models of wan-vace, wan, wan-ti2v, .* turn a video into noise"),
        (None, {"large": {"invert": 0.5}}, "the embedded model makes footage in one step, through which no way leads back"),
    ],
)
def test_what_does_not_go_with_an_inversion_is_refused(model, options, message):
    options = {"onto": "rgb", **options, "large": LargeModelOptions(**options["large"])}
    with pytest.raises(BadValueError, match=message):
        check_options(GenerateOptions(model=model, **options))


def test_it_is_said_that_guidance_leads_elsewhere_than_back():
    facts, options = ClipFacts(81, (480, 832)), GenerateOptions(model="wan", onto="rgb", large=LargeModelOptions(invert=0.0))
    said = families()["wan"].expected(replace(options, large=LargeModelOptions(invert=0.0, guidance=5.0)), facts)
    assert "with --guidance 5 footage goes elsewhere" in said
    assert "guidance" not in families()["wan"].expected(options, facts)


@pytest.mark.parametrize(
    ("large", "message"), [({"invert": 1.5}, "from 0 to 1"), ({"source_prompt": "lab"}, "left out without")]
)
def test_shares_beyond_one_and_half_of_an_inversion_are_refused(large, message):
    with pytest.raises(BadValueError, match=message):
        LargeModelOptions(**large)


def test_footage_that_the_clip_does_not_have_is_refused(made):
    _, tiny, folder, clip = made("wan")
    with pytest.raises(UnknownNameError, match="footage of camera .* 'embedded-9'"):
        generate(clip.path, replace(asked(folder, tiny, clip), onto="embedded-9"))
