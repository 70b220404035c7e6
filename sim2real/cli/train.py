"""``sim2real train``: clips from random scenes, noise that moves with them, then the model."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click
from pydantic import Field, PositiveInt, model_validator

from ..scene.readers.scene_file.yaml import Entry, error, read_yaml
from ..training.recipe import TrainingRecipe
from . import progress
from .main import Command
from .options import debug_option

if TYPE_CHECKING:
    from ..metrics.perceptual import Perceptual
    from ..training.loop import Limits
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


@click.command("train", cls=Command)
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where the run goes.")
@click.option(
    "--clips", type=click.Path(path_type=Path), metavar="DIR", help="Folder of the training clips.  [default: DIR/clips]"
)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True, help="What trains.")
@click.option("--threads", type=click.IntRange(1, 256), metavar="N", help="Threads of the training.  [default: one per core]")
@click.option("--stop-after", type=click.IntRange(min=1), metavar="N", help="Stop with a checkpoint after step N.")
@click.option(
    "--minutes", type=click.FloatRange(min=0), metavar="M", help="Stop with a checkpoint after M minutes of training."
)
@debug_option
def command(
    recipe: Path,
    output: Path,
    clips: Path | None,
    device: str,
    threads: int | None,
    stop_after: int | None,
    minutes: float | None,
) -> None:
    """Train an embedded-type model on warped noise, from a recipe.

    Makes the training clips (path-traced random scenes) and their noise, then trains; what exists is kept, so that the same
    line goes on after an interrupt. A recipe whose training has `start_from: embedded` (or a model folder) begins with that
    model's weights. The model comes out as DIR/model, anew with every checkpoint, for
    `sim2real generate CLIP --model DIR/model`.

    Examples:
      sim2real train assets/models/embedded/recipe.yaml -o out/training
      sim2real train assets/models/embedded/recipe.yaml -o out/training --minutes 60
    """
    from ..training.loop import Limits

    with progress.shown() as report:
        folder = train_recipe(
            recipe,
            output,
            clips=clips,
            device=device,
            threads=threads,
            limits=Limits(stop_after, minutes),
            progress=report,
            tell=lambda line: click.echo(line, err=True),
        )
    click.echo(str(folder) if folder else f"stopped; the same command goes on from {output}")


def train_recipe(
    recipe: Path,
    output: Path,
    *,
    clips: Path | None,
    threads: int | None,
    limits: Limits,
    progress: Progress,
    device: str = "cpu",
    tell: Callable[[str], None] | None = None,
) -> Path | None:
    """Make the clips and the noise that a recipe asks for, as far as they are missing, and train.

    Args:
        recipe: the YAML file.
        output: gets ``clips``, ``checkpoint-*``, ``log.jsonl`` and ``model``.
        clips: use, or make, the clips here instead.
        threads: of the training; None is one per core.
        limits: when to stop with a checkpoint.
        progress: called with (what, done, total).
        device: cpu or cuda.
        tell: called with lines for people.

    Returns:
        The model folder, or None when stopped before the end.
    """
    entry = read_yaml(recipe, RecipeEntry, "training recipe")
    folder = output / "clips" if clips is None else clips

    import torch

    from ..devices import checked_device
    from ..diffusion.families.embedded.folder import model_folder
    from ..prepare.noise_fields import NoiseDraws, noise_path
    from ..training.loop import TrainOptions, train
    from ..training.packed import packed_clip

    checked_device(device)
    begin = entry.training.start_from
    start = None if begin is None else model_folder(begin, beside=recipe.parent)
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
        TrainOptions(device, limits=limits),
        perceptual=_perceptual(device),
        report=lambda told: progress("training", told.step, told.steps),
        start=start,
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
