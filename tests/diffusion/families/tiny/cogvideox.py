"""CogVideoX of every kind."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

from . import Tiny
from .text import t5, tokenizer

with warnings.catch_warnings():  # others' deprecations
    warnings.simplefilter("ignore")
    import diffusers
    import torch
    from diffusers import AutoencoderKLCogVideoX, CogVideoXDDIMScheduler, CogVideoXTransformer3DModel

_SCHEDULE: dict[str, Any] = {
    "prediction_type": "v_prediction",
    "clip_sample": False,
    "timestep_spacing": "trailing",
    "rescale_betas_zero_snr": True,
}


def save_cogvideox(folder: Path, pipeline: str, wide: bool = False, named: str | None = None, **transformer: Any) -> Path:
    """A pipeline with random weights; ``wide`` takes pictures beside the noise, ``named`` is the class in its index."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        four = {"down_block_types": ("CogVideoXDownBlock3D",) * 4, "up_block_types": ("CogVideoXUpBlock3D",) * 4}
        vae = AutoencoderKLCogVideoX(block_out_channels=(4, 4, 4, 4), layers_per_block=1, norm_num_groups=2, **four)
        asked = {"num_attention_heads": 2, "attention_head_dim": 16, "num_layers": 1, "text_embed_dim": 16, "time_embed_dim": 8}
        small = {"in_channels": 32 if wide else 16, "sample_height": 4, "sample_width": 6, "sample_frames": 9}
        parts: dict[str, Any] = {
            "tokenizer": tokenizer(),
            "text_encoder": t5(),
            "vae": vae,
            "transformer": CogVideoXTransformer3DModel(**(asked | small | transformer)),
            "scheduler": CogVideoXDDIMScheduler(**_SCHEDULE),
        }
        getattr(diffusers, pipeline)(**parts).save_pretrained(folder)
    if named is not None:
        index = json.loads((folder / "model_index.json").read_text())
        (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": named}))
    return folder


_NOISE_ALONE: dict[str, Any] = {"large": lambda folder: {"strength": 1.0}, "tolerance": 1e-5}
"""At full strength the schedule begins with noise alone."""

TINY = {
    "cogvideox": Tiny(save=lambda folder: save_cogvideox(folder, "CogVideoXPipeline"), frames=9),
    "cogvideox-i2v": Tiny(
        save=lambda folder: save_cogvideox(folder, "CogVideoXImageToVideoPipeline", wide=True),
        frames=9,
        large=lambda folder: {"first_frame": "rgb"},
        draws=True,
    ),
    "cogvideox-fun-control": Tiny(
        save=lambda folder: save_cogvideox(folder, "CogVideoXFunControlPipeline", wide=True, named="CogVideoXPipeline"),
        frames=9,
        control="vae",
    ),
    "cogvideox-v2v": Tiny(
        save=lambda folder: save_cogvideox(folder, "CogVideoXVideoToVideoPipeline"), frames=9, **_NOISE_ALONE
    ),
}
