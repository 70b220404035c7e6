"""Instance ids per pixel, and a colour per id for people and control videos."""

from __future__ import annotations

import colorsys
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Int, UInt8, UInt16
from torch import Tensor

from ..scene import Triangles

_GOLDEN = 0.6180339887498949
_TONES = ((0.95, 0.65), (0.75, 0.85), (1.0, 0.45), (0.6, 0.7), (0.85, 1.0))  # value and saturation, in turn


def instance_ids(face: Int[Tensor, "height width"], triangles: Triangles) -> UInt16[np.ndarray, "height width"]:
    """Instance ids (place in ``Scene.instances`` plus one), 0 where there is no surface.

    They depend on the scene alone, so they are the same in every frame, camera and run.
    """
    ids = np.zeros(len(triangles.face_part) + 1, np.uint16)
    if len(triangles.face_part):
        ids[:-1] = triangles.part_instance[triangles.face_part]
    return ids[face.detach().to(torch.int32).cpu().numpy()]  # -1 is the last entry: background


@lru_cache(maxsize=1)
def _colours() -> np.ndarray:
    table = np.zeros((65536, 3), np.uint8)
    used = {(0, 0, 0)}
    for k in range(1, 4096):
        value, saturation = _TONES[(k - 1) // 7 % len(_TONES)]
        rgb = colorsys.hsv_to_rgb(k * _GOLDEN % 1, saturation, value)
        colour = (round(255 * rgb[0]), round(255 * rgb[1]), round(255 * rgb[2]))
        while colour in used:  # a neighbouring blue tells equal colours apart
            colour = (colour[0], colour[1], (colour[2] + 1) % 256)
        used.add(colour)
        table[k] = colour
    table[4096:] = table[1 + np.arange(4096, 65536) % 4095]
    return table


def palette(count: int) -> UInt8[np.ndarray, "count 3"]:
    """Colours of the ids 0 .. count - 1.

    Hues walk by the golden ratio, so that near ids look different; id 0 (background) is black. The colour of an id never
    depends on anything else. Colours are distinct for ids below 4096 and repeat beyond.
    """
    return _colours()[:count].copy()


def colour_ids(ids: UInt16[np.ndarray, "*frames height width"]) -> UInt8[np.ndarray, "*frames height width 3"]:
    """Instance ids as colours of the palette."""
    return _colours()[ids]
