"""Pixels folded into channels and back: a permutation, so that noise per pixel stays exact."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

FOLD = 4
"""Pixels per latent and axis."""


def fold_pixels(pixels: Float[Tensor, "*lead channels frames height width"]) -> Float[Tensor, "*lead folded frames h w"]:
    """Space to depth by 4: every 4x4 block becomes 16 channels; a permutation, hence orthogonal.

    Args:
        pixels: frames behind channels, as diffusers wants them; height and width are multiples of 4.

    Returns:
        ``16 * channels`` channels at a quarter of the size, ordered (channel, row in block, column in block).
    """
    *lead, channels, frames, height, width = pixels.shape
    blocks = pixels.reshape(*lead, channels, frames, height // FOLD, FOLD, width // FOLD, FOLD)
    n = len(lead)
    order = [*range(n), n, n + 3, n + 5, n + 1, n + 2, n + 4]
    return blocks.permute(order).reshape(*lead, channels * FOLD**2, frames, height // FOLD, width // FOLD)


def unfold_pixels(latents: Float[Tensor, "*lead folded frames h w"]) -> Float[Tensor, "*lead channels frames height width"]:
    """Depth to space by 4, the inverse of :func:`fold_pixels`."""
    *lead, folded, frames, h, w = latents.shape
    blocks = latents.reshape(*lead, folded // FOLD**2, FOLD, FOLD, frames, h, w)
    n = len(lead)
    order = [*range(n), n, n + 3, n + 4, n + 1, n + 5, n + 2]
    return blocks.permute(order).reshape(*lead, folded // FOLD**2, frames, h * FOLD, w * FOLD)
