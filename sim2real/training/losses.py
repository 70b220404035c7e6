"""What a step of training minimizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..diffusion.families.embedded.denoiser import SCALE
from .data import Batch
from .recipe import Losses

Pictures = Float[Tensor, "n 3 height width"]
Distance = Callable[[Pictures, Pictures], Float[Tensor, " n"]]
"""Of pictures in [-1, 1], pair by pair."""
Predict = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, object]]
"""Clean pictures of noisy ones, sigmas and conditions: ``PictureDenoiser.predict``."""


def training_loss(predict: Predict, batch: Batch, losses: Losses, *, perceptual: Distance | None) -> Float[Tensor, ""]:
    """The mean loss of a batch's samples.

    Args:
        predict: of a model in training mode.
        batch: of samples.
        losses: the weights.
        perceptual: LPIPS or alike; None leaves that term away.
    """
    sigma = batch.sigma.view(-1, 1, 1, 1, 1)
    noisy = (1 - sigma) * _estimate(predict, batch) + sigma * batch.noise
    predicted, _ = predict(noisy, batch.sigma, batch.conditions)
    total = _error(predicted, batch.clean, sigma, losses)
    if perceptual is not None and losses.perceptual > 0:
        a, b = _perceptual_crops([predicted, batch.clean], batch.numbers, losses.perceptual_size)
        total = total + losses.perceptual * perceptual(a, b).mean()
    return total


def _estimate(predict: Predict, batch: Batch) -> Float[Tensor, "samples frames 3 height width"]:
    """The clean part of noisy pictures: the truth, or for some samples what the model makes of the noise in one step."""
    own = batch.own
    if not own.any():
        return batch.clean
    noise = batch.noise[own]
    with torch.no_grad():
        guess, _ = predict(noise, noise.new_ones(len(noise)), batch.conditions[own])
    estimate = batch.clean.clone()
    estimate[own] = guess.to(estimate.dtype)
    return estimate


def _error(
    predicted: Float[Tensor, "n frames 3 height width"],
    clean: Float[Tensor, "n frames 3 height width"],
    sigma: Float[Tensor, "n 1 1 1 1"],
    losses: Losses,
) -> Float[Tensor, ""]:
    """The error of the velocity ``(noisy - clean) / sigma``, whose weight is held near sigma 0."""
    error = (predicted - clean) / sigma.clamp(min=losses.clamp)
    return error.square().mean() + losses.absolute * error.abs().mean()


def _perceptual_crops(
    videos: Sequence[Float[Tensor, "n frames 3 height width"]], numbers: Sequence[int], size: int
) -> list[Float[Tensor, "n 3 h w"]]:
    """The same random part of one random frame of every video, as pictures in [-1, 1]; keyed by the samples' numbers."""
    _, frames, _, height, width = videos[0].shape
    h, w = min(size, height), min(size, width)
    places = []
    for number in numbers:
        rng = np.random.default_rng([number, 0x1B1B5])
        frame, y, x = (int(rng.integers(n)) for n in (frames, height - h + 1, width - w + 1))
        places.append((frame, slice(None), slice(y, y + h), slice(x, x + w)))
    return [torch.stack([video[i][place] for i, place in enumerate(places)]) / SCALE for video in videos]
