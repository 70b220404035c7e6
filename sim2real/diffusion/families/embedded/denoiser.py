"""The embedded denoiser: a causal, fully convolutional U-Net that predicts the clean picture as a change of the given one.

Translating conditions and noise translates the picture (but for margins, and for one exposure per clip that is guessed from all
of it). Frame k sees frames up to k; what it needs of earlier ones is a state that can be handed on, so that a stream gives the
same bits as a clip.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from ....conditions.coverage import NEIGHBORS
from ...folding import FOLD, fold_pixels, unfold_pixels
from .conditions import BASE, CHANNELS, LIGHT, NORMALS, OPEN, PICTURE, RENDERED
from .scale import pixels_per_cell

SCALE = 2.0
"""The network's clean pictures are pictures in [-1, 1] times this: about unit variance, as ``PixelVAE`` has them."""
MULTIPLE = 16
"""Pixels per cell of the coarsest level."""
_MEMORY = 2
"""Earlier frames that a frame sees directly."""
_LEAVING = 16
"""Features that are brought to full size."""
_NOISE_AT_FIRST = 0.1
"""Of the weights that noise comes in by: in one step it says nothing of the picture, and hides what the others say."""
_ALIKE = 0.15
"""How much base color, light and normals may differ between pixels that share what the network said of one of them."""
_SETTLED = 0.1
"""Least weight of the present frame in the running mean that exposure is guessed from."""

State = dict[str, Tensor]
"""What later frames need of earlier ones, by name of the layer."""


@dataclass(frozen=True)
class Sizes:
    """What a denoiser is built from.

    - ``widths``: channels at 1/2, 1/4, 1/8 and 1/16 of the size.
    - ``down``: residual blocks at each of these levels on the way down.
    - ``up``: residual blocks at each level on the way up again.
    - ``embedding``: width of the vector for noise level and exposure.
    - ``patch_size``: for diffusers' pipeline: latents per token.
    - ``vace_layers``: for diffusers' pipeline: it counts them.
    - ``in_channels``: for diffusers' pipeline: channels of folded pixels.
    """

    widths: Sequence[int] = (40, 80, 160, 256)
    down: Sequence[int] = (1, 2, 2, 2)
    up: Sequence[int] = (2, 2, 2, 2)
    embedding: int = 192
    patch_size: Sequence[int] = (1, 1, 1)
    vace_layers: Sequence[int] = (0,)
    in_channels: int = 3 * FOLD**2


