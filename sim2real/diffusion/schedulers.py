"""Samplers that keep the warp: noise enters once, through ``latents=``, and nothing is drawn afterwards."""

from __future__ import annotations

from typing import Any

from ..errors import BadValueError, UnknownNameError
from .family import ModelFamily


def require_deterministic(scheduler: Any, family: ModelFamily) -> None:
    """Refuse a sampler that adds i.i.d. noise while it runs: that noise does not move with the surfaces.

    Raises:
        BadValueError: with the reason and the samplers that keep the warp.
    """
    name = type(scheduler).__name__
    config = dict(scheduler.config)
    reasons = {
        "it is not known to keep the warp": name not in family.schedulers,
        "stochastic_sampling adds fresh noise at every step": bool(config.get("stochastic_sampling")),
        "an sde- algorithm adds fresh noise at every step": str(config.get("algorithm_type", "")).startswith("sde"),
    }
    for reason, applies in reasons.items():
        if applies:
            raise BadValueError(
                "the sampler",
                f"{name} ({reason})",
                right=f"one that draws no noise of its own: {', '.join(family.schedulers)}",
                fix=f"pass --scheduler {short_name(family.schedulers[0])}",
            )


def short_name(scheduler: str) -> str:
    """A sampler's class without the words that all have: UniPC, FlowMatchEuler, DDIM."""
    for word in ("Scheduler", "Multistep", "Discrete"):
        scheduler = scheduler.replace(word, "")
    return scheduler


def scheduler_named(name: str, family: ModelFamily) -> str:
    """The class of a sampler that a user names, in full or in short.

    Raises:
        UnknownNameError: not among those of the family that keep the warp.
    """
    for known in family.schedulers:
        if name.lower() in (known.lower(), short_name(known).lower()):
            return known
    valid = [short_name(known) for known in family.schedulers]
    raise UnknownNameError(name, valid, what=f"sampler of {family.name} that keeps the warp")


def scheduler_like(given: Any, name: str) -> Any:
    """Another sampler for the same model: noise schedule, prediction and shift carry over, whatever they are called."""
    import diffusers

    kind, config = getattr(diffusers, name), dict(given.config)
    flow = type(given).__name__.startswith("FlowMatch") or config.get("prediction_type") == "flow_prediction"
    if not flow:
        return kind.from_config(config)
    shift = config.get("shift", config.get("flow_shift", 1.0))
    carried = {"num_train_timesteps": config.get("num_train_timesteps", 1000)}
    if name.startswith("FlowMatch"):
        return kind(**carried, shift=shift)
    return kind(**carried, prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift)
