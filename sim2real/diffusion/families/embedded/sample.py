# pyright: reportPrivateImportUsage=false
"""Footage from the embedded model: frames in order, a few at a time, through diffusers' unchanged pipeline."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from diffusers import UniPCMultistepScheduler, WanVACEPipeline
from jaxtyping import Float32, UInt8

from ....errors import BadValueError
from ...pixel_vae import FOLD, PixelVAE, fold_pixels
from .conditions import PICTURE
from .denoiser import PictureDenoiser, State, reflected
from .folder import Info
from .precision import autocast_for

Frame = UInt8[np.ndarray, "height width 3"]
Stretch = Float32[np.ndarray, "n channels height width"]
"""Something of some frames: noise, or conditions."""


def sample(
    model: PictureDenoiser,
    info: Info,
    noise_of: Callable[[slice], Stretch],
    conditions_of: Callable[[slice, Stretch], Stretch],
    frames: int,
    *,
    steps: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    chunk: int = 2,
) -> Iterator[Frame]:
    """Denoise a clip of any length and size, frame by frame: memory does not grow, and no frame waits for a later one.

    Args:
        model: from ``load_model``.
        info: of the same model.
        noise_of: unit variance at pixel resolution (n, 3, height, width), for a slice of frames: all the randomness there is.
        conditions_of: from ``picture_conditions``, for a slice of frames and their noise.
        frames: of the clip.
        steps: denoising steps; None is the model's own number.
        progress: called with (frames done, frames).
        chunk: frames that are asked for at once; the pictures do not depend on it.

    Yields:
        The frames, in order.

    Raises:
        BadValueError: there are no steps to do, or noise and conditions differ in size.
    """
    steps = info.steps if steps is None else steps
    if steps < 1:
        raise BadValueError("the number of steps", steps, right="at least 1")
    pipeline: Any = pipeline_of(model)
    states: dict[float, State] = {}
    for first in range(0, frames, chunk):
        stretch = slice(first, min(first + chunk, frames))
        drawn = np.array(noise_of(stretch), np.float32)
        noise, conditions = torch.from_numpy(drawn), torch.from_numpy(np.array(conditions_of(stretch, drawn), np.float32))
        if (len(noise), *noise.shape[2:]) != (len(conditions), *conditions.shape[2:]):
            raise BadValueError(
                "the shape of the noise", tuple(noise.shape), right=f"that of conditions, {tuple(conditions.shape)}"
            )
        yield from _stretch(pipeline, noise, conditions, states, steps)
        if progress is not None:
            progress(stretch.stop, frames)


def _stretch(
    pipeline: Any,
    noise: torch.Tensor,
    conditions: torch.Tensor,
    states: dict[float, State],
    steps: int,
) -> list[Frame]:
    """Pictures of some frames; ``states`` go on from the frames before, one for every noise level."""
    height, width = noise.shape[2:]
    device = pipeline.transformer.device
    noise, conditions = (reflected(tensor, FOLD).to(device) for tensor in (noise, conditions))
    with quiet_diffusers(), torch.inference_mode(), autocast_for(device):
        video = pipeline(
            video=(conditions[None, :, PICTURE] + 1) / 2,
            height=noise.shape[2],
            width=noise.shape[3],
            num_frames=len(noise),
            num_inference_steps=steps,
            guidance_scale=1.0,
            latents=fold_pixels(noise.transpose(0, 1)[None]),
            prompt_embeds=torch.zeros(1, 1, 1),
            attention_kwargs={"conditions": conditions[None], "states": states},
            output_type="pt",
        ).frames[0]
    pixels = (video[:, :, :height, :width].permute(0, 2, 3, 1) * 255).round().clamp(0, 255).to(torch.uint8).cpu()
    return list(pixels.numpy())


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
