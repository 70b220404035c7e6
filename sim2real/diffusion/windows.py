"""Longer clips and larger pictures than a denoiser was trained on: overlapping windows of one shared noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


def window_starts(length: int, window: int, overlap: int, multiple: int = 1) -> list[int]:
    """Where windows begin along an axis: evenly spread from 0 to the end, at multiples, overlapping by at least ``overlap``.

    Args:
        length: of the axis, a multiple of ``multiple``; a window that is longer gives the one start 0.
        window: length of a window, a multiple of ``multiple``.
        overlap: smallest overlap of neighbours, less than ``window``.
        multiple: of which every start is one.
    """
    if length <= window:
        return [0]
    last = (length - window) // multiple
    stride = max(1, (window - overlap) // multiple)
    steps = -(-last // stride)
    return [round(i * last / steps) * multiple for i in range(steps + 1)]


def feather(length: int, dtype: torch.dtype = torch.float32, device: torch.device | None = None) -> Float[Tensor, " length"]:
    """Weights of a window along an axis: a raised sine, positive everywhere."""
    place = (torch.arange(length, dtype=dtype, device=device) + 0.5) / length
    return torch.sin(torch.pi * place).square() + 1e-3


class WindowedTransformer(torch.nn.Module):
    """A denoiser for videos of any size, which calls one for windows and blends its predictions.

    At every denoising step the whole video is cut into overlapping windows, each is denoised by itself, and the
    predictions are averaged with feathered weights, so that neighbouring windows agree before the next step
    (MultiDiffusion, Bar-Tal et al. 2023, equation 5). All windows see parts of the same noise.

    Args:
        transformer: a ``WanVACETransformer3DModel``.
        window: frames, latent height and latent width of a window.
        overlap: smallest overlap of neighbouring windows along the same axes.
        batch: windows that run at once.
        on_windows: told how many windows of the present step are done.

    ``phases`` says where the tokens' grid lies: 0 as in training, 1 shifted by half a token along both spatial axes. The
    predictions of several phases are averaged, so that tokens do not show as blocks; the sampler changes them between steps.
    """

    def __init__(
        self,
        transformer: torch.nn.Module,
        window: tuple[int, int, int],
        overlap: tuple[int, int, int],
        *,
        batch: int = 8,
        on_windows: Callable[[int], None] | None = None,
    ) -> None:
        super().__init__()
        self.transformer = transformer
        self.window = window
        self.overlap = overlap
        self.batch = batch
        self.phases: tuple[int, ...] = (0,)
        self.on_windows = on_windows
        self._done = 0

    @property
    def config(self) -> Any:
        """The configuration of the denoiser inside."""
        return self.transformer.config

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the denoiser inside."""
        return self.transformer.dtype  # pyright: ignore[reportReturnType]

    @property
    def device(self) -> torch.device:
        """The device of the denoiser inside."""
        return self.transformer.device  # pyright: ignore[reportReturnType]

    @contextmanager
    def cache_context(self, name: str) -> Iterator[None]:
        """Pipelines name their passes for caches; windows use none."""
        yield

    def windows(self, frames: int, h: int, w: int) -> list[tuple[slice, slice, slice]]:
        """The windows of a latent video, in the order in which they run."""
        p_t, p_h, p_w = self.config.patch_size
        axes = []
        for length, window, overlap, patch in zip((frames, h, w), self.window, self.overlap, (p_t, p_h, p_w), strict=True):
            starts = window_starts(length, window, overlap, patch)
            axes.append([slice(start, min(start + window, length)) for start in starts])
        return list(product(*axes))

    def forward(
        self,
        hidden_states: Float[Tensor, "1 z frames h w"],
        timestep: Tensor,
        encoder_hidden_states: Float[Tensor, "1 tokens d"],
        control_hidden_states: Float[Tensor, "1 c frames h w"],
        control_hidden_states_scale: Tensor | None = None,
        attention_kwargs: dict[str, Any] | None = None,
        return_dict: bool = False,
    ) -> tuple[Float[Tensor, "1 z frames h w"]]:
        """One prediction for the whole video; arguments as the pipeline passes them."""
        rest = (timestep, encoder_hidden_states, control_hidden_states_scale, attention_kwargs)
        self._done = 0
        predictions = []
        for phase in self.phases:
            shifts = [phase * (patch // 2) for patch in self.config.patch_size[1:]]
            pad = (shifts[1], shifts[1], shifts[0], shifts[0], 0, 0)
            inputs = [torch.nn.functional.pad(x, pad, mode="replicate") for x in (hidden_states, control_hidden_states)]
            whole = self._blended(inputs[0], inputs[1], *rest)
            h, w = hidden_states.shape[3:]
            predictions.append(whole[..., shifts[0] : shifts[0] + h, shifts[1] : shifts[1] + w])
        return (sum(predictions[1:], predictions[0]) / len(predictions),)

    def count(self, frames: int, h: int, w: int, phases: tuple[int, ...]) -> int:
        """How many windows a step with these phases runs."""
        _, p_h, p_w = self.config.patch_size
        return sum(len(self.windows(frames, h + 2 * phase * (p_h // 2), w + 2 * phase * (p_w // 2))) for phase in phases)

    def _blended(
        self,
        hidden_states: Float[Tensor, "1 z frames h w"],
        control_hidden_states: Float[Tensor, "1 c frames h w"],
        timestep: Tensor,
        encoder_hidden_states: Float[Tensor, "1 tokens d"],
        control_hidden_states_scale: Tensor | None,
        attention_kwargs: dict[str, Any] | None,
    ) -> Float[Tensor, "1 z frames h w"]:
        """The weighted mean of the windows' predictions."""
        places = self.windows(*hidden_states.shape[2:])
        total = torch.zeros_like(hidden_states)
        weights = torch.zeros_like(hidden_states[:, :1])
        for first in range(0, len(places), self.batch):
            chunk = places[first : first + self.batch]
            predicted = self.transformer(
                hidden_states=torch.cat([hidden_states[(..., *place)] for place in chunk]),
                timestep=timestep.expand(len(chunk)),
                encoder_hidden_states=encoder_hidden_states.expand(len(chunk), -1, -1),
                control_hidden_states=torch.cat([control_hidden_states[(..., *place)] for place in chunk]),
                control_hidden_states_scale=control_hidden_states_scale,
                attention_kwargs=attention_kwargs,
                return_dict=False,
            )[0]
            f, h, w = (feather(n, predicted.dtype, predicted.device) for n in predicted.shape[2:])
            weight = f[:, None, None] * h[:, None] * w
            for place, one in zip(chunk, predicted, strict=True):
                total[(..., *place)] += weight * one
                weights[(..., *place)] += weight
            self._done += len(chunk)
            if self.on_windows is not None:
                self.on_windows(self._done)
        return total / weights
