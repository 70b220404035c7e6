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
from jaxtyping import Float, Float32, Int, UInt8
from torch import Tensor

from ....devices import load
from . import texture_kernels
from .blurs import Ellipses, Seen, blurred, ellipses_of, gain_of, levels_of, seen_of, shares_of
from .surfaces import FORMS, TextureLayer

_CHANNELS = 3
"""Of the noise: layers take them in turn."""
_VEIN, _SPECK, _SOFT = 0.18, 1.2, 0.12
"""Half width of a vein, threshold of specks and how soft it is, in standard deviations of the noise."""
_LEAST_SHARE = 0.05
"""Of the variance of a blur, that comes from what is seen: veins and specks are drawn as if it were no less."""
_STEEPEST = 0.12
"""Least cosine between the normal and the view; a surface seen more flatly is taken for one seen like this."""


_Vectors = tuple[Tensor, ...]
"""x, y and z of pictures of vectors: three planes take a tenth of the time of one picture of three channels."""


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


@dataclass(frozen=True, eq=False)
class Laid:
    """A frame as textures are laid out on it.

    - ``depth``: metres along z; ``row``: of each pixel in the tables of ``Grain``; ``owner``: the same, -1 without a surface.
    - ``seen``: where each owner is.
    - ``along`` and ``across``: where a step of a metre along the grain, and across it, leads in pixels.
    """

    depth: Float32[Tensor, "height width"]
    row: Int[Tensor, "height width"]
    owner: Int[np.ndarray, "height width"]
    seen: Mapping[int, Seen]
    along: Float[Tensor, "2 height width"]
    across: Float[Tensor, "2 height width"]


def laid_out(
    ids: np.ndarray,
    depth: Float[np.ndarray, "height width"],
    normals: UInt8[np.ndarray, "height width 3"],
    K: Float[np.ndarray, "3 3"],  # noqa: N803
    grain: Grain,
    frame: int,
) -> Laid:
    """Where the textures of a frame lie; for all grains that run along the same directions.

    Args:
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
    owner = torch.where(z > 0, row, -1).numpy()
    ways = torch.from_numpy(grain.along[frame])
    first, second = (tuple(ways[:, way, axis][row] for axis in range(3)) for way in range(2))
    along, across = _tangents(normals.astype(np.float32) / 127.5 - 1, z, (first, second), K)
    return Laid(z, row, owner, seen_of(owner), along, across)


def shade_of(laid: Laid, noise: Float32[np.ndarray, "3 height width"], grain: Grain) -> Float32[np.ndarray, "height width"]:
    """What the linear base color of each pixel of a frame is multiplied with: 1 in the mean, 1 where there is no texture.

    Args:
        laid: the frame.
        noise: unit variance at pixel resolution.
        grain: of the stretch that the frame belongs to.
    """
    z, row = laid.depth, laid.row
    total = torch.zeros_like(z)
    for k in range(grain.size.shape[1]):
        if not grain.strength[list(laid.seen), k].any():
            continue
        size, stretch, strength = (_at(table[:, k], row) for table in (grain.size, grain.stretch, grain.strength))
        blur = ellipses_of(laid.along * (size * stretch), laid.across * size)
        on = {id_: of for id_, of in laid.seen.items() if grain.strength[id_, k] > 0}
        field = _field_of(noise[k % _CHANNELS], laid.owner, on, blur, grain.form[:, k])
        deviation = torch.where(z > 0, strength * blur.ratio, 0)
        formed = _formed(field, _at(grain.form[:, k], row)) if grain.form[:, k].any() else field
        total += deviation * formed - deviation.square() / 2
    return total.exp().numpy()


def _at(column: np.ndarray, row: Int[Tensor, "height width"]) -> Tensor:
    """The values of a table's column at each pixel; one for all where they are all the same."""
    same = bool((column == column[0]).all())
    return torch.tensor(column[0]) if same else torch.from_numpy(column)[row]


def _field_of(
    noise: Float32[np.ndarray, "height width"],
    owner: Int[np.ndarray, "height width"],
    seen: Mapping[int, Seen],
    blur: Ellipses,
    form: UInt8[np.ndarray, " ids"],
) -> Float32[Tensor, "height width"]:
    """The noise of each of the instances that are seen under their layer's blur; none takes in what another one holds."""
    field = blurred(levels_of(noise, seen, blur), blur, owner) * gain_of(blur)
    formed = {id_: of for id_, of in seen.items() if form[id_]}
    if formed:
        share = blurred(shares_of(formed, blur), blur, owner)
        here = torch.from_numpy(np.isin(owner, list(formed)))
        field = torch.where(here, field / share.clamp(min=_LEAST_SHARE).sqrt(), field)
    return field


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
    normals: Float[np.ndarray, "height width 3"],
    depth: Float[Tensor, "height width"],
    along: tuple[_Vectors, _Vectors],
    K: Float[np.ndarray, "3 3"],  # noqa: N803
) -> tuple[Float[Tensor, "2 height width"], Float[Tensor, "2 height width"]]:
    """Where a step of a metre on the surface leads, in pixels: along the grain, and across it."""
    height, width = depth.shape
    focal_x, focal_y, cx, cy = (float(K[i, j]) for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
    x = ((torch.arange(width) + 0.5 - cx) / focal_x).expand(height, width)
    y = (((torch.arange(height) + 0.5 - cy) / focal_y)[:, None]).expand(height, width)
    facing = _unit((-x, -y, torch.tensor(-1.0)))
    normal = tuple(torch.from_numpy(np.ascontiguousarray(normals[..., k])) for k in range(3))
    upright = (_STEEPEST - _dot(normal, facing)).clamp(min=0)
    normal = _unit(tuple(n + upright * f for n, f in zip(normal, facing, strict=True)))
    flat, other = (tuple(w - _dot(way, normal) * n for w, n in zip(way, normal, strict=True)) for way in along)
    lies = _dot(flat, flat) > 0.04
    grain = _unit(tuple(torch.where(lies, one, two) for one, two in zip(flat, other, strict=True)))
    across = tuple(normal[i] * grain[j] - normal[j] * grain[i] for i, j in ((1, 2), (2, 0), (0, 1)))
    scale = 1 / depth.clamp(min=1e-3)
    pixels_x, pixels_y = focal_x * scale, focal_y * scale
    one, two = (torch.stack([pixels_x * (way[0] - x * way[2]), pixels_y * (way[1] - y * way[2])]) for way in (grain, across))
    return one, two


def _dot(one: _Vectors, two: _Vectors) -> Float[Tensor, "height width"]:
    return one[0] * two[0] + one[1] * two[1] + one[2] * two[2]


def _unit(vectors: _Vectors) -> _Vectors:
    scale = 1 / _dot(vectors, vectors).sqrt().clamp(min=1e-6)
    return tuple(part * scale for part in vectors)
