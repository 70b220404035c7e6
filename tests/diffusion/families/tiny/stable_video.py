"""U-Nets with temporal layers: from text, and from a first frame."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from . import Tiny
from .stable_diffusion import vae
from .text import clip_text, tokenizer

with warnings.catch_warnings():  # others' deprecations
    warnings.simplefilter("ignore")
    import torch
    from diffusers import (
        AutoencoderKLTemporalDecoder,
        DDIMScheduler,
        EulerDiscreteScheduler,
        StableVideoDiffusionPipeline,
        TextToVideoSDPipeline,
        UNet3DConditionModel,
        UNetSpatioTemporalConditionModel,
    )
    from diffusers.models.embeddings import TimestepEmbedding
    from safetensors.torch import save_file
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection


def save_text_to_video(folder: Path) -> Path:
    """As ModelScope's, with two levels."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        unet = UNet3DConditionModel(
            block_out_channels=(8, 16),
            down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
            up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
            layers_per_block=1,
            norm_num_groups=4,
            cross_attention_dim=16,
            attention_head_dim=4,
        )
        for parameter in unet.parameters():  # temporal layers begin with zeros
            if not parameter.any():
                parameter.data.normal_(0, 0.2)
        sampler = DDIMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False)
        parts: dict[str, Any] = {"tokenizer": tokenizer(77), "text_encoder": clip_text(), "vae": vae(), "unet": unet}
        TextToVideoSDPipeline(**parts, scheduler=sampler).save_pretrained(folder)  # pyright: ignore[reportArgumentType]
    return folder


def save_videocrafter(folder: Path) -> Path:
    """The same with another U-Net beside its own, which has weights for a frame rate."""
    save_text_to_video(folder)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        unet = UNet3DConditionModel.from_pretrained(folder / "unet")
        rate = TimestepEmbedding(8, 32)
    unet.save_pretrained(folder / "unet-videocrafter2")
    weights = {**unet.state_dict(), **{f"fps_embedding.{name}": value for name, value in rate.state_dict().items()}}
    save_file(weights, folder / "unet-videocrafter2" / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    return folder


def save_stable_video(folder: Path) -> Path:
    """With the sampler that the hub has: Karras sigmas from 700 down."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        unet = UNetSpatioTemporalConditionModel(
            block_out_channels=(32, 32),
            down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
            up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
            layers_per_block=1,
            cross_attention_dim=16,
            num_attention_heads=2,  # pyright: ignore[reportArgumentType]
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=24,
        )
        wide = {"down_block_types": ("DownEncoderBlock2D",) * 4, "block_out_channels": (32, 32, 32, 32)}
        looks = {
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "patch_size": 112,
        }
        StableVideoDiffusionPipeline(
            vae=AutoencoderKLTemporalDecoder(**wide),  # pyright: ignore[reportArgumentType]
            image_encoder=CLIPVisionModelWithProjection(CLIPVisionConfig(**looks, image_size=224, projection_dim=16)),
            unet=unet,
            scheduler=EulerDiscreteScheduler(
                beta_schedule="scaled_linear",
                prediction_type="v_prediction",
                sigma_max=700.0,
                sigma_min=0.002,
                timestep_spacing="leading",
                timestep_type="continuous",
                use_karras_sigmas=True,
            ),
            feature_extractor=CLIPImageProcessor(),
        ).save_pretrained(folder)
    return folder


TINY = {
    "text-to-video-sd": Tiny(save=save_text_to_video, frames=2),
    "videocrafter2": Tiny(save=save_videocrafter, frames=2),
    "stable-video": Tiny(
        save=save_stable_video,
        frames=2,
        size=(64, 64),
        prompt=None,
        large=lambda folder: {"first_frame": "rgb"},
        draws=True,
        tolerance=1e-6,  # the pipeline multiplies by 700, and the sampler divides by it
    ),
}
