"""High-noise steps on a coarse picture that one window sees whole: colours agree all over, and it is cheaper."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from .pixel_vae import FOLD, fold_pixels, unfold_pixels
from .windows import WindowedTransformer

NOISIEST = 1.5
"""Least ratio of noise to picture, sigma / (1 - sigma), on the coarse picture: where there is less, a finer one is taken."""
LARGEST = 2
"""Largest pixels per coarse pixel and axis: with more, thin parts are settled before they can be seen."""
CONTROL = slice(3 * FOLD**2, 6 * FOLD**2)
"""Where the control video's channels lie in the condition (between those of grey and the mask)."""


class CoarseToFine(torch.nn.Module):
    """A denoiser on folded pixels that predicts from block means while noise is high, and from windows afterwards.

    The mean over s x s pixels of ``(1 - sigma) clean + sigma noise`` is ``(1 - sigma) mean(clean) + (sigma / s) noise'`` with
    ``noise'`` white of unit variance, and it moves with the surfaces as the noise does. Divided by ``(1 - sigma) + sigma / s``
    it is a noisy picture of sigma' = (sigma / s) / ((1 - sigma) + sigma / s). What the denoiser makes of it, enlarged, is the
    prediction: at such noise there is nothing finer to be known. As the noise falls, s falls with it, from picture to detail.

    Args:
        windowed: the denoiser for pictures of any size.
        factor: largest s, pixels per coarse pixel and axis; 1 never looks at a coarse picture.
    """

    def __init__(self, windowed: WindowedTransformer, factor: int) -> None:
        super().__init__()
        self.windowed = windowed
        self.factor = factor

    @property
    def config(self) -> Any:
        """The configuration of the denoiser inside."""
        return self.windowed.config

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the denoiser inside."""
        return self.windowed.dtype

    @property
    def device(self) -> torch.device:
        """The device of the denoiser inside."""
        return self.windowed.device

    @contextmanager
    def cache_context(self, name: str) -> Iterator[None]:
        """Pipelines name their passes for caches; there are none."""
        yield

    def factor_at(self, sigma: float) -> int:
        """Pixels per pixel of the picture that a step runs on: as coarse as the noise leaves nothing finer to be known."""
        if sigma * (self.factor + 1 / NOISIEST) >= self.factor:  # sigma / (1 - sigma) >= NOISIEST * factor
            return self.factor
        return max(1, int(sigma / (1 - sigma) / NOISIEST))

    def forward(
        self,
        hidden_states: Float[Tensor, "1 z frames h w"],
        timestep: Tensor,
        encoder_hidden_states: Float[Tensor, "1 tokens d"],
        control_hidden_states: Float[Tensor, "1 c frames h w"],
        **rest: Any,
    ) -> tuple[Float[Tensor, "1 z frames h w"]]:
        """One prediction of the clean picture; arguments as the pipeline passes them."""
        sigma = float(timestep.flatten()[0]) / 1000
        s = self.factor_at(sigma)
        if s == 1:
            return self.windowed(hidden_states, timestep, encoder_hidden_states, control_hidden_states, **rest)
        size = [FOLD * n for n in hidden_states.shape[3:]]
        scale = (1 - sigma) + sigma / s
        noisy = block_mean(unfold_pixels(hidden_states), s) / scale
        control = unfold_pixels(control_hidden_states[:, CONTROL])
        small = torch.cat([block_mean(control[:, :1], s), block_max(control[:, 1:2], s), block_mean(control[:, 2:], s)], dim=1)
        height, width = noisy.shape[3:]
        folded = [fold_pixels(_padded(pixels)) for pixels in (noisy, small)]
        condition = control_hidden_states[..., :1, :1].expand(-1, -1, -1, *folded[1].shape[3:]).clone()
        condition[:, CONTROL] = folded[1]
        predicted = self.windowed(
            folded[0], 1000 * sigma / s / scale * torch.ones(1), encoder_hidden_states, condition, **rest
        )[0]
        pixels = unfold_pixels(predicted)[..., :height, :width]
        frames_first = pixels[0].transpose(0, 1)
        enlarged = functional.interpolate(frames_first, size=(height * s, width * s), mode="bicubic", align_corners=False)
        return (fold_pixels(enlarged.transpose(0, 1)[None][..., : size[0], : size[1]]),)


def coarse_factor(size: tuple[int, int], window: tuple[int, int]) -> int:
    """Pixels per coarse pixel for which one window sees the whole picture, as far as that is sensible."""
    return min(LARGEST, max(math.ceil(length / side) for length, side in zip(size, window, strict=True)))


def coarse_size(size: tuple[int, int], factor: int) -> tuple[int, int]:
    """Latent height and width of the coarse picture of a picture in pixels."""
    token = 2 * FOLD
    height, width = (math.ceil(math.ceil(length / factor) / token) * token // FOLD for length in size)
    return height, width


def block_mean(pixels: Float[Tensor, "1 c frames height width"], factor: int) -> Float[Tensor, "1 c frames h w"]:
    """Means over blocks; those that the picture does not fill are filled by repeating its last row and column."""
    return functional.avg_pool3d(_padded(pixels, factor), (1, factor, factor))


def block_max(pixels: Float[Tensor, "1 c frames height width"], factor: int) -> Float[Tensor, "1 c frames h w"]:
    """Maxima over blocks: thin edges stay white."""
    return functional.max_pool3d(_padded(pixels, factor), (1, factor, factor))


def _padded(pixels: Float[Tensor, "1 c frames height width"], multiple: int = 2 * FOLD) -> Float[Tensor, "1 c frames h w"]:
    """Repeat the last row and column up to a multiple."""
    height, width = pixels.shape[3:]
    return functional.pad(pixels, (0, -width % multiple, 0, -height % multiple, 0, 0), mode="replicate")
