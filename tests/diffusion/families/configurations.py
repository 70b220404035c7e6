"""Published configurations on the meta device: all the shapes, none of the memory."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any
from unittest import mock

from sim2real.diffusion.pipelines.denoiser_calls import CALLS, Grid
from tests.diffusion.families.tiny.cosmos import packages
from tests.diffusion.families.transformer_calls import CALLS_WITH_VALUES

with warnings.catch_warnings():  # others' deprecations
    warnings.simplefilter("ignore")
    import diffusers
    import torch
    import transformers
    from transformers.initialization import no_init_weights


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


def denoised(model: Any, grid: Grid, channels: int) -> tuple[int, ...]:
    """The shape that a denoiser answers with when it is called as its pipeline calls it.

    The axes are (batch, channels, latents, height, width) or as the model has them.
    """
    if type(model).__name__ in CALLS_WITH_VALUES:
        model = model.to(torch.bfloat16).to_empty(device="cpu")
    call = (CALLS | CALLS_WITH_VALUES)[type(model).__name__](model, grid, channels)
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
