# pyright: reportPrivateImportUsage=false
"""LTX pipelines that draw their noise themselves, with a way in for ours."""

from __future__ import annotations

import functools
from typing import Any


@functools.cache
def condition_pipeline() -> Any:
    """The class of diffusers, but ``latents=`` is the noise: it takes them for a clean video, and draws noise for itself."""
    import diffusers
    import torch

    class NoisyCondition(diffusers.LTXConditionPipeline):
        """Begins from the noise that it is given."""

        def prepare_latents(self, *args: Any, sigma: Any = None, latents: Any = None, **others: Any) -> Any:
            """At sigma 0, latents stay as they are where no picture takes their place."""
            return super().prepare_latents(*args, sigma=torch.zeros(1), latents=latents, **others)

    NoisyCondition.__name__ = diffusers.LTXConditionPipeline.__name__
    return NoisyCondition


@functools.cache
def in_context_pipeline() -> Any:
    """The class of diffusers, but ``latents=`` (B, C, T, h, w) is the noise: it takes them for a clean video."""
    import diffusers

    class NoisyInContext(diffusers.LTX2InContextPipeline):
        """Begins from the noise that it is given."""

        def prepare_latents(self, *args: Any, noise_scale: float = 1.0, latents: Any = None, **others: Any) -> Any:
            """Tokens of the footage come first; those of pictures and reference videos, behind them, are left alone."""
            prepared, mask, clean, *rest = super().prepare_latents(*args, noise_scale=noise_scale, latents=None, **others)
            tokens = self._pack_latents(
                latents.to(prepared), self.transformer_spatial_patch_size, self.transformer_temporal_patch_size
            )
            count = tokens.shape[1]
            share = (1.0 - mask[:, :count]) * noise_scale
            prepared[:, :count] = tokens * share + clean[:, :count] * (1 - share)
            return prepared, mask, clean, *rest

    NoisyInContext.__name__ = diffusers.LTX2InContextPipeline.__name__
    return NoisyInContext
