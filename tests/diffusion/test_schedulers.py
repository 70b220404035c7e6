"""Lists of timesteps that few-step students have learned."""

from __future__ import annotations

import copy

import pytest

from sim2real.diffusion import GenerateOptions, LargeModelOptions, families
from sim2real.diffusion.schedulers import scheduler_like, with_timesteps
from sim2real.errors import BadValueError
from tests.diffusion.families.kit import OWN_SAMPLERS

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Euler's, in diffusers


def test_lists_reach_every_sampler_that_takes_them_also_in_copies():
    for own, name, times in (
        (OWN_SAMPLERS["ddpm"], "LCMScheduler", (999, 750, 500, 250)),
        (OWN_SAMPLERS["ddpm"], "DDPMScheduler", (999, 750, 500, 250)),
        (OWN_SAMPLERS["flow"], "FlowMatchLCMScheduler", (1000, 937.5, 625)),
        (OWN_SAMPLERS["flow"], "FlowMatchEulerDiscreteScheduler", (1000, 937.5, 625)),
        (OWN_SAMPLERS["flow"], "UniPCMultistepScheduler", (1000, 900, 625)),
    ):
        scheduler = copy.deepcopy(with_timesteps(scheduler_like(own, name), times))
        scheduler.set_timesteps(9, device="cpu")
        assert scheduler.timesteps.tolist() == list(times) and scheduler.num_inference_steps == len(times)
        if own is OWN_SAMPLERS["flow"]:
            assert scheduler.sigmas.tolist() == pytest.approx([*(one / 1000 for one in times), 0])


@pytest.mark.parametrize(
    ("name", "own", "times", "message"),
    [
        ("EulerDiscreteScheduler", "ddpm", (999, 1), "left out for Euler: those that take lists are LCM, DDPM"),
        ("DPMSolverMultistepScheduler", "flow", (999, 1), "those that take lists are FlowMatchLCM, FlowMatchEuler, UniPC"),
        ("LCMScheduler", "ddpm", (1000, 1), "whole numbers of at most 999 for LCM"),
        ("LCMScheduler", "ddpm", (999, 1.5), "whole numbers of at most 999"),
        ("FlowMatchLCMScheduler", "flow", (1000.5,), "numbers of at most 1000"),
    ],
)
def test_lists_that_a_sampler_does_not_take_are_refused(name, own, times, message):
    with pytest.raises(BadValueError, match=message):
        with_timesteps(scheduler_like(OWN_SAMPLERS[own], name), times)


@pytest.mark.parametrize("times", [(250, 500), (500, 500), (500, 0), (500, -1)])
def test_lists_that_do_not_fall_are_refused(times):
    with pytest.raises(BadValueError, match="--timesteps is .* falling and greater than 0"):
        LargeModelOptions(timesteps=times)


def test_steps_beside_a_list_are_refused():
    options = GenerateOptions(model="wan", steps=4, large=LargeModelOptions(timesteps=(1000, 500)))
    with pytest.raises(BadValueError, match="--steps is 4, must be left out beside --timesteps, which has 2"):
        families()["wan"].check(options)
