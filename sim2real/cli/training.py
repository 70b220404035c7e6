"""Training recipes: clips from random scenes, noise that moves with them, then the model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from ..scene.yaml_file import Entry, fault, read_yaml

if TYPE_CHECKING:
    from .progress import Progress

Share = Annotated[float, Field(ge=0, le=1)]
Seed = Annotated[int, Field(ge=0)]


class ClipsEntry(Entry):
    """Which training clips to make; the keys are those of ``sim2real.prepare.Recipe``."""

    seed: Seed
    clips: PositiveInt
    frames: PositiveInt = 16
    size: tuple[PositiveInt, PositiveInt] = (64, 64)
    spp: PositiveInt | None = None
    max_depth: PositiveInt | None = None


class NoiseEntry(Entry):
    """Independent noise fields per clip, and their seed."""

    channels: Annotated[int, Field(ge=3)] = 16
    seed: Seed = 0


class ModelEntry(Entry):
    """Sizes of the denoiser."""

    width: PositiveInt
    layers: PositiveInt
    vace_layers: tuple[Annotated[int, Field(ge=0)], ...]
    heads: PositiveInt
    hidden: PositiveInt


class StageEntry(Entry):
    """A stretch of training at one crop size."""

    steps: PositiveInt
    batch: PositiveInt
    frames: PositiveInt
    size: Annotated[int, Field(ge=8, multiple_of=8)]


class DegradationEntry(Entry):
    """The range of beta."""

    low: Share
    high: Share


class SigmasEntry(Entry):
    """Which noise levels are trained."""

    shift: PositiveFloat = 5.0
    spread: PositiveFloat = 1.2
    pure: Share = 0.1


class RecolouringEntry(Entry):
    """How samples are recoloured."""

    share: Share
    hue_deg: Annotated[float, Field(ge=0)] = 40.0
    gain: Annotated[float, Field(ge=0)] = 0.12


class TrainingEntry(Entry):
    """The keys of ``sim2real.diffusion.train.TrainingRecipe``."""

    model: ModelEntry
    stages: Annotated[tuple[StageEntry, ...], Field(min_length=1)]
    seed: Seed = 0
    learning_rate: PositiveFloat | None = None
    warmup: Annotated[int, Field(ge=0)] | None = None
    cooldown: Annotated[int, Field(ge=0)] | None = None
    weight_decay: Annotated[float, Field(ge=0)] | None = None
    gradient_clip: PositiveFloat | None = None
    clamp: PositiveFloat | None = None
    sigmas: SigmasEntry | None = None
    averaging: Share | None = None
    degradation: DegradationEntry | None = None
    palette_dropout: Share | None = None
    recolouring: RecolouringEntry | None = None


class RecipeEntry(Entry):
    """A recipe file."""

    clips: ClipsEntry
    held_out: Annotated[int, Field(ge=0)] = 0
    noise: NoiseEntry = NoiseEntry()
    training: TrainingEntry

    @model_validator(mode="after")
    def _something_is_left(self) -> RecipeEntry:
        if self.held_out >= self.clips.clips:
            raise fault(f"held_out is {self.held_out}, must be less than the {self.clips.clips} clips", key="held_out")
        return self


def train_recipe(
    recipe: Path, output: Path, *, clips: Path | None, threads: int | None, stop_after: int | None, progress: Progress
) -> Path | None:
    """Make the clips and the noise that a recipe asks for, as far as they are missing, and train.

    Args:
        recipe: the YAML file.
        output: gets ``clips``, ``checkpoint-*``, ``log.jsonl`` and in the end ``model``.
        clips: use, or make, the clips here instead.
        threads: of the training; None is one per core.
        stop_after: stop with a checkpoint after that many steps.
        progress: called with (what, done, total).

    Returns:
        The model folder, or None when stopped before the end.
    """
    entry = read_yaml(recipe, RecipeEntry)
    folder = output / "clips" if clips is None else clips

    import torch

    from ..diffusion.embedded import EmbeddedSpec
    from ..diffusion.train import TrainingRecipe, train
    from ..diffusion.training_data import Degradation, Recolouring, Sigmas, Stage, read_training_clip
    from ..prepare import Recipe, make_training_clips
    from ..prepare.clips import clip_path
    from ..prepare.noise_fields import NoiseDraws, make_training_noise

    data = Recipe(**_given(entry.clips))
    folder.mkdir(parents=True, exist_ok=True)
    make_training_clips(data, folder, progress=lambda done, total: progress("training clips", done, total))
    numbers = range(entry.clips.clips - entry.held_out)
    noise = make_training_noise(
        data.scene,
        numbers,
        folder,
        channels=entry.noise.channels,
        seed=entry.noise.seed,
        progress=lambda done, total: progress("training noise", done, total),
    )
    fields = _given(entry.training)
    fields["model"] = EmbeddedSpec(**_given(entry.training.model))
    fields["stages"] = tuple(Stage(**_given(stage)) for stage in entry.training.stages)
    if entry.training.degradation is not None:
        fields["degradation"] = Degradation(**_given(entry.training.degradation))
    if entry.training.sigmas is not None:
        fields["sigmas"] = Sigmas(**_given(entry.training.sigmas))
    if entry.training.recolouring is not None:
        fields["recolouring"] = Recolouring(**_given(entry.training.recolouring))
    if threads is not None:
        torch.set_num_threads(threads)
    return train(
        TrainingRecipe(**fields),
        [read_training_clip(clip_path(folder, number)) for number in numbers],
        NoiseDraws(noise, seed=entry.noise.seed),
        output,
        report=lambda told: progress("training", told.step, told.steps),
        stop_after=stop_after,
    )


def _given(entry: Entry) -> dict[str, Any]:
    """The fields of an entry that are set; the others keep the library's defaults."""
    return {name: value for name, value in entry if value is not None}
