"""A given video back into noise, by the model's own denoiser, and from there to other footage: edits that keep what it shows.

The way from noise to footage is taken by the first-order sampler of the model's equation (DDIM, arXiv 2010.02502, equation 12;
of flow matching, Euler's steps). A step is ``x' = P x + Q m(x)``, with the model's answer ``m`` at the noisier end. The way
back solves that for ``x``: from ``x = x'`` on, ``x`` is replaced by ``(x' - Q m(x)) / P``, ``ROUNDS`` times a step. Once is
the inversion that is usual; repeated, it converges to the noise from which the way forth leads to this very video. Where a
model answers so strongly that the rounds lead apart, the first of them counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ...errors import BadValueError
from ..schedulers import scheduler_like

if TYPE_CHECKING:
    from .family import PipelineFamily

ROUNDS = 3
"""Times that the denoiser is asked per step on the way back."""
_CONVERGED = 1e-3
"""Relative changes below it may grow again by rounding."""


@dataclass(frozen=True)
class Ways:
    """Steps of the first-order sampler, noisiest first.

    - ``timesteps``: what the denoiser is told at the noisier end of each, a tensor.
    - ``factors``: P and Q of each.
    - ``config``: of the sampler whose noise levels these are.
    """

    timesteps: Any
    factors: Sequence[tuple[float, float]]
    config: Any


def ways_of(own: Any, steps: int) -> Ways:
    """The steps of a model, at the noise levels of the sampler that it comes with.

    Args:
        own: the sampler; is not changed.
        steps: how many.
    """
    config = own.config
    if type(own).__name__.startswith("FlowMatch") or config.get("prediction_type") == "flow_prediction":
        levels = scheduler_like(own, "UniPCMultistepScheduler")
        levels.set_timesteps(steps)
        sigmas = [float(sigma) for sigma in levels.sigmas]
        factors = [(1.0, after - before) for before, after in zip(sigmas, sigmas[1:], strict=False)]
        return Ways(levels.timesteps.float(), factors, levels.config)
    cogvideox = type(own).__name__.startswith("CogVideoX")
    levels = scheduler_like(own, "CogVideoXDDIMScheduler" if cogvideox else "DDIMScheduler")
    levels.set_timesteps(steps)
    kept = [*(float(levels.alphas_cumprod[int(t)]) for t in levels.timesteps), float(levels.final_alpha_cumprod)]
    amounts = [(one**0.5, (1 - one) ** 0.5) for one in kept]
    told = zip(amounts, amounts[1:], strict=False)
    return Ways(levels.timesteps, [_factors(*before, *after, config.prediction_type) for before, after in told], levels.config)


def _factors(a: float, s: float, a_after: float, s_after: float, predicts: str) -> tuple[float, float]:
    """P and Q of a step of DDIM from ``a x0 + s eps`` to ``a_after x0 + s_after eps``."""
    if predicts == "epsilon":
        return a_after / a, s_after - a_after * s / a
    if predicts == "v_prediction":
        return a_after * a + s_after * s, s_after * a - a_after * s
    if predicts == "sample":
        return s_after / s, a_after - s_after * a / s
    raise BadValueError("what the model predicts", predicts, right="epsilon, v_prediction or sample", fix="pass no --invert")


class FirstOrder:
    """What a pipeline asks of its sampler; forth, or back through the same steps."""

    order, init_noise_sigma = 1, 1.0

    def __init__(self, ways: Ways, rounds: int = 0) -> None:
        """``rounds``: of the way back; 0 is the way forth."""
        self.config, self._ways, self._rounds = ways.config, ways, rounds
        self.timesteps, self.sigmas = ways.timesteps, ways.timesteps / ways.config.num_train_timesteps
        self._call, self._estimates = 0, []

    def set_timesteps(self, num_inference_steps: int | None = None, device: Any = None, **others: Any) -> None:
        """Begin anew; the number of steps is that of the ways."""
        ways = self._ways.timesteps.to(device)
        self.timesteps = ways.flip(0).repeat_interleave(self._rounds) if self._rounds else ways
        self.sigmas = self.timesteps.float() / self.config.num_train_timesteps
        self._call = 0

    def set_begin_index(self, begin_index: int = 0) -> None:
        """Nothing: steps are counted."""

    def scale_model_input(self, sample: Any, timestep: Any = None) -> Any:
        """The sample."""
        return sample

    def step(self, model_output: Any, timestep: Any, sample: Any, return_dict: bool = True) -> Any:
        """The next sample; on the way back, the next estimate of the noisier one."""
        number, self._call = self._call, self._call + 1
        answer = model_output.float()
        if not self._rounds:
            p, q = self._ways.factors[number]
            after = p * sample.float() + q * answer
        else:
            p, q = self._ways.factors[len(self._ways.factors) - 1 - number // self._rounds]
            if number % self._rounds == 0:
                self._estimates = [sample.float()]
            self._estimates.append((self._estimates[0] - q * answer) / p)
            after = self._estimates[-1]
            if len(self._estimates) == self._rounds + 1 and self._lead_apart():
                after = self._estimates[1]
        after = after.to(sample.dtype)
        return SimpleNamespace(prev_sample=after) if return_dict else (after,)

    def _lead_apart(self) -> bool:
        """Whether the last round of a step has changed the estimate more than the one before."""
        if len(self._estimates) < 4:
            return False
        older, old, new = self._estimates[-3:]
        change = (new - old).norm()
        return bool(change > (old - older).norm() and change > _CONVERGED * new.norm())


@contextmanager
def sampler(pipeline: Any, scheduler: Any) -> Iterator[None]:
    """A pipeline with another sampler, for the time of one run."""
    before = pipeline.scheduler
    pipeline.scheduler = scheduler
    try:
        yield
    finally:
        pipeline.scheduler = before


def inverted(pipeline: Any, ways: Ways, arguments: dict[str, Any], clean: Any, rounds: int = ROUNDS) -> Any:
    """The noise from which the model makes a video.

    Args:
        pipeline: of the model.
        ways: its steps.
        arguments: what it is called with: guidance off, and the text that the video goes with.
        clean: latents of the video, in the axes of ``latents=``.
        rounds: times that the denoiser is asked per step.

    Raises:
        BadValueError: there is no such noise within reach: numbers grow without bound.
    """
    import torch

    with sampler(pipeline, FirstOrder(ways, rounds)):
        result = pipeline(**(arguments | {"latents": clean, "output_type": "latent"}))
    noise = result.frames if hasattr(result, "frames") else result.images
    if not torch.isfinite(noise).all():
        fix = "pass more --steps, or a --source-prompt that says what the video shows"
        raise BadValueError("the noise that the video was turned into", "not finite", right="finite", fix=fix)
    return noise


def mixed(noise: Any, surface: Any, share: float) -> Any:
    """``sqrt(1 - share^2)`` of inverted noise and ``share`` of surface noise: unit variance.

    Inverted noise is not exactly standard normal. As much as surface noise is mixed in, each channel of each latent is brought
    to mean 0 and variance 1: with none, it stays what leads back to the video.

    Args:
        noise: inverted, (batch, ..., height, width).
        surface: of the same shape.
        share: from 0 to 1.
    """
    values = noise.float()
    mean, std = values.mean((-2, -1), keepdim=True), values.std((-2, -1), keepdim=True)
    even = (1 - share) * values + share * (values - mean) / std.clamp(min=1e-6)
    return ((1 - share**2) ** 0.5 * even + share * surface.float()).to(surface.dtype)


def require_invertible(family: PipelineFamily, name: str) -> None:
    """Refuse families of which nobody encodes a video here.

    Raises:
        BadValueError: with those that can.
    """
    from ..families import families

    if family.inverts:
        return
    able = ", ".join(one.name for one in families().values() if getattr(one, "inverts", False))
    raise BadValueError(name, "asked for", right=f"left out for {family.name}: models of {able} turn a video into noise")
