"""AnimateDiff's SparseCtrl pipeline, without the draw that nobody can seed."""

from __future__ import annotations

import functools
from typing import Any


@functools.cache
def sparse_pipeline() -> Any:
    """The class of diffusers, but key frames are the mode of their posterior: it would sample from the global generator."""
    import torch
    from diffusers.pipelines.animatediff.pipeline_animatediff_sparsectrl import AnimateDiffSparseControlNetPipeline

    class SparsePipeline(AnimateDiffSparseControlNetPipeline):
        """Two runs agree."""

        def prepare_image(self, image: Any, width: int, height: int, device: Any, dtype: Any) -> Any:
            """Key frames (1, channels, frames, height, width): pictures, or latents where the net was trained on those."""
            pictures = self.control_image_processor.preprocess(image, height=height, width=width).to(device, dtype)
            if self.controlnet.use_simplified_condition_embedding:
                with torch.no_grad():
                    posterior = self.vae.encode((2 * pictures - 1).to(self.vae.dtype)).latent_dist
                pictures = (self.vae.config.scaling_factor * posterior.mode()).to(dtype)
            return pictures[None].permute(0, 2, 1, 3, 4)

    SparsePipeline.__name__ = AnimateDiffSparseControlNetPipeline.__name__
    return SparsePipeline
