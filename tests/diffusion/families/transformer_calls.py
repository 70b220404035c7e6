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
    "HunyuanVideoTransformer3DModel": _hunyuan,
    "SanaVideoTransformer3DModel": _sana,
    "LTXVideoTransformer3DModel": _ltx,
    "LTX2VideoTransformer3DModel": _ltx2,
}
