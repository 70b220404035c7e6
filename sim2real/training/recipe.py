"""What decides how a training run turns out, besides its data: records that are a YAML file's entries at the same time."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from ..scene.readers.scene_file.yaml import Entry

Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Side = Annotated[int, Field(ge=16, multiple_of=16)]


class ModelSizes(Entry):
    """Sizes of the denoiser, per level from 1/2 to 1/16 of the picture's size."""

    widths: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (40, 80, 160, 256)
    down: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (1, 2, 2, 2)
    up: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (2, 2, 2, 2)
    embedding: PositiveInt = 192


class NoiseLevels(Entry):
    """Which noise levels are trained: a share are nothing but noise, where one step does it all; the others' logit is normal.

    - ``pure``: share of samples with sigma 1.
    - ``shift``: median of sigma / (1 - sigma) of the others; larger trains more at high noise.
    - ``spread``: standard deviation of their logit.
    - ``own``: share of the others whose clean part is not the truth but what the model itself makes of the noise in one step,
      as it is when pictures are made in several steps (scheduled sampling, Bengio et al. 2015): else every step adds to the
      mistakes of the step before.
    """

    pure: Share = 0.5
    shift: PositiveFloat = 4.0
    spread: PositiveFloat = 1.3
    own: Share = 0.5


class Degradation(Entry):
    """How far training noise departs from the warp: ``noise = beta * warped + sqrt(1 - beta^2) * fresh``.

    beta is drawn evenly from ``low`` to ``high`` per sample, so that the user may choose afterwards; for a share
    ``independent`` it is 0: noise that does not move with anything.
    """

    low: Share = 0.7
    high: Share = 1.0
    independent: Share = 0.1


class Losses(Entry):
    """What is minimized.

    - ``clamp``: the error is that of the velocity, whose weight 1 / sigma^2 on the clean picture is held at 1 / clamp^2.
    - ``absolute``: weight of the absolute error beside the squared one.
    - ``perceptual``: weight of LPIPS, on a crop of ``perceptual_size`` pixels a side.
    """

    clamp: PositiveFloat = 0.5
    absolute: NotNegative = 0.1
    perceptual: NotNegative = 0.1
    perceptual_size: Side = 64


class Stage(Entry):
    """A stretch of training.

    - ``steps`` optimizer steps of ``batch`` crops of ``frames`` and ``size`` (height, width).
    - ``shrink``: crops are so many times as large and made smaller: whole pictures, whose light is of one piece, at the price
      of parts.
    - ``learning_rate`` and ``losses`` take the place of the recipe's.
    """

    steps: PositiveInt
    batch: PositiveInt
    frames: PositiveInt
    size: tuple[Side, Side]
    shrink: Annotated[int, Field(ge=1, le=8)] = 1
    learning_rate: PositiveFloat | None = None
    losses: Losses | None = None

    @property
    def pixels(self) -> int:
        """Pixels of a step, as a measure of its cost."""
        return self.batch * self.frames * self.size[0] * self.size[1]


class TrainingRecipe(Entry):
    """Everything that decides what a training run yields, besides its data.

    - ``stages`` follow one another.
    - ``learning_rate`` rises over ``warmup`` steps, stays, and falls over the last ``cooldown`` steps; what comes before the
      cooldown does not depend on how long the run will be.
    - ``averaging``: of the weights that are kept, at most; it starts shorter.
    - ``grow``: clips that are finished in the meantime are taken up whenever the run goes on (the log says so); without it, the
      set is fixed, and the whole run repeats bit for bit.
    - ``start_from``: a model folder, relative to the recipe's file, whose weights training begins with (``embedded`` is the one
      that ships); without it, it begins from nothing.
    """

    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    model: ModelSizes = ModelSizes()
    seed: Annotated[int, Field(ge=0)] = 0
    learning_rate: PositiveFloat = 1e-3
    warmup: Annotated[int, Field(ge=0)] = 200
    cooldown: Annotated[int, Field(ge=0)] = 1000
    weight_decay: NotNegative = 0.01
    gradient_clip: PositiveFloat = 1.0
    averaging: Share = 0.999
    noise_levels: NoiseLevels = NoiseLevels()
    degradation: Degradation = Degradation()
    losses: Losses = Losses()
    grow: bool = False
    start_from: str | None = None

    @property
    def steps(self) -> int:
        """Optimizer steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    def stage_at(self, step: int) -> Stage:
        """The stage of a step."""
        for stage in self.stages:
            if step < stage.steps:
                return stage
            step -= stage.steps
        return self.stages[-1]

    def losses_at(self, step: int) -> Losses:
        """What a step minimizes."""
        return self.stage_at(step).losses or self.losses

    def learning_rate_at(self, step: int) -> float:
        """A linear rise, a plateau, a linear fall."""
        rise = min(1.0, (step + 1) / max(1, self.warmup))
        fall = min(1.0, max(0.02, (self.steps - step) / max(1, self.cooldown)))
        return (self.stage_at(step).learning_rate or self.learning_rate) * rise * fall
