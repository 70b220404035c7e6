"""HunyuanVideo and HunyuanVideo 1.5."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from . import Tiny
from .text import clip_text, llama, qwen_text, t5, tokenizer

with warnings.catch_warnings():  # others' deprecations
    warnings.simplefilter("ignore")
    import torch
    from diffusers import (
        AutoencoderKLHunyuanVideo,
        AutoencoderKLHunyuanVideo15,
        ClassifierFreeGuidance,
        FlowMatchEulerDiscreteScheduler,
        HunyuanVideo15Pipeline,
        HunyuanVideo15Transformer3DModel,
        HunyuanVideoPipeline,
        HunyuanVideoTransformer3DModel,
    )

_SMALL: dict[str, Any] = {
    "num_attention_heads": 2,
    "attention_head_dim": 16,
    "num_layers": 1,
    "num_refiner_layers": 1,
    "mlp_ratio": 2.0,
    "rope_axes_dim": (4, 6, 6),
    "text_embed_dim": 16,
}


def save_hunyuan(folder: Path) -> Path:
    """A pipeline with random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        HunyuanVideoPipeline(
            tokenizer=tokenizer(),
            text_encoder=llama(layers=3),
            tokenizer_2=tokenizer(77),
            text_encoder_2=clip_text(),
            vae=AutoencoderKLHunyuanVideo(block_out_channels=(4, 4, 4, 4), layers_per_block=1, norm_num_groups=2),
            transformer=HunyuanVideoTransformer3DModel(**_SMALL, num_single_layers=1, pooled_projection_dim=16),
            scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0),
        ).save_pretrained(folder)
    return folder


def save_hunyuan15(folder: Path) -> Path:
    """A pipeline with random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        HunyuanVideo15Pipeline(
            tokenizer=tokenizer(),
            text_encoder=qwen_text(layers=3),
            tokenizer_2=tokenizer(),
            text_encoder_2=t5(),
            vae=AutoencoderKLHunyuanVideo15(block_out_channels=(32, 32, 32, 32, 32), layers_per_block=1),
            transformer=HunyuanVideo15Transformer3DModel(
                **_SMALL, text_embed_2_dim=16, image_embed_dim=8, task_type="t2v", target_size=64
            ),
            scheduler=FlowMatchEulerDiscreteScheduler(shift=5.0),
            guider=ClassifierFreeGuidance(guidance_scale=6.0),
        ).save_pretrained(folder)
    return folder


TINY = {
    "hunyuan-video": Tiny(save=save_hunyuan),
    "hunyuan-video1.5": Tiny(save=save_hunyuan15, size=(64, 96)),
}
