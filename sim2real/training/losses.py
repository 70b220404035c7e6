"""What a step of training minimizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from ..diffusion.families.embedded.denoiser import SCALE
from .data import Batch
from .recipe import Losses

Pictures = Float[Tensor, "n 3 height width"]
Distance = Callable[[Pictures, Pictures], Float[Tensor, " n"]]
"""Of pictures in [-1, 1], pair by pair."""
Predict = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, object]]
"""Clean pictures of noisy ones, sigmas and conditions: ``PictureDenoiser.predict``."""

_SCALES = 3
"""Sizes at which patches are compared: full, half and a quarter."""
_PATCH = 4
"""Pixels of a patch at its scale."""


def training_loss(
    predict: Predict, batch: Batch, losses: Losses, *, perceptual: Distance | None, features: Distance | None = None
) -> Float[Tensor, ""]:
    """The mean loss of a batch's samples.

    Args:
        predict: of a model in training mode.
        batch: of samples with one draw of noise or two.
        losses: the weights.
        perceptual: LPIPS or alike; None leaves that term away.
        features: the distance whose energy score is taken beside that of patches; not squared.
    """
    of = batch.of
    sigma = batch.sigma[of].view(-1, 1, 1, 1, 1)
    clean = batch.clean[of]
    noisy = (1 - sigma) * clean + sigma * batch.noise
    predicted, _ = predict(noisy, batch.sigma[of], batch.conditions[of])
    twice = torch.bincount(of, minlength=len(batch.clean))[of] > 1
    total = predicted.new_zeros(())
    if not twice.all():
        one = ~twice
        total = total + _error(predicted[one], clean[one], sigma[one], losses)
        if perceptual is not None and losses.perceptual > 0:
            numbers = [batch.numbers[i] for i in of[one].tolist()]
            a, b = _perceptual_crops([predicted[one], clean[one]], numbers, losses.perceptual_size)
            total = total + losses.perceptual * perceptual(a, b).sum()
    if twice.any():
        first, second, truth = predicted[twice][0::2], predicted[twice][1::2], clean[twice][0::2]
        numbers = [batch.numbers[i] for i in of[twice].tolist()[0::2]]
        x, other, y = (video.flatten(0, 1) for video in (first, second, truth))
        total = total + losses.energy * energy_score(x, other, y, patch_distance).sum() / first.shape[1]
        if features is not None and losses.energy_features > 0:
            x, other, y = _perceptual_crops([first, second, truth], numbers, losses.perceptual_size)
            total = total + losses.energy_features * energy_score(x, other, y, features).sum()
    return total / len(batch.clean)


def _error(
    predicted: Float[Tensor, "n frames 3 height width"],
    clean: Float[Tensor, "n frames 3 height width"],
    sigma: Float[Tensor, "n 1 1 1 1"],
    losses: Losses,
) -> Float[Tensor, ""]:
    """Summed over samples: the error of the velocity ``(noisy - clean) / sigma``, whose weight is held near sigma 0."""
    error = (predicted - clean) / sigma.clamp(min=losses.clamp)
    return len(clean) * (error.square().mean() + losses.absolute * error.abs().mean())


def energy_score(first: Pictures, second: Pictures, truth: Pictures, distance: Distance) -> Float[Tensor, " n"]:
    """Energy score of two independent predictions, per picture.

    Its mean is least where predictions are distributed as the truth is, for distances of negative type such as a norm: the
    first term pulls them to the truth, the second keeps them apart.

    Reference: Gneiting and Raftery 2007, Strictly proper scoring rules, prediction, and estimation, section 4.3.
    """
    return (distance(first, truth) + distance(second, truth) - distance(first, second)) / 2


def patch_distance(a: Pictures, b: Pictures) -> Float[Tensor, " n"]:
    """Mean over patches of several sizes of the Euclidean distance (root mean square per value, not squared)."""
    difference = a - b
    total = difference.new_zeros(len(difference))
    for _ in range(_SCALES):
        squares = difference.square().mean(dim=1, keepdim=True)
        patches = functional.avg_pool2d(squares, _PATCH, stride=_PATCH // 2)
        total = total + (patches + 1e-6).sqrt().mean(dim=(1, 2, 3))
        difference = functional.avg_pool2d(difference, 2)
    return total / _SCALES


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
