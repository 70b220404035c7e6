"""Textured pictures and their exact motion, made in code."""

from __future__ import annotations

import numpy as np
import torch

SIZE = (96, 128)


def texture(size: tuple[int, int], seed: int = 0) -> torch.Tensor:
    """Smooth random colors at several scales, 0 ... 1, (1, 3, height, width)."""
    rng = np.random.default_rng(seed)
    total = torch.zeros((1, 3, *size))
    for cell in (32, 16, 8, 4):
        coarse = torch.from_numpy(rng.standard_normal((1, 3, size[0] // cell + 2, size[1] // cell + 2)).astype(np.float32))
        total += cell**0.5 * torch.nn.functional.interpolate(coarse, size, mode="bicubic", align_corners=False)
    return (total - total.min()) / (total.max() - total.min())


def panned(seed: int, shift_px: tuple[float, float], size: tuple[int, int] = SIZE, margin: int = 48) -> np.ndarray:
    """A window on a large texture whose content is ``shift_px`` (x, y) further right and down, uint8 (height, width, 3)."""
    large = texture((size[0] + 2 * margin, size[1] + 2 * margin), seed)
    y, x = torch.meshgrid(torch.arange(size[0]) + 0.5, torch.arange(size[1]) + 0.5, indexing="ij")
    at = torch.stack([x - shift_px[0] + margin, y - shift_px[1] + margin], -1)
    grid = 2 * at / torch.tensor([large.shape[3], large.shape[2]]) - 1
    window = torch.nn.functional.grid_sample(large, grid[None], mode="bicubic", align_corners=False)
    return (window[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()


def disc_before_wall(step: int, size: tuple[int, int] = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """A textured disc that is 5 px further right every step, before a still wall; and where the disc is."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    disc = (x - 35 - 5 * step) ** 2 + (y - size[0] / 2) ** 2 < 20**2
    return np.where(disc[..., None], panned(1, (5.0 * step, 0.0), size), panned(2, (0.0, 0.0), size)), disc
