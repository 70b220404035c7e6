"""Path-traced frames without their Monte Carlo noise.

Base color is divided out; what light arrives is averaged along the motion of surfaces over neighboring frames, then over
neighboring pixels of the same surface; the picture is put together again from sub-pixel samples, so that edges and textures
stay as sharp as they were.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from .gbuffer import Guides

_DARKEST = 0.03
_TAPS = {0: 6 / 16, 1: 4 / 16, 2: 1 / 16}


def denoised(
    light: Float[np.ndarray, "frames height width 3"],
    guides: Sequence[Guides],
    *,
    reach_frames: float = 3.0,
    passes: int = 2,
    sigma_light: float = 0.5,
) -> Float[np.ndarray, "frames height width 3"]:
    """Radiance with less noise.

    Args:
        light: noisy radiance; the noise of different frames is independent.
        guides: of the same frames.
        reach_frames: standard deviation of the average over time; shadows that move blur over about twice as many.
        passes: of the spatial filter; the k-th has its taps 2^k pixels apart.
        sigma_light: how different (in log2) the light of neighbors may be to be mixed; halves each pass.
    """
    arriving = [without_speckle(rgb / np.maximum(g.albedo, _DARKEST)) for rgb, g in zip(light, guides, strict=True)]
    pure = [np.where(g.whole, 1.0, 0.02) for g in guides]
    steady = [_over_time(k, arriving, pure, guides, reach_frames) for k in range(len(guides))]
    smooth = [a_trous(e, w, g, passes=passes, sigma_light=sigma_light) for e, w, g in zip(steady, pure, guides, strict=True)]
    return np.stack([_assembled(e, rgb, g) for e, rgb, g in zip(smooth, light, guides, strict=True)])


def without_speckle(light: Float[np.ndarray, "height width 3"]) -> Float[np.ndarray, "height width 3"]:
    """Lone bright pixels brought down to twice the third-brightest of their neighborhood."""
    luminance = light.mean(axis=-1)
    padded = np.pad(luminance, 1, mode="edge")
    height, width = luminance.shape
    window = np.stack([padded[i : i + height, j : j + width] for i in range(3) for j in range(3)])
    limit = 2 * np.sort(window, axis=0)[-3] + 1e-3
    return light * np.minimum(1, limit / np.maximum(luminance, 1e-6))[..., None]


def _over_time(
    frame: int, arriving: Sequence[np.ndarray], pure: Sequence[np.ndarray], guides: Sequence[Guides], reach_frames: float
) -> np.ndarray:
    """The mean of what arrives at a frame's surface points in all frames that see them."""
    here = guides[frame]
    on = here.part >= 0
    part, point, normal = here.part[on], here.point[on], here.normal[on]
    total = arriving[frame][on] * pure[frame][on][:, None]
    weight = pure[frame][on].copy()
    for other, there in enumerate(guides):
        share = np.exp(-0.5 * ((other - frame) / reach_frames) ** 2)
        if other == frame or share < 0.02:
            continue
        pose = there.camera_from_part[part]
        seen = np.einsum("nij,nj->ni", pose[:, :3, :3], point) + pose[:, :3, 3]
        pixel = seen @ there.intrinsics.T
        z = np.maximum(seen[:, 2], 1e-6)
        x, y = pixel[:, 0] / z - 0.5, pixel[:, 1] / z - 0.5
        left, top = np.floor(x).astype(int), np.floor(y).astype(int)
        height, width = there.part.shape
        for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
            row, column = top + dy, left + dx
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width) & (seen[:, 2] > 0)
            row, column = np.where(inside, row, 0), np.where(inside, column, 0)
            same = inside & (there.part[row, column] == part)
            same &= np.abs(there.depth[row, column] - z) < 0.03 * z
            turned = ((there.normal[row, column] - normal) ** 2).sum(axis=1)
            w = share * same * np.exp(-turned / 0.1) * pure[other][row, column]
            w = w * (1 - np.abs(x - left - dx)) * (1 - np.abs(y - top - dy))
            total += w[:, None] * arriving[other][row, column]
            weight += w
    out = arriving[frame].copy()
    out[on] = total / weight[:, None]
    return out


