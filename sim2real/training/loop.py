# pyright: reportPrivateImportUsage=false
"""The training loop: stopped at any moment, it goes on bit for bit, and leaves a usable model with every checkpoint."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..diffusion.families.embedded.denoiser import PictureDenoiser, build_denoiser
from ..diffusion.families.embedded.folder import Info, load_model, save_model
from ..diffusion.families.embedded.precision import autocast_for
from ..errors import BadValueError
from .checkpoint import TrainingState, load_checkpoint, save_checkpoint
from .data import Batch, NoiseProvider, Sampler
from .losses import Distance, training_loss
from .packed import PackedClip
from .recipe import ModelSizes, Stage, TrainingRecipe


@dataclass(frozen=True)
class Progress:
    """What the trainer reports while it runs: averages over the last report's steps, seconds left as it looks now."""

    step: int
    steps: int
    loss: float
    seconds_per_step: float
    seconds_left: float


@dataclass(frozen=True)
class Limits:
    """When a run stops with a checkpoint, to go on another time: after so many steps in all, or minutes from now."""

    steps: int | None = None
    minutes: float | None = None


UNLIMITED = Limits()


@dataclass(frozen=True)
class TrainOptions:
    """How a recipe is followed; none of it changes the weights that come out.

    - ``device``: cpu or cuda.
    - ``workers``: threads that make samples ahead.
    - ``limits``: when to stop early.
    - ``report_every``: steps between reports and log lines.
    - ``checkpoint_minutes``: time between checkpoints.
    """

    device: str = "cpu"
    workers: int = 1
    limits: Limits = UNLIMITED
    report_every: int = 25
    checkpoint_minutes: float = 5.0


def train(
    recipe: TrainingRecipe,
    clips: Sequence[PackedClip],
    provider: NoiseProvider,
    output: Path,
    options: TrainOptions | None = None,
    *,
    perceptual: Distance | None = None,
    report: Callable[[Progress], None] | None = None,
    start: Path | None = None,
) -> Path | None:
    """Train, or go on from the newest checkpoint under ``output``.

    Resuming changes nothing: samples are keyed by their number, so that the weights come out bit for bit as in one go (on a
    CPU, with the same number of threads and the same clips).

    Args:
        recipe: see :class:`TrainingRecipe`.
        clips: from ``packed_clip``, all at least as large as the largest crop.
        provider: noise for them.
        output: holds ``checkpoint-*``, ``log.jsonl`` and ``model``: the averaged weights as of the newest checkpoint.
        options: where it runs, and when it stops, reports and saves.
        perceptual: see ``training_loss``.
        report: called every ``report_every`` steps.
        start: the model folder of the recipe's ``start_from``; it is not looked at where there is a checkpoint.

    Returns:
        The model folder, or None when stopped before the end.

    Raises:
        BadValueError: no clips, clips smaller than a crop, a checkpoint of another recipe, a model to start from that has other
            sizes, or a gradient that is not finite.
        MissingFileError: there is no model to start from.
    """
    options = TrainOptions() if options is None else options
    limits, workers = options.limits, options.workers
    sampler = Sampler(clips, provider, recipe)
    place = torch.device(options.device)
    model = build_denoiser(recipe.seed, **recipe.model.model_dump())
    model.to(place).train()  # pyright: ignore[reportArgumentType]
    decay = {"lr": recipe.learning_rate, "betas": (0.9, 0.99), "weight_decay": recipe.weight_decay}
    optimizer = torch.optim.AdamW(model.parameters(), fused=True, **decay)
    averaged = {name: value.detach().clone() for name, value in model.state_dict().items()}
    state = TrainingState(model, averaged, optimizer)
    output.mkdir(parents=True, exist_ok=True)
    done = load_checkpoint(output, state, recipe)
    if start is not None and not done:
        _start(model, start)
        averaged.update({name: value.detach().clone() for name, value in model.state_dict().items()})
    last = min(recipe.steps, recipe.steps if limits.steps is None else limits.steps)
    log = _Log(output, recipe, report, options.report_every)
    log.note({"resumed_at": done, "clips": len(clips), "threads": torch.get_num_threads(), "device": options.device})
    began = saved_at = time.monotonic()
    with _denormals_flushed(), ThreadPoolExecutor(workers) as pool:
        for step, batch in _batches(sampler, recipe, done, last, pool, ahead=workers + 1):
            loss = _step(model, optimizer, batch.to(place), recipe, step, perceptual)
            _average(averaged, model, min(recipe.averaging, (1 + step) / (10 + step)))
            now = time.monotonic()
            ends = step + 1 == last or (limits.minutes is not None and now - began > 60 * limits.minutes)
            log.step(step + 1, loss, ends=ends)
            if ends or now - saved_at > 60 * options.checkpoint_minutes:
                save_checkpoint(output, step + 1, state, recipe)
                _export(output / "model", state, recipe, {"steps": step + 1, "clips": len(clips)})
                saved_at, done = now, step + 1
            if ends:
                break
    return output / "model" if done >= recipe.steps else None


