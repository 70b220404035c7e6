"""Which noise drove footage: what the clip's own noise says of the detail that surfaces have."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Float, Integer, UInt8
from scipy import ndimage

from ..clip import Clip
from ..clip.footage import FrameOf

_REACH = 2
"""Latents around a pixel's own whose noise may say something of it; none where latents have many channels."""
_FEW_CHANNELS = 4
_COARSE, _NEAR = 2.0, 4.0
"""Standard deviations, latents: detail is finer than the first, and as strong everywhere as it is within the second."""
_MOST = 3.0
"""Detail beyond so many times its strength counts as so much: an edge, no texture."""
_BLOCK = 32
"""Side of the squares of a chessboard at most, latents: what is found in the black ones is tried on the white ones."""
_INSIDE = 3
"""Pixels from the borders of instances within which nothing counts as a surface's detail."""


def noise_response(clip: Clip, camera: str, frames: FrameOf, measured: Iterable[int]) -> float:
    """How much of the footage's detail a linear filter of the clip's noise predicts.

    The filter is fitted by least squares on one half of the picture and tried on the other, so that other noise gives 0,
    and not a little more.

    Args:
        clip: with noise; where it has instances, their inner pixels alone count.
        camera: its name.
        frames: the footage.
        measured: which latents of the clip, by number.

    Returns:
        Correlation of detail and prediction; 0 where the noise says nothing.
    """
    record = clip.noise_record()
    halves = (_Half(), _Half())
    for latent in measured:
        frame = record.latent_frames[latent]
        detail = local_detail(frames(frame), record.factor)
        counted = np.ones(detail.shape, bool)
        if clip.has(camera, "instances"):
            counted = _latents_of(interior(clip.instances(camera, frame)).astype(np.float64), record.factor) == 1
        noise = clip.latents(camera, slice(latent, latent + 1))[0]
        around = _neighborhoods(noise, _REACH if len(noise) <= _FEW_CHANNELS else 0)
        for half, squares in zip(halves, _chessboard(detail.shape), strict=True):
            half.add(around[counted & squares], detail[counted & squares])
    tried = [(other.filter(), half) for half, other in (halves, halves[::-1])]
    if not all(half.count for half in halves):
        return 0.0
    agreed = sum(float(weights @ half.cross) for weights, half in tried)
    predicted = sum(float(weights @ half.gram @ weights) for weights, half in tried)
    return agreed / max(np.sqrt(predicted * sum(half.power for half in halves)), 1e-12)


class _Half:
    """Sums over one half of all pictures."""

    def __init__(self) -> None:
        self.gram: np.ndarray = np.zeros((0, 0))
        self.cross: np.ndarray = np.zeros(0)
        self.power, self.count = 0.0, 0

    def add(self, around: Float[np.ndarray, "n features"], detail: Float[np.ndarray, " n"]) -> None:
        if not self.gram.size:
            self.gram, self.cross = np.zeros((around.shape[1], around.shape[1])), np.zeros(around.shape[1])
        self.gram += around.T @ around
        self.cross += around.T @ detail
        self.power += float(detail @ detail)
        self.count += len(detail)

    def filter(self) -> Float[np.ndarray, " features"]:
        """Weights of least squares, held back where little is known."""
        return np.linalg.solve(self.gram + (1e-3 * self.count + 1e-9) * np.eye(len(self.gram)), self.cross)


def local_detail(picture: UInt8[np.ndarray, "height width 3"], factor: int) -> Float[np.ndarray, "h w"]:
    """What is fine, of the luminance on the grid of latents, relative to how strong it is nearby."""
    luminance = _latents_of(picture.astype(np.float64) @ [0.299, 0.587, 0.114], factor)
    fine = luminance - ndimage.gaussian_filter(luminance, _COARSE)
    return np.clip(fine / np.sqrt(ndimage.gaussian_filter(fine * fine, _NEAR) + 1), -_MOST, _MOST)


def interior(instances: Integer[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """Pixels that have their own instance all around."""
    size = 2 * _INSIDE + 1
    return ndimage.minimum_filter(instances, size) == ndimage.maximum_filter(instances, size)


def _latents_of(values: Float[np.ndarray, "height width"], factor: int) -> Float[np.ndarray, "h w"]:
    """Means over latents."""
    height, width = values.shape
    return values.reshape(height // factor, factor, width // factor, factor).mean(axis=(1, 3))


def _neighborhoods(noise: Float[np.ndarray, "channels h w"], reach: int) -> Float[np.ndarray, "h w features"]:
    """The noise of every latent and of those around it."""
    padded = np.pad(noise, ((0, 0), (reach, reach), (reach, reach)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * reach + 1, 2 * reach + 1), axis=(1, 2))
    return windows.transpose(1, 2, 0, 3, 4).reshape(*noise.shape[1:], -1).astype(np.float64)


def _chessboard(shape: tuple[int, int]) -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    side = max(2, min(_BLOCK, min(shape) // 4))
    y, x = (np.arange(length) // side for length in shape)
    white = (y[:, None] + x[None]) % 2 == 0
    return white, ~white
