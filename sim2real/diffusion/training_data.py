"""What the trainer sees: clips, crops of them, and noise that moves with them, all keyed by the number of the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from scipy.spatial.transform import Rotation
from torch import Tensor

from ..errors import BadValueError, MissingFileError, UnreadableFileError
from .control import control_video
from .embedded import vace_condition
from .palette import palette_of
from .pixel_vae import PixelVAE, fold_pixels


@dataclass(frozen=True)
class Crop:
    """A part of a clip: frames, rows and columns."""

    frames: slice
    rows: slice
    columns: slice


@runtime_checkable
class NoiseProvider(Protocol):
    """Fresh noise that moves with a clip's surfaces; the diffusion side never sees the geometry behind it."""

    def noise(
        self, clip: int, draw: int, frames: slice, rows: slice, columns: slice
    ) -> Float32[np.ndarray, "frames 3 height width"]:
        """Unit-variance noise at pixel resolution: the same ``draw`` is the same noise, another one is a fresh one."""
        ...


@dataclass(frozen=True, eq=False)
class TrainingClip:
    """One clip as the trainer holds it: the real side, the control video in 8 bits, the look."""

    rgb: UInt8[np.ndarray, "frames 3 height width"]
    control: UInt8[np.ndarray, "frames 3 height width"]
    palette: Float32[np.ndarray, "colours 4"]


def read_training_clip(path: Path) -> TrainingClip:
    """Read ``rgb`` (F, H, W, 3), ``depth`` (F, H, W; metres), ``edges`` (F, H, W) and ``K`` (3, 3 or F, 3, 3) of an npz.

    Raises:
        MissingFileError: no such file.
        UnreadableFileError: it lacks an array, or the arrays do not belong together.
    """
    if not path.is_file():
        raise MissingFileError(path, what="training clip", mend="make the clips first")
    mend = "make the clips again"
    try:
        with np.load(path) as arrays:
            rgb, depth, edges, intrinsics = (arrays[name] for name in ("rgb", "depth", "edges", "K"))
    except (KeyError, ValueError, OSError) as fault:
        raise UnreadableFileError(path, what="training clip", why=str(fault), mend=mend) from fault
    if rgb.shape[:3] != depth.shape or edges.shape != depth.shape or rgb.dtype != np.uint8:
        why = f"rgb {rgb.shape} {rgb.dtype}, depth {depth.shape} and edges {edges.shape} do not belong together"
        raise UnreadableFileError(path, what="training clip", why=why, mend=mend)
    control = control_video(depth.astype(np.float32), edges, intrinsics.astype(np.float64))
    return TrainingClip(
        rgb=np.ascontiguousarray(rgb.transpose(0, 3, 1, 2)),
        control=np.round(control * 255).astype(np.uint8),
        palette=palette_of(rgb),
    )


@dataclass(frozen=True)
class Stage:
    """A stretch of training at one crop size.

    - ``steps`` optimizer steps of ``batch`` samples; ``frames`` and ``size`` (pixels, a multiple of 8) of a crop.
    """

    steps: int
    batch: int
    frames: int
    size: int


@dataclass(frozen=True)
class Sigmas:
    """Which noise levels are trained: the logit of sigma is normal, and some samples are nothing but noise.

    - ``shift``: the median of sigma / (1 - sigma); larger trains more at high noise, where few-step sampling spends its steps.
    - ``spread``: standard deviation of the logit.
    - ``pure``: share of samples with sigma 1, where sampling begins.
    """

    shift: float = 5.0
    spread: float = 1.2
    pure: float = 0.1

    def draw(self, rng: np.random.Generator) -> float:
        """One sigma."""
        level = 1 / (1 + np.exp(-(np.log(self.shift) + self.spread * rng.standard_normal())))
        return 1.0 if rng.random() < self.pure else float(level)


@dataclass(frozen=True)
class Degradation:
    """How far training noise departs from the warp: beta is drawn evenly from this range for every sample.

    ``noise = beta * warped + sqrt(1 - beta^2) * fresh``: EquiVDM trains at 0.9; a range lets the user choose afterwards.
    """

    low: float = 0.7
    high: float = 1.0


@dataclass(frozen=True)
class Recolouring:
    """How a sample's colours are changed, its palette with them, so that a scene does not give its colours away.

    A model that knows its few hundred training scenes by heart paints them from memory; in a scene that it has not seen it then
    paints one surface in several colours. Recoloured, it has to rely on palette, noise and borders.

    - ``share`` of the samples are recoloured.
    - ``hue_deg``: standard deviation of a rotation about the grey axis, degrees.
    - ``gain``: standard deviation of the logarithm of a factor per channel.
    """

    share: float = 0.0
    hue_deg: float = 40.0
    gain: float = 0.12

    def draw(self, rng: np.random.Generator) -> Float32[np.ndarray, "3 3"] | None:
        """A matrix for RGB columns, or None to leave the colours."""
        angle, gains, chosen = self.hue_deg * rng.standard_normal(), rng.standard_normal(3), rng.random() < self.share
        if not chosen:
            return None
        about_grey = Rotation.from_rotvec(np.radians(angle) / np.sqrt(3) * np.ones(3)).as_matrix()
        return (np.exp(self.gain * gains)[:, None] * about_grey).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Batch:
    """What one training step sees; ``sigma`` is the share of noise in ``noisy = (1 - sigma) clean + sigma noise``."""

    clean: Float[Tensor, "batch z frames h w"]
    noise: Float[Tensor, "batch z frames h w"]
    condition: Float[Tensor, "batch c frames h w"]
    palette: Float[Tensor, "batch colours 4"]
    sigma: Float[Tensor, " batch"]