class PictureDenoiser(nn.Module):
    """Predicts clean pictures from noisy ones and conditions; see the module's docstring.

    It has what diffusers' pipelines ask of a transformer, and needs nothing of diffusers itself, which takes ten seconds to be
    imported.

    Args:
        config: what it is built from.
    """

    def __init__(self, config: Sizes) -> None:
        super().__init__()
        self.config = config
        widths, down, up, embedding = config.widths, config.down, config.up, config.embedding
        self.level = nn.Sequential(nn.Linear(_FREQUENCIES * 2, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        self.enter = _convolution(3 + CHANNELS, widths[0], 4, stride=2)
        self.descent = nn.ModuleList(
            nn.ModuleList(Block(width, embedding) for _ in range(count))
            for width, count in zip(widths[:-1], down[:-1], strict=True)
        )
        self.shrink = nn.ModuleList(_convolution(a, b, stride=2) for a, b in zip(widths, widths[1:], strict=False))
        self.before = nn.ModuleList(Block(widths[-1], embedding) for _ in range(down[-1]))
        self.exposure = nn.Sequential(nn.Linear(2 * widths[-1], embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        self.middle = Past(widths[-1])
        self.after = nn.ModuleList(Block(widths[-1], embedding) for _ in range(up[-1]))
        self.grow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in zip(widths, widths[1:], strict=False))
        self.past = Past(widths[-2])
        self.ascent = nn.ModuleList(
            nn.ModuleList(Block(width, embedding) for _ in range(count))
            for width, count in zip(widths[:-1], up[:-1], strict=True)
        )
        self.leave = _convolution(widths[0], _LEAVING)
        self.finish = _convolution(_LEAVING + 14, 9)
        with torch.no_grad():
            self.enter.weight[:, :3] *= _NOISE_AT_FIRST
        for layer in (self.finish, self.exposure[-1]):
            nn.init.zeros_(layer.weight)  # pyright: ignore[reportArgumentType]
            nn.init.zeros_(layer.bias)  # pyright: ignore[reportArgumentType]

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.enter.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """What the weights are stored as."""
        return self.enter.weight.dtype

    @contextmanager
    def cache_context(self, name: str) -> Iterator[None]:
        """Pipelines name their passes for caches; there are none."""
        yield

    def forward(
        self,
        hidden_states: Float[Tensor, "batch folded frames h w"],
        timestep: Tensor,
        encoder_hidden_states: Tensor | None = None,
        control_hidden_states: Tensor | None = None,
        control_hidden_states_scale: Tensor | None = None,
        attention_kwargs: dict[str, Any] | None = None,
        return_dict: bool = False,
    ) -> tuple[Float[Tensor, "batch folded frames h w"]]:
        """The prediction of clean latents, as diffusers' Wan-VACE pipeline asks its transformer for it.

        Args:
            hidden_states: noisy pictures, folded.
            timestep: 1000 times the share of noise.
            encoder_hidden_states: of a text; not used.
            control_hidden_states: of a control video; not used, the conditions say more.
            control_hidden_states_scale: not used.
            attention_kwargs: ``conditions`` (batch, frames, channels, height, width) at pixel resolution, and optionally
                ``states``, a dict of states by timestep, which is read and updated, and ``quick``, as of ``predict``.
            return_dict: not used.
        """
        given = attention_kwargs or {}
        noisy = unfold_pixels(hidden_states).transpose(1, 2)
        states = given.get("states", {})
        key = round(float(timestep.flatten()[0]), 3)
        sigma = timestep.to(noisy.dtype).expand(len(noisy)) / 1000
        clean, states[key] = self.predict(noisy, sigma, given["conditions"], states.get(key), quick=given.get("quick", False))
        return (fold_pixels(clean.transpose(1, 2)),)

    def predict(
        self,
        noisy: Float[Tensor, "batch frames 3 height width"],
        sigma: Float[Tensor, " batch"],
        conditions: Float[Tensor, "batch frames c height width"],
        state: State | None = None,
        *,
        quick: bool = False,
    ) -> tuple[Float[Tensor, "batch frames 3 height width"], State]:
        """Clean pictures, and the state to predict later frames with.

        While training all frames go through each layer together; otherwise one after the other, so that the bits do not depend
        on how a clip is cut into stretches.

        Args:
            noisy: ``(1 - sigma) clean + sigma noise``, clean pictures scaled by :data:`SCALE`.
            sigma: share of noise.
            conditions: from ``picture_conditions``.
            state: what the call for the frames before returned; None at a clip's start.
            quick: see pictures of half the size. Not while training.
        """
        state = {} if state is None else dict(state)
        by = 1 if self.training else pixels_per_cell(*noisy.shape[-2:], quick=quick)
        if self.training:
            return self._run(noisy, sigma, conditions, state, by), state
        frames = [self._run(noisy[:, k : k + 1], sigma, conditions[:, k : k + 1], state, by) for k in range(noisy.shape[1])]
        return torch.cat(frames, dim=1), state

    def _run(
        self,
        noisy: Float[Tensor, "batch frames 3 height width"],
        sigma: Float[Tensor, " batch"],
        conditions: Float[Tensor, "batch frames c height width"],
        state: State,
        by: int,
    ) -> Float[Tensor, "batch frames 3 height width"]:
        """Clean pictures of frames that run together, ``by`` pixels along each axis seen as one; ``state`` is updated."""
        batch, frames, *_ = noisy.shape
        given, covered = conditions.flatten(0, 1).split([CHANNELS, conditions.shape[2] - CHANNELS], dim=1)
        coarse, sigma = _coarser(noisy.flatten(0, 1), sigma.repeat_interleave(frames), by)
        known = given if by == 1 else functional.avg_pool2d(reflected(given, by), by)
        seen = torch.cat([coarse, known], dim=1)
        low, wide = known.shape[-2:]
        seen = reflected(seen, MULTIPLE).contiguous(memory_format=torch.channels_last)
        level = self.level(_waves(sigma))
        x = self.enter(seen)
        skips = []
        for blocks, shrink in zip(self.descent, self.shrink, strict=True):
            for block in blocks:  # pyright: ignore[reportGeneralTypeIssues]
                x = block(x, level)
            skips.append(x)
            x = shrink(x)
        for block in self.before:
            x = block(x, level)
        level = level + self.exposure(self._surroundings(x, frames, state))
        x = self.middle(x, frames, state, "middle")
        for block in self.after:
            x = block(x, level)
        for index in reversed(range(len(skips))):
            x = skips[index] + _doubled(self.grow[index](x))
            if index == len(skips) - 1:
                x = self.past(x, frames, state, "past")
            for block in self.ascent[index]:  # pyright: ignore[reportGeneralTypeIssues]
                x = block(x, level)
        x = functional.silu(_doubled(self.leave(functional.silu(_normalized(x)))))
        once_more = seen[:, 3:]  # what is sharp there is sharp here
        sharp = [once_more[:, which] for which in (PICTURE, BASE, LIGHT, OPEN, RENDERED)]
        change = self.finish(torch.cat([x, *sharp], dim=1))[..., :low, :wide].float()
        if by > 1:
            change = _spread(change, known, given, by)
        gain, base_gain, bias = change.chunk(3, dim=1)
        clean = SCALE * ((1 + gain) * (given[:, PICTURE] + 1) + base_gain * (given[:, BASE] + 1) - 1 + bias)
        return mixed(clean, covered).unflatten(0, (batch, frames))

    def _surroundings(self, x: Float[Tensor, "n c h w"], frames: int, state: State) -> Float[Tensor, "n twice"]:
        """Mean and spread over the picture of the coarsest features, averaged over the frames so far."""
        flat = x.float().flatten(2)
        now = torch.cat([flat.mean(2), (flat.var(2, correction=0) + 1e-6).sqrt()], dim=1).unflatten(0, (-1, frames))
        count = state.get("frames", torch.zeros((), device=x.device))
        means, mean = [], state.get("exposure", now[:, 0])
        for k in range(frames):
            mean = torch.lerp(mean, now[:, k], (1 / (count + k + 1)).clamp(min=_SETTLED))
            means.append(mean)
        state["frames"], state["exposure"] = count + frames, mean
        return torch.stack(means, dim=1).flatten(0, 1)


class Block(nn.Module):
    """Residual block: channels normalized per pixel, scaled and shifted by the embedding, two convolutions."""

    def __init__(self, width: int, embedding: int) -> None:
        super().__init__()
        self.modulation = nn.Linear(embedding, 2 * width)
        self.first = _convolution(width, width)
        self.second = _convolution(width, width)
        nn.init.zeros_(self.modulation.weight)
        assert self.modulation.bias is not None and self.second.bias is not None
        nn.init.zeros_(self.modulation.bias)
        nn.init.normal_(self.second.weight, std=0.1 / math.sqrt(9 * width))
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Float[Tensor, "n c h w"], level: Float[Tensor, "n e"]) -> Float[Tensor, "n c h w"]:
        """The input and what the block adds to it."""
        gain, bias = self.modulation(functional.silu(level))[:, :, None, None].chunk(2, dim=1)
        hidden = self.first(torch.addcmul(bias, _normalized(x), 1 + gain))
        return x + self.second(functional.silu(hidden))


class Past(nn.Module):
    """Adds what the last frames knew; nothing at first, and at a clip's start nothing is known."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(width, width // 2, 1)
        self.mix = _convolution(width // 2 * (1 + _MEMORY), width)
        nn.init.zeros_(self.mix.weight)
        assert self.mix.bias is not None
        nn.init.zeros_(self.mix.bias)

    def forward(self, x: Float[Tensor, "n c h w"], frames: int, state: State, name: str) -> Float[Tensor, "n c h w"]:
        """Mix each frame with those before it; ``state[name]`` holds the last ones before the first, and is updated."""
        now = functional.silu(self.reduce(_normalized(x))).unflatten(0, (-1, frames))
        before = state.get(name)
        known = now.new_zeros(len(now), _MEMORY, *now.shape[2:]) if before is None else before
        known = torch.cat([known, now], dim=1)
        state[name] = known[:, -_MEMORY:]
        views = [known[:, _MEMORY - k : _MEMORY - k + frames] for k in range(_MEMORY + 1)]
        joined = torch.cat(views, dim=2).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        return x + self.mix(joined)


def _convolution(channels: int, out: int, size: int = 3, stride: int = 1) -> nn.Conv2d:
    """A convolution in which the picture goes on beyond its margin as it ends there: with zeros, margins show as lines."""
    return nn.Conv2d(channels, out, size, stride=stride, padding=1, padding_mode="replicate")


def mixed(clean: Float[Tensor, "n 3 h w"], shares: Float[Tensor, "n neighbors h w"]) -> Float[Tensor, "n 3 h w"]:
    """Give every pixel the part of its neighbors' colors that their surfaces cover of it, in linear light (about its square).

    Args:
        clean: pictures scaled by :data:`SCALE`, each pixel of one surface.
        shares: of ``NEIGHBORS``; none, and nothing is mixed.
    """
    total = shares.sum(1, keepdim=True)
    if not (total > 0).any():
        return clean
    height, width = clean.shape[-2:]
    linear = functional.pad((clean / SCALE * 0.5 + 0.5).clamp(min=0).square(), (1, 1, 1, 1), mode="replicate")
    light = (1 - total) * linear[..., 1:-1, 1:-1]
    for k, (i, j) in enumerate(NEIGHBORS):
        light = light + shares[:, k : k + 1] * linear[..., 1 + i : 1 + i + height, 1 + j : 1 + j + width]
    return torch.where(total > 0, SCALE * (2 * light.clamp(min=1e-6).sqrt() - 1), clean)


def _coarser(
    noisy: Float[Tensor, "n 3 height width"], sigma: Float[Tensor, " n"], by: int
) -> tuple[Float[Tensor, "n 3 h w"], Float[Tensor, " n"]]:
    """Noisy pictures of fewer pixels, and their share of noise: means of ``by ** 2`` values deviate 1 / ``by`` as much."""
    if by == 1:
        return noisy, sigma
    total = (1 - sigma) + sigma / by
    means = functional.avg_pool2d(reflected(noisy, by), by)
    return means / total[:, None, None, None], sigma / by / total


def _spread(
    change: Float[Tensor, "n c h w"], known: Float[Tensor, "n d h w"], given: Float[Tensor, "n d height width"], by: int
) -> Float[Tensor, "n c height width"]:
    """What was said of fewer pixels, for all: of the four around, those count that show the same surface in the same light.

    Joint bilateral upsampling (Kopf, Cohen, Lischinski and Uyttendaele 2007): gains are smooth where pictures are not.
    """
    height, width = given.shape[-2:]
    guides = [torch.cat([pictures[:, BASE], pictures[:, LIGHT], pictures[:, NORMALS]], dim=1) for pictures in (known, given)]
    few, said = torch.cat([change, guides[0]], dim=1).contiguous(), change.shape[1]
    sides = []
    for length, count in ((height, change.shape[-2]), (width, change.shape[-1])):
        place = ((torch.arange(length, device=given.device) + 0.5) / by - 0.5).clamp(0, count - 1)
        before = place.long().clamp(max=max(count - 2, 0))
        sides.append([(before, 1 - (place - before)), ((before + 1).clamp(max=count - 1), place - before)])
    total = torch.zeros((len(change), change.shape[1], height, width), device=given.device)
    weights = torch.zeros((len(change), 1, height, width), device=given.device)
    for columns, horizontal in sides[1]:
        beside = few.index_select(3, columns)
        for rows, vertical in sides[0]:
            there = beside.index_select(2, rows)
            apart = (there[:, said:] - guides[1]).square().sum(1, keepdim=True)
            weight = vertical[:, None] * horizontal * (torch.exp(-apart / _ALIKE**2) + 1e-4)
            total += weight * there[:, :said]
            weights += weight
    return total / weights


def _doubled(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h2 w2"]:
    """Twice the size, linear in between: values that are repeated leave a grid."""
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _normalized(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """Channels of every pixel at mean 0 and variance 1: no pixel depends on another."""
    return functional.layer_norm(x.permute(0, 2, 3, 1), (x.shape[1],)).permute(0, 3, 1, 2)


_FREQUENCIES = 32


def _waves(sigma: Float[Tensor, " batch"]) -> Float[Tensor, "batch waves"]:
    """Sines and cosines of the noise level, from slow to fast."""
    rates = torch.exp(torch.linspace(0, math.log(100), _FREQUENCIES, device=sigma.device))
    angles = sigma.float()[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def reflected(pictures: Float[Tensor, "n c height width"], multiple: int) -> Float[Tensor, "n c padded_h padded_w"]:
    """Pad below and on the right to multiples, by reflection; what is too small for that repeats its last row and column."""
    height, width = pictures.shape[-2:]
    margin = (0, -width % multiple, 0, -height % multiple)
    if not any(margin):
        return pictures
    fits = margin[1] < width and margin[3] < height
    return functional.pad(pictures, margin, mode="reflect" if fits else "replicate")


def build_denoiser(seed: int = 0, **sizes: Any) -> PictureDenoiser:
    """A denoiser with fresh weights; the same seed gives the same weights, and the global generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PictureDenoiser(Sizes(**sizes)).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
