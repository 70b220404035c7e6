"""All textures of a scene in one flat buffer, with their mip pyramids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int32, UInt8, UInt32

from ..scene import Material


def linear_from_srgb(value: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """IEC 61966-2-1, values in [0, 1]."""
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def srgb_from_linear(value: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Inverse of ``linear_from_srgb``."""
    value = np.maximum(value, 0)
    return np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)


@dataclass(frozen=True, eq=False)
class Atlas:
    """Texels (red in the low byte, then green, blue, alpha; sRGB) of every level of every texture, one after another.

    - ``levels[k]``: offset, height, width of mip level k; a texture's levels are consecutive, the finest first.
    - ``first_level``: of every texture; ``level_count``: how many it has.
    - ``texture``: of every material in the order given, -1 = none.
    """

    texels: UInt32[np.ndarray, "texels"]
    levels: Int32[np.ndarray, "levels 3"]
    first_level: Int32[np.ndarray, "textures"]
    level_count: Int32[np.ndarray, "textures"]
    texture: Int32[np.ndarray, "materials"]


def atlas_of(materials: list[Material]) -> Atlas:
    """Collect the textures of materials; materials that share an array share a texture."""
    index: dict[int, int] = {}
    texels: list[np.ndarray] = [np.zeros(1, np.uint32)]  # never empty
    levels: list[tuple[int, int, int]] = []
    first, count, of_material = [], [], []
    offset = 1
    for material in materials:
        if material.texture is None:
            of_material.append(-1)
            continue
        if id(material.texture) not in index:
            index[id(material.texture)] = len(first)
            pyramid = mip_pyramid(material.texture)
            first.append(len(levels))
            count.append(len(pyramid))
            for level in pyramid:
                texels.append(_packed(level))
                levels.append((offset, level.shape[0], level.shape[1]))
                offset += level.shape[0] * level.shape[1]
        of_material.append(index[id(material.texture)])

    def ints(values: list, shape: tuple[int, ...]) -> np.ndarray:
        return np.array(values, np.int32).reshape(shape)

    return Atlas(
        np.concatenate(texels), ints(levels, (-1, 3)), ints(first, (-1,)), ints(count, (-1,)), ints(of_material, (-1,))
    )


def mip_pyramid(texture: UInt8[np.ndarray, "height width channels"]) -> list[UInt8[np.ndarray, "h w channels"]]:
    """The texture at full, half, quarter, ... size down to one texel, averaged in linear light."""
    pyramid = [np.ascontiguousarray(texture)]
    table = torch.from_numpy(linear_from_srgb(np.arange(256) / 255).astype(np.float32))
    linear = table[torch.from_numpy(pyramid[0]).long()].permute(2, 0, 1)[None]
    while max(linear.shape[-2:]) > 1:
        linear = F.adaptive_avg_pool2d(linear, [max(1, n // 2) for n in linear.shape[-2:]])
        srgb = srgb_from_linear(linear[0].permute(1, 2, 0).numpy())
        pyramid.append(np.rint(np.clip(srgb, 0, 1) * 255).astype(np.uint8))
    return pyramid


def _packed(level: np.ndarray) -> np.ndarray:
    rgba = np.full((*level.shape[:2], 4), 255, np.uint8)
    rgba[..., : min(level.shape[2], 4)] = level[..., :4] if level.shape[2] >= 3 else level[..., :1].repeat(3, -1)
    return rgba.reshape(-1, 4).view("<u4").ravel().astype(np.uint32)
