# pyright: reportPrivateImportUsage=false
"""Cosmos 3's pipeline, which forgets a first frame beside noise that it is given."""

from __future__ import annotations

import functools
from typing import Any


@functools.cache
def omni_pipeline() -> Any:
    """The class of diffusers; it tells the transformer that latent 0 is a picture, and would leave the noise there."""
    import diffusers

    class NoisyOmni(diffusers.Cosmos3OmniPipeline):
        """Begins from the noise that it is given, but where a picture is."""

        def prepare_latents(self, *args: Any, latents: Any = None, **others: Any) -> Any:
            """What the pipeline prepares by itself, with its noise replaced; ``latents`` (1, channels, latents, h, w)."""
            prepared: Any = super().prepare_latents(*args, latents=None, **others)
            pictures = prepared[5]  # (latents, 1, 1): 1 where a picture is
            mixed = pictures * prepared[0] + (1.0 - pictures) * latents.to(prepared[0])
            return mixed, *prepared[1:]

    NoisyOmni.__name__ = diffusers.Cosmos3OmniPipeline.__name__
    return NoisyOmni
