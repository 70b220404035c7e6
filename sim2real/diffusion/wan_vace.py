# pyright: reportPrivateImportUsage=false
"""Footage from Wan-VACE weights, from the hub or a folder, driven by a clip's noise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import WanVACEPipeline
from jaxtyping import Float, Float32, UInt8

from ..arrays import reason
from ..errors import BadValueError, UnreadableFileError
from .control import inverse_depth_range
from .families import ModelFamily
from .families.facts import other_count
from .schedulers import require_deterministic

STEPS = 30


def depth_control(depth: Float[np.ndarray, "frames height width"]) -> Float32[np.ndarray, "frames 3 height width"]:
    """Gray inverse depth in [0, 1], near is bright, black where there is no surface: what VACE was trained on."""
    far, near = inverse_depth_range(depth)
    inverse = np.divide(1.0, depth, out=np.zeros(depth.shape, np.float64), where=depth > 0)
    gray = np.where(depth > 0, np.clip((inverse - far) / (near - far), 0, 1), 0).astype(np.float32)
    return np.repeat(gray[:, None], 3, axis=1)


def require_weights(model: str) -> None:
    """Refuse a pipeline whose index is not at hand, or that lacks a folder of those that the index names.

    Raises:
        UnreadableFileError: it cannot be found, or is not whole.
    """
    try:
        index: Any = WanVACEPipeline.load_config(model)
    except (OSError, ValueError) as error:
        raise _unreadable(model, error) from error
    folder = Path(model)
    parts = [name for name, value in index.items() if isinstance(value, (list, tuple)) and value[0] is not None]
    lacking = [name for name in parts if folder.is_dir() and not (folder / name).is_dir()]
    if lacking:
        why = f"it lacks {', '.join(lacking)}, which its model_index.json names"
        raise UnreadableFileError(model, what="the model", why=why, fix="copy or download it again")


def _unreadable(model: str, error: Exception) -> UnreadableFileError:
    why = reason(error).split(". ")[0].rstrip(".")
    return UnreadableFileError(model, what="the model", why=why, fix="check the name, or download it first")


def load_wan_vace(model: str, family: ModelFamily) -> WanVACEPipeline:
    """Load a pipeline: on a CUDA device in bfloat16 where there is one, else on the CPU in float32.

    Raises:
        UnreadableFileError: it cannot be loaded or found.
        BadValueError: its sampler would add noise of its own.
    """
    cuda = torch.cuda.is_available()
    try:
        pipeline = WanVACEPipeline.from_pretrained(model, dtype=torch.bfloat16 if cuda else torch.float32)
    except (OSError, ValueError) as error:
        raise _unreadable(model, error) from error
    require_deterministic(pipeline.scheduler, family)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to("cuda") if cuda else pipeline


def sample_wan_vace(
    pipeline: WanVACEPipeline,
    noise: Float[np.ndarray, "latents channels h w"],
    control: Float32[np.ndarray, "frames 3 height width"],
    *,
    prompt: str,
    steps: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> UInt8[np.ndarray, "frames height width 3"]:
    """Denoise a clip; noise goes in verbatim as ``latents=``.

    Args:
        pipeline: from :func:`load_wan_vace`.
        noise: unit variance, on the model's latent grid.
        control: gray depth or edges in [0, 1], of the picture's full size.
        prompt: what to show; may be empty.
        steps: denoising steps; None is 30.
        seed: of what the VAE might draw.
        progress: called with (steps done, steps).

    Raises:
        BadValueError: a frame count or size that the model silently changes, or noise of another grid.
    """
    frames, _, height, width = control.shape
    time, space = pipeline.vae_scale_factor_temporal, pipeline.vae_scale_factor_spatial
    if frames % time != 1:
        raise BadValueError("the number of frames", frames, right=f"{time} n + 1", fix=other_count(frames, time))
    base = space * pipeline.transformer.config.patch_size[1]
    if height % base or width % base:
        raise BadValueError("the size", f"{height}x{width}", right=f"multiples of {base}", fix="render with another --size")
    grid = ((frames - 1) // time + 1, pipeline.transformer.config.in_channels, height // space, width // space)
    if noise.shape != grid:
        raise BadValueError("the shape of the noise", noise.shape, right=f"{grid} for this model")
    steps = STEPS if steps is None else steps

    def on_step_end(_: object, index: int, timestep: object, tensors: dict[str, Any]) -> dict[str, Any]:
        if progress is not None:
            progress(index + 1, steps)
        return {}

    device = pipeline._execution_device
    call: Any = pipeline
    result = call(
        prompt=prompt,
        video=torch.from_numpy(control)[None].to(device),
        height=height,
        width=width,
        num_frames=frames,
        num_inference_steps=steps,
        latents=torch.from_numpy(np.ascontiguousarray(noise.swapaxes(0, 1), np.float32))[None],
        generator=torch.Generator("cpu").manual_seed(seed),
        callback_on_step_end=on_step_end,
        callback_on_step_end_tensor_inputs=[],
        output_type="np",
    ).frames[0]
    return np.round(result * 255).clip(0, 255).astype(np.uint8)
