# pyright: reportPrivateImportUsage=false
"""Training of embedded-type models on warped noise."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import BadValueError
from .checkpoint import load_checkpoint, save_checkpoint
from .embedded import EmbeddedInfo, EmbeddedSpec, build_transformer, save_model
from .training_data import Batch, Degradation, NoiseProvider, Recolouring, Sampler, Sigmas, Stage, TrainingClip

if TYPE_CHECKING:
    from diffusers import WanVACETransformer3DModel


@dataclass(frozen=True)
class TrainingRecipe:
    """Everything that decides what a training run yields, besides its data.

    - ``stages`` follow one another; small crops first make the same time go further.
    - ``learning_rate`` rises over ``warmup`` steps, stays, and falls over the last ``cooldown`` steps; what comes
      before the cooldown does not depend on how long the run will be.
    - ``clamp``: the loss is that of the velocity, whose weight 1 / sigma^2 on the clean picture is held at 1 / clamp^2.
    - ``averaging``: of the weights that are kept, at most; it starts shorter.
    """

    model: EmbeddedSpec = field(default_factory=EmbeddedSpec)
    stages: tuple[Stage, ...] = (Stage(6000, 16, 8, 32), Stage(1000, 8, 8, 64))
    seed: int = 0
    learning_rate: float = 1e-3
    warmup: int = 100
    cooldown: int = 400
    weight_decay: float = 0.01
    gradient_clip: float = 1.0
    clamp: float = 0.5
    sigmas: Sigmas = field(default_factory=Sigmas)
    averaging: float = 0.999
    degradation: Degradation = field(default_factory=Degradation)
    palette_dropout: float = 0.1
    recolouring: Recolouring = field(default_factory=Recolouring)

    @property
    def steps(self) -> int:
        """Optimizer steps of all stages."""
        return sum(stage.steps for stage in self.stages)


@dataclass(frozen=True)
class Progress:
    """What the trainer tells while it runs: averages over the last report's steps, seconds left as it looks now."""

    step: int
    steps: int
    loss: float
    seconds_per_step: float
    seconds_left: float


def denoising_loss(model: torch.nn.Module, batch: Batch, clamp: float) -> Float[Tensor, ""]:
    """Mean squared error of the velocity ``noise - clean``, for a model that predicts the clean picture.

    ``velocity = (noisy - clean) / sigma``, so its error is that of the clean picture over sigma, clamped.
    """
    sigma = batch.sigma.view(-1, 1, 1, 1, 1)
    noisy = (1 - sigma) * batch.clean + sigma * batch.noise
    predicted = model(
        hidden_states=noisy,
        timestep=1000 * batch.sigma,
        encoder_hidden_states=batch.palette,
        control_hidden_states=batch.condition,
        return_dict=False,
    )[0]
    error = (predicted.float() - batch.clean) / sigma.clamp(min=clamp)
    return error.square().mean()


