"""An orthogonal stand-in for a video VAE: pixels are folded into channels, so that noise per pixel stays exact."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from jaxtyping import Float
from torch import Tensor

from .folding import fold_pixels, unfold_pixels


class PixelVAE(ModelMixin, ConfigMixin):
    """Fits where diffusers' video pipelines expect an ``AutoencoderKLWan``; it has no weights and loses nothing.

    Pipelines read the spatial factor from the length of ``temperal_downsample`` (spelt so in diffusers) and the temporal
    factor from its sum: two entries, both false, are 4 pixels and 1 frame per latent. ``latents_mean`` and ``latents_std``
    bring natural pictures in [-1, 1] to about unit scale; a power of two keeps the round trip exact.
    """

    @register_to_config
    def __init__(
        self, z_dim: int = 48, latents_mean: list[float] | None = None, latents_std: list[float] | None = None
    ) -> None:
        super().__init__()
        self.register_to_config(latents_mean=latents_mean or [0.0] * z_dim, latents_std=latents_std or [0.5] * z_dim)
        self.temperal_downsample = [False, False]
        self.register_buffer("anchor", torch.zeros(()), persistent=False)

    def encode(self, pixels: Float[Tensor, "batch 3 frames height width"], return_dict: bool = True) -> SimpleNamespace:
        """Latents of pictures in [-1, 1], as a distribution that is a point."""
        latents = fold_pixels(pixels)
        point = SimpleNamespace(mode=lambda: latents, sample=lambda generator=None: latents, mean=latents)
        return SimpleNamespace(latent_dist=point)

    def decode(
        self, latents: Float[Tensor, "batch folded frames h w"], return_dict: bool = True
    ) -> SimpleNamespace | tuple[Tensor]:
        """Pictures in [-1, 1] of latents."""
        pixels = unfold_pixels(latents)
        return SimpleNamespace(sample=pixels) if return_dict else (pixels,)

    def normalized(self, pixels: Float[Tensor, "batch 3 frames height width"]) -> Float[Tensor, "batch folded frames h w"]:
        """Latents of pictures in [-1, 1] at unit scale: what the denoiser sees."""
        shape = (1, -1, 1, 1, 1)
        mean = torch.tensor(self.config["latents_mean"], device=pixels.device).view(shape)
        std = torch.tensor(self.config["latents_std"], device=pixels.device).view(shape)
        return (fold_pixels(pixels) - mean) / std
