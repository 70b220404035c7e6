"""NVIDIA Cosmos 3 from text or a first frame, and the layout of DiffusionRenderer's noise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from ...noise.layout import NoiseLayout
from ..checkpoints import Checkpoint
from ..family import ModelFamily
from ..pipelines import PipelineInputs
from ..pipelines.omni import omni_pipeline
from ..pipelines.tensors import pil_pictures
from .cosmos import Cosmos

_UNREAD = "of NVIDIA, not read here: see the model's page"


@dataclass(frozen=True)
class Cosmos3(Cosmos):
    """One transformer for text, pictures and sound; pictures only are asked for."""

    def pipeline_class(self) -> Any:
        """The one that puts a first frame into latents that it is given."""
        return omni_pipeline()

    def grid(self, pipeline: Any, frames: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """By the VAE."""
        time, space = pipeline.vae_scale_factor_temporal, pipeline.vae_scale_factor_spatial
        return (frames - 1) // time + 1, pipeline.vae.config.z_dim, size[0] // space, size[1] // space

    def arguments(
        self, pipeline: Any, given: PipelineInputs, noise: Float[np.ndarray, "latents channels h w"]
    ) -> dict[str, Any]:
        """The first frame, where there is one."""
        arguments = super().arguments(pipeline, given, noise)
        return arguments if given.first_frame is None else arguments | {"image": pil_pictures([given.first_frame])[0]}

    def footage(self, result: Any) -> UInt8[np.ndarray, "frames height width 3"]:
        """Its result has a video, without a batch."""
        return super().footage(SimpleNamespace(frames=[result.video]))


@dataclass(frozen=True)
class DiffusionRenderer(ModelFamily):
    """Data only: no pipeline of diffusers takes G-buffers and a light."""

    def recognizes(self, folder: Path) -> bool:
        """Never: folders of the class that it was tuned from are another model."""
        return False


FAMILIES: tuple[ModelFamily, ...] = (
    Cosmos3(
        name="cosmos3",
        pipeline="Cosmos3OmniPipeline",
        layout=NoiseLayout(factor=16, channels=48, temporal_factor=4),
        latent_axes="BCTHW",
        cast="float32",
        scaled_by="nobody",
        control="the first frame, where there is one",
        needs=("noise",),
        schedulers=("UniPCMultistepScheduler",),
        checkpoints=(
            Checkpoint("nvidia/Cosmos3-Nano", _UNREAD, gated=True, configuration="cosmos3-nano"),
            Checkpoint("nvidia/Cosmos3-Super", _UNREAD, gated=True),
        ),
        size_multiple=32,
        first_frame="may",
        own_sigmas=True,
        steps=35,
        guidance=6.0,
        made_for=(189, (704, 1280)),
        remarks="diffusers' pipeline has no control videos (no depth, no edges: that is cosmos-transfer), and with noise that "
        "it is given it forgets the first frame, which a subclass puts in. It is told the clip's frames per second. Sound and "
        "actions are left out.",
    ),
    DiffusionRenderer(
        name="cosmos-diffusion-renderer",
        pipeline="CosmosVideoToWorldPipeline",
        layout=NoiseLayout(factor=8, channels=16, temporal_factor=8),
        latent_axes="BCTHW",
        cast="none",
        scaled_by="nobody",
        control="base color, normals, depth, roughness, metallic and a light, VAE-encoded, joined to the channels; no "
        "pipeline of diffusers: export only",
        needs=("noise", "albedo", "normals", "depth", "material"),
        schedulers=("EDMEulerScheduler",),
        checkpoints=(Checkpoint("nvidia/Diffusion_Renderer_Forward_Cosmos_7B", "NVIDIA Open Model License"),),
        size_multiple=16,
    ),
)
