"""SANA-Video: linear attention, from text or a first frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ...noise.layout import NoiseLayout
from ..checkpoints import Checkpoint
from ..family import ModelFamily
from ..pipelines import PipelineFamily, PipelineInputs
from ..schedulers import DETERMINISTIC_FLOW, RENOISING_FLOW


@dataclass(frozen=True)
class SanaVideo(PipelineFamily):
    """Frames go by another name, and sizes are taken as they are."""

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """Without ``use_resolution_binning``, which makes footage of another size and resizes it in silence."""
        return super().arguments(pipeline, given, noise) | {"frames": given.frames, "use_resolution_binning": False}


FAMILIES: tuple[ModelFamily, ...] = (
    SanaVideo(
        name="sana-video",
        pipeline="SanaVideoPipeline",
        layout=NoiseLayout(factor=8, channels=16, temporal_factor=4),
        latent_axes="BCTHW",
        cast="float32",
        scaled_by="nobody",
        control="the first frame, where there is one",
        first_frame="may",
        pictured_by="SanaImageToVideoPipeline",
        needs=("noise",),
        schedulers=DETERMINISTIC_FLOW,
        renoising=RENOISING_FLOW,
        checkpoints=(
            Checkpoint(
                "Efficient-Large-Model/SANA-Video_2B_480p_diffusers",
                "NVIDIA Open Model License; its text encoder: Gemma Terms of Use",
                configuration="sana-video-2b",
            ),
        ),
        size_multiple=32,
        wide=("vae",),
        loras=True,
        guidance=6.0,
        remarks="Without a first frame, nothing but the noise and the prompt tells it about the scene; one takes the place of "
        "the first latent. The 480p weights; those of 720p have another VAE.",
    ),
)
