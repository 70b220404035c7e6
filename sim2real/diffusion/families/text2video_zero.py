"""Text2Video-Zero (arXiv 2303.13439): pictures by Stable Diffusion and ControlNets, all of which look at the first one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, UInt8

from ...errors import BadValueError
from ..family import pipeline_class
from ..pipelines import PipelineInputs
from ..schedulers import DETERMINISTIC_DDPM, RENOISING_DDPM
from .stable_diffusion import CONTROLNETS, LAYOUT, NET_KINDS, ControlledByNets, checkpoints_with


@dataclass(frozen=True)
class Text2VideoZero(ControlledByNets):
    """Every frame is a picture of one batch; where the original carries noise along by a guess, ours moves as surfaces do."""

    def recognizes(self, folder: Path) -> bool:
        """A saved pipeline: plain weights are AnimateDiff's, and are used by ``--model text2video-zero``."""
        return pipeline_class(folder) == self.pipeline

    @property
    def pictures_argument(self) -> str:
        """What the pipeline calls the control pictures."""
        return "image"

    def latents(self, noise: Float32[np.ndarray, "latents channels height width"]) -> Float32[np.ndarray, "..."]:
        """A batch of frames."""
        return np.ascontiguousarray(noise)

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """The prompt once per frame, and attention to the first frame, in the U-Net and in the nets."""
        from diffusers.pipelines.deprecated.text_to_video_synthesis.pipeline_text_to_video_zero import (
            CrossFrameAttnProcessor2_0,
        )

        passes = 2 if given.asked["guidance"] > self.guidance_off else 1
        for part in (pipeline.unet, *getattr(pipeline.controlnet, "nets", [pipeline.controlnet])):
            part.set_attn_processor(CrossFrameAttnProcessor2_0(batch_size=passes))
        arguments = super().arguments(pipeline, given, noise)
        return arguments | {
            name: [arguments[name]] * given.frames for name in ("prompt", "negative_prompt") if name in arguments
        }

    def footage(self, result: Any) -> UInt8[np.ndarray, "frames height width 3"]:
        """Pictures, unless the safety checker that Stable Diffusion comes with has blacked some out."""
        black = [index for index, flagged in enumerate(result.nsfw_content_detected or ()) if flagged]
        if black:
            right = "none: labels would lie over black"
            fix = "change --prompt, or set safety_checker to [null, null] in the folder's model_index.json"
            raise BadValueError(
                "the number of frames that the model's safety checker blacked out", len(black), right=right, fix=fix
            )
        return np.round(np.asarray(result.images) * 255).clip(0, 255).astype(np.uint8)


FAMILIES = (
    Text2VideoZero(
        name="text2video-zero",
        pipeline="StableDiffusionControlNetPipeline",
        layout=LAYOUT,
        latent_axes="TCHW",
        cast="none",
        scaled_by="pipeline",
        control="a picture per frame and ControlNet: depth, edges, soft edges, scribble, each with its weight",
        needs=NET_KINDS,
        schedulers=DETERMINISTIC_DDPM,
        renoising=RENOISING_DDPM,
        checkpoints=checkpoints_with("text2video-zero"),
        size_multiple=8,
        controls=tuple(CONTROLNETS),
        joined="each",
        control_strength=True,
        steps=50,
        guidance=7.5,
        loras=True,
        made_for=(8, (512, 512)),
        denoisers=("unet",),
        inverts=True,
        remarks="The weights are those of animatediff-controlnet without the motion adapter. Frames share one batch: memory "
        "grows with their number. Control-A-Video and Ctrl-Adapter have pipelines of their own, which diffusers does not: "
        "export latents for text-to-video-sd or stable-video, whose layouts are theirs.",
    ),
)
