"""Textures of restyled surfaces, drawn from the noise that lies on them.

A pixel of surface noise is the integral of white noise over what the pixel sees of the surface, at unit variance. Summed up
with a kernel that is laid out on the surface, in metres, it is that white noise blurred by the kernel: a texture that stays on
its surface under every camera, because the noise does, and is another one with other noise.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import warp as wp
from jaxtyping import Float, Float32, Int, UInt8
from torch import Tensor
from torch.nn import functional

from ....devices import as_warp, launch, load
from . import texture_kernels
from .surfaces import FORMS, TextureLayer

_CHANNELS = 3
"""Of the noise: layers take them in turn."""
_VEIN, _SPECK, _SOFT = 0.18, 1.2, 0.12
"""Half width of a vein, threshold of specks and how soft it is, in standard deviations of the noise."""
_LEVELS = 6
_FINEST_PX = 0.5
"""Standard deviation of the finest blur; every level doubles it."""
_REACH = 2
"""Places on either side of a pixel in a round of taps."""
_SPREAD = 7.2
"""Standard deviation of the 25 places that two rounds of five taps reach, in the distance between two of them."""
_PIXEL = 0.3
"""Variance of what a pixel itself blurs, in squared pixels."""
_STEEPEST = 0.12
"""Least cosine between the normal and the view; a surface seen more flatly is taken for one seen like this."""


@dataclass(frozen=True, eq=False)
class Grain:
    """What every instance's texture is like, by id: tables whose rows are ids.

    - ``size`` in metres, ``stretch``, and ``strength``: standard deviation of the logarithm of the linear base color.
    - ``form``: place in ``FORMS``.
    - ``along``: direction of the grain in the camera's frame, per frame, and the one that it has where the first stands on the
      surface.
    """

    size: Float32[np.ndarray, "ids layers"]
    stretch: Float32[np.ndarray, "ids layers"]
    strength: Float32[np.ndarray, "ids layers"]
    form: UInt8[np.ndarray, "ids layers"]
    along: Float32[np.ndarray, "frames ids 2 3"]


def grain_of(
    layers: Mapping[int, tuple[TextureLayer, ...]],
    lightness: Mapping[int, float],
    camera_from_instance: Mapping[int, Float[np.ndarray, "frames 3 3"]],
    frames: int,
) -> Grain:
    """The tables of a stretch of frames.

    Args:
        layers: of every restyled instance, by id.
        lightness: L* of its base color.
        camera_from_instance: rotations. Grain runs along the instance's x axis; where that stands on the surface, along y.
        frames: of the stretch.
    """
    ids, count = max(layers, default=0) + 1, max(map(len, layers.values()), default=0)
    size, stretch = np.full((ids, count), 1e-3, np.float32), np.ones((ids, count), np.float32)
    strength, form = np.zeros((ids, count), np.float32), np.zeros((ids, count), np.uint8)
    along = np.zeros((frames, ids, 2, 3), np.float32)
    for id_, own in layers.items():
        for k, layer in enumerate(own):
            size[id_, k], stretch[id_, k], form[id_, k] = layer.size, layer.stretch, FORMS.index(layer.form)
            strength[id_, k] = layer.contrast * shade_per_lightness(lightness[id_])
        along[:, id_] = np.moveaxis(camera_from_instance[id_][:, :, :2], -1, 1)
    return Grain(size, stretch, strength, form, along)


def shade_per_lightness(lightness: float) -> float:
    """By how much the logarithm of a linear color grows with its lightness: L* = 116 Y^(1/3) - 16, so 3 / (L* + 16)."""
    return 3 / (lightness + 16)


def shade_of(
    noise: Float32[np.ndarray, "3 height width"],
    ids: np.ndarray,
    depth: Float[np.ndarray, "height width"],
    normals: UInt8[np.ndarray, "height width 3"],
    K: Float[np.ndarray, "3 3"],  # noqa: N803
    grain: Grain,
    frame: int,
) -> Float32[np.ndarray, "height width"]:
    """What the linear base color of each pixel of a frame is multiplied with: 1 in the mean, 1 where there is no texture.

    Args:
        noise: unit variance at pixel resolution.
        ids: of instances (height, width).
        depth: metres along z, 0 without a surface.
        normals: camera frame, ``(n + 1) / 2``.
        K: pixels.
        grain: of the stretch that the frame belongs to.
        frame: its place in the stretch.
    """
    load(texture_kernels, "cpu")
    row = torch.from_numpy(np.where(ids < len(grain.size), ids, 0).astype(np.int64))
    z = torch.from_numpy(np.ascontiguousarray(depth, np.float32))
    along = torch.from_numpy(grain.along[frame])[row]
    first, second = _tangents(torch.from_numpy(normals.astype(np.float32)) / 127.5 - 1, z, along, K)
    total = torch.zeros_like(z)
    levels = {}
    for k in range(grain.size.shape[1]):
        size, stretch, strength = (torch.from_numpy(table[:, k])[row] for table in (grain.size, grain.stretch, grain.strength))
        if not (strength > 0).any():
            continue
        channel = k % _CHANNELS
        if channel not in levels:
            levels[channel] = noise_levels(torch.from_numpy(np.ascontiguousarray(noise[channel])))
        field, ratio = blurred(levels[channel], first * (size * stretch), second * size, row)
        deviation = torch.where(z > 0, strength * ratio, 0)
        total += deviation * _formed(field, torch.from_numpy(grain.form[:, k])[row]) - deviation.square() / 2
    return total.exp().numpy()


def _formed(field: Float[Tensor, "height width"], form: UInt8[Tensor, "height width"]) -> Float[Tensor, "height width"]:
    """A layer's shade, of mean 0 and variance 1, from noise of that."""
    out = field
    for place, of in ((1, _vein), (2, _speck)):
        here = form == place
        if here.any():
            out = torch.where(here, of(field), out)
    return out


