"""What a camera's processor does to counted light: tone, denoising, sharpening, color, compression."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from ..scene.colors import srgb_from_linear
from .filters import blurred
from .records import CameraEffects
from .tone import LUMA

_STEPS = 1 << 14
_HALO = np.float32(0.12)  # more detail than this (screen values) is not sharpened further
_FINE_COLOR = 90  # JPEG qualities from here on keep colors at full size


@lru_cache(maxsize=16)
def tone_table(contrast: float, black: float, white: float) -> Float32[np.ndarray, " steps"]:
    """Screen values of linear light 0..1 in even steps."""
    v = srgb_from_linear(np.linspace(0, 1, _STEPS))
    v += contrast * (v * v * (3 - 2 * v) - v)
    return (black + (white - black) * v).astype(np.float32)


def processed(light: Float32[np.ndarray, "3 height width"], effects: CameraEffects) -> UInt8[np.ndarray, "height width 3"]:
    """The picture that the camera hands out, of the light that its sensor counted (linear, 1 is white)."""
    steps = light * np.float32(_STEPS - 1)
    np.clip(steps, 0, _STEPS - 1, out=steps)
    steps += np.float32(0.5)
    screen = tone_table(effects.contrast, effects.black, effects.white).take(steps.astype(np.int32))
    luma = np.tensordot(LUMA, screen, 1)
    if effects.saturation != 1:
        screen = luma + np.float32(effects.saturation) * (screen - luma)
    if effects.sharpening or effects.denoising:
        screen += _detail(luma, effects)
    screen *= 255
    np.clip(screen, 0, 255, out=screen)
    picture = np.ascontiguousarray(np.rint(screen, out=screen).astype(np.uint8).transpose(1, 2, 0))
    return picture if effects.quality is None else _compressed(picture, effects.quality)


def _detail(luma: Float32[np.ndarray, "height width"], effects: CameraEffects) -> Float32[np.ndarray, "height width"]:
    """What to add to the brightness: fine detail once more, faint detail taken away."""
    fine = luma - blurred(luma, effects.sharpening_px * luma.shape[0] / 480)
    change = np.float32(effects.sharpening) * np.clip(fine, -_HALO, _HALO)
    if effects.denoising:
        fine_share = np.exp(np.square(fine / np.float32(effects.faint)) * np.float32(-0.5))
        change -= np.float32(effects.denoising + effects.sharpening) * fine * fine_share
    return change


def _compressed(picture: UInt8[np.ndarray, "height width 3"], quality: int) -> UInt8[np.ndarray, "height width 3"]:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, subsampling=0 if quality >= _FINE_COLOR else 2)
    with Image.open(file) as opened:
        return np.array(opened.convert("RGB"))
