"""CogVideoX, from text or with a control video."""

from __future__ import annotations

from ...noise.layout import NoiseLayout
from ..family import DETERMINISTIC_DDPM, ModelFamily

_LAYOUT = NoiseLayout(factor=8, channels=16, temporal_factor=4)

FAMILIES = (
    ModelFamily(
        name="cogvideox",
        pipeline="CogVideoXPipeline",
        layout=_LAYOUT,
        latent_axes="BTCHW",
        cast="none",
        scaled_by="pipeline",
        control="none",
        needs=("noise",),
        schedulers=DETERMINISTIC_DDPM,
        hub_ids=("zai-org/CogVideoX-2b", "zai-org/CogVideoX-5b"),
    ),
    ModelFamily(
        name="cogvideox-fun-control",
        pipeline="CogVideoXFunControlPipeline",
        layout=_LAYOUT,
        latent_axes="BTCHW",
        cast="none",
        scaled_by="pipeline",
        control="any control video, VAE-encoded, joined to the channels",
        needs=("noise", "depth", "edges"),
        schedulers=DETERMINISTIC_DDPM,
        hub_ids=("alibaba-pai/CogVideoX-Fun-V1.1-2b-Control", "alibaba-pai/CogVideoX-Fun-V1.1-5b-Control"),
    ),
)