class Sampler:
    """Draws training samples; sample ``n`` of a seed is always the same, whatever the batches around it.

    Args:
        clips: the training clips.
        provider: noise for them, by their position in ``clips``.
        seed: of the run.
        sigmas: which noise levels to train.
        degradation: of the noise.
        palette_dropout: share of samples that see no palette.
        recolouring: of pictures and palettes.
    """

    def __init__(
        self,
        clips: Sequence[TrainingClip],
        provider: NoiseProvider,
        *,
        seed: int,
        sigmas: Sigmas | None = None,
        degradation: Degradation | None = None,
        palette_dropout: float = 0.1,
        recolouring: Recolouring | None = None,
    ) -> None:
        if not clips:
            raise BadValueError("the number of training clips", 0, right="at least 1")
        self.clips = clips
        self.provider = provider
        self.seed = seed
        self.sigmas = sigmas or Sigmas()
        self.degradation = degradation or Degradation()
        self.palette_dropout = palette_dropout
        self.recolouring = recolouring or Recolouring()
        self.vae = PixelVAE()

    def batch(self, first: int, stage: Stage) -> Batch:
        """Samples ``first`` to ``first + stage.batch``."""
        samples = [self._sample(first + i, stage) for i in range(stage.batch)]
        rgb, control, noise, palette, sigma = (torch.stack(column) for column in zip(*samples, strict=True))
        return Batch(
            clean=self.vae.normalised(rgb / 127.5 - 1),
            noise=fold_pixels(noise),
            condition=vace_condition(self.vae, control / 255),
            palette=palette,
            sigma=sigma,
        )

    def _sample(self, number: int, stage: Stage) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Picture, control and noise (3, frames, height, width), palette and sigma of one sample."""
        rng = np.random.default_rng([self.seed, number])
        index = self._clip_of(number)
        clip = self.clips[index]
        crop = random_crop(rng, clip.rgb.shape, stage)
        warped = self.provider.noise(index, number, crop.frames, crop.rows, crop.columns)
        beta = rng.uniform(self.degradation.low, self.degradation.high)
        fresh = rng.standard_normal(warped.shape, np.float32)
        noise = np.float32(beta) * warped + np.float32(np.sqrt(1 - beta * beta)) * fresh
        place = (crop.frames, slice(None), crop.rows, crop.columns)
        arrays = [clip.rgb[place], clip.control[place], noise]
        if rng.random() < 0.5:
            arrays = [a[..., ::-1] for a in arrays]
        if rng.random() < 0.5:
            arrays = [a[::-1] for a in arrays]
        palette = clip.palette * np.float32(rng.random() >= self.palette_dropout)
        sigma = self.sigmas.draw(rng)
        colours = self.recolouring.draw(rng)
        if colours is not None:
            arrays[0] = np.einsum("dc,fchw->fdhw", colours, arrays[0], optimize=True).clip(0, 255)
            if palette.any():
                seen = ((palette[:, :3] + 1) / 2 @ colours.T).clip(0, 1)
                palette = np.concatenate([2 * seen - 1, palette[:, 3:]], axis=1)
        rgb, control, noise = (torch.from_numpy(np.array(a.swapaxes(0, 1), np.float32, order="C")) for a in arrays)
        return rgb, control, noise, torch.from_numpy(palette), torch.tensor(sigma, dtype=torch.float32)

    def _clip_of(self, number: int) -> int:
        """Every clip once per epoch, in an order of the epoch's own."""
        epoch, position = divmod(number, len(self.clips))
        return int(np.random.default_rng([self.seed, epoch, 0xE90C]).permutation(len(self.clips))[position])


def random_crop(rng: np.random.Generator, shape: tuple[int, ...], stage: Stage) -> Crop:
    """A crop of a stage's size anywhere in a clip of ``shape`` (frames, channels, height, width).

    Raises:
        BadValueError: the clip is smaller than the crop.
    """
    frames, _, height, width = shape
    if frames < stage.frames or min(height, width) < stage.size:
        raise BadValueError(
            "the crop (frames, size)",
            f"{stage.frames}, {stage.size}",
            right=f"at most {frames}, {min(height, width)}, which the training clips have",
        )
    t, y, x = (int(rng.integers(n - m + 1)) for n, m in ((frames, stage.frames), (height, stage.size), (width, stage.size)))
    return Crop(slice(t, t + stage.frames), slice(y, y + stage.size), slice(x, x + stage.size))
