"""HunyuanVideo and HunyuanVideo 1.5, from text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ...errors import BadValueError
from ...noise.layout import NoiseLayout
from ..checkpoints import Checkpoint
from ..family import ClipFacts, ModelFamily
from ..options import GenerateOptions
from ..pipelines import PipelineFamily, PipelineInputs

_LICENSE = "Tencent Hunyuan Community License (not in the EU, the UK and South Korea)"
_FLOW = ("FlowMatchEulerDiscreteScheduler",)
"""The pipelines hand over sigmas, which no other sampler that keeps the warp takes."""


@dataclass(frozen=True)
class Hunyuan(PipelineFamily):
    """Guidance is a number that the distilled denoiser is told: there is no second pass, and no negative prompt."""

    def passes(self, guidance: float) -> int:
        """Never twice."""
        return 1

    def check(self, options: GenerateOptions, clip: ClipFacts | None = None) -> None:
        """What all pipelines refuse; and a negative prompt."""
        if options.large.negative_prompt is not None:
            right = f"left out for {self.name}: its guidance is distilled, nothing is done with it"
            raise BadValueError("--negative-prompt", repr(options.large.negative_prompt), right=right)
        super().check(options, clip)


@dataclass(frozen=True)
class Hunyuan15(PipelineFamily):
    """Guidance belongs to a part of the pipeline, the guider, and not to the call."""

    def grid(self, pipeline: Any, frames: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """By the VAE's channels: the transformer also takes a picture's latents and a mask."""
        latents, _, height, width = super().grid(pipeline, frames, size)
        return latents, pipeline.vae.config.latent_channels, height, width

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """The guider is replaced by one of the guidance that is asked for."""
        arguments = super().arguments(pipeline, given, noise)
        pipeline.guider = pipeline.guider.new(guidance_scale=float(arguments.pop("guidance_scale")))
        return arguments


_SHARED: dict[str, Any] = {
    "latent_axes": "BCTHW",
    "scaled_by": "nobody",
    "schedulers": _FLOW,
    "size_multiple": 16,
    "control": "none",
    "needs": ("noise",),
    "own_sigmas": True,
    "guidance": 6.0,
}

FAMILIES: tuple[ModelFamily, ...] = (
    Hunyuan(
        name="hunyuan-video",
        pipeline="HunyuanVideoPipeline",
        layout=NoiseLayout(factor=8, channels=16, temporal_factor=4),
        cast="float32",
        renoising=("FlowMatchLCMScheduler",),
        checkpoints=(Checkpoint("hunyuanvideo-community/HunyuanVideo", _LICENSE, configuration="hunyuan-video"),),
        loras=True,
        made_for=(129, (720, 1280)),
        remarks="Nothing but the noise and the prompt tells it about the scene. LoRA files that were trained on warped noise "
        "(spacepxl/HunyuanVideo-GoWithTheFlow-unofficial) go with --lora.",
        **_SHARED,
    ),
    Hunyuan15(
        name="hunyuan-video1.5",
        pipeline="HunyuanVideo15Pipeline",
        layout=NoiseLayout(factor=16, channels=32, temporal_factor=4),
        cast="the denoiser's",
        checkpoints=(
            Checkpoint(
                "hunyuanvideo-community/HunyuanVideo-1.5-Diffusers-480p_t2v", _LICENSE, configuration="hunyuan-video1.5-480p"
            ),
            Checkpoint(
                "hunyuanvideo-community/HunyuanVideo-1.5-Diffusers-720p_t2v", _LICENSE, configuration="hunyuan-video1.5-720p"
            ),
        ),
        made_for=(121, (480, 848)),
        remarks="Nothing but the noise and the prompt tells it about the scene. A latent is 16x16 pixels. Steps are not "
        "reported while it runs.",
        **_SHARED,
    ),
)
