"""What a camera's processor does: metering, white balance, bloom, tone curve."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from .development import Development
from .filters import blurred, enlarged, reduced
from .tone import LUMA, saturated, toned

_BLOCKS = 48  # rows of the reduced picture by which exposure, white and bloom are found
_BLOOMS = ((0.6, 0.021), (0.4, 0.073))  # share, and width as a part of the picture's height
_HALVINGS = 18
_GLARING = 0.05  # of the picture may be brighter than what is spared
_SPARED = 0.5  # of the metered exposure stays, however bright a window is
_BLACK = 0.04  # linear base color below which a surface tells nothing of the light


def develop(
    light: Float32[np.ndarray, "frames height width 3"],
    look: Development | None = None,
    base_color: Float32[np.ndarray, "frames height width 3"] | None = None,
) -> UInt8[np.ndarray, "frames height width 3"]:
    """A clip as a camera's processor shows it: one exposure and one white balance for all frames, so nothing flickers.

    The picture does not depend on the light's unit: four times as much light gives the same picture.

    Args:
        light: linear radiance in any unit; what is not finite or negative is set right.
        look: settings; the default is a phone's.
        base_color: linear, of what is seen; white balance then goes by the color of the lamps, as good cameras guess it.
            Without it, by the mean color of the picture, in which a red table turns white walls blue.

    Returns:
        sRGB.
    """
    look = Development() if look is None else look
    frames, height, width, _ = light.shape
    if not light.size:
        return np.zeros(light.shape, np.uint8)
    light = np.maximum(light, np.float32(0))
    light[np.isnan(light)] = 0  # a copy of the caller's by now
    block = max(1, round(height / _BLOCKS))
    small, limit, gains = _balanced(light, base_color, look, block)
    glow = _glow(small, height / block)
    small = (1 - np.float32(look.bloom)) * small + np.float32(look.bloom) * glow
    exposure = _metered(small, look)
    out = np.empty(light.shape, np.uint8)
    for index in range(frames):
        exposed = np.minimum(light[index], limit)
        exposed *= gains * (exposure * np.float32(1 - look.bloom))
        spread = enlarged(glow[index] * (exposure * np.float32(look.bloom)), block, (height, width))
        exposed += spread.transpose(1, 2, 0)
        screen = saturated(toned(exposed, look), look.saturation)
        out[index] = np.rint(np.clip(screen, 0, 1) * np.float32(255))
    return out


def exposure_gains(
    light: Float32[np.ndarray, "frames height width 3"],
    base_color: Float32[np.ndarray, "frames height width 3"],
    look: Development | None = None,
    counted: Bool[np.ndarray, "frames height width"] | None = None,
) -> Float32[np.ndarray, " 3"]:
    """What :func:`develop` multiplies red, green and blue light with: its exposure times its white balance.

    Args:
        light: linear radiance in any unit, finite.
        base_color: linear, of what is seen.
        look: settings; the default is a phone's.
        counted: what of it counts; what is not true stands for the mean of all that does. None, or nothing true: all.
    """
    look = Development() if look is None else look
    if counted is not None and counted.any():
        light, base_color = (_filled(array, counted) for array in (light, base_color))
    small, _, gains = _balanced(light, base_color, look, max(1, round(light.shape[1] / _BLOCKS)))
    return gains * _metered(small, look)


def _filled(
    pictures: Float32[np.ndarray, "frames height width 3"], counted: Bool[np.ndarray, "frames height width"]
) -> Float32[np.ndarray, "frames height width 3"]:
    """The mean of what counts in place of all else."""
    return np.where(counted[..., None], pictures, pictures[counted].mean(axis=0))


def _balanced(
    light: Float32[np.ndarray, "frames height width 3"],
    base_color: Float32[np.ndarray, "frames height width 3"] | None,
    look: Development,
    block: int,
) -> tuple[Float32[np.ndarray, "frames 3 rows columns"], np.float32, Float32[np.ndarray, " 3"]]:
    """The picture reduced by ``block`` and balanced to white, the light that counts at most, and the gains that balance it."""
    small = reduced(light.transpose(0, 3, 1, 2), block)
    limit = _limit(np.einsum("fcrs,c->frs", small, LUMA))
    small = np.minimum(small, limit)
    lamp = small if base_color is None else _lamp_color(small, reduced(base_color.transpose(0, 3, 1, 2), block))
    gains = _white_gains(lamp, look)
    return small * gains[:, None, None], limit, gains


def _limit(luma: Float32[np.ndarray, "frames rows columns"]) -> np.float32:
    """Light above this is a lamp, the sun or a stray path: far beyond white already, and should not outshine the bloom."""
    usual = np.percentile(luma, 75, method="lower")
    brightest = np.max(luma, initial=0, where=np.isfinite(luma))
    return np.float32(50 * usual if 0 < usual < np.inf else max(brightest, 1e-6))


def _lamp_color(
    light: Float32[np.ndarray, "frames 3 rows columns"], base_color: Float32[np.ndarray, "frames 3 rows columns"]
) -> Float32[np.ndarray, "frames 3 rows columns"]:
    """What falls on surfaces; of what is black, or shines by itself, what comes from there."""
    seen = base_color.max(axis=1, keepdims=True) > _BLACK
    return np.where(seen, light / np.maximum(base_color, np.float32(_BLACK)), light)


def _white_gains(small: Float32[np.ndarray, "frames 3 rows columns"], look: Development) -> Float32[np.ndarray, " 3"]:
    """Gains that turn the mean color of light towards gray; a pixel's say is bounded, so that a lamp does not decide."""
    luma = np.einsum("fcrs,c->frs", small, LUMA)
    usual = max(np.median(luma), luma.mean() / 16)
    if not usual > 0:
        return np.ones(3, np.float32)
    gray = (small / (luma + usual)[:, None]).mean((0, 2, 3), dtype=np.float64)
    gains = np.clip(gray @ LUMA / np.maximum(gray, 1e-6), 0.3, 4) ** look.white_balance * look.tint
    return (gains / (gains @ LUMA)).astype(np.float32)


