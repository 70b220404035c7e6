"""LTX-Video and LTX-2 of every kind."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from sim2real.diffusion import Lora

from . import Tiny
from .text import gemma3, t5, tokenizer

with warnings.catch_warnings():  # others' deprecations
    warnings.simplefilter("ignore")
    import diffusers
    import torch
    from diffusers import (
        AutoencoderKLLTX2Audio,
        AutoencoderKLLTX2Video,
        AutoencoderKLLTXVideo,
        FlowMatchEulerDiscreteScheduler,
        LTX2VideoTransformer3DModel,
        LTXVideoTransformer3DModel,
    )
    from diffusers.pipelines.ltx2 import LTX2TextConnectors
    from diffusers.pipelines.ltx2.vocoder import LTX2Vocoder
    from peft import LoraConfig, get_peft_model_state_dict
    from safetensors.torch import save_file

FRAMES, SIZE = 9, (64, 96)
_SMALL: dict[str, Any] = {"num_attention_heads": 2, "attention_head_dim": 8, "cross_attention_dim": 16, "num_layers": 1}


def save_ltx(folder: Path, pipeline: str) -> Path:
    """A pipeline with random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        vae = AutoencoderKLLTXVideo(
            block_out_channels=(8, 8, 8, 8),
            decoder_block_out_channels=(8, 8, 8, 8),
            layers_per_block=(1, 1, 1, 1, 1),
            decoder_layers_per_block=(1, 1, 1, 1, 1),
        )
        getattr(diffusers, pipeline)(
            tokenizer=tokenizer(128),
            text_encoder=t5(),
            vae=vae,
            transformer=LTXVideoTransformer3DModel(**_SMALL, caption_channels=16),
            scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=pipeline == "LTXPipeline"),
        ).save_pretrained(folder)
    return folder


def save_ltx2(folder: Path, pipeline: str) -> Path:
    """A pipeline with random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        getattr(diffusers, pipeline)(
            tokenizer=tokenizer(),
            text_encoder=gemma3(),
            scheduler=FlowMatchEulerDiscreteScheduler(),
            **_ltx2_parts(),
        ).save_pretrained(folder)
    return folder


def _ltx2_parts() -> dict[str, Any]:
    connected = {"num_attention_heads": 2, "attention_head_dim": 8, "num_layers": 1, "num_learnable_registers": None}
    both = {f"{kind}_connector_{name}": value for kind in ("video", "audio") for name, value in connected.items()}
    audio_vae = AutoencoderKLLTX2Audio(
        base_channels=4,
        output_channels=2,
        ch_mult=(1,),
        num_res_blocks=1,
        attn_resolutions=None,
        in_channels=2,
        resolution=32,
        latent_channels=2,
        norm_type="pixel",
        causality_axis="height",
        mid_block_add_attention=False,
        mel_hop_length=160,
        mel_bins=8,
    )
    return {
        "vae": AutoencoderKLLTX2Video(
            block_out_channels=(8, 8, 8, 8),
            decoder_block_out_channels=(8, 8, 8),
            layers_per_block=(1, 1, 1, 1, 1),
            decoder_layers_per_block=(1, 1, 1, 1),
            upsample_factor=(1, 1, 1),
            spatial_compression_ratio=32,
            temporal_compression_ratio=8,
        ),
        "audio_vae": audio_vae,
        "connectors": LTX2TextConnectors(
            caption_channels=16, text_proj_in_factor=3, rope_double_precision=False, rope_type="split", **both
        ),
        "transformer": LTX2VideoTransformer3DModel(
            **_SMALL,
            audio_in_channels=4,
            audio_out_channels=4,
            audio_num_attention_heads=2,
            audio_attention_head_dim=4,
            audio_cross_attention_dim=8,
            caption_channels=16,
            rope_double_precision=False,
            rope_type="split",
        ),
        "vocoder": LTX2Vocoder(
            in_channels=16,
            hidden_channels=8,
            upsample_kernel_sizes=[4, 4],
            upsample_factors=[2, 2],
            resnet_kernel_sizes=[3],
            resnet_dilations=[[1, 3, 5]],
        ),
    }


def save_with_lora(folder: Path) -> Path:
    """A pipeline, and beside it a LoRA file that changes its first layers."""
    save_ltx2(folder, "LTX2InContextPipeline")
    save_lora(lora_of(folder), LTX2VideoTransformer3DModel.from_pretrained(folder / "transformer"))
    return folder


def lora_of(folder: Path) -> Path:
    """Where the file lies."""
    return folder.parent / f"{folder.name}-lora.safetensors"


def save_lora(file: Path, transformer: Any, **metadata: str) -> Path:
    """A LoRA file of rank 2 for a transformer."""
    transformer.add_adapter(LoraConfig(r=2, target_modules=["to_q"], init_lora_weights=False))
    weights = {f"transformer.{name}": value for name, value in get_peft_model_state_dict(transformer).items()}
    save_file(weights, file, {"format": "pt", **metadata})
    return file


def unpacked(tokens: np.ndarray) -> np.ndarray:
    """The footage's tokens, in the axes (B, C, T, h, w)."""
    grid = ((FRAMES - 1) // 8 + 1, SIZE[0] // 32, SIZE[1] // 32)
    return tokens[:, : int(np.prod(grid))].reshape(len(tokens), *grid, -1).transpose(0, 4, 1, 2, 3)


def _tiny(save: Any, **others: Any) -> Tiny:
    return Tiny(save=save, frames=FRAMES, size=SIZE, **others)


TINY = {
    "ltx": _tiny(lambda folder: save_ltx(folder, "LTXPipeline")),
    "ltx-condition": _tiny(
        lambda folder: save_ltx(folder, "LTXConditionPipeline"),
        large=lambda folder: {"first_frame": "rgb"},
        pictured=1,
        draws=True,
        unpack=unpacked,
    ),
    "ltx2": _tiny(lambda folder: save_ltx2(folder, "LTX2Pipeline"), draws=True),
    "ltx2-control": _tiny(
        save_with_lora,
        large=lambda folder: {"loras": [Lora(lora_of(folder))]},
        control="vae",
        draws=True,
        unpack=unpacked,
    ),
}
"""Sound begins from noise of its own, and so do tokens of pictures that stay."""
