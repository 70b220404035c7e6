"""Samplers that add noise at every step: what they draw becomes further draws of the clip's noise.

Such a sampler calls ``randn_tensor`` in its ``step``. For the time of one run its ``step`` is given another function of that
name. Nothing else is touched: no module, no other sampler, no other thread.
"""

from __future__ import annotations

import copy
import itertools
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import Sim2RealError

_DRAW = "randn_tensor"
_CALLS_PER_STEP = 2
"""At most: CogVideoX's sampler draws twice, and uses the second."""
_NOTHING = 1e-6
"""DDPM's last step adds 1e-10 of what it draws."""


def draws_that_count(scheduler: Any, steps: int, *, run: int | None = None, eta: float | int | None = None) -> tuple[bool, ...]:
    """What a sampler draws in a run, call by call: whether it has any influence on the result.

    The sampler is run without any model. In each step, sample k of a batch is given 1 as call k, and 0 as all others: it goes
    elsewhere than one that is given zeros alone, or call k does not count. (Some samplers draw what they then multiply by 0.)

    Args:
        scheduler: is not changed.
        steps: of the whole schedule.
        run: how many of its last steps are run; all by default.
        eta: of DDIM: the share of noise that is drawn again; the pipelines' own, none, by default.

    Returns:
        As many entries as there are calls.
    """
    import torch

    tried = copy.deepcopy(scheduler)
    tried.set_timesteps(steps)
    timesteps = tried.timesteps[len(tried.timesteps) - (steps if run is None else run) :]
    calls = 0

    def probe(shape: Any, *_: Any, **__: Any) -> Any:
        nonlocal calls
        drawn = torch.zeros(tuple(shape))
        drawn[calls] = 1
        calls += 1
        return drawn

    found, before, last = [], None, None
    with _drawing(tried, probe):
        for timestep in timesteps:
            calls = 0
            sample, before = _step(tried, timestep, last, torch.zeros(_CALLS_PER_STEP + 1, 1, 1, 1), before, eta)
            moved = (sample - sample[-1]).abs().flatten()
            found += [bool(moved[call] > _NOTHING) for call in range(calls)]
            last = timestep
    return tuple(found)


def _step(tried: Any, timestep: Any, last: Any, sample: Any, before: Any, eta: float | int | None) -> tuple[Any, Any]:
    """One step of a model that says 0; ``before`` is what CogVideoX's samplers hand from step to step."""
    import torch

    scaled = tried.scale_model_input(sample, timestep) if hasattr(tried, "scale_model_input") else sample
    zero = torch.zeros_like(scaled)
    if "old_pred_original_sample" in tried.step.__code__.co_varnames:
        return tried.step(zero, before, timestep, last, sample, return_dict=False)
    asked = {} if eta is None else {"eta": eta}
    return tried.step(zero, timestep, sample, return_dict=False, **asked)[0], None


@contextmanager
def drawing_from_the_clip(scheduler: Any, counts: tuple[bool, ...], draw: Callable[[int], Any]) -> Iterator[None]:
    """For the time of one run of a pipeline, what its sampler draws is the clip's.

    Args:
        scheduler: of the pipeline.
        counts: of :func:`draws_that_count`; calls without influence get zeros.
        draw: draw k of the clip's noise, from 1 on, in the axes that the sampler steps in.
    """
    calls, numbers = iter(counts), itertools.count(1)

    def drawn(shape: Any, generator: Any = None, device: Any = None, dtype: Any = None, layout: Any = None) -> Any:
        import torch

        counted = next(calls, None)
        if counted is None:
            raise Sim2RealError(f"{type(scheduler).__name__} draws more than {len(counts)} times (this is a bug in sim2real)")
        if not counted:
            return torch.zeros(tuple(shape), device=device, dtype=dtype)
        noise = draw(number := next(numbers))
        if tuple(noise.shape) != tuple(shape):
            have, wanted = tuple(noise.shape), tuple(shape)
            raise Sim2RealError(
                f"{type(scheduler).__name__} draws noise of shape {wanted}, draw {number} of the clip's is {have}; "
                "pass a sampler that draws none (sim2real families)"
            )
        return noise.to(device=device, dtype=dtype)

    if not counts:
        yield
        return
    with _drawing(scheduler, drawn):
        yield


@contextmanager
def _drawing(scheduler: Any, drawn: Callable[..., Any]) -> Iterator[None]:
    """``step`` of this one sampler with another ``randn_tensor``."""
    step = type(scheduler).step
    scope = {**step.__globals__, _DRAW: drawn}
    own = types.FunctionType(step.__code__, scope, step.__name__, step.__defaults__, step.__closure__)
    own.__kwdefaults__ = step.__kwdefaults__
    scheduler.step = types.MethodType(own, scheduler)
    try:
        yield
    finally:
        del scheduler.step
