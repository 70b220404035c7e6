"""How transformers of families that came later are called for noise of a grid."""

from __future__ import annotations

from typing import Any

import torch

Grid = tuple[int, int, int]


def _empty(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


def _cosmos(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    """Noise, which latents are given, and a mask of padding at full size; version 2.5 reads all layers of its text encoder."""
    config = model.config
    text = _empty(1, 512, config.crossattn_proj_in_channels if config.use_crossattn_projection else config.text_embed_dim)
    image = _empty(1, config.img_context_num_tokens, config.img_context_dim_in) if config.img_context_dim_in else None
    return {
        "hidden_states": _empty(1, channels, *grid),
        "timestep": _empty(1),
        "encoder_hidden_states": text if image is None else (text, image),
        "condition_mask": _empty(1, 1, *grid),
        "padding_mask": _empty(1, 1, 8 * grid[1], 8 * grid[2]),
    }


def _cosmos3(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    """A sequence of a text and the patches of the noise, with where each is in it."""
    patches = (grid[0], grid[1] // 2, grid[2] // 2)
    text, seen = 4, patches[0] * patches[1] * patches[2]
    places = torch.arange(text, text + seen)
    return {
        "input_ids": torch.zeros(text, dtype=torch.int64),
        "text_indexes": torch.arange(text),
        "position_ids": torch.zeros(3, text + seen),
        "und_len": text,
        "sequence_length": text + seen,
        "vision_tokens": [torch.zeros(1, channels, *grid, dtype=model.dtype)],
        "vision_token_shapes": [patches],
        "vision_sequence_indexes": places,
        "vision_mse_loss_indexes": places,
        "vision_timesteps": torch.zeros(seen),
        "vision_noisy_frame_indexes": [torch.arange(grid[0])],
    }


def _hunyuan(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    """Noise, a text with its mask, the same text in one vector, and guidance."""
    return {
        "hidden_states": _empty(1, channels, *grid),
        "timestep": _empty(1),
        "encoder_hidden_states": _empty(1, 256, model.config.text_embed_dim),
        "encoder_attention_mask": _empty(1, 256),
        "pooled_projections": _empty(1, model.config.pooled_projection_dim),
        "guidance": _empty(1),
    }


def _hunyuan15(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    """Noise beside a picture's latents and its mask, two texts with their masks, and a picture's embedding, which is zero."""
    config, dtype = model.config, model.dtype
    return {
        "hidden_states": torch.zeros(1, config.in_channels, *grid, dtype=dtype),
        "timestep": torch.zeros(1, dtype=dtype),
        "encoder_hidden_states": torch.zeros(1, 4, config.text_embed_dim, dtype=dtype),
        "encoder_attention_mask": torch.ones(1, 4),
        "encoder_hidden_states_2": torch.zeros(1, 4, config.text_embed_2_dim, dtype=dtype),
        "encoder_attention_mask_2": torch.ones(1, 4),
        "image_embeds": torch.zeros(1, 4, config.image_embed_dim, dtype=dtype),
    }


def _sana(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    """Noise and a text."""
    return {
        "hidden_states": _empty(1, channels, *grid),
        "encoder_hidden_states": _empty(1, 300, model.config.caption_channels),
        "timestep": _empty(1),
        "encoder_attention_mask": _empty(1, 300),
    }


def _ltx(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    """Tokens, and the grid that they are of."""
    return {
        "hidden_states": _empty(1, grid[0] * grid[1] * grid[2], channels),
        "encoder_hidden_states": _empty(1, 128, model.config.caption_channels),
        "timestep": _empty(1),
        "encoder_attention_mask": _empty(1, 128),
        "num_frames": grid[0],
        "height": grid[1],
        "width": grid[2],
        "rope_interpolation_scale": (8 / 25, 32, 32),
    }


def _ltx2(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    """Tokens of pictures and of five seconds of sound."""
    config, sound = model.config, 126
    return {
        "hidden_states": _empty(1, grid[0] * grid[1] * grid[2], channels),
        "audio_hidden_states": _empty(1, sound, config.audio_in_channels),
        "encoder_hidden_states": _empty(1, 1024, config.caption_channels),
        "audio_encoder_hidden_states": _empty(1, 1024, config.caption_channels),
        "timestep": _empty(1, grid[0] * grid[1] * grid[2]),
        "audio_timestep": _empty(1),
        "num_frames": grid[0],
        "height": grid[1],
        "width": grid[2],
        "audio_num_frames": sound,
    }


MORE = {
    "CosmosTransformer3DModel": _cosmos,
    "Cosmos3OmniTransformer": _cosmos3,
    "HunyuanVideoTransformer3DModel": _hunyuan,
    "HunyuanVideo15Transformer3DModel": _hunyuan15,
    "SanaVideoTransformer3DModel": _sana,
    "LTXVideoTransformer3DModel": _ltx,
    "LTX2VideoTransformer3DModel": _ltx2,
}

WITH_VALUES = ("HunyuanVideo15Transformer3DModel", "Cosmos3OmniTransformer")
"""Classes that look at values (masks, and a device that computes): tried with memory, one layer, few words, a small grid."""
