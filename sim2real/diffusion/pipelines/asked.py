"""What was asked, against what a family takes: refused in one line, before anything is rendered or loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import BadValueError, UnknownNameError
from ..options import GenerateOptions
from ..schedulers import scheduler_named
from .inversion import require_invertible

if TYPE_CHECKING:
    from .family import PipelineFamily


def check_asked(family: PipelineFamily, options: GenerateOptions) -> None:
    """Refuse what the family does not take.

    Raises:
        BadValueError: the option, and what the family does instead.
        UnknownNameError: a control or sampler that the family does not have.
    """
    large, name = options.large, family.name
    _refuse("--use", options.use, options.use != "keep", name, "it belongs to the embedded model", "say it with --prompt")
    _refuse("--wear", options.wear, options.wear != 1, name, "it belongs to the embedded model", "say it with --prompt")
    _refuse("--quick", "given", options.quick, name, "it belongs to the embedded model", "use fewer --steps")
    auto = options.prompt == "auto"
    _refuse("--look", options.look, options.look is not None and not auto, name, "it goes with --prompt auto here", "")
    _refuse("--keep", ",".join(options.keep), bool(options.keep) and not family.keeps, name, "it takes no masks", "")
    _refuse("--seams", large.seams, large.seams == "continued" and not family.keeps, name, "it takes no masks", "")
    _refuse("--prompt", options.prompt, options.prompt is not None and not family.text, name, "it reads no text", "")
    _refuse("--strength", large.strength, large.strength is not None and family.strength is None, name, _NO_VIDEO, "")
    if steps_run(family, options) < 1:
        steps, asked = steps_of(family, options), family.strength if large.strength is None else large.strength
        right = f"at least {1 / steps:.3g} with --steps {steps}: so much of the steps is run"
        raise BadValueError("--strength", f"{asked:g}", right=right)
    _refuse("--lora", large.given().get("--lora"), bool(large.loras) and not family.loras, name, "it takes none", "")
    guidance = guidance_of(family, options)
    unheard = large.negative_prompt is not None and (not family.text or guidance <= family.guidance_off)
    why = "it reads no text" if not family.text else f"without guidance (--guidance {guidance:g}) nothing is done with it"
    _refuse("--negative-prompt", large.negative_prompt, unheard, name, why, "")
    if len(large.references) > family.references:
        right = f"at most {family.references} for {name}" if family.references else f"left out: {name} takes none"
        raise BadValueError("--reference", f"{len(large.references)} pictures", right=right)
    _refuse("--first-frame", large.first_frame, large.first_frame is not None and family.first_frame == "not", name, _NONE, "")
    if family.first_frame == "must" and large.first_frame is None:
        raise BadValueError("--first-frame", "left out", right=f"given: {name} begins from a picture", fix="FILE, or rgb")
    if large.scheduler is not None:
        scheduler_named(large.scheduler, family)
    _refuse("--eta", large.eta, large.eta is not None and "DDIMScheduler" not in family.schedulers, name, "it has no DDIM", "")
    if large.timesteps and options.steps is not None:
        right = f"left out beside --timesteps, which has {len(large.timesteps)}"
        raise BadValueError("--steps", options.steps, right=right)
    _check_inversion(family, options)
    _check_controls(family, options)


def _check_inversion(family: PipelineFamily, options: GenerateOptions) -> None:
    """What does not go with a video that is turned into noise."""
    large = options.large
    if large.invert is None:
        return
    require_invertible(family, "--invert")
    for option, value, why in (
        ("--scheduler", large.scheduler, "the way to noise and back goes by the same first-order sampler"),
        ("--timesteps", large.timesteps or None, "a student's steps lead one way only"),
        ("--eta", large.eta, "what is drawn again does not lead back"),
        ("--reference", large.references or None, "reference pictures have latents of their own, which no video has"),
    ):
        if value is not None:
            raise BadValueError(option, large.given()[option], right=f"left out beside --invert: {why}")


def guidance_of(family: PipelineFamily, options: GenerateOptions) -> float | int:
    """How much the prompt counts; where a video is turned into noise, not more than without guidance, unless asked for."""
    if options.large.guidance is not None:
        return options.large.guidance
    return family.guidance if options.large.invert is None else family.guidance_off


def steps_of(family: PipelineFamily, options: GenerateOptions) -> int:
    """How many steps the whole schedule has."""
    if options.large.timesteps:
        return len(options.large.timesteps)
    return family.steps if options.steps is None else options.steps


def steps_run(family: PipelineFamily, options: GenerateOptions) -> int:
    """How many of them are run: fewer, where footage begins from a video."""
    steps = steps_of(family, options)
    strength = family.strength if options.large.strength is None else options.large.strength
    return steps if strength is None else min(int(steps * strength), steps)


_NO_VIDEO = "it does not start from a video"
_NONE = "it takes none"


def _refuse(option: str, value: Any, wrong: bool, family: str, why: str, fix: str) -> None:
    if wrong:
        raise BadValueError(option, value, right=f"left out for {family}: {why}", fix=fix)


def _check_controls(family: PipelineFamily, options: GenerateOptions) -> None:
    asked = options.large.controls
    if not asked:
        return
    if not family.controls:
        raise BadValueError("--control", ",".join(asked), right=f"left out: {family.name} takes no control video")
    for name in asked:
        if name not in family.controls:
            raise UnknownNameError(name, family.controls, what=f"control of {family.name}")
    if family.joined == "one" and len(asked) > 1:
        raise BadValueError("--control", ",".join(asked), right=f"one: {family.name} follows one control at a time")
    total = sum(asked.values())
    if family.joined == "blended" and not family.control_strength and abs(total - 1) > 1e-6:
        raise BadValueError(
            "--control",
            ",".join(f"{name}={weight:g}" for name, weight in asked.items()),
            right=f"weights that add up to 1: {family.name} blends controls, and has no strength",
        )
