"""Text to video by a U-Net with temporal layers: ModelScope's, and VideoCrafter2's in its place."""

from __future__ import annotations

from ..checkpoints import Checkpoint
from .stable_diffusion import DDPM, LAYOUT, StableDiffusion

_LICENSE = "CC-BY-NC-4.0 (no commercial use)"

FAMILIES = (
    StableDiffusion(
        name="text-to-video-sd",
        pipeline="TextToVideoSDPipeline",
        layout=LAYOUT,
        latent_axes="BCTHW",
        cast="none",
        scaled_by="pipeline",
        control="none",
        needs=("noise",),
        schedulers=DDPM,
        checkpoints=(
            Checkpoint("ali-vilab/text-to-video-ms-1.7b", _LICENSE, configuration="text-to-video-ms-1.7b"),
            Checkpoint("cerspense/zeroscope_v2_576w", _LICENSE, configuration="text-to-video-ms-1.7b"),
        ),
        size_multiple=8,
        steps=25,
        guidance=9.0,
        made_for=(16, (320, 512)),
        denoisers=("unet",),
        remarks="Nothing but the noise and the prompt tells it about the scene. VideoCrafter2, which EquiVDM was trained from: copy "
        "the folder of text-to-video-ms-1.7b, put the two files of adamdad/videocrafterv2_diffusers (Apache-2.0) into its unet/, "
        "and pass --model FOLDER. EquiVDM's own weights, with and without soft edges, are not published. No LoRA files: this U-Net "
        "has no place for them.",
    ),
)
