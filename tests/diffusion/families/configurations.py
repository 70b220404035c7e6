"""Published configurations on the meta device: all the shapes, none of the memory."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any
from unittest import mock

from tests.diffusion.families.tiny.cosmos import packages
from tests.diffusion.families.transformer_calls import MORE, WITH_VALUES

with warnings.catch_warnings():  # others' deprecations
    warnings.simplefilter("ignore")
    import diffusers
    import torch
    import transformers
    from transformers.initialization import no_init_weights

Grid = tuple[int, int, int]
"""Latents, height and width of the noise."""
Call = Callable[[Any, Grid, int], dict[str, Any]]


def built(config: Mapping[str, Any]) -> Any:
    """A part of a pipeline without memory, from its configuration; ``_class_name`` says what it is."""
    kind = str(config["_class_name"])
    given = {key: value for key, value in config.items() if not key.startswith("_")}
    with torch.device("meta"), ExitStack() as still:
        for layer in (torch.nn.Linear, torch.nn.Embedding, torch.nn.modules.conv._ConvNd):  # what is empty needs no values
            still.enter_context(mock.patch.object(layer, "reset_parameters", lambda self: None))
        still.enter_context(no_init_weights())
        if hasattr(diffusers, kind):
            return getattr(diffusers, kind).from_config(given).to("meta")  # some make a number or two elsewhere
        model = getattr(transformers, kind)
        made = model(model.config_class(**given))
        made.tie_weights()
        return made


def shortened(config: Mapping[str, Any], layers: int = 6) -> dict[str, Any]:
    """The same model with its first layers only: all layers of a kind have the same shapes."""
    short = dict(config)
    for key in ("num_layers", "num_single_layers", "num_hidden_layers"):
        if short.get(key, 0) > layers:
            short[key] = layers
    if layers == 1 and "vocab_size" in short:
        short["vocab_size"] = 8
    if "vace_layers" in short:
        short["vace_layers"] = [layer for layer in short["vace_layers"] if layer < layers]
    return short


def empty(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """A tensor without memory."""
    return torch.empty(shape, dtype=dtype, device="meta")


def _wan(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    config = model.config
    call: dict[str, Any] = {
        "hidden_states": empty(1, config.in_channels, *grid),
        "timestep": empty(1, dtype=torch.int64),
        "encoder_hidden_states": empty(1, 512, config.text_dim),
    }
    if getattr(config, "image_dim", None):
        call["encoder_hidden_states_image"] = empty(1, 257, config.image_dim)
    if "vace_layers" in config:
        call["control_hidden_states"] = empty(1, config.vace_in_channels, *grid)
        call["control_hidden_states_scale"] = empty(len(config.vace_layers))
    return call


def _cogvideox(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    """Version 1.5 takes pairs of latents, for which one is added in front."""
    config, (latents, height, width) = model.config, grid
    pair = config.patch_size_t or 1
    padded = latents + -latents % pair
    call: dict[str, Any] = {
        "hidden_states": empty(1, padded, config.in_channels, height, width),
        "timestep": empty(1, dtype=torch.int64),
        "encoder_hidden_states": empty(1, config.max_text_seq_length, config.text_embed_dim),
    }
    if config.use_rotary_positional_embeddings:
        tokens = padded // pair * (height // config.patch_size) * (width // config.patch_size)
        call["image_rotary_emb"] = (empty(tokens, config.attention_head_dim), empty(tokens, config.attention_head_dim))
    if config.ofs_embed_dim is not None:
        call["ofs"] = empty(1)
    return call


def _unet(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    """Latents with their frames behind the channels, and a text per video."""
    text = empty(1, 77, model.config.cross_attention_dim)
    return {"sample": empty(1, channels, *grid), "timestep": 1, "encoder_hidden_states": text}


def _unet_of_pictures(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    """A batch of frames, and a text for each."""
    text = empty(grid[0], 77, model.config.cross_attention_dim)
    return {"sample": empty(grid[0], channels, *grid[1:]), "timestep": 1, "encoder_hidden_states": text}


def _unet_of_motion(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    """Latents with their frames behind the channels, and a text per frame."""
    text = empty(grid[0], 77, model.config.cross_attention_dim)
    return {"sample": empty(1, channels, *grid), "timestep": 1, "encoder_hidden_states": text}


def _unet_of_stable_video(model: Any, grid: Grid, channels: int) -> dict[str, Any]:
    """Noise and the first frame's latents, its embedding, and frame rate, motion and noise of the first frame."""
    return {
        "sample": empty(1, grid[0], model.config.in_channels, *grid[1:]),
        "timestep": 1,
        "encoder_hidden_states": empty(1, 1, model.config.cross_attention_dim),
        "added_time_ids": empty(1, 3),
    }


CALLS: dict[str, Call] = {
    "WanTransformer3DModel": _wan,
    "WanVACETransformer3DModel": _wan,
    "CogVideoXTransformer3DModel": _cogvideox,
    "UNetMotionModel": _unet_of_motion,
    "UNet2DConditionModel": _unet_of_pictures,
    "UNet3DConditionModel": _unet,
    "UNetSpatioTemporalConditionModel": _unet_of_stable_video,
}
"""What denoisers are called with for noise of a grid, by their class."""


def denoised(model: Any, grid: Grid, channels: int) -> tuple[int, ...]:
    """The shape that a denoiser answers with when it is called as its pipeline calls it.

    The axes are (batch, channels, latents, height, width) or as the model has them.
    """
    if type(model).__name__ in WITH_VALUES:
        model = model.to(torch.bfloat16).to_empty(device="cpu")
    call = (CALLS | MORE)[type(model).__name__](model, grid, channels)
    assert set(call) <= set(inspect.signature(type(model).forward).parameters)
    with torch.no_grad(), packages():
        answer = model(**call, return_dict=False)[0]
    if isinstance(answer, list):  # one for each video
        answer = answer[0].reshape(1, channels, *answer[0].shape[-3:])
    if answer.ndim == 3:  # tokens
        answer = answer.unflatten(1, grid).permute(0, 4, 1, 2, 3)
    if (getattr(model.config, "patch_size_t", None) or 1) > 1:  # what was added in front is dropped
        answer = answer[:, -grid[0] :]
    return tuple(answer.shape)
