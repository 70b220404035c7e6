"""Colours for instance ids: the same id has the same colour in every frame, camera and clip."""

from __future__ import annotations

import colorsys

import numpy as np
from jaxtyping import Float, Integer, UInt8


def id_color(instance_id: int) -> tuple[int, int, int]:
    """Colour (sRGB) of an id; neighbours differ in hue (golden angle), every third in lightness; 0 is black."""
    if instance_id == 0:
        return (0, 0, 0)
    hue = (instance_id * 0.618033988749895 + 0.08) % 1.0
    value, saturation = ((0.95, 0.62), (0.78, 0.72), (0.98, 0.38))[instance_id % 3]
    r, g, b = colorsys.hsv_to_rgb(hue, saturation, value)
    return (round(255 * r), round(255 * g), round(255 * b))


def colorized(ids: Integer[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width 3"]:
    """A picture of instance ids to look at."""
    table = np.array([id_color(i) for i in range(int(ids.max(initial=0)) + 1)], np.uint8)
    return table[ids]


_NEAR_TO_FAR = np.array(
    [[252, 244, 196], [249, 196, 110], [236, 130, 84], [190, 74, 98], [122, 46, 105], [62, 31, 84], [22, 16, 44]], np.float64
)


def depth_picture(
    depth_m: Float[np.ndarray, "height width"], range_m: tuple[float, float]
) -> UInt8[np.ndarray, "height width 3"]:
    """A picture of depth to look at: near is light, far dark, nothing is neutral grey; even steps of inverse depth.

    Args:
        depth_m: metres along the camera's z, 0 where there is no surface.
        range_m: nearest and farthest depth that get a colour of their own.
    """
    near, far = 1 / range_m[0], 1 / range_m[1]
    inverse = 1 / np.where(depth_m > 0, depth_m, range_m[1])
    t = np.clip((near - inverse) / max(near - far, 1e-9), 0, 1)
    picture = np.stack([np.interp(t, np.linspace(0, 1, len(_NEAR_TO_FAR)), _NEAR_TO_FAR[:, c]) for c in range(3)], axis=-1)
    return np.where((depth_m > 0)[..., None], picture + 0.5, 58).astype(np.uint8)