def _vein(field: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Dark where the noise is about zero; E exp(-c f^2) = (1 + 2 c)^(-1/2) for a standard normal f."""
    c = 1 / _VEIN**2
    mean, square = (1 + 2 * c) ** -0.5, (1 + 4 * c) ** -0.5
    return (mean - torch.exp(-c * field.square())) / math.sqrt(square - mean**2)


def _speck(field: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Dark where the noise is high."""
    mean, deviation = _speck_moments()
    return (mean - torch.sigmoid((field - _SPECK) / _SOFT)) / deviation


@functools.cache
def _speck_moments() -> tuple[float, float]:
    f = torch.linspace(-6, 6, 4801, dtype=torch.float64)
    weight = torch.exp(-f.square() / 2) / torch.exp(-f.square() / 2).sum()
    value = torch.sigmoid((f - _SPECK) / _SOFT)
    mean = float((weight * value).sum())
    return mean, math.sqrt(float((weight * value.square()).sum()) - mean**2)


def _tangents(
    normals: Float[Tensor, "height width 3"],
    depth: Float[Tensor, "height width"],
    along: Float[Tensor, "height width 2 3"],
    K: Float[np.ndarray, "3 3"],  # noqa: N803
) -> tuple[Float[Tensor, "2 height width"], Float[Tensor, "2 height width"]]:
    """Where a step of a metre on the surface leads, in pixels: along the grain, and across it."""
    height, width = depth.shape
    focal_x, focal_y, cx, cy = (float(K[i, j]) for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
    x = (torch.arange(width) + 0.5 - cx) / focal_x
    y = (torch.arange(height) + 0.5 - cy) / focal_y
    ray = torch.stack([x.expand(height, width), y[:, None].expand(height, width), torch.ones(height, width)], dim=-1)
    towards = -_unit(ray)
    cosine = (normals * towards).sum(-1, keepdim=True)
    normals = _unit(normals + (_STEEPEST - cosine).clamp(min=0) * towards)
    flat, other = (way - (way * normals).sum(-1, keepdim=True) * normals for way in along.unbind(-2))
    grain = _unit(torch.where((flat * flat).sum(-1, keepdim=True) > 0.04, flat, other))
    across = torch.linalg.cross(normals, grain)
    scale = 1 / depth.clamp(min=1e-3)
    return tuple(  # pyright: ignore[reportReturnType]
        torch.stack([focal_x * (way[..., 0] - x * way[..., 2]), focal_y * (way[..., 1] - y[:, None] * way[..., 2])]) * scale
        for way in (grain, across)
    )


def _unit(vectors: Float[Tensor, "height width 3"]) -> Float[Tensor, "height width 3"]:
    x, y, z = vectors.unbind(-1)
    return vectors / (x * x + y * y + z * z).sqrt().clamp(min=1e-6)[..., None]


def blurred(
    levels: Float[Tensor, "levels height width"],
    first: Float[Tensor, "2 height width"],
    second: Float[Tensor, "2 height width"],
    owner: Int[Tensor, "height width"],
) -> tuple[Float[Tensor, "height width"], Float[Tensor, "height width"]]:
    """White noise blurred by an ellipse of its own at every pixel, at about unit variance.

    Args:
        levels: of the noise, from :func:`noise_levels`.
        first: half axis of the ellipse (one standard deviation), pixels.
        second: another one, conjugate to it.
        owner: whose pixel it is: a blur does not take in what another kernel has blurred.

    Returns:
        The blurred noise, and the share of the texture's standard deviation that is left where the pixel is coarser than it.
    """
    xx, xy = first[0] ** 2 + second[0] ** 2, first[0] * first[1] + second[0] * second[1]
    yy = first[1] ** 2 + second[1] ** 2
    ratio = ((xx * yy - xy * xy).clamp(min=0) / ((xx + _PIXEL) * (yy + _PIXEL) - xy * xy)) ** 0.25
    mean, half = (xx + yy) / 2 + _PIXEL, (((xx - yy) / 2) ** 2 + xy * xy).sqrt()
    widest = _FINEST_PX * 2 ** (_LEVELS - 1)
    minor = (mean - half).clamp(min=_PIXEL).sqrt().clamp(max=widest)
    major = torch.maximum((mean + half).sqrt().clamp(max=2 * _SPREAD * widest), minor)
    angle = torch.atan2(2 * xy, xx - yy) / 2
    step = (major.square() - minor.square()).clamp(min=0).sqrt() / _SPREAD
    way = torch.stack([angle.cos(), angle.sin()]) * torch.minimum(step, 1.5 * minor)
    level = (torch.log2(minor / _FINEST_PX)).clamp(0, _LEVELS - 1)
    fields = _taps(levels, level, way)
    fields = _own_taps(fields, owner, levels, level, (2 * _REACH + 1) * way)
    reached = (minor.square() + _SPREAD**2 * (way[0].square() + way[1].square())).sqrt()
    return fields * (reached / minor).sqrt(), ratio


def noise_levels(noise: Float[Tensor, "height width"]) -> Float[Tensor, "levels height width"]:
    """Noise under wider and wider isotropic blurs, each at unit variance."""
    height, width = noise.shape
    out, small = [], noise[None, None]
    for level in range(_LEVELS):
        shrunk = 2 ** max(0, level - 2)
        sigma = _FINEST_PX * 2**level / shrunk
        if level > 2:
            small = functional.avg_pool2d(
                functional.pad(small, (0, small.shape[-1] % 2, 0, small.shape[-2] % 2), "replicate"), 2
            )
        # halving by means of 2 x 2 pixels blurs by itself: variance (4^n - 1) / 12 pixels of the full size
        own = max(sigma * sigma - (1 - 1 / shrunk**2) / 12, 0.04)
        blurred = _gaussian(small, math.sqrt(own))
        if shrunk > 1:
            full = functional.interpolate(blurred, scale_factor=shrunk, mode="bilinear", align_corners=False)
            blurred = full[..., :height, :width]
        out.append(blurred[0, 0] / blurred.square().mean().sqrt().clamp(min=1e-6))
    return torch.stack(out)


def _gaussian(picture: Float[Tensor, "1 1 h w"], sigma: float) -> Float[Tensor, "1 1 h w"]:
    radius = math.ceil(3 * sigma)
    kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)
    kernel = kernel / kernel.sum()
    padded = functional.pad(picture, (radius,) * 4, "replicate")
    return functional.conv2d(functional.conv2d(padded, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))


def _taps(
    levels: Float[Tensor, "levels height width"], level: Float[Tensor, "height width"], way: Float[Tensor, "2 height width"]
) -> Float[Tensor, "height width"]:
    """The mean of places along a line through every pixel; see ``taps_reference``."""
    out = torch.empty_like(level)
    arrays = [as_warp(tensor.contiguous(), wp.float32) for tensor in (levels, level, way)]
    launch(texture_kernels.taps_kernel, tuple(level.shape), [*arrays, _REACH, as_warp(out, wp.float32)], "cpu")
    return out


def _own_taps(
    fields: Float[Tensor, "height width"],
    owner: Int[Tensor, "height width"],
    levels: Float[Tensor, "levels height width"],
    level: Float[Tensor, "height width"],
    way: Float[Tensor, "2 height width"],
) -> Float[Tensor, "height width"]:
    """The same through what has been blurred once, as far as it is one owner's."""
    out = torch.empty_like(level)
    given = [as_warp(fields[None].contiguous(), wp.float32), as_warp(owner.to(torch.int32).contiguous(), wp.int32)]
    given += [as_warp(tensor.contiguous(), wp.float32) for tensor in (levels, level, way)]
    launch(texture_kernels.own_taps_kernel, tuple(level.shape), [*given, _REACH, as_warp(out, wp.float32)], "cpu")
    return out


def taps_reference(
    levels: Float[Tensor, "levels height width"], level: Float[Tensor, "height width"], way: Float[Tensor, "2 height width"]
) -> Float[Tensor, "height width"]:
    """What ``texture_kernels.taps_kernel`` computes, in torch."""
    count, height, width = levels.shape
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    deep = (2 * level + 1) / count - 1
    total = torch.zeros(height, width)
    for k in range(-_REACH, _REACH + 1):
        grid = torch.stack([2 * (x + k * way[0]) / width - 1, 2 * (y + k * way[1]) / height - 1, deep], dim=-1)
        total += functional.grid_sample(
            levels[None, None], grid[None, None], mode="bilinear", padding_mode="border", align_corners=False
        )[0, 0, 0]
    return total / (2 * _REACH + 1)
