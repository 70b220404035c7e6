"""Samplers: those whose noise enters once, through ``latents=``, and those that add noise at every step, the clip's own.

Samplers are called by their class in diffusers; ``SDE`` is one that a setting makes to draw.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import BadValueError, UnknownNameError
from .large_models import Number

if TYPE_CHECKING:
    from .family import ModelFamily

DETERMINISTIC_FLOW = ("UniPCMultistepScheduler", "FlowMatchEulerDiscreteScheduler", "DPMSolverMultistepScheduler")
DETERMINISTIC_DDPM = ("DDIMScheduler", "DPMSolverMultistepScheduler", "EulerDiscreteScheduler")
SDE = "SDE-DPMSolverMultistepScheduler"
"""DPM-Solver++ of the stochastic equation: ``algorithm_type="sde-dpmsolver++"``."""
RENOISING_FLOW = ("FlowMatchLCMScheduler", SDE)
RENOISING_DDPM = ("LCMScheduler", "EulerAncestralDiscreteScheduler", "DDPMScheduler", SDE)
_OF_FLOW_LISTS = ("FlowMatchLCMScheduler", "FlowMatchEulerDiscreteScheduler", "UniPCMultistepScheduler")
_OF_DDPM_LISTS = ("LCMScheduler", "DDPMScheduler")


def name_of(scheduler: Any) -> str:
    """What a sampler is called here: its class, or ``SDE`` where its settings make it draw."""
    name = type(scheduler).__name__
    return SDE if f"SDE-{name}" == SDE and str(scheduler.config.get("algorithm_type", "")).startswith("sde") else name


def short_name(scheduler: str) -> str:
    """A sampler's name without the words that all have: UniPC, FlowMatchEuler, DDIM, SDE-DPMSolver."""
    for word in ("Scheduler", "Multistep", "Discrete"):
        scheduler = scheduler.replace(word, "")
    return scheduler


def scheduler_named(name: str, family: ModelFamily) -> str:
    """The sampler that a user names, in full or in short.

    Raises:
        UnknownNameError: not among those of the family.
    """
    known = (*family.schedulers, *family.renoising)
    for one in known:
        if name.lower() in (one.lower(), short_name(one).lower()):
            return one
    raise UnknownNameError(name, map(short_name, known), what=f"sampler of {family.name}")


def require_known(scheduler: Any, family: ModelFamily) -> None:
    """Refuse a sampler of which it is not known what it draws: noise of its own does not move with the surfaces.

    Raises:
        BadValueError: with the reason and the samplers that keep the warp.
    """
    name, known = name_of(scheduler), (*family.schedulers, *family.renoising)
    reasons = {
        "it is not known to keep the warp": name not in known,
        "stochastic_sampling adds fresh noise at every step": bool(scheduler.config.get("stochastic_sampling")),
    }
    for reason, applies in reasons.items():
        if applies:
            raise BadValueError(
                "the sampler",
                f"{name} ({reason})",
                right=f"one of {', '.join(map(short_name, known))}",
                fix=f"pass --scheduler {short_name(known[0])}",
            )


def scheduler_like(given: Any, name: str) -> Any:
    """Another sampler for the same model: noise schedule, prediction and shift carry over, whatever they are called.

    Args:
        given: the model's own.
        name: as :func:`scheduler_named` has it.
    """
    import diffusers

    kind, config = getattr(diffusers, name.removeprefix("SDE-")), dict(given.config)
    drawing = {"algorithm_type": "sde-dpmsolver++"} if name == SDE else {}
    flow = type(given).__name__.startswith("FlowMatch") or config.get("prediction_type") == "flow_prediction"
    if not flow:
        taken = inspect.signature(kind.__init__).parameters
        unclipped = {"clip_sample": False} if "clip_sample" in taken and "clip_sample" not in config else {}
        plain = {"algorithm_type": "dpmsolver++"} if "algorithm_type" in taken else {}
        return kind.from_config(config | unclipped | plain | drawing)
    shift = config.get("shift", config.get("flow_shift", 1.0))
    carried = {"num_train_timesteps": config.get("num_train_timesteps", 1000)}
    if name.startswith("FlowMatch"):
        return kind(**carried, shift=shift)
    return kind(**carried, prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift, **drawing)


def sampler_for(own: Any, family: ModelFamily, name: str | None, timesteps: Sequence[Number]) -> Any:
    """The sampler that footage is made with, of the one that the model comes with.

    Args:
        own: the model's.
        family: of the model.
        name: as a user says it; None: the model's own.
        timesteps: what the denoiser is told, step by step; empty: the sampler's own.

    Raises:
        BadValueError: one that is not known to keep the warp, or that takes no such list.
        UnknownNameError: no sampler of the family.
    """
    scheduler = own if name is None else scheduler_like(own, scheduler_named(name, family))
    require_known(scheduler, family)
    return with_timesteps(scheduler, timesteps) if timesteps else scheduler


def with_timesteps(scheduler: Any, timesteps: Sequence[Number]) -> Any:
    """A sampler that runs at a list of timesteps, whatever number of steps is asked for: what a few-step student has learned.

    Of flow matching, a timestep is 1000 sigma as the denoiser is told it, after any shift.

    Args:
        scheduler: is changed.
        timesteps: falling.

    Raises:
        BadValueError: the sampler takes no list, or there is a timestep that the model does not have.
    """
    import torch

    name, config = name_of(scheduler), scheduler.config
    flow = name.startswith("FlowMatch") or bool(config.get("use_flow_sigmas"))
    if name not in (_OF_FLOW_LISTS if flow else _OF_DDPM_LISTS):
        lists = ", ".join(map(short_name, _OF_FLOW_LISTS if flow else _OF_DDPM_LISTS))
        raise BadValueError(
            "--timesteps", "asked for", right=f"left out for {short_name(name)}: those that take lists are {lists}"
        )
    most = config.num_train_timesteps if flow else config.num_train_timesteps - 1
    whole = name == "UniPCMultistepScheduler" or not flow
    if timesteps[0] > most or (not flow and any(one != int(one) for one in timesteps)):
        right = f"{'whole ' if not flow else ''}numbers of at most {most:g} for {short_name(name)}"
        raise BadValueError("--timesteps", ",".join(f"{one:g}" for one in timesteps), right=right)
    of_class = type(scheduler).set_timesteps

    def set_timesteps(self: Any, num_inference_steps: Any = None, device: Any = None, **others: Any) -> None:
        of_class(self, len(timesteps), device=device, **({"mu": others["mu"]} if "mu" in others else {}))
        self.timesteps = torch.tensor(list(timesteps), dtype=torch.float32).to(device)
        if whole:
            self.timesteps = self.timesteps.long()
        if flow:
            sigmas = [*(one / config.num_train_timesteps for one in timesteps), 0.0]
            self.sigmas = torch.tensor(sigmas, dtype=torch.float32).to(self.sigmas.device)

    set_timesteps.__signature__ = inspect.signature(of_class)  # pyright: ignore[reportFunctionMemberAccess]
    scheduler.set_timesteps = types.MethodType(set_timesteps, scheduler)  # bound anew where the sampler is copied
    return scheduler
