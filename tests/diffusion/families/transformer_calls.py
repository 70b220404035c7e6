"""How transformers are called that look at values (masks, and a device that computes): tried with memory, few words, a small
grid.
"""

from __future__ import annotations

from typing import Any

import torch

from sim2real.diffusion.pipelines.denoiser_calls import Grid


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


CALLS_WITH_VALUES = {"Cosmos3OmniTransformer": _cosmos3, "HunyuanVideo15Transformer3DModel": _hunyuan15}
