"""All textures of a scene in one flat buffer, with their mip pyramids."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32, UInt8, UInt32

from ..scene.colors import linear_from_srgb, srgb_from_linear

_SRGB_BYTES = np.rint(255 * srgb_from_linear(np.linspace(0, 1, 4096))).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Atlas:
    """Texels (red in the low byte, then green, blue, alpha; sRGB) of every level of every texture, one after another.

    - ``levels[k]``: offset, height, width of mip level k; a texture's levels are consecutive, the finest first.
    - ``first_level``: of every texture; ``level_count``: how many it has.
    - ``texture``: of every picture in the order given, -1 = none.
    """

    texels: UInt32[np.ndarray, "texels"]
    levels: Int32[np.ndarray, "levels 3"]
    first_level: Int32[np.ndarray, "textures"]
    level_count: Int32[np.ndarray, "textures"]
    texture: Int32[np.ndarray, "materials"]


def atlas_of(pictures: Sequence[UInt8[np.ndarray, "_ _ _"] | None], *, data: Sequence[bool] | None = None) -> Atlas:
    """Collect textures; equal ones are kept once.

    Args:
        pictures: uint8; ``None`` where there is none.
        data: which of them hold numbers instead of sRGB colors; by default none.
    """
    index: dict[object, int] = {}
    texels: list[np.ndarray] = [np.zeros(1, np.uint32)]  # never empty
    levels: list[tuple[int, int, int]] = []
    first, count, of_material = [], [], []
    offset = 1
    for given, even in zip(pictures, data or [False] * len(pictures), strict=True):
        if given is None:
            of_material.append(-1)
            continue
        picture = np.ascontiguousarray(given)
        key = (picture.shape, even, hashlib.blake2b(picture.data).digest())
        if key not in index:
            index[key] = len(first)
            pyramid = mip_pyramid(picture, data=even)
            first.append(len(levels))
            count.append(len(pyramid))
            for level in pyramid:
                texels.append(_packed(level))
                levels.append((offset, level.shape[0], level.shape[1]))
                offset += level.shape[0] * level.shape[1]
        of_material.append(index[key])

    def ints(values: list, shape: tuple[int, ...]) -> np.ndarray:
        return np.array(values, np.int32).reshape(shape)

    return Atlas(
        np.concatenate(texels), ints(levels, (-1, 3)), ints(first, (-1,)), ints(count, (-1,)), ints(of_material, (-1,))
    )


def mip_pyramid(
    texture: UInt8[np.ndarray, "height width channels"], *, data: bool = False
) -> list[UInt8[np.ndarray, "h w channels"]]:
    """The texture at full, half, quarter, ... size down to one texel, averaged in linear light; ``data``: as it is."""
    pyramid = [np.ascontiguousarray(texture)]
    values = np.arange(256) / 255
    light = (values if data else linear_from_srgb(values)).astype(np.float32)[pyramid[0]]
    while max(light.shape[:2]) > 1:
        light = _halved(_halved(light, 0), 1)
        pyramid.append(
            np.rint(255 * light).astype(np.uint8)
            if data
            else _SRGB_BYTES[(light * (len(_SRGB_BYTES) - 1) + 0.5).astype(np.int32)]
        )
    return pyramid


def _halved(values: np.ndarray, axis: int) -> np.ndarray:
    """Half as many values along an axis, by area: two whole ones each, or (odd counts) one whole and parts of two."""
    n = values.shape[axis]
    if n == 1:
        return values
    v = np.moveaxis(values, axis, 0)
    if n % 2 == 0:
        out = (v[0::2] + v[1::2]) * np.float32(0.5)
    else:
        m = n // 2
        i = np.arange(m, dtype=np.float32).reshape(-1, *[1] * (v.ndim - 1))
        out = ((m - i) * v[0:-1:2] + m * v[1::2] + (i + 1) * v[2::2]) / np.float32(n)
    return np.moveaxis(out, 0, axis)


def _packed(level: np.ndarray) -> np.ndarray:
    rgba = np.full((*level.shape[:2], 4), 255, np.uint8)
    rgba[..., : min(level.shape[2], 4)] = level[..., :4] if level.shape[2] >= 3 else level[..., :1].repeat(3, -1)
    return rgba.reshape(-1, 4).view("<u4").ravel().astype(np.uint32)
