"""CogVideoX, from text or with a control video."""

from __future__ import annotations

from ...noise.layout import NoiseLayout
from ..checkpoints import Checkpoint
from ..family import DETERMINISTIC_DDPM, ModelFamily

_LAYOUT = NoiseLayout(factor=8, channels=16, temporal_factor=4)
_LICENSE = "CogVideoX License (commercial use needs a registration)"

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
        checkpoints=(
            Checkpoint("zai-org/CogVideoX-2b", "Apache-2.0"),
            Checkpoint("zai-org/CogVideoX-5b", _LICENSE),
        ),
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
        checkpoints=(
            Checkpoint("alibaba-pai/CogVideoX-Fun-V1.1-2b-Control", _LICENSE),
            Checkpoint("alibaba-pai/CogVideoX-Fun-V1.1-5b-Control", _LICENSE),
        ),
    ),
)