def _start(model: PictureDenoiser, folder: Path) -> None:
    """Give a model the weights of a folder."""
    weights, _ = load_model(folder)
    mine, theirs = (", ".join(f"{k} {v}" for k, v in sizes.model_dump().items()) for sizes in (_sizes(model), _sizes(weights)))
    if mine != theirs:
        raise BadValueError("the sizes of the model to start from", theirs, right=f"the recipe's: {mine}", where=folder)
    model.load_state_dict(weights.state_dict())


def _sizes(model: PictureDenoiser) -> ModelSizes:
    return ModelSizes.model_validate({name: getattr(model.config, name) for name in ModelSizes.model_fields})


def _step(
    model: PictureDenoiser,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    recipe: TrainingRecipe,
    step: int,
    perceptual: Distance | None,
) -> float:
    """One optimizer step; the loss before it."""
    for group in optimizer.param_groups:
        group["lr"] = recipe.learning_rate_at(step)
    with autocast_for(batch.clean.device):
        loss = training_loss(model.predict, batch, recipe.losses_at(step), perceptual=perceptual)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.gradient_clip)
    if not torch.isfinite(norm):
        raise BadValueError(f"the gradient of step {step}", float(norm), right="finite", fix="lower learning_rate")
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


def _export(folder: Path, state: TrainingState, recipe: TrainingRecipe, counts: dict[str, int]) -> None:
    """Write the model folder of the averaged weights, in place of an older one."""
    model = build_denoiser(0, **recipe.model.model_dump())
    model.load_state_dict(state.averaged)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    save_model(partial, model, Info(training={"recipe": recipe.model_dump(mode="json"), **counts}))
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _batches(
    sampler: Sampler, recipe: TrainingRecipe, first: int, last: int, pool: ThreadPoolExecutor, ahead: int
) -> Iterator[tuple[int, Batch]]:
    """Steps and their batches, some of them made ahead."""
    plan = _plan(recipe)
    waiting = {step: pool.submit(sampler.batch, *plan[step]) for step in range(first, min(first + ahead, last))}
    try:
        for step in range(first, last):
            batch = waiting.pop(step).result()
            if step + ahead < last:
                waiting[step + ahead] = pool.submit(sampler.batch, *plan[step + ahead])
            yield step, batch
    finally:
        for future in waiting.values():
            future.cancel()


def _plan(recipe: TrainingRecipe) -> list[tuple[int, Stage]]:
    """First sample and stage of every step."""
    plan: list[tuple[int, Stage]] = []
    samples = 0
    for stage in recipe.stages:
        plan += [(samples + i * stage.batch, stage) for i in range(stage.steps)]
        samples += stage.steps * stage.batch
    return plan


@torch.no_grad()
def _average(averaged: dict[str, Tensor], model: torch.nn.Module, decay: float) -> None:
    """Exponential moving average of the weights, in place."""
    now = model.state_dict()
    torch._foreach_lerp_(list(averaged.values()), [now[name] for name in averaged], 1 - decay)


class _Log:
    """Lines in ``log.jsonl``, and the caller's callback."""

    def __init__(self, output: Path, recipe: TrainingRecipe, report: Callable[[Progress], None] | None, every: int) -> None:
        self.path = output / "log.jsonl"
        self.recipe, self.report, self.every = recipe, report, every
        self.losses: list[float] = []
        self.since = time.monotonic()

    def note(self, facts: dict[str, object]) -> None:
        """A line that is no step."""
        with self.path.open("a") as log:
            log.write(json.dumps(facts) + "\n")

    def step(self, step: int, loss: float, *, ends: bool) -> None:
        """Count a step; every so often, and at the end, report the mean."""
        self.losses.append(loss)
        if step % self.every and not ends:
            return
        now = time.monotonic()
        per_step = (now - self.since) / len(self.losses)
        left = per_step * _relative_work_left(self.recipe, step)
        progress = Progress(step, self.recipe.steps, float(np.mean(self.losses)), per_step, left)
        self.note({**asdict(progress), "learning_rate": self.recipe.learning_rate_at(step - 1)})
        if self.report is not None:
            self.report(progress)
        self.losses, self.since = [], now


def _relative_work_left(recipe: TrainingRecipe, step: int) -> float:
    """Steps left, each counted by its pixels relative to the present stage's."""
    ends = np.cumsum([stage.steps for stage in recipe.stages])
    now = min(int(np.searchsorted(ends, step, side="right")), len(ends) - 1)
    left = [max(0, int(end) - max(step, int(end) - stage.steps)) for end, stage in zip(ends, recipe.stages, strict=True)]
    return sum(n * stage.pixels / recipe.stages[now].pixels for n, stage in zip(left, recipe.stages, strict=True))


@contextmanager
def _denormals_flushed() -> Iterator[None]:
    """Treat denormal numbers as 0 (they slow a CPU down), and give the thread back as it was by default."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
