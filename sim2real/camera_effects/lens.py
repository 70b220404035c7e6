"""What a lens does to light: focus, glare, colored fringes, blur, dark corners. None of it moves the picture."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from .filters import blurred, enlarged, reduced, sampled
from .records import CameraEffects

_FOCAL_ROWS = 1.1  # focal length by the picture's height: a phone's main camera, 26 mm on film
_LEVELS = (0.0, 0.5, 1.0, 2.0, 4.0)  # blurs that depth of field mixes, in pixels
_GLARES = ((0.5, 0.02), (0.5, 0.09))  # share, and width as a part of the picture's height
_GLARE_ROWS = 60
_CLIPPED = 0.9  # brighter than this may have been any light, before it was a finished picture


def through_lens(
    light: Float32[np.ndarray, "3 height width"], effects: CameraEffects, depth: Float32[np.ndarray, "height width"] | None
) -> Float32[np.ndarray, "3 height width"]:
    """Light behind the lens.

    Args:
        light: linear, 1 is white.
        effects: the camera.
        depth: metres along the axis, 0 where there is nothing; None: everything is in focus.
    """
    scale = light.shape[1] / 480
    if effects.aperture_mm and depth is not None:
        light = out_of_focus(light, confusion(depth, effects.aperture_mm * 1e-3, effects.focus))
    if effects.glare:
        light = _glaring(light, effects.glare)
    if effects.fringe_px:
        light = _fringed(light, effects.fringe_px * scale)
    light = blurred(light, effects.blur_px * scale)
    return light * _corners(light.shape[1:], effects.vignetting) if effects.vignetting else light


def confusion(
    depth: Float32[np.ndarray, "height width"], aperture: float, focus: float | None
) -> Float32[np.ndarray, "height width"]:
    """Diameter in pixels of the disk that a point becomes: ``f A |1/z - 1/z_focus|`` (thin lens, f in pixels).

    Args:
        depth: metres, 0 where there is nothing (taken as far away).
        aperture: diameter of the entrance pupil in metres.
        focus: the distance that is sharp; None: the mean of 1/z in the middle of the picture, which moves smoothly with it.
    """
    height, width = depth.shape
    seen = (depth > 0) & np.isfinite(depth)
    inverse = np.divide(1, depth, out=np.zeros_like(depth), where=seen)
    if focus is None:
        y, x = np.linspace(-1, 1, height, dtype=np.float32)[:, None], np.linspace(-1, 1, width, dtype=np.float32)
        weight = np.exp(-8 * (y * y + x * x)) * seen
        sharp = float((weight * inverse).sum() / max(float(weight.sum()), 1e-6))
    else:
        sharp = 1 / focus
    return np.abs(inverse - np.float32(sharp)) * np.float32(_FOCAL_ROWS * height * aperture)


def out_of_focus(
    light: Float32[np.ndarray, "3 height width"], disk: Float32[np.ndarray, "height width"]
) -> Float32[np.ndarray, "3 height width"]:
    """Every pixel blurred by its own disk (its diameter in pixels), mixed from a few Gaussians of the disk's variance.

    A pixel is only blurred with neighbors that are out of focus themselves: what is sharp does not bleed into what is not.
    """
    sigma = disk / 4
    most = min(float(sigma.max()), _LEVELS[-1])
    if most < 0.05:
        return light
    out, below = light, 0.0
    for level in _LEVELS[1:]:
        share = np.minimum(sigma / np.float32(level), 1) ** 2 + np.float32(1e-3)
        layer = blurred(np.concatenate([light * share, share[None]]), level)
        soft = layer[:3] / layer[3]
        amount = np.clip((sigma**2 - below**2) / np.float32(level**2 - below**2), 0, 1)  # variances add
        out = out + amount * (soft - out)
        if most <= level:
            break
        below = level
    return out


def _glaring(light: np.ndarray, share: float) -> np.ndarray:
    """A part of the light scattered over its surroundings; clipped highlights were brighter than they look."""
    height, width = light.shape[1:]
    block = max(1, round(height / _GLARE_ROWS))
    small = reduced(light, block)
    small = small + 4 * np.maximum(small - np.float32(_CLIPPED), 0) / np.float32(1 - _CLIPPED)
    glow = np.zeros_like(small)
    for part, spread in _GLARES:
        glow += np.float32(part * share) * blurred(small, spread * height / block)
    return (1 - np.float32(share)) * light + enlarged(glow, block, (height, width))


def _fringed(light: np.ndarray, most: float) -> np.ndarray:
    """Red a little larger and blue a little smaller about the middle; green, and so the picture, stays where it is."""
    height, width = light.shape[1:]
    stretch = most / (0.5 * float(np.hypot(height, width)))
    out = light.copy()
    for channel, factor in ((0, 1 + stretch), (2, 1 - stretch)):
        for axis, length in ((-2, height), (-1, width)):
            middle = (length - 1) / 2
            places = ((np.arange(length) - middle) / factor + middle).astype(np.float32)
            out[channel] = sampled(out[channel], places, axis)
    return out


def _corners(size: tuple[int, ...], lost: float) -> Float32[np.ndarray, "height width"]:
    """``(1 + a r^2)^-2``, 1 in the middle and ``1 - lost`` in the corners."""
    height, width = size
    y, x = (np.arange(length, dtype=np.float32) * 2 + (1 - length) for length in size)
    dim = (y[:, None] ** 2 + x**2) * np.float32(((1 - lost) ** -0.5 - 1) / (height**2 + width**2)) + 1
    return 1 / (dim * dim)
