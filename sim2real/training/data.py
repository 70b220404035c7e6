"""What the trainer sees: crops of clips with conditions, noise and its level, all keyed by the number of the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from ..diffusion.families.embedded.conditions import CHANNEL_NAMES, Surface, picture_conditions
from ..diffusion.families.embedded.denoiser import SCALE
from ..errors import BadValueError
from .packed import PackedClip
from .recipe import Stage, TrainingRecipe

_NORMAL_X = CHANNEL_NAMES.index("normal x")


@runtime_checkable
class NoiseProvider(Protocol):
    """Fresh noise that moves with a clip's surfaces; the trainer never sees the geometry behind it."""

    def noise(
        self, clip: int, draw: int, frames: slice, rows: slice, columns: slice
    ) -> Float32[np.ndarray, "frames 3 height width"]:
        """Unit-variance noise at pixel resolution: the same ``draw`` is the same noise, another one is a fresh one."""
        ...


@dataclass(frozen=True, eq=False)
class Sample:
    """One clean crop, what is known of it, and one draw of noise for it, or two where draws are compared with each other."""

    clean: Float32[np.ndarray, "frames 3 height width"]
    conditions: Float32[np.ndarray, "frames c height width"]
    noise: Float32[np.ndarray, "draws frames 3 height width"]
    sigma: float
    number: int


@dataclass(frozen=True, eq=False)
class Batch:
    """What one training step sees: samples, and draws of noise that belong to them.

    - ``of``: the sample that each draw belongs to; those of one sample follow each other.
    - ``sigma``: per sample, the share of noise in ``noisy = (1 - sigma) clean + sigma noise``.
    """

    clean: Float[Tensor, "samples frames 3 height width"]
    conditions: Float[Tensor, "samples frames c height width"]
    sigma: Float[Tensor, " samples"]
    noise: Float[Tensor, "draws frames 3 height width"]
    of: Int64[Tensor, " draws"]
    numbers: tuple[int, ...]

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        moved = [getattr(self, name).to(device) for name in ("clean", "conditions", "sigma", "noise", "of")]
        return Batch(moved[0], moved[1], moved[2], moved[3], moved[4], self.numbers)


