"""Samplers that add noise at every step add the clip's: draw k at step k, in the pipeline's layout, and draw nothing else."""

from __future__ import annotations

import copy
import inspect
import json
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import click
import numpy as np
import pytest
import torch
from diffusers import FlowMatchLCMScheduler

from sim2real.cli import main
from sim2real.clip import read_clip
from sim2real.diffusion import GenerateOptions, LargeModelOptions, families, generate
from sim2real.diffusion.inputs import noise_source
from sim2real.diffusion.pipelines import PipelineFamily
from sim2real.diffusion.pipelines.loading import forget_pipeline, loaded_pipeline
from sim2real.diffusion.pipelines.renoising import drawing_from_the_clip, draws_that_count
from sim2real.diffusion.schedulers import SDE, scheduler_like, short_name
from sim2real.errors import BadValueError, Sim2RealError
from tests.diffusion.families.kit import OWN_SAMPLERS, footage, heard, options_for, rendered, saved_with_clips
from tests.diffusion.families.tiny import Tiny, tiny_families

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Euler's, in diffusers
STEPS = 3
TINY = tiny_families()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Tiny pipelines and clips with draws, by family."""
    yield saved_with_clips(tmp_path_factory, draws=STEPS)
    forget_pipeline()


@dataclass
class Run:
    """What goes on in a pipeline: what its sampler is given at each step, and what the denoiser answers."""

    samples: list[torch.Tensor] = field(default_factory=list)
    answers: list[torch.Tensor] = field(default_factory=list)


@contextmanager
def followed(pipeline: Any, family: PipelineFamily, tiny: Tiny) -> Iterator[Run]:
    """Listen to the sampler's inputs: by its scaling, where pipelines call it, else they are the denoiser's own."""
    run, denoiser = Run(), getattr(pipeline, family.denoisers[0])
    asks = "scale_model_input" in inspect.getsource(sys.modules[type(pipeline).__module__])
    scaling = type(pipeline.scheduler).scale_model_input if asks else None

    def scaled(sample: Any, *args: Any, **kwargs: Any) -> Any:
        run.samples.append(sample.detach().clone())
        return scaling(pipeline.scheduler, sample, *args, **kwargs)

    def heard(_: Any, args: Any, kwargs: Any, output: Any) -> None:
        if not asks:
            run.samples.append(tiny.seen(args, kwargs).detach().clone())
        run.answers.append((output[0] if isinstance(output, tuple) else output.sample).detach().clone())

    ear = denoiser.register_forward_hook(heard, with_kwargs=True)
    if asks:
        pipeline.scheduler.scale_model_input = scaled
    try:
        yield run
    finally:
        ear.remove()
        if asks:
            del pipeline.scheduler.scale_model_input


def added(scheduler: Any, run: Run, family: PipelineFamily, monkeypatch: Any, eta: float | None) -> list[np.ndarray]:
    """What was added to each sample but the last, in units of what the sampler draws.

    Its own code is run twice on what the pipeline had, with zeros and with ones for ``randn_tensor``: what it makes of zeros
    and of ones, and what the pipeline has after the step, give the numbers that it was given.
    """
    outcomes = []
    for value in (0.0, 1.0):
        own, draw = copy.deepcopy(scheduler), lambda shape, value=value, **_: torch.full(tuple(shape), value)
        monkeypatch.setattr(sys.modules[type(own).__module__], "randn_tensor", draw)
        own.set_timesteps(STEPS)
        for name in ("timesteps", "sigmas"):  # some pipelines hand over their own
            setattr(own, name, getattr(scheduler, name, None))
        outcome, before = [], None
        for index, timestep in enumerate(own.timesteps):
            sample, answer = (
                family.stepped(one[: len(run.samples[index])]) for one in (run.samples[index], run.answers[index])
            )
            own.scale_model_input(sample, timestep) if hasattr(own, "scale_model_input") else None
            if type(own).__name__ == "CogVideoXDPMScheduler":
                last = own.timesteps[index - 1] if index else None
                after, before = own.step(answer.float(), before, timestep, last, sample, return_dict=False)
            else:
                after = own.step(answer, timestep, sample, return_dict=False, **({} if eta is None else {"eta": eta}))[0]
            outcome.append(after)
        outcomes.append(outcome)
        monkeypatch.undo()
    follows = [family.stepped(sample) for sample in run.samples[1:]]
    return [((after - zero) / (one - zero)).numpy() for zero, one, after in zip(*outcomes, follows, strict=False)]


CASES = {
    "wan": ("FlowMatchLCMScheduler", SDE),
    "wan-vace": ("FlowMatchLCMScheduler",),
    "animatediff-controlnet": ("LCMScheduler", "EulerAncestralDiscreteScheduler", "DDPMScheduler", SDE, "DDIMScheduler"),
    "text2video-zero": ("EulerAncestralDiscreteScheduler",),
    "text-to-video-sd": ("LCMScheduler",),
    "sana-video": ("FlowMatchLCMScheduler",),
    "hunyuan-video": ("FlowMatchLCMScheduler",),
    "cogvideox": ("CogVideoXDPMScheduler",),
}
QUICK = {("wan", "FlowMatchLCMScheduler")}


@pytest.mark.parametrize(
    ("name", "sampler"),
    [
        pytest.param(
            name, sampler, id=f"{name}-{short_name(sampler)}", marks=[] if (name, sampler) in QUICK else pytest.mark.slow
        )
        for name, samplers in CASES.items()
        for sampler in samplers
    ],
)
def test_what_is_added_at_step_k_is_draw_k_for_every_camera_and_two_runs_agree(made, name, sampler, monkeypatch):
    family, tiny, folder, clip = made(name)
    eta = 0.5 if sampler == "DDIMScheduler" else None
    large = {"scheduler": short_name(sampler), "guidance": family.guidance_off, "eta": eta}
    options = replace(options_for(folder, tiny, large=large), steps=STEPS)
    pipeline = loaded_pipeline(family, options)
    with followed(pipeline, family, tiny) as run, heard(pipeline, family, tiny) as found:
        generate(clip.path, options)
    assert not found.drawn and len(run.samples) == len(run.answers) == 2 * STEPS
    first = [footage(clip, camera) for camera in clip.cameras]
    for index, camera in enumerate(clip.cameras):
        part = slice(index * STEPS, (index + 1) * STEPS)
        draws = added(pipeline.scheduler, Run(run.samples[part], run.answers[part]), family, monkeypatch, eta)
        assert len(draws) == STEPS - 1
        for number, drawn in enumerate(draws, 1):
            wanted = family.stepped(torch.from_numpy(family.latents(clip.latents(camera, slice(None), number).copy()))).numpy()
            np.testing.assert_allclose(drawn, wanted, rtol=0, atol=2e-3)
    forget_pipeline()
    generate(clip.path, options)
    assert all(np.array_equal(footage(clip, camera), one) for camera, one in zip(clip.cameras, first, strict=True))


REST = {f.name: f.renoising[0] for f in families().values() if f.runs and f.renoising and f.name not in CASES}


@pytest.mark.slow
@pytest.mark.parametrize("name", REST)
def test_in_every_other_family_nothing_else_is_drawn_and_other_draws_make_other_footage(made, name, tmp_path):
    family, tiny, folder, clip = made(name)
    large = {"scheduler": short_name(REST[name]), "guidance": family.guidance_off, **tiny.large(folder)}
    options = replace(options_for(folder, tiny, large=large, camera=clip.cameras[0]), steps=STEPS)
    with heard(loaded_pipeline(family, options), family, tiny) as found:
        generate(clip.path, options)
    assert tiny.draws or not found.drawn
    other = read_clip(shutil.copytree(clip.path, tmp_path / "other"))
    file = other.folder(clip.cameras[0]) / f"noise-{family.draws_needed(options)}.npy"
    np.save(file, np.ascontiguousarray(np.load(file)[:, :, ::-1]))
    generate(other.path, options)
    assert not np.array_equal(*(footage(one, clip.cameras[0]) for one in (clip, other))), "the last draw that is taken"


# Before weights are loaded


def test_a_clip_with_too_few_draws_is_refused_before_anything_is_loaded_and_the_message_has_the_command(made, monkeypatch):
    family, tiny, folder, clip = made("wan")
    monkeypatch.setattr(type(family), "load", lambda *_: pytest.fail("loaded"))
    options = replace(options_for(folder, tiny, large={"scheduler": "FlowMatchLCM"}), steps=STEPS + 2)
    with pytest.raises(
        BadValueError, match=r"draws of the clip's noise is 3, must be at least 4.*sim2real render .* --draws 4"
    ):
        generate(clip.path, options)
    assert family.draws_needed(replace(options, steps=1)) == 0 and family.draws_needed(options_for(folder, tiny)) == 0
    listed = replace(options, steps=None, large=replace(options.large, timesteps=(1000, 750, 250)))
    assert family.draws_needed(listed) == 2


@pytest.mark.slow
def test_a_number_of_steps_that_a_sampler_does_not_take_is_refused_in_one_line(made):
    family, tiny, folder, _ = made("animatediff-controlnet")
    options = replace(options_for(folder, tiny, large={"scheduler": "LCM"}), steps=51)
    with pytest.raises(BadValueError, match="the number of steps is 51, must be one that LCM takes"):
        family.draws_needed(options)


@pytest.mark.slow
def test_independent_noise_needs_no_draws_of_the_clip_and_is_another_at_every_step(made):
    family, tiny, folder, clip = made("wan")
    options = replace(options_for(folder, tiny, large={"scheduler": "FlowMatchLCM"}), steps=STEPS + 2, noise="iid")
    noise = noise_source(clip, clip.cameras[0], family.layout, "iid", 0)
    generate(clip.path, replace(options, camera=clip.cameras[0]))
    first, second = (noise.draw(number)(slice(0, 2)) for number in (1, 2))
    assert np.array_equal(first, noise.draw(1)(slice(0, 2))) and not np.array_equal(first, second)


@pytest.mark.slow
def test_every_window_of_a_long_clip_has_its_own_frames_of_every_draw(made, tmp_path):
    family, tiny, folder, _ = made("animatediff-controlnet")
    clip = rendered(tmp_path / "long", family, replace(tiny, frames=4), draws=1)
    model = family.load(options_for(folder, tiny, large={"window": 2, "overlap": 1, "scheduler": "LCM"}))
    for camera in clip.cameras:
        inputs = model.inputs(clip, camera, noise_source(clip, camera, family.layout, "clip", 0))
        for first in inputs.windows.first:
            window = inputs.given(first, None)
            for draw in (0, 1):
                assert np.array_equal(window.draw(draw)(slice(0, 2)), clip.noise(camera, draw)[first : first + 2])


@pytest.mark.slow
def test_the_first_steps_are_not_counted_where_footage_begins_from_a_video(made):
    family, tiny, folder, _ = made("wan-v2v")
    options = replace(options_for(folder, tiny, large={"scheduler": "FlowMatchLCM", "strength": 0.5}), steps=8)
    assert family.draws_needed(options) == 3


@pytest.mark.slow
def test_run_renders_as_many_draws_as_the_sampler_takes(made, tmp_path):
    _, _, folder, _ = made("wan")
    command = main.get_command(click.Context(main), "run")
    scene = ["scenes/tabletop.yaml", "--frames", "5", "--size", "32x48", "--camera", "side", "--only", "noise"]
    asked = ["--for", str(folder), "--timesteps", "1000,757,522", "--scheduler", "FlowMatchLCM", "--guidance", "1"]
    command.main([*scene, *asked, "--prompt", "kitchen", "-o", str(tmp_path / "clip")], standalone_mode=False)
    clip = read_clip(tmp_path / "clip")
    assert clip.noise_record().draws == 2 and len(clip.generated(clip.cameras[0])) == 1


# Which samplers draw


@pytest.mark.parametrize("family", [f for f in families().values() if isinstance(f, PipelineFamily)], ids=lambda f: f.name)
def test_no_family_names_a_sampler_that_draws_in_silence(family):
    flow = any(name.startswith("FlowMatch") or name.startswith("UniPC") for name in family.schedulers)
    own = OWN_SAMPLERS["flow" if flow else "cogvideox" if family.schedulers[0].startswith("Cog") else "ddpm"]
    for name in family.schedulers:
        assert not any(draws_that_count(scheduler_like(own, name), 4)), name
    for name in family.renoising:
        assert sum(draws_that_count(scheduler_like(own, name), 4)) == 3, name


@pytest.mark.parametrize("steps", [1, 2, 7, 30])
def test_what_is_multiplied_by_zero_is_no_draw(steps):
    for own, name in (
        (OWN_SAMPLERS["flow"], "FlowMatchLCMScheduler"),
        (OWN_SAMPLERS["ddpm"], "EulerAncestralDiscreteScheduler"),
        (OWN_SAMPLERS["flow"], SDE),
    ):
        assert draws_that_count(scheduler_like(own, name), steps) == (*[True] * (steps - 1), False)
    assert draws_that_count(scheduler_like(OWN_SAMPLERS["ddpm"], "LCMScheduler"), steps) == (True,) * (steps - 1)


@pytest.mark.slow
def test_ddim_draws_by_eta_alone_and_other_samplers_refuse_it(made):
    assert not draws_that_count(OWN_SAMPLERS["ddpm"], 4) and not any(draws_that_count(OWN_SAMPLERS["ddpm"], 4, eta=0.0))
    assert sum(draws_that_count(OWN_SAMPLERS["ddpm"], 4, eta=1.0)) >= 3
    family, tiny, folder, _ = made("animatediff-controlnet")
    with pytest.raises(BadValueError, match="--eta is 0.5, must be left out for LCM"):
        family.draws_needed(options_for(folder, tiny, large={"scheduler": "LCM", "eta": 0.5}))
    with pytest.raises(BadValueError, match="--eta is 0.5, must be left out for wan: it has no DDIM"):
        families()["wan"].check(GenerateOptions(model="wan", large=LargeModelOptions(eta=0.5)))


def test_what_a_sampler_draws_is_replaced_in_it_alone_and_in_no_other_thread(monkeypatch):
    ours, other = (scheduler_like(OWN_SAMPLERS["flow"], "FlowMatchLCMScheduler") for _ in range(2))
    module = sys.modules[FlowMatchLCMScheduler.__module__]
    before, sample = module.randn_tensor, torch.zeros(1, 2, 3)
    for one in (ours, other):
        one.set_timesteps(2)

    def step(scheduler, seed):
        generator = torch.Generator().manual_seed(seed)
        return scheduler.step(sample, scheduler.timesteps[0], sample, generator=generator, return_dict=False)[0]

    with drawing_from_the_clip(ours, (True, False), lambda number: torch.full((1, 2, 3), float(number))):
        assert module.randn_tensor is before
        with ThreadPoolExecutor(1) as pool:
            elsewhere = pool.submit(step, other, 5).result()
        mine = step(ours, 5)
    sigma = float(ours.sigmas[1])
    drawn = torch.randn(1, 2, 3, generator=torch.Generator().manual_seed(5))
    assert torch.equal(mine, torch.full((1, 2, 3), sigma)) and torch.allclose(elsewhere, sigma * drawn)
    assert "step" not in vars(ours)


def test_draws_of_another_shape_and_draws_that_nobody_counted_are_refused():
    scheduler, sample = scheduler_like(OWN_SAMPLERS["flow"], "FlowMatchLCMScheduler"), torch.zeros(1, 2, 3)
    for counts, message in (((True,), r"shape \(1, 2, 3\), draw 1 of the clip's is \(3,\)"), ((False,), "more than 1 times")):
        scheduler.set_timesteps(3)
        with (
            drawing_from_the_clip(scheduler, counts, lambda number: torch.zeros(3)),
            pytest.raises(Sim2RealError, match=message),
        ):
            for timestep in scheduler.timesteps:
                scheduler.step(sample, timestep, sample)


# Lists of timesteps


def test_a_student_is_told_its_own_timesteps_and_goes_from_one_noise_level_to_the_next(made):
    family, tiny, folder, clip = made("wan")
    large = {"scheduler": "FlowMatchLCM", "guidance": 1.0, "timesteps": (1000, 757, 522.5)}
    options = replace(options_for(folder, tiny, large=large), steps=None, camera=clip.cameras[0])
    pipeline, told = loaded_pipeline(family, options), []
    ear = pipeline.transformer.register_forward_pre_hook(lambda _, a, k: told.append(float(k["timestep"])), with_kwargs=True)
    with followed(pipeline, family, tiny) as run:
        generate(clip.path, options)
    ear.remove()
    assert told == [1000, 757, 522.5]
    clean = run.samples[0] - 1.0 * run.answers[0]
    wanted = (1 - 0.757) * clean + 0.757 * torch.from_numpy(
        family.latents(clip.latents(clip.cameras[0], slice(None), 1).copy())
    )
    torch.testing.assert_close(run.samples[1], wanted, rtol=0, atol=1e-5)
    settings = json.loads((clip.generated(clip.cameras[0])[-1] / "settings.json").read_text())
    assert settings["timesteps"] == [1000, 757, 522.5] and settings["draws"] == 2 and settings["steps"] == 3