def _glow(small: Float32[np.ndarray, "frames 3 rows columns"], rows: float) -> Float32[np.ndarray, "frames 3 rows columns"]:
    out = np.zeros_like(small)
    for share, width in _BLOOMS:
        out += np.float32(share) * blurred(small, width * rows)
    return out


def _metered(small: Float32[np.ndarray, "frames 3 rows columns"], look: Development) -> np.float32:
    """The exposure that brings the clip's mean luma, center-weighted, to the target; of those that a camera could set.

    Highlights are spared, by one stop at most: all but ``_GLARING`` of the picture stay below ``look.highlights``.
    """
    rows, columns = small.shape[-2:]
    y, x = np.linspace(-1, 1, rows)[:, None], np.linspace(-1, 1, columns)
    weight = np.exp(-(x * x + y * y))
    weight = (weight / (weight.sum() * len(small))).astype(np.float32)
    mean = float((np.einsum("fcrs,c->frs", small, LUMA) * weight).sum())
    low, high = -8.0, 8.0  # in stops about the exposure that makes the mean light 1/4
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        exposed = small * np.float32(2.0**middle / 4 / max(mean, 1e-12))
        luma = np.einsum("fcrs,c,rs->", toned(exposed, look), LUMA, weight, optimize=False)
        low, high = (middle, high) if luma < look.target else (low, middle)
    exposure = 2.0 ** ((low + high) / 2) / 4 / max(mean, 1e-12)
    bright = float(np.percentile(np.einsum("fcrs,c->frs", small, LUMA), 100 * (1 - _GLARING)))
    return np.float32(min(exposure, max(look.highlights / max(bright, 1e-12), _SPARED * exposure)))
