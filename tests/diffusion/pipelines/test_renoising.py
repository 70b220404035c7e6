"""Samplers that add noise at every step add the clip's: draw k at step k, in the pipeline's layout, and draw nothing else."""

from __future__ import annotations

import copy
import inspect
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch

from sim2real.clip import Clip
from sim2real.diffusion import GenerateOptions, LargeModelOptions, families, generate
from sim2real.diffusion.pipelines import PipelineFamily
from sim2real.diffusion.pipelines.loading import forget_pipeline, loaded_pipeline
from sim2real.diffusion.pipelines.renoising import draws_that_count, drawing_from_the_clip
from sim2real.diffusion.schedulers import SDE, scheduler_like, short_name, with_timesteps
from sim2real.errors import BadValueError, Sim2RealError, UnknownNameError
from tests.diffusion.families.kit import family_called, footage, heard, options_for, rendered
from tests.diffusion.families.tiny import Tiny, tiny_families

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Euler's, in diffusers
STEPS = 3
TINY = tiny_families()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Tiny pipelines and clips with draws, by family."""
    found: dict[str, tuple[PipelineFamily, Tiny, Any, Clip]] = {}

    def of(name: str) -> tuple[PipelineFamily, Tiny, Any, Clip]:
        if name not in found:
            family, tiny = family_called(name), TINY[name]
            folder = tmp_path_factory.mktemp(name)
            tiny.save(folder / "model")
            found[name] = family, tiny, folder / "model", rendered(folder / "clip", family, tiny, draws=STEPS)
        return found[name]

    yield of
    forget_pipeline()


@dataclass
class Run:
    """What goes on in a pipeline: what its sampler is given at each step, and what the denoiser answers."""

    samples: list[torch.Tensor] = field(default_factory=list)
    answers: list[torch.Tensor] = field(default_factory=list)


@contextmanager
def followed(pipeline: Any, family: PipelineFamily) -> Iterator[Run]:
    """Listen to the sampler's inputs: by its scaling, where pipelines call it, else they are the denoiser's own."""
    run, denoiser = Run(), getattr(pipeline, family.denoisers[0])
    asks = "scale_model_input" in inspect.getsource(sys.modules[type(pipeline).__module__])
    scaling = type(pipeline.scheduler).scale_model_input if asks else None

    def scaled(sample: Any, *args: Any, **kwargs: Any) -> Any:
        run.samples.append(sample.detach().clone())
        return scaling(pipeline.scheduler, sample, *args, **kwargs)

    def heard(_: Any, args: Any, kwargs: Any, output: Any) -> None:
        if not asks:
            run.samples.append(kwargs["hidden_states"].detach().clone())
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
    "cogvideox": ("CogVideoXDPMScheduler",),
}
QUICK = {("wan", "FlowMatchLCMScheduler"), ("animatediff-controlnet", "LCMScheduler")}


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
    with followed(pipeline, family) as run, heard(pipeline, family, tiny) as found:
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
