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
    """A pipeline with random weights, saved as the hub has it; ``two`` transformers, one for high and one for low noise."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        parts: dict[str, Any] = {"tokenizer": tokenizer(), "text_encoder": umt5(), "vae": _vae()}
        parts["transformer"] = _transformer(pipeline)
        if two:
            parts |= {"transformer_2": _transformer(pipeline), "boundary_ratio": 0.5}
        if pipeline == "WanImageToVideoPipeline":
            parts |= {"image_encoder": None, "image_processor": None}
    parts["scheduler"] = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    getattr(diffusers, pipeline)(**(parts | others)).save_pretrained(folder)
    return folder


def _transformer(pipeline: str) -> Any:
    if pipeline == "WanVACEPipeline":
        return WanVACETransformer3DModel(**_SMALL, vace_layers=[0])
    return WanTransformer3DModel(**_SMALL, in_channels=36 if pipeline == "WanImageToVideoPipeline" else 16)


def _vae(**others: Any) -> AutoencoderKLWan:
    return AutoencoderKLWan(base_dim=4, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, **others)


def wide_vae() -> AutoencoderKLWan:
    """The VAE of TI2V-5B."""
    blank: dict[str, Any] = {"latents_mean": [0.0] * 48, "latents_std": [1.0] * 48}
    wide: dict[str, Any] = {"is_residual": True, "in_channels": 12, "out_channels": 12, "patch_size": 2} | blank
    return AutoencoderKLWan(
        base_dim=4, decoder_base_dim=4, z_dim=48, dim_mult=[1, 1, 1, 1], num_res_blocks=1, scale_factor_spatial=16, **wide
    )


def save_wide_wan(folder: Path) -> Path:
    """As TI2V-5B: 48 channels, 16 pixels per latent, a time per token."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        vae = wide_vae()
        transformer = WanTransformer3DModel(**_SMALL, in_channels=48, out_channels=48)
    return save_wan(folder, "WanPipeline", vae=vae, transformer=transformer, expand_timesteps=True)


TINY = {
    "wan-vace": Tiny(save=lambda folder: save_wan(folder, "WanVACEPipeline"), control="vae"),
    "wan": Tiny(save=lambda folder: save_wan(folder, "WanPipeline")),
    "wan-ti2v": Tiny(save=save_wide_wan, size=(64, 96)),
    "wan-i2v": Tiny(
        save=lambda folder: save_wan(folder, "WanImageToVideoPipeline", two=True), large=lambda folder: {"first_frame": "rgb"}
    ),
    "wan-v2v": Tiny(
        save=lambda folder: save_wan(folder, "WanVideoToVideoPipeline"), large=lambda folder: {"strength": 1.0}, tolerance=1e-5
    ),
}