@contextmanager
def _denormals_flushed() -> Iterator[None]:
    """Treat denormal numbers as 0 (they slow a CPU down), and give the thread back as it was by default."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@_denormals_flushed()
def train(
    recipe: TrainingRecipe,
    clips: Sequence[TrainingClip],
    provider: NoiseProvider,
    output: Path,
    *,
    report: Callable[[Progress], None] | None = None,
    report_every: int = 25,
    checkpoint_minutes: float = 5.0,
    stop_after: int | None = None,
) -> Path | None:
    """Train, or go on from the newest checkpoint under ``output``, and write the model folder ``output/model``.

    Resuming changes nothing: samples are keyed by their number, so that the weights come out bit for bit as in one go.

    Args:
        recipe: see :class:`TrainingRecipe`.
        clips: training clips, all at least as large as the largest crop.
        provider: noise for them.
        output: holds ``checkpoint-*``, ``log.jsonl`` and, at the end, ``model``.
        report: called every ``report_every`` steps.
        report_every: steps between reports and log lines.
        checkpoint_minutes: time between checkpoints.
        stop_after: stop with a checkpoint once that many steps are done.

    Returns:
        The model folder, or None when stopped before the end.

    Raises:
        BadValueError: no clips, clips smaller than a crop, or a checkpoint of another recipe.
    """
    model = build_transformer(recipe.model, recipe.seed)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.99), weight_decay=recipe.weight_decay, fused=True
    )
    averaged = {name: value.detach().clone() for name, value in model.state_dict().items()}
    described = asdict(recipe)
    output.mkdir(parents=True, exist_ok=True)
    done = load_checkpoint(output, model, averaged, optimizer, described)
    sampler = Sampler(
        clips,
        provider,
        seed=recipe.seed,
        sigmas=recipe.sigmas,
        degradation=recipe.degradation,
        palette_dropout=recipe.palette_dropout,
        recolouring=recipe.recolouring,
    )
    last = min(recipe.steps, stop_after if stop_after is not None else recipe.steps)
    saved_at = reported_at = time.monotonic()
    losses: list[float] = []
    for step, batch in _batches(sampler, recipe, done, last):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, step)
        loss = denoising_loss(model, batch, recipe.clamp)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.gradient_clip)
        if not torch.isfinite(norm):
            raise BadValueError(f"the gradient of step {step}", float(norm), right="finite", mend="lower learning_rate")
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        _average(averaged, model, min(recipe.averaging, (1 + step) / (10 + step)))
        losses.append(loss.item())
        if (step + 1) % report_every == 0 or step + 1 == last:
            now = time.monotonic()
            _report(output, recipe, step + 1, losses, now - reported_at, report)
            losses, reported_at = [], now
        if time.monotonic() - saved_at > 60 * checkpoint_minutes or step + 1 == last:
            save_checkpoint(output, step + 1, model, averaged, optimizer, described)
            saved_at = time.monotonic()
    if last < recipe.steps:
        return None
    model.load_state_dict(averaged)
    return export(recipe, model, clips, output / "model")


def export(recipe: TrainingRecipe, model: WanVACETransformer3DModel, clips: Sequence[TrainingClip], folder: Path) -> Path:
    """Write the model folder of a trained denoiser, with the palettes of its training clips."""
    largest = recipe.stages[-1]
    info = EmbeddedInfo(
        spec=recipe.model,
        window=(largest.frames, largest.size, largest.size),
        training={"recipe": asdict(recipe), "clips": len(clips)},
    )
    save_model(folder, model, np.stack([clip.palette for clip in clips]), info)
    return folder


def learning_rate(recipe: TrainingRecipe, step: int) -> float:
    """Of a step: a linear rise, a plateau, a linear fall."""
    rise = min(1.0, (step + 1) / max(1, recipe.warmup))
    fall = min(1.0, max(0.02, (recipe.steps - step) / max(1, recipe.cooldown)))
    return recipe.learning_rate * rise * fall


def _batches(sampler: Sampler, recipe: TrainingRecipe, first: int, last: int) -> Iterator[tuple[int, Batch]]:
    """Steps and their batches. Drawn between steps: a drawing thread would cost the kernels' threads more than it saves."""
    plan: list[tuple[int, Stage]] = []
    samples = 0
    for stage in recipe.stages:
        plan += [(samples + i * stage.batch, stage) for i in range(stage.steps)]
        samples += stage.steps * stage.batch
    for step in range(first, last):
        yield step, sampler.batch(*plan[step])


@torch.no_grad()
def _average(averaged: dict[str, Tensor], model: torch.nn.Module, decay: float) -> None:
    """Exponential moving average of the weights, in place."""
    for name, value in model.state_dict().items():
        averaged[name].lerp_(value, 1 - decay)


def _report(
    output: Path,
    recipe: TrainingRecipe,
    step: int,
    losses: list[float],
    seconds: float,
    report: Callable[[Progress], None] | None,
) -> None:
    """One line in the log, and the caller's callback."""
    per_step = seconds / len(losses)
    progress = Progress(step, recipe.steps, float(np.mean(losses)), per_step, per_step * _relative_work_left(recipe, step))
    with (output / "log.jsonl").open("a") as log:
        log.write(json.dumps({**asdict(progress), "learning_rate": learning_rate(recipe, step - 1)}) + "\n")
    if report is not None:
        report(progress)


def _relative_work_left(recipe: TrainingRecipe, step: int) -> float:
    """Steps left, each counted by its pixels relative to the present stage's."""
    ends = np.cumsum([stage.steps for stage in recipe.stages])
    works = [stage.batch * stage.frames * stage.size**2 for stage in recipe.stages]
    now = min(int(np.searchsorted(ends, step, side="right")), len(works) - 1)
    left = [max(0, int(end) - max(step, int(end) - stage.steps)) for end, stage in zip(ends, recipe.stages, strict=True)]
    return sum(n * work / works[now] for n, work in zip(left, works, strict=True))
