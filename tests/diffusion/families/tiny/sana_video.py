"""SANA-Video."""

from __future__ import annotations

import warnings
from pathlib import Path

from . import Tiny
from .text import gemma2, tokenizer

with warnings.catch_warnings():  # others' deprecations
    warnings.simplefilter("ignore")
    import torch
    from diffusers import (
        AutoencoderKLWan,
        DPMSolverMultistepScheduler,
        SanaVideoPipeline,
        SanaVideoTransformer3DModel,
    )


def save_sana_video(folder: Path) -> Path:
    """A pipeline with random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        SanaVideoPipeline(
            tokenizer=tokenizer(),
            text_encoder=gemma2(),
            vae=AutoencoderKLWan(base_dim=4, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1),
            transformer=SanaVideoTransformer3DModel(
                num_attention_heads=2,
                attention_head_dim=12,
                num_layers=1,
                num_cross_attention_heads=2,
                cross_attention_head_dim=12,
                cross_attention_dim=24,
                caption_channels=16,
            ),
            scheduler=DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=8.0),
        ).save_pretrained(folder)
    return folder


TINY = {"sana-video": Tiny(save=save_sana_video, size=(32, 64))}
