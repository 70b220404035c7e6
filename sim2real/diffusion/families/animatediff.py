"""AnimateDiff with a ControlNet."""

from __future__ import annotations

from ...noise.layout import NoiseLayout
from ..family import DETERMINISTIC_DDPM, ModelFamily

FAMILIES = (
    ModelFamily(
        name="animatediff-controlnet",
        pipeline="AnimateDiffControlNetPipeline",
        layout=NoiseLayout(factor=8, channels=4, temporal_factor=1),
        latent_axes="BCTHW",
        cast="none",
        scaled_by="pipeline",
        control="one conditioning frame per frame and ControlNet (depth, edges)",
        needs=("noise", "depth", "edges"),
        schedulers=DETERMINISTIC_DDPM,
    ),
)
