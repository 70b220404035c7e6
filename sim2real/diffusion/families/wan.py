# pyright: reportPrivateImportUsage=false
"""Wan from text, and Wan-VACE with a control video: weights from the hub or a folder, driven by a clip's noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, UInt8

from ...arrays import reason
from ...clip import Clip
from ...errors import BadValueError, UnreadableFileError
from ...noise.layout import NoiseLayout
from ..family import DETERMINISTIC_FLOW, ClipFacts, Frames, Inputs, ModelFamily, NoiseOf, Told, other_count
from ..inputs import edge_control, inverse_depth_control
from ..options import GenerateOptions

STEPS = 30
_LAYOUT = NoiseLayout(factor=8, channels=16, temporal_factor=4)


@dataclass(frozen=True, eq=False)
class ControlledInputs(Inputs):
    """Also the control video, and how many latents there are."""

    control: Float32[np.ndarray, "frames 3 height width"]
    latents: int


class WanVaceModel:
    """A pipeline that is loaded."""

    def __init__(self, family: ModelFamily, options: GenerateOptions) -> None:
        self._family, self._options = family, options
        self._steps = STEPS if options.steps is None else options.steps
        self._pipeline = load_wan_vace(weights_of(family, options.model), family)

    def inputs(self, clip: Clip, camera: str, noise: NoiseOf) -> ControlledInputs:
        """A camera's depth as control video; without any, its edges."""
        if clip.has(camera, "depth"):
            control = inverse_depth_control(np.stack([clip.depth(camera, i) for i in range(clip.frames)]))
        else:
            control = edge_control(np.stack([clip.edges(camera, i) for i in range(clip.frames)]))
        settings = {"prompt": self._options.prompt or "", "steps": self._steps}
        return ControlledInputs(noise, settings, control, len(self._family.layout.latent_frames(clip.frames)))

    def run(self, inputs: ControlledInputs, tell: Told) -> Frames:
        """Denoise all frames at once."""
        noise, prompt = inputs.noise(slice(0, inputs.latents)), inputs.settings["prompt"]
        seed = self._options.seed
        yield from sample_wan_vace(
            self._pipeline, noise, inputs.control, prompt=prompt, steps=self._steps, seed=seed, progress=tell
        )


class WanVace(ModelFamily):
    """Reads a prompt; does not restyle."""

    def check(self, options: GenerateOptions, clip: ClipFacts | None = None) -> None:
        """No options of other families, weights that are whole."""
        for option, value in (("--use", options.use), ("--look", options.look), ("--keep", ",".join(options.keep) or None)):
            if value not in (None, "keep"):
                right = "left out: it belongs to the embedded model"
                raise BadValueError(option, value, right=right, fix=f"tell {self.name} with --prompt")
        require_weights(weights_of(self, options.model))
        super().check(options, clip)

    def load(self, options: GenerateOptions) -> WanVaceModel:
        """Load a pipeline from the hub or a folder."""
        return WanVaceModel(self, options)


def weights_of(family: ModelFamily, model: str | Path | None) -> str:
    """The hub id or folder of a model; a family's name stands for its first."""
    return family.hub_ids[0] if str(model) == family.name else str(model)


def require_weights(model: str) -> None:
    """Refuse a pipeline whose index is not at hand, or that lacks a folder of those that the index names.

    Raises:
        UnreadableFileError: it cannot be found, or is not whole.
    """
    from diffusers import WanVACEPipeline

    try:
        index: Any = WanVACEPipeline.load_config(model)
    except Exception as error:  # hub, JSON and weights each have errors of their own
        raise _unreadable(model, error) from error
    folder = Path(model)
    parts = [name for name, value in index.items() if isinstance(value, (list, tuple)) and value and value[0] is not None]
    lacking = [name for name in parts if folder.is_dir() and not (folder / name).is_dir()]
    if lacking:
        why = f"it lacks {', '.join(lacking)}, which its model_index.json names"
        raise UnreadableFileError(model, what="the model", why=why, fix="copy or download it again")


def _unreadable(model: str, error: Exception) -> UnreadableFileError:
    why = reason(error).split(". ")[0].rstrip(".")
    return UnreadableFileError(model, what="the model", why=why, fix="check the name, or download it first")


def load_wan_vace(model: str, family: ModelFamily) -> Any:
    """Load a pipeline: on a CUDA device in bfloat16 where there is one, else on the CPU in float32.

    Raises:
        UnreadableFileError: it cannot be loaded or found.
        BadValueError: its sampler would add noise of its own.
    """
    import torch
    from diffusers import WanVACEPipeline

    from ..schedulers import require_deterministic

    cuda = torch.cuda.is_available()
    try:
        pipeline = WanVACEPipeline.from_pretrained(model, dtype=torch.bfloat16 if cuda else torch.float32)
    except Exception as error:  # hub, JSON and weights each have errors of their own
        raise _unreadable(model, error) from error
    require_deterministic(pipeline.scheduler, family)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to("cuda") if cuda else pipeline


def sample_wan_vace(
    pipeline: Any,
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
    import torch

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
    result = pipeline(
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


FAMILIES = (
    WanVace(
        name="wan-vace",
        pipeline="WanVACEPipeline",
        layout=_LAYOUT,
        latent_axes="BCTHW",
        cast="float32",
        scaled_by="nobody",
        control="gray inverse depth (near is bright) or edges (white on black), VAE-encoded, VACE branch",
        needs=("noise", "depth", "edges"),
        needs_of_videos=("noise", "edges"),
        schedulers=DETERMINISTIC_FLOW,
        hub_ids=("Wan-AI/Wan2.1-VACE-1.3B-diffusers", "Wan-AI/Wan2.1-VACE-14B-diffusers"),
        size_multiple=16,
    ),
    ModelFamily(
        name="wan",
        pipeline="WanPipeline",
        layout=_LAYOUT,
        latent_axes="BCTHW",
        cast="float32",
        scaled_by="nobody",
        control="none",
        needs=("noise",),
        schedulers=DETERMINISTIC_FLOW,
        hub_ids=("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", "Wan-AI/Wan2.1-T2V-14B-Diffusers"),
    ),
)
