"""Stable Video Diffusion: a first frame goes on as a video, without any text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ..checkpoints import Checkpoint
from ..pipelines import PipelineInputs
from ..pipelines.tensors import pil_pictures
from .stable_diffusion import LAYOUT, StableDiffusion

_LICENSE = "Stability AI Community License (commercial use is limited by revenue)"
_TOGETHER = 8
"""Frames that are decoded at once; all would take tens of gigabytes."""


@dataclass(frozen=True)
class StableVideo(StableDiffusion):
    """Noise has its frames before its channels; the sampler's first sigma is 700, which the pipeline multiplies by."""

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """The first frame; guidance grows from 1 at the first frame to what is asked at the last."""
        assert given.first_frame is not None
        arguments = super().arguments(pipeline, given, noise)
        return arguments | {
            "image": pil_pictures([given.first_frame])[0],
            "max_guidance_scale": arguments.pop("guidance_scale"),
            "decode_chunk_size": _TOGETHER,
        }


FAMILIES = (
    StableVideo(
        name="stable-video",
        pipeline="StableVideoDiffusionPipeline",
        layout=LAYOUT,
        latent_axes="BTCHW",
        cast="none",
        scaled_by="pipeline",
        control="the first frame",
        needs=("noise",),
        schedulers=("EulerDiscreteScheduler",),
        checkpoints=(
            Checkpoint("stabilityai/stable-video-diffusion-img2vid-xt", _LICENSE, gated=True, configuration="stable-video-xt"),
            Checkpoint("stabilityai/stable-video-diffusion-img2vid", _LICENSE, gated=True, configuration="stable-video"),
        ),
        size_multiple=64,
        first_frame="must",
        steps=25,
        guidance=3.0,
        text=False,
        made_for=(25, (576, 1024)),
        denoisers=("unet",),
        remarks="Goes on from the first frame, and reads no text. It is told the clip's frames per second, and a "
        "motion of 127, as usual (no source says how to measure it); the first frame is given a little noise of its own "
        "(0.02), which the seed draws.",
    ),
)
