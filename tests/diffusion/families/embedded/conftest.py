"""A tiny denoiser whose output depends on everything, and pictures of nothing in particular."""

import warnings

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # third-party modules warn at import
    import diffusers  # noqa: F401
    import torch

from sim2real.diffusion.families.embedded.denoiser import build_denoiser

SIZES = {"widths": [8, 8, 16, 16], "down": [1, 1, 1, 1], "up": [1, 1, 1, 1], "embedding": 16}


@pytest.fixture
def fresh():
    return build_denoiser(1, **SIZES).eval().requires_grad_(False)


@pytest.fixture
def denoiser(fresh):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        for name, value in fresh.named_parameters():
            if not value.any():
                value.normal_(std=0.05 if name.startswith("finish") else 0.2)
    return fresh


@pytest.fixture
def make_pictures():
    def make(frames=3, size=(24, 40), seed=0):
        rng = np.random.default_rng(seed)
        shape = (frames, *size)
        pictures = {
            name: rng.integers(0, 256, (*shape, 3)).astype(np.uint8) for name in ("rgb", "albedo", "material", "normals")
        }
        pictures["material"][..., 2] = 0
        pictures["depth"] = rng.uniform(0.5, 3, shape).astype(np.float32)
        pictures["edges"] = rng.integers(0, 256, shape).astype(np.uint8)
        pictures["light"], pictures["reflection"] = (rng.gamma(4, 0.2, (*shape, 3)).astype(np.float32) for _ in range(2))
        pictures["K"] = np.array([[50.0, 0, size[1] / 2], [0, 50.0, size[0] / 2], [0, 0, 1]])
        return pictures

    return make
