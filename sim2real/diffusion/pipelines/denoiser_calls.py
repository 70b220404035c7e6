"""What denoisers are called with for noise of a grid, on the meta device: all the shapes, none of the memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Grid = tuple[int, int, int]
"""Latents, height and width of the noise."""
Call = Callable[[Any, Grid, int], dict[str, Any]]


def _empty(*shape: int, whole: bool = False) -> Any:
    """A tensor without memory."""
    import torch

    return torch.empty(shape, dtype=torch.int64 if whole else torch.float32, device="meta")


def _wan(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    config = model.config
    call: dict[str, Any] = {
        "hidden_states": _empty(1, config.in_channels, *grid),
        "timestep": _empty(1, whole=True),
        "encoder_hidden_states": _empty(1, 512, config.text_dim),
    }
    if getattr(config, "image_dim", None):
        call["encoder_hidden_states_image"] = _empty(1, 257, config.image_dim)
    if "vace_layers" in config:
        call["control_hidden_states"] = _empty(1, config.vace_in_channels, *grid)
        call["control_hidden_states_scale"] = _empty(len(config.vace_layers))
    return call


def _cogvideox(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    """Version 1.5 takes pairs of latents, for which one is added in front."""
    config, (latents, height, width) = model.config, grid
    pair = config.patch_size_t or 1
    padded = latents + -latents % pair
    call: dict[str, Any] = {
        "hidden_states": _empty(1, padded, config.in_channels, height, width),
        "timestep": _empty(1, whole=True),
        "encoder_hidden_states": _empty(1, config.max_text_seq_length, config.text_embed_dim),
    }
    if config.use_rotary_positional_embeddings:
        tokens = padded // pair * (height // config.patch_size) * (width // config.patch_size)
        call["image_rotary_emb"] = (_empty(tokens, config.attention_head_dim), _empty(tokens, config.attention_head_dim))
    if config.ofs_embed_dim is not None:
        call["ofs"] = _empty(1)
    return call


def _unet(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    """Latents with their frames behind the channels, and a text per video."""
    text = _empty(1, 77, model.config.cross_attention_dim)
    return {"sample": _empty(1, channels, *grid), "timestep": 1, "encoder_hidden_states": text}


def _unet_of_pictures(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    """A batch of frames, and a text for each."""
    text = _empty(grid[0], 77, model.config.cross_attention_dim)
    return {"sample": _empty(grid[0], channels, *grid[1:]), "timestep": 1, "encoder_hidden_states": text}


def _unet_of_motion(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    """Latents with their frames behind the channels, and a text per frame."""
    text = _empty(grid[0], 77, model.config.cross_attention_dim)
    return {"sample": _empty(1, channels, *grid), "timestep": 1, "encoder_hidden_states": text}


def _unet_of_stable_video(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    """Noise and the first frame's latents, its embedding, and frame rate, motion and noise of the first frame."""
    return {
        "sample": _empty(1, grid[0], model.config.in_channels, *grid[1:]),
        "timestep": 1,
        "encoder_hidden_states": _empty(1, 1, model.config.cross_attention_dim),
        "added_time_ids": _empty(1, 3),
    }


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


CALLS: dict[str, Call] = {
    "WanTransformer3DModel": _wan,
    "WanVACETransformer3DModel": _wan,
    "CogVideoXTransformer3DModel": _cogvideox,
    "UNetMotionModel": _unet_of_motion,
    "UNet2DConditionModel": _unet_of_pictures,
    "UNet3DConditionModel": _unet,
    "UNetSpatioTemporalConditionModel": _unet_of_stable_video,
    "CosmosTransformer3DModel": _cosmos,
    "HunyuanVideoTransformer3DModel": _hunyuan,
    "SanaVideoTransformer3DModel": _sana,
    "LTXVideoTransformer3DModel": _ltx,
    "LTX2VideoTransformer3DModel": _ltx2,
}
"""By the denoiser's class: keyword arguments for (the model, the grid, channels of the noise). Classes that look at values
rather than at shapes (HunyuanVideo 1.5, Cosmos 3) cannot be called on the meta device, and are not here."""
