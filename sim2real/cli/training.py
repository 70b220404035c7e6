"""Training recipes: clips from random scenes, noise that moves with them, then the model."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, PositiveInt, model_validator

from ..scene.readers.scene_file.yaml import Entry, error, read_yaml
from ..training.recipe import TrainingRecipe

if TYPE_CHECKING:
    from ..metrics.perceptual import Perceptual
    from ..training.losses import Distance
    from .progress import Progress

Seed = Annotated[int, Field(ge=0)]


class ClipsEntry(Entry):
    """Which training clips to make; the keys are those of ``sim2real.prepare.Recipe``."""

    seed: Seed
    clips: PositiveInt
    frames: Annotated[int, Field(ge=2, le=8)] = 2
    moving_every: PositiveInt = 4
    size: tuple[PositiveInt, PositiveInt] = (192, 256)
    spp: PositiveInt = 8
    max_depth: PositiveInt = 6
    assets: bool = True


class RecipeEntry(Entry):
    """A recipe file.

    ``hold_out``: of every so many clips the last is held out for figures; 0 holds out none.
    """

    clips: ClipsEntry
    hold_out: Annotated[int, Field(ge=0)] = 0
    noise_seed: Seed = 0
    training: TrainingRecipe

    @model_validator(mode="after")
    def _something_is_left(self) -> RecipeEntry:
        if self.hold_out == 1:
            raise error("is 1, must be 0 or at least 2: of every single clip the last is that clip", key="hold_out")
        return self

    def held_out(self, number: int) -> bool:
        """Whether a clip is never trained on."""
        return self.hold_out > 0 and number % self.hold_out == self.hold_out - 1


def train_recipe(
    recipe: Path,
    output: Path,
    *,
    clips: Path | None,
    threads: int | None,
    stop_after: int | None,
    progress: Progress,
    device: str = "cpu",
    minutes: float | None = None,
    tell: Callable[[str], None] | None = None,
) -> Path | None:
    """Make the clips and the noise that a recipe asks for, as far as they are missing, and train.

    Args:
        recipe: the YAML file.
        output: gets ``clips``, ``checkpoint-*``, ``log.jsonl`` and ``model``.
        clips: use, or make, the clips here instead.
        threads: of the training; None is one per core.
        stop_after: stop with a checkpoint after that many steps.
        progress: called with (what, done, total).
        device: cpu or cuda.
        minutes: stop with a checkpoint after that many minutes of training.
        tell: called with lines for people.

    Returns:
        The model folder, or None when stopped before the end.
    """
    entry = read_yaml(recipe, RecipeEntry)
    folder = output / "clips" if clips is None else clips

    import torch

    from ..devices import checked_device
    from ..prepare.noise_fields import NoiseDraws, noise_path
    from ..training.loop import Limits, train
    from ..training.packed import packed_clip

    checked_device(device)
    numbers = _clips(entry, folder, progress, tell)
    if threads is not None:
        torch.set_num_threads(threads)
    packed = []
    for done, number in enumerate(numbers):
        packed.append(packed_clip(folder / f"{number:06d}.npz"))
        progress("packing", done + 1, len(numbers))
    return train(
        entry.training,
        packed,
        NoiseDraws([noise_path(folder, number) for number in numbers], seed=entry.noise_seed),
        output,
        perceptual=_perceptual(device),
        device=device,
        limits=Limits(stop_after, minutes),
        report=lambda told: progress("training", told.step, told.steps),
    )


def _clips(entry: RecipeEntry, folder: Path, progress: Progress, tell: Callable[[str], None] | None) -> list[int]:
    """Numbers of the clips to train on; what is missing is made, unless the recipe takes what is there."""
    from ..prepare import Recipe, make_training_clips
    from ..prepare.clips import clip_path

    numbers = [number for number in range(entry.clips.clips) if not entry.held_out(number)]
    finished = [number for number in numbers if clip_path(folder, number).is_file()]
    if entry.training.grow and finished:
        return finished
    folder.mkdir(parents=True, exist_ok=True)
    make_training_clips(
        Recipe(**dict(entry.clips)), folder, progress=lambda done, total: progress("training clips", done, total), tell=tell
    )
    return numbers


def _perceptual(device: str) -> Distance:
    """LPIPS; its weights are read when it is asked for first."""

    @functools.cache
    def network() -> Perceptual:
        from ..metrics.perceptual import Perceptual

        return Perceptual(device)

    return lambda a, b: network()(a, b)
