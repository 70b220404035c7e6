# pyright: reportPrivateImportUsage=false
"""Footage from the embedded model: one call of diffusers' pipeline over the whole clip, windows inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from diffusers import WanVACETransformer3DModel
from jaxtyping import Float, Float32, UInt8

from ..errors import BadValueError
from .coarse import CoarseToFine, coarse_factor, coarse_size
from .embedded import EmbeddedInfo, pipeline_of, quiet_diffusers
from .families import FAMILIES
from .pixel_vae import FOLD, fold_pixels
from .schedulers import require_deterministic
from .windows import WindowedTransformer

OVERLAP = (2, 16, 16)
"""Least overlap of windows: frames, and pixels along both axes."""
CONTROL_SCALE = 1.4
"""How strongly depth and edges steer, relative to training: gradients agree better with the truth's than at 1, for 0.3 dB."""
PATCH = 2 * FOLD
"""Pixels per token and axis; pictures are padded to multiples."""


def sample_embedded(
    transformer: WanVACETransformer3DModel,
    info: EmbeddedInfo,
    noise: Float[np.ndarray, "noise_frames 3 noise_height noise_width"],
    control: Float32[np.ndarray, "frames 3 height width"],
    palette: Float32[np.ndarray, "colours 4"],
    *,
    steps: int | None = None,
    overlap: tuple[int, int, int] = OVERLAP,
    progress: Callable[[int, int], None] | None = None,
) -> UInt8[np.ndarray, "frames height width 3"]:
    """Denoise a clip of any length and size; the same input gives the same pictures.

    Args:
        transformer: of an embedded-type model.
        info: of the same model.
        noise: unit variance at pixel resolution: all the randomness there is.
        control: from :func:`sim2real.diffusion.control.control_video`.
        palette: the look.
        steps: denoising steps; None is the model's own number.
        overlap: least overlap of neighbouring windows, frames and pixels.
        progress: called with (windows done, windows in all steps).

    Raises:
        BadValueError: noise and control differ in shape, or there are no steps to do.
    """
    if noise.shape != control.shape:
        raise BadValueError("the shape of the noise", noise.shape, right=f"that of the control video, {control.shape}")
    steps = info.steps if steps is None else steps
    if steps < 1:
        raise BadValueError("the number of steps", steps, right="at least 1")
    frames, _, height, width = noise.shape
    margin = [(0, 0), (0, 0), (0, -height % PATCH), (0, -width % PATCH)]
    latents = fold_pixels(_video(_with_margin(noise)))
    video = torch.from_numpy(np.pad(control, margin, mode="edge"))[None]

    windowed = WindowedTransformer(
        transformer,
        (info.window[0], info.window[1] // FOLD, info.window[2] // FOLD),
        (overlap[0], overlap[1] // FOLD, overlap[2] // FOLD),
    )
    denoiser = CoarseToFine(windowed, coarse_factor((video.shape[3], video.shape[4]), (info.window[1], info.window[2])))
    pipeline: Any = pipeline_of(denoiser)
    require_deterministic(pipeline.scheduler, FAMILIES["embedded"])
    pipeline.scheduler.set_timesteps(steps)
    plan = [(0, 1) if index == steps - 1 else (index % 2,) for index in range(steps)]
    factors = [denoiser.factor_at(float(time) / 1000) for time in pipeline.scheduler.timesteps]
    sizes = [coarse_size((video.shape[3], video.shape[4]), factor) for factor in factors]
    counts = [windowed.count(frames, *size, phases) for size, phases in zip(sizes, plan, strict=True)]
    windowed.phases = plan[0]
    before = 0

    def on_windows(done: int) -> None:
        if progress is not None:
            progress(before + done, sum(counts))

    def on_step_end(pipeline: object, index: int, timestep: object, tensors: dict[str, object]) -> dict[str, object]:
        nonlocal before
        before = sum(counts[: index + 1])
        windowed.phases = plan[min(index + 1, steps - 1)]
        return {}

    windowed.on_windows = on_windows
    with quiet_diffusers(), torch.inference_mode():
        result = pipeline(
            video=video,
            height=video.shape[3],
            width=video.shape[4],
            num_frames=frames,
            num_inference_steps=steps,
            guidance_scale=1.0,
            conditioning_scale=CONTROL_SCALE,
            latents=latents,
            prompt_embeds=torch.from_numpy(palette)[None],
            callback_on_step_end=on_step_end,
            callback_on_step_end_tensor_inputs=[],
            output_type="pt",
        ).frames[0]
    pixels = (result[:, :, :height, :width].permute(0, 2, 3, 1) * 255).round().clamp(0, 255).to(torch.uint8)
    return pixels.numpy()


def _with_margin(noise: Float[np.ndarray, "frames 3 height width"]) -> Float32[np.ndarray, "frames 3 padded_h padded_w"]:
    """Extend noise to multiples of a token by a margin of its own, which stands still and is cut away afterwards."""
    frames, channels, height, width = noise.shape
    size = (height + -height % PATCH, width + -width % PATCH)
    out = np.random.Generator(np.random.Philox(key=0)).standard_normal((1, channels, *size), np.float32).repeat(frames, axis=0)
    out[:, :, :height, :width] = noise
    return out


def _video(frames_first: Float[np.ndarray, "frames channels height width"]) -> Float32[torch.Tensor, "1 channels frames h w"]:
    """Frames behind channels, with a batch axis in front: diffusers' order."""
    return torch.from_numpy(np.ascontiguousarray(frames_first.swapaxes(0, 1), np.float32))[None]
