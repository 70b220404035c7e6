"""The noise of a sensor, after what a camera's first processing does to it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from .filters import blurred, enlarged, gaussian_taps
from .records import CameraEffects
from .tone import LUMA

_CHROMA_BLOCK = 2  # colored noise is drawn at half size: demosaicing leaves no finer one


def noisy(
    light: Float32[np.ndarray, "3 height width"], effects: CameraEffects, *, seed: int, frame: int
) -> Float32[np.ndarray, "3 height width"]:
    """Light as the sensor counts it: shot noise that grows with the light, and read noise, anew in every frame.

    A picture of fewer rows stands for larger pixels, which gather more light and are less noisy by as much.

    Args:
        light: linear, 1 is white.
        effects: the camera.
        seed: the camera's noise.
        frame: its number in the clip; the noise depends on seed, number and size alone.
    """
    if not effects.shot and not effects.read:
        return light
    scale = light.shape[1] / 480
    variance = np.maximum(light, 0)
    variance *= np.float32(effects.shot)
    variance += np.float32(effects.read**2)
    strength = np.sqrt(variance, out=variance)
    strength *= np.float32(min(scale, 1))
    return light + strength * _grain(light.shape[1:], effects, scale, seed, frame)


def _grain(
    size: tuple[int, ...], effects: CameraEffects, scale: float, seed: int, frame: int
) -> Float32[np.ndarray, "3 height width"]:
    """Normal noise: one plane of unit variance for the brightness; two, coarser, for red and blue, which green makes up for."""
    height, width = size
    generator = np.random.Generator(np.random.Philox(key=np.array([seed % 2**64, frame], np.uint64)))
    gray = unit_noise(generator, (1, height, width), effects.grain_px * scale)
    if not effects.chroma:
        return np.repeat(gray, 3, axis=0)
    rows, columns = -(-height // _CHROMA_BLOCK), -(-width // _CHROMA_BLOCK)
    small = unit_noise(generator, (2, rows, columns), effects.chroma_px * scale / _CHROMA_BLOCK) * np.float32(effects.chroma)
    red, blue = enlarged(small, _CHROMA_BLOCK, (height, width))
    green = red * np.float32(-LUMA[0] / LUMA[1]) + blue * np.float32(-LUMA[2] / LUMA[1])
    return np.stack([red, green, blue]) + gray


def unit_noise(
    generator: np.random.Generator, shape: tuple[int, ...], sigma: float
) -> Float32[np.ndarray, "planes rows columns"]:
    """Normal noise blurred by ``sigma`` pixels, whose variance is 1 again."""
    center, *others = gaussian_taps(round(float(sigma), 4))
    energy = center**2 + 2 * sum(tap**2 for tap in others)  # of one axis; the variance is its square
    return blurred(generator.standard_normal(shape, np.float32), sigma) / np.float32(energy)
