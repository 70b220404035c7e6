"""Wan models of every kind."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from . import Tiny
from .text import tokenizer, umt5

with warnings.catch_warnings():  # others' deprecations
    warnings.simplefilter("ignore")
    import diffusers
    import torch
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanTransformer3DModel, WanVACETransformer3DModel

_SMALL: dict[str, Any] = {
    "num_attention_heads": 2,
    "attention_head_dim": 12,
    "text_dim": 16,
    "freq_dim": 16,
    "ffn_dim": 16,
    "num_layers": 1,
}


def save_wan(folder: Path, pipeline: str, two: bool = False, **others: Any) -> Path:
    """A pipeline with random weights, saved as the hub has it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        parts: dict[str, Any] = {"tokenizer": tokenizer(), "text_encoder": umt5()}
        parts["vae"] = AutoencoderKLWan(base_dim=4, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1)
        vace = pipeline == "WanVACEPipeline"
        make = (
            (lambda: WanVACETransformer3DModel(**_SMALL, vace_layers=[0])) if vace else lambda: WanTransformer3DModel(**_SMALL)
        )
        parts["transformer"] = make()
        if two:
            parts |= {"transformer_2": make(), "boundary_ratio": 0.5}
    parts["scheduler"] = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    getattr(diffusers, pipeline)(**(parts | others)).save_pretrained(folder)
    return folder


TINY = {
    "wan-vace": Tiny(save=lambda folder: save_wan(folder, "WanVACEPipeline"), control="vae"),
    "wan": Tiny(save=lambda folder: save_wan(folder, "WanPipeline")),
}
