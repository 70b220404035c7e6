"""Colors for instance ids: the same id has the same color in every frame, camera and clip."""

from __future__ import annotations

import colorsys
from functools import lru_cache

import numpy as np
from jaxtyping import Float, UInt8, UInt16

from ...camera_effects import Development
from ...camera_effects.tone import toned

_DISTINCT = 4096
"""Ids below it have colors of their own."""
_GOLDEN = 0.6180339887498949
_TONES = ((0.95, 0.65), (0.75, 0.85), (1.0, 0.45), (0.6, 0.7), (0.85, 1.0))  # value and saturation, in turn


def _table(count: int) -> UInt8[np.ndarray, "at_least_count 3"]:
    return _first(1 << max(8, (count - 1).bit_length()))


@lru_cache
def _first(count: int) -> UInt8[np.ndarray, "count 3"]:
    table = np.zeros((count, 3), np.uint8)
    used = {(0, 0, 0)}
    for k in range(1, min(count, _DISTINCT)):
        value, saturation = _TONES[(k - 1) // 7 % len(_TONES)]
        rgb = colorsys.hsv_to_rgb(k * _GOLDEN % 1, saturation, value)
        color = (round(255 * rgb[0]), round(255 * rgb[1]), round(255 * rgb[2]))
        while color in used:  # a neighboring blue tells equal colors apart
            color = (color[0], color[1], (color[2] + 1) % 256)
        used.add(color)
        table[k] = color
    table[_DISTINCT:] = table[1 + np.arange(_DISTINCT, count) % (_DISTINCT - 1)]
    return table


def id_colors(count: int) -> UInt8[np.ndarray, "count 3"]:
    """Colors (sRGB) of the ids 0 .. count - 1.

    Hues walk by the golden ratio, so that near ids look different; id 0 (background) is black. The color of an id never
    depends on anything else. Colors are distinct for ids below 4096 and repeat beyond.
    """
    return _table(count)[:count].copy()


def colorized(ids: UInt16[np.ndarray, "*frames height width"]) -> UInt8[np.ndarray, "*frames height width 3"]:
    """A picture of instance ids to look at."""
    return _table(int(ids.max(initial=0)) + 1)[ids]


def light_picture(light: Float[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
    """A picture of exposed light to look at: as on surfaces of medium gray."""
    return np.rint(255 * toned(_GRAY * np.asarray(light, np.float32), Development())).astype(np.uint8)


_GRAY = np.float32(0.5)
_NEAR_TO_FAR = np.array(
    [[252, 244, 196], [249, 196, 110], [236, 130, 84], [190, 74, 98], [122, 46, 105], [62, 31, 84], [22, 16, 44]], np.float64
)


def depth_picture(
    depth_m: Float[np.ndarray, "height width"], range_m: tuple[float, float]
) -> UInt8[np.ndarray, "height width 3"]:
    """A picture of depth to look at: near is light, far dark, nothing is neutral gray; even steps of inverse depth.

    Args:
        depth_m: metres along the camera's z, 0 where there is no surface.
        range_m: nearest and farthest depth that get a color of their own.
    """
    near, far = 1 / range_m[0], 1 / range_m[1]
    inverse = 1 / np.where(depth_m > 0, depth_m, range_m[1])
    t = np.clip((near - inverse) / max(near - far, 1e-9), 0, 1)
    picture = _ramp()[np.rint(t * (_SHADES - 1)).astype(np.intp)]
    picture[depth_m <= 0] = 58
    return picture


_SHADES = 4096


@lru_cache(maxsize=1)
def _ramp() -> UInt8[np.ndarray, "shades 3"]:
    """Colors from near to far, in more steps than 8 bits tell apart."""
    t, known = np.linspace(0, 1, _SHADES), np.linspace(0, 1, len(_NEAR_TO_FAR))
    return np.stack([np.interp(t, known, _NEAR_TO_FAR[:, c]) + 0.5 for c in range(3)], axis=-1).astype(np.uint8)