def a_trous(
    light: Float[np.ndarray, "height width 3"],
    pure: Float[np.ndarray, "height width"],
    guides: Guides,
    *,
    passes: int,
    sigma_light: float,
) -> Float[np.ndarray, "height width 3"]:
    """Edge-stopping wavelet filter within the surface of one part.

    Args:
        light: what arrives, base color divided out.
        pure: how much each pixel's value can be trusted.
        guides: of the frame.
        passes: number of passes.
        sigma_light: tolerance to differences in log2 luminance.

    Reference:
        Dammertz et al., "Edge-Avoiding A-Trous Wavelet Transform for fast Global Illumination Filtering", 2010.
    """
    out = light
    height, width = guides.part.shape
    for k in range(passes):
        step = 2**k
        pad = 2 * step
        tone = np.log2(_blurred(out.mean(axis=-1)) + 1e-3)
        layers = [out, guides.normal, guides.depth[..., None], tone[..., None], pure[..., None], guides.part[..., None]]
        padded = np.pad(np.concatenate(layers, axis=-1), ((pad, pad), (pad, pad), (0, 0)), mode="edge")
        total = np.zeros_like(out)
        weight = np.zeros((height, width, 1), out.dtype)
        for dy in range(-2, 3):
            for dx in range(-2, 3):
                y, x = pad + dy * step, pad + dx * step
                other = padded[y : y + height, x : x + width]
                turned = ((other[..., 3:6] - guides.normal) ** 2).sum(axis=-1) / 0.05
                brighter = ((other[..., 7] - tone) * 2**k / sigma_light) ** 2
                trust = other[..., 8] * (other[..., 9] == guides.part)
                w = _TAPS[abs(dy)] * _TAPS[abs(dx)] * trust * np.exp(-turned - brighter)
                total += w[..., None] * other[..., :3]
                weight += w[..., None]
        out = total / np.maximum(weight, 1e-9)
    return out


def _blurred(values: np.ndarray) -> np.ndarray:
    padded = np.pad(values, 1, mode="edge")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    return (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 16


def _assembled(arriving: np.ndarray, light: np.ndarray, guides: Guides) -> np.ndarray:
    """Base color times what arrives: pixel by pixel inside of surfaces, sample by sample at their edges."""
    out = np.maximum(guides.albedo, _DARKEST) * arriving
    rows, columns = np.nonzero(~guides.whole)
    if len(rows) == 0:
        return out
    part, normal = guides.sample_part[rows, columns], guides.sample_normal[rows, columns]
    height, width = guides.part.shape
    total = np.zeros((*part.shape, 3))
    weight = np.zeros(part.shape)
    whole = np.asarray(guides.whole)
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            y, x = np.clip(rows + dy, 0, height - 1), np.clip(columns + dx, 0, width - 1)
            turned = ((guides.normal[y, x][:, None] - normal) ** 2).sum(axis=-1)
            w = (guides.part[y, x][:, None] == part) * np.exp(-turned / 0.1 - 0.5 * (dy * dy + dx * dx))
            w = w * np.where(whole[y, x], 1.0, 0.03)[:, None]
            total += w[..., None] * arriving[y, x][:, None]
            weight += w
    known = weight > 1e-4
    each = total / np.maximum(weight, 1e-9)[..., None]
    albedo = np.maximum(guides.sample_albedo[rows, columns], _DARKEST)
    picture = (albedo * each * known[..., None]).sum(axis=1) / np.maximum(known.sum(axis=1), 1)[:, None]
    out[rows, columns] = np.where(known.any(axis=1, keepdims=True), picture, light[rows, columns])
    return out