class Sampler:
    """Draws training samples; sample ``n`` of a recipe is always the same, whatever the batches around it.

    Args:
        clips: from ``packed_clip``.
        provider: noise for them, by their position in ``clips``.
        recipe: its seed, noise levels, degradation and uses count.
    """

    def __init__(self, clips: Sequence[PackedClip], provider: NoiseProvider, recipe: TrainingRecipe) -> None:
        if not clips:
            raise BadValueError("the number of training clips", 0, right="at least 1")
        self.clips = clips
        self.provider = provider
        self.recipe = recipe

    def batch(self, first: int, stage: Stage) -> Batch:
        """Samples ``first`` to ``first + stage.batch``."""
        samples = [self.sample(first + i, stage) for i in range(stage.batch)]
        return Batch(
            clean=torch.from_numpy(np.stack([sample.clean for sample in samples])),
            conditions=torch.from_numpy(np.stack([sample.conditions for sample in samples])),
            sigma=torch.tensor([sample.sigma for sample in samples]),
            noise=torch.from_numpy(np.concatenate([sample.noise for sample in samples])),
            of=torch.tensor([i for i, sample in enumerate(samples) for _ in sample.noise]),
            numbers=tuple(sample.number for sample in samples),
        )

    def sample(self, number: int, stage: Stage) -> Sample:
        """One sample, cropped and flipped at random."""
        rng = np.random.default_rng([self.recipe.seed, number])
        index = self._clip_of(number)
        clip = self.clips[index]
        place = random_crop(rng, clip.shape, stage)
        pixels = clip.pixels(place)
        kept = self._kept(rng, pixels["instance"])
        nameless = rng.random() < self.recipe.uses.nameless
        intrinsics = clip.intrinsics[place[0]].copy()
        intrinsics[:, :2, 2] -= (place[2].start, place[1].start)
        conditions = conditions_of(pixels, intrinsics, kept, kinds_known=not nameless)
        sigma = self._sigma(rng)
        losses = stage.losses or self.recipe.losses
        compared = sigma == 1 and kept is not None and losses.energy > 0
        noise = self._noise(rng, index, number, place, draws=2 if compared else 1)
        clean = np.moveaxis(pixels["target"], -1, 1) * np.float32(SCALE / 127.5) - np.float32(SCALE)
        mirrored, backwards = rng.random(2) < 0.5
        if mirrored:
            clean, conditions, noise = clean[..., ::-1], conditions[..., ::-1].copy(), noise[..., ::-1]
            conditions[:, _NORMAL_X] *= -1
        if backwards:
            clean, conditions, noise = clean[::-1], conditions[::-1], noise[:, ::-1]
        whole = [np.ascontiguousarray(array) for array in (clean, conditions, noise)]
        return Sample(whole[0], whole[1], whole[2], sigma, number)

    def _kept(self, rng: np.random.Generator, instance: np.ndarray) -> Bool[np.ndarray, "frames height width"] | None:
        """Where surfaces are kept; None is everywhere."""
        use, chosen = rng.random(), rng.random(256) < 0.5
        if use < self.recipe.uses.keep:
            return None
        if use < self.recipe.uses.keep + self.recipe.uses.restyle:
            return np.zeros(instance.shape, np.bool_)
        return chosen[instance]

    def _sigma(self, rng: np.random.Generator) -> float:
        """A noise level."""
        levels = self.recipe.noise_levels
        pure, normal = rng.random() < levels.pure, rng.standard_normal()
        return 1.0 if pure else float(1 / (1 + np.exp(-(np.log(levels.shift) + levels.spread * normal))))

    def _noise(
        self, rng: np.random.Generator, index: int, number: int, place: tuple[slice, slice, slice], draws: int
    ) -> Float32[np.ndarray, "draws frames 3 height width"]:
        """Independent draws of a clip's noise, degraded by the same beta."""
        degradation = self.recipe.degradation
        beta = rng.uniform(degradation.low, degradation.high) * (rng.random() >= degradation.independent)
        warped = np.stack([self.provider.noise(index, 2 * number + k, *place) for k in range(draws)])
        fresh = rng.standard_normal(warped.shape, np.float32)
        return np.float32(beta) * warped + np.float32(np.sqrt(1 - beta * beta)) * fresh

    def _clip_of(self, number: int) -> int:
        """Every clip once per epoch, in an order of the epoch's own."""
        epoch, position = divmod(number, len(self.clips))
        return int(np.random.default_rng([self.recipe.seed, epoch, 0xE90C]).permutation(len(self.clips))[position])


def conditions_of(
    pixels: Any,
    intrinsics: Float[np.ndarray, "frames 3 3"],
    kept: Bool[np.ndarray, "frames height width"] | None,
    *,
    kinds_known: bool = True,
) -> Float32[np.ndarray, "frames c height width"]:
    """Conditions of packed pixels, whose surfaces are kept or shown in their mean colors.

    Args:
        pixels: of ``packed.PIXEL`` (frames, height, width).
        intrinsics: pixels.
        kept: where surfaces are kept; None keeps all.
        kinds_known: whether replaced surfaces say what they are made of.
    """
    surface = None
    if kept is not None:
        kinds = pixels["kinds"] * np.uint8(kinds_known)
        surface = Surface(pixels["base_color"], pixels["roughness"], pixels["metallic"], kinds)
    names = ("rgb", "albedo", "material", "normals", "edges")
    known = {name: pixels[name] for name in names}
    return picture_conditions(**known, depth=pixels["depth"].astype(np.float32), K=intrinsics, surface=surface, kept=kept)


def random_crop(rng: np.random.Generator, shape: tuple[int, ...], stage: Stage) -> tuple[slice, slice, slice]:
    """Frames, rows and columns of a crop of a stage's size anywhere in a clip of ``shape`` (frames, height, width).

    Raises:
        BadValueError: the clip is smaller than the crop.
    """
    wanted = (stage.frames, *stage.size)
    if any(n < m for n, m in zip(shape, wanted, strict=True)):
        raise BadValueError("the crop (frames, height, width)", wanted, right=f"at most {shape}, which the training clips have")
    starts = [int(rng.integers(n - m + 1)) for n, m in zip(shape, wanted, strict=True)]
    t, y, x = (slice(start, start + m) for start, m in zip(starts, wanted, strict=True))
    return t, y, x
