"""Stable Diffusion with what is put beside it."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

from . import Tiny
from .text import clip_text, tokenizer

with warnings.catch_warnings():  # others' deprecations
    warnings.simplefilter("ignore")
    import torch
    from diffusers import (
        AutoencoderKL,
        ControlNetModel,
        MotionAdapter,
        PNDMScheduler,
        SparseControlNetModel,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )

_WIDTHS: dict[str, Any] = {
    "block_out_channels": (8, 16),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "cross_attention_dim": 16,
    "attention_head_dim": 2,
}
_DOWN = ("CrossAttnDownBlock2D", "DownBlock2D")


def vae() -> AutoencoderKL:
    """A latent of four channels for 8x8 pixels."""
    down, up = ("DownEncoderBlock2D",) * 4, ("UpDecoderBlock2D",) * 4
    return AutoencoderKL(
        block_out_channels=(4, 4, 4, 4), down_block_types=down, up_block_types=up, latent_channels=4, norm_num_groups=4
    )


def save_stable_diffusion(folder: Path) -> Path:
    """As the hub has version 1.5: its sampler is PNDM, on a scaled linear schedule."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        unet = UNet2DConditionModel(down_block_types=_DOWN, up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), **_WIDTHS)
        schedule = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "skip_prk_steps": True}
        StableDiffusionPipeline(
            vae=vae(),
            text_encoder=clip_text(),
            tokenizer=tokenizer(77),
            unet=unet,
            scheduler=PNDMScheduler(**schedule, steps_offset=1, set_alpha_to_one=False),
            safety_checker=None,  # pyright: ignore[reportArgumentType]
            feature_extractor=None,  # pyright: ignore[reportArgumentType]
            requires_safety_checker=False,
        ).save_pretrained(folder)
    return folder


def _alive(net: torch.nn.Module) -> torch.nn.Module:
    """Nets begin with zeros at their ends: with random numbers there, what they see counts."""
    with torch.no_grad():
        for parameter in net.parameters():
            if not parameter.any():
                parameter.normal_(0, 0.2)
    return net


def save_nets(folder: Path, *controls: str) -> None:
    """ControlNets, each with weights of its own."""
    for seed, control in enumerate(controls):
        with torch.random.fork_rng():
            torch.manual_seed(1 + seed)
            net = ControlNetModel(down_block_types=_DOWN, conditioning_embedding_out_channels=(4, 4, 4, 4), **_WIDTHS)
            _alive(net).save_pretrained(folder / f"controlnet-{control}")  # pyright: ignore[reportCallIssue]


def save_adapter(folder: Path) -> None:
    """Motion modules for the two levels."""
    with torch.random.fork_rng():
        torch.manual_seed(9)
        adapter = MotionAdapter(
            block_out_channels=(8, 16),
            motion_layers_per_block=1,
            motion_norm_num_groups=4,
            motion_num_attention_heads=2,
            use_motion_mid_block=False,
        )
        adapter.save_pretrained(folder / "motion_adapter")


def save_animatediff(folder: Path, *controls: str, pipeline: str | None = None) -> Path:
    """Everything in one folder."""
    save_stable_diffusion(folder)
    save_adapter(folder)
    save_nets(folder, *controls)
    if pipeline is not None:
        index = json.loads((folder / "model_index.json").read_text())
        (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": pipeline}))
    return folder


def save_sparse(folder: Path, control: str, pictures: bool) -> Path:
    """With a SparseCtrl net that looks at pictures' latents, or at the pictures."""
    save_animatediff(folder)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        net = SparseControlNetModel(
            down_block_types=("CrossAttnDownBlockMotion", "DownBlockMotion"),
            conditioning_channels=4 if pictures else 3,
            conditioning_embedding_out_channels=(4, 4, 4, 4),
            motion_num_attention_heads=2,
            use_simplified_condition_embedding=pictures,
            **_WIDTHS,
        )
        _alive(net).save_pretrained(folder / f"sparsectrl-{control}")  # pyright: ignore[reportCallIssue]
    return folder


TINY = {
    "animatediff-controlnet": Tiny(save=lambda folder: save_animatediff(folder, "depth"), frames=2, control="controlnet"),
    "animatediff-sparsectrl": Tiny(save=lambda folder: save_sparse(folder, "scribble", False), frames=2, control="controlnet"),
    "animatediff-v2v": Tiny(
        save=lambda folder: save_animatediff(folder, "depth", pipeline="AnimateDiffVideoToVideoControlNetPipeline"),
        frames=2,
        scale=None,
        control="controlnet",
    ),
    "text2video-zero": Tiny(
        save=lambda folder: save_animatediff(folder, "depth", pipeline="StableDiffusionControlNetPipeline"),
        frames=2,
        control="controlnet",
    ),
}
