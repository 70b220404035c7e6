"""What the trainer sees: crops of clips with conditions, noise and its level, all keyed by the number of the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor

from ..diffusion.families.embedded.conditions import CHANNEL_NAMES, SHARES, KnownPictures, picture_conditions
from ..diffusion.families.embedded.denoiser import SCALE
from ..errors import BadValueError
from .packed import PackedClip
from .recipe import Stage, TrainingRecipe

_NORMAL_X = CHANNEL_NAMES.index("normal x")
_LEFT, _RIGHT = SHARES.start + 2, SHARES.start + 3


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
    """One clean crop, what is known of it, and noise for it."""

    clean: Float32[np.ndarray, "frames 3 height width"]
    conditions: Float32[np.ndarray, "frames c height width"]
    noise: Float32[np.ndarray, "frames 3 height width"]
    sigma: float
    number: int
    own: bool


@dataclass(frozen=True, eq=False)
class Batch:
    """What one training step sees.

    - ``sigma``: per sample, the share of noise in ``noisy = (1 - sigma) clean + sigma noise``.
    - ``own``: per sample, whether in place of ``clean`` there stands what the model itself makes of the noise in one step.
    """

    clean: Float[Tensor, "samples frames 3 height width"]
    conditions: Float[Tensor, "samples frames c height width"]
    sigma: Float[Tensor, " samples"]
    noise: Float[Tensor, "samples frames 3 height width"]
    own: Bool[Tensor, " samples"]
    numbers: tuple[int, ...]

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        moved = [getattr(self, name).to(device) for name in ("clean", "conditions", "sigma", "noise", "own")]
        return Batch(moved[0], moved[1], moved[2], moved[3], moved[4], self.numbers)


class Sampler:
    """Draws training samples; sample ``n`` of a recipe is always the same, whatever the batches around it.

    Args:
        clips: from ``packed_clip``.
        provider: noise for them, by their position in ``clips``.
        recipe: its seed, noise levels and degradation count.
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
            noise=torch.from_numpy(np.stack([sample.noise for sample in samples])),
            own=torch.tensor([sample.own for sample in samples]),
            numbers=tuple(sample.number for sample in samples),
        )

    def sample(self, number: int, stage: Stage) -> Sample:
        """One sample, cropped and flipped at random."""
        rng = np.random.default_rng([self.recipe.seed, number])
        index = self._clip_of(number, stage)
        clip = self.clips[index]
        place = random_crop(rng, clip.shape, stage)
        pixels = clip.pixels(place)
        intrinsics = clip.intrinsics[place[0]].copy()
        intrinsics[:, :2, 2] -= (place[2].start, place[1].start)
        conditions = conditions_of(pixels, intrinsics)
        sigma = self._sigma(rng)
        noise = self._noise(rng, index, number, place)
        clean = np.moveaxis(pixels["target"], -1, 1) * np.float32(SCALE / 127.5) - np.float32(SCALE)
        mirrored, backwards = rng.random(2) < 0.5
        if mirrored:
            clean, conditions, noise = clean[..., ::-1], conditions[..., ::-1].copy(), noise[..., ::-1]
            conditions[:, _NORMAL_X] *= -1
            conditions[:, [_LEFT, _RIGHT]] = conditions[:, [_RIGHT, _LEFT]]
        if backwards:
            clean, conditions, noise = clean[::-1], conditions[::-1], noise[::-1]
        if stage.shrink > 1:
            clean, conditions, noise = (shrunk(array, stage.shrink) for array in (clean, conditions, noise))
            conditions[:, SHARES] = 0  # a block of pixels is mixed already
            noise = noise * np.float32(stage.shrink)  # a mean of n^2 independent values has 1 / n of their deviation
        whole = [np.ascontiguousarray(array) for array in (clean, conditions, noise)]
        own = sigma < 1 and rng.random() < self.recipe.noise_levels.own
        return Sample(whole[0], whole[1], whole[2], sigma, number, own)

    def _sigma(self, rng: np.random.Generator) -> float:
        """A noise level."""
        levels = self.recipe.noise_levels
        pure, normal = rng.random() < levels.pure, rng.standard_normal()
        return 1.0 if pure else float(1 / (1 + np.exp(-(np.log(levels.shift) + levels.spread * normal))))

    def _noise(
        self, rng: np.random.Generator, index: int, number: int, place: tuple[slice, slice, slice]
    ) -> Float32[np.ndarray, "frames 3 height width"]:
        """A draw of a clip's noise, degraded."""
        degradation = self.recipe.degradation
        beta = rng.uniform(degradation.low, degradation.high) * (rng.random() >= degradation.independent)
        warped = self.provider.noise(index, number, *place)
        fresh = rng.standard_normal(warped.shape, np.float32)
        return np.float32(beta) * warped + np.float32(np.sqrt(1 - beta * beta)) * fresh

    def _clip_of(self, number: int, stage: Stage) -> int:
        """Every clip that is long enough once per epoch, in an order of the epoch's own."""
        able = [index for index, clip in enumerate(self.clips) if clip.shape[0] >= stage.frames]
        if not able:
            longest = max(clip.shape[0] for clip in self.clips)
            right = f"at most {longest}, which the training clips have"
            raise BadValueError("the frames of a stage", stage.frames, right=right)
        epoch, position = divmod(number, len(able))
        return able[np.random.default_rng([self.recipe.seed, epoch, 0xE90C]).permutation(len(able))[position]]


def conditions_of(pixels: Any, intrinsics: Float[np.ndarray, "frames 3 3"]) -> Float32[np.ndarray, "frames c height width"]:
    """Conditions of packed pixels.

    Args:
        pixels: of ``packed.PIXEL`` (frames, height, width).
        intrinsics: pixels.
    """
    known = {
        name: pixels[name]
        for name in ("rgb", "albedo", "material", "normals", "edges", "hidden", "light", "reflection", "coverage")
    }
    return picture_conditions(KnownPictures(**known, depth=pixels["depth"].astype(np.float32), K=intrinsics))


def shrunk(pictures: Float32[np.ndarray, "frames c height width"], by: int) -> Float32[np.ndarray, "frames c h w"]:
    """Means over blocks of ``by`` x ``by`` pixels."""
    frames, channels, height, width = pictures.shape
    return pictures.reshape(frames, channels, height // by, by, width // by, by).mean(axis=(3, 5))


def random_crop(rng: np.random.Generator, shape: tuple[int, ...], stage: Stage) -> tuple[slice, slice, slice]:
    """Frames, rows and columns of a crop of a stage's size anywhere in a clip of ``shape`` (frames, height, width).

    Raises:
        BadValueError: the clip is smaller than the crop.
    """
    wanted = (stage.frames, stage.shrink * stage.size[0], stage.shrink * stage.size[1])
    if any(n < m for n, m in zip(shape, wanted, strict=True)):
        raise BadValueError("the crop (frames, height, width)", wanted, right=f"at most {shape}, which the training clips have")
    starts = [int(rng.integers(n - m + 1)) for n, m in zip(shape, wanted, strict=True)]
    t, y, x = (slice(start, start + m) for start, m in zip(starts, wanted, strict=True))
    return t, y, x
