"""What a model's sampler draws, found out before any weights are loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...arrays import reason
from ...errors import BadValueError
from ...text_files import read_json
from ..schedulers import name_of, sampler_for, scheduler_named, short_name
from .asked import steps_of, steps_run
from .files import checkpoint_of, unreadable, where_weights_are
from .renoising import draws_that_count

if TYPE_CHECKING:
    from ..options import GenerateOptions
    from .family import PipelineFamily


def sampler_configuration(model: str) -> Mapping[str, Any]:
    """Of a model's folder; empty where there is none."""
    file = Path(model) / "scheduler" / "scheduler_config.json"
    return read_json(file, what="the sampler's configuration", fix="copy the model again") if file.is_file() else {}


def own_sampler(family: PipelineFamily, model: str) -> Any:
    """The sampler that a model comes with, without its weights.

    Raises:
        UnreadableFileError: there is none, or it cannot be read.
        BadValueError: diffusers has no such class.
    """
    import diffusers
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    checkpoint = checkpoint_of(family, model)
    revision: dict[str, Any] = {} if checkpoint is None or checkpoint.revision is None else {"revision": checkpoint.revision}
    try:
        config: Any = DDIMScheduler.load_config(model, subfolder="scheduler", **revision)  # the method is every class's
    except Exception as error:  # hub, JSON and network each have errors of their own
        raise unreadable(model, error, checkpoint) from error
    kind = getattr(diffusers, str(config.get("_class_name")), None)
    if kind is None:
        raise BadValueError("the sampler", config.get("_class_name"), right="a class of diffusers", where=model)
    return kind.from_config(config)


def draws_of(family: PipelineFamily, options: GenerateOptions) -> tuple[bool, ...]:
    """What the sampler draws while footage is made, call by call: whether it counts. Empty where it draws nothing.

    Args:
        family: of the model.
        options: have passed the family's ``check``.

    Raises:
        UnreadableFileError: the model's sampler cannot be read.
        BadValueError: it is not known to keep the warp.
    """
    large, model = options.large, where_weights_are(family, options.model)
    if large.invert is not None:  # footage is made by a sampler that draws nothing
        return ()
    if large.eta is None and not large.timesteps and (not family.renoising or _is_known_to_draw_nothing(family, options)):
        return ()
    scheduler = sampler_for(family.own_sampler(model), family, large.scheduler, large.timesteps)
    if large.eta is not None and name_of(scheduler) != "DDIMScheduler":
        right = f"left out for {short_name(name_of(scheduler))}: it does nothing with it"
        raise BadValueError("--eta", f"{large.eta:g}", right=right, fix="or pass --scheduler DDIM, where the model has it")
    if large.eta is None and name_of(scheduler) in family.schedulers:
        return ()
    steps, run = steps_of(family, options), steps_run(family, options)
    try:
        return draws_that_count(scheduler, steps, run=run, eta=large.eta)
    except ValueError as error:  # each sampler has limits of its own
        name = short_name(name_of(scheduler))
        raise BadValueError("the number of steps", steps, right=f"one that {name} takes: {reason(error)}") from error


def _is_known_to_draw_nothing(family: PipelineFamily, options: GenerateOptions) -> bool:
    """By its name alone, without diffusers, which takes seconds to import."""
    asked = options.large.scheduler
    if asked is not None:
        return scheduler_named(asked, family) in family.schedulers
    told = sampler_configuration(where_weights_are(family, options.model))
    drawing = str(told.get("algorithm_type", "")).startswith("sde") or bool(told.get("stochastic_sampling"))
    return told.get("_class_name") in family.schedulers and not drawing
