"""Samplers that keep the warp: noise enters once, through ``latents=``, and nothing is drawn afterwards."""

from __future__ import annotations

from typing import Any

from ..errors import BadValueError
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
                fix="set pipeline.scheduler to one of these",
            )
