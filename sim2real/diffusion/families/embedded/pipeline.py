# pyright: reportPrivateImportUsage=false
"""The embedded denoiser in diffusers' unchanged Wan-VACE pipeline, where the transformer sits."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import UniPCMultistepScheduler, WanVACEPipeline
from jaxtyping import Float

from ...folding import fold_pixels
from ...pixel_vae import PixelVAE
from .conditions import PICTURE
from .denoiser import State


def painted(
    pipeline: Any,
    noise: Float[torch.Tensor, "n 3 height width"],
    conditions: Float[torch.Tensor, "n c height width"],
    states: dict[float, State],
    steps: int,
    *,
    quick: bool = False,
) -> Float[torch.Tensor, "n 3 height width"]:
    """Pictures of some frames in [0, 1]; ``states`` go on from the frames before, one for every noise level.

    ``quick`` lets the network see pictures of half the size.
    """
    with quiet_diffusers():
        return pipeline(
            video=(conditions[None, :, PICTURE] + 1) / 2,
            height=noise.shape[2],
            width=noise.shape[3],
            num_frames=len(noise),
            num_inference_steps=steps,
            guidance_scale=1.0,
            latents=fold_pixels(noise.transpose(0, 1)[None]),
            prompt_embeds=torch.zeros(1, 1, 1),
            attention_kwargs={"conditions": conditions[None], "states": states, "quick": quick},
            output_type="pt",
        ).frames[0]


def pipeline_of(denoiser: torch.nn.Module) -> WanVACEPipeline:
    """Diffusers' unchanged pipeline around a denoiser for folded pixels, with UniPC on flow-matching sigmas (shift 3)."""
    scheduler = UniPCMultistepScheduler(prediction_type="sample", use_flow_sigmas=True, flow_shift=3.0)
    parts: dict[str, Any] = {"vae": PixelVAE(), "scheduler": scheduler, "transformer": denoiser}
    with quiet_diffusers():
        pipeline = WanVACEPipeline(tokenizer=None, text_encoder=None, **parts)  # pyright: ignore[reportArgumentType]
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@contextmanager
def quiet_diffusers() -> Iterator[None]:
    """Silence two of diffusers' remarks that do not apply: an unknown VAE class, and frame counts of temporal factor 1."""
    names = ("diffusers.pipelines.wan.pipeline_wan_vace", "diffusers.pipelines.pipeline_utils")
    loggers = [logging.getLogger(name) for name in names]

    def applies(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return not ("has to be divisible by 1." in message or "Expected types for" in message)

    for logger in loggers:
        logger.addFilter(applies)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(applies)
