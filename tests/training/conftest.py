"""Three tiny clips in which light and texture are known, and noise without geometry."""

import warnings

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # third-party modules warn at import
    import diffusers  # noqa: F401
    import torch

from sim2real.scene.colors import linear_from_srgb, srgb_from_linear
from sim2real.training.packed import packed_clip
from sim2real.training.recipe import TrainingRecipe

FRAMES, SIZE = 4, (32, 48)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Independent:
    """Noise without geometry: enough to test everything but the motion."""

    def noise(self, clip, draw, frames, rows, columns):
        whole = np.random.default_rng([clip, draw]).standard_normal((FRAMES, 3, *SIZE), np.float32)
        return whole[frames, :, rows, columns]


@pytest.fixture
def provider():
    return Independent()


def clip_arrays(seed):
    """Two instances side by side, textured, under a shadow that neither the render nor the known light has."""
    rng = np.random.default_rng(seed)
    shape = (FRAMES, *SIZE)
    instances = np.ones(shape, np.uint16)
    instances[..., SIZE[1] // 2 :] = 2
    color = rng.uniform(60, 200, (3, 3))[instances]
    albedo = (color + rng.uniform(-20, 20, (*SIZE, 1))).clip(0, 255).astype(np.uint8)
    linear = linear_from_srgb(albedo / 255)
    shadow = np.linspace(0.3, 1, SIZE[0])[:, None, None]
    return {
        "light": (linear * shadow).astype(np.float16),
        "known_light": np.full((*shape, 3), 0.6, np.float16),
        "known_reflection": np.full((*shape, 3), 0.6, np.float16),
        "rgb": np.round(255 * srgb_from_linear(0.6 * linear)).astype(np.uint8),
        "albedo": albedo,
        "material": np.broadcast_to(np.array([128, 0, 0], np.uint8), (*shape, 3)),
        "normals": np.broadcast_to(np.array([160, 128, 1], np.uint8), (*shape, 3)),
        "depth": np.full(shape, 2.0, np.float32),
        "edges": np.zeros(shape, np.uint8),
        "coverage": np.where(np.arange(SIZE[1]) == SIZE[1] // 2, 0x0500, 0).astype(np.uint16) * np.ones(shape, np.uint16),
        "K": np.broadcast_to(np.array([[50.0, 0, 24], [0, 50.0, 16], [0, 0, 1]]), (FRAMES, 3, 3)),
    }


@pytest.fixture
def clip_files(tmp_path):
    paths = [tmp_path / f"{index:06d}.npz" for index in range(3)]
    for index, path in enumerate(paths):
        np.savez(path, **clip_arrays(index))
    return paths


@pytest.fixture
def clips(clip_files):
    return [packed_clip(path) for path in clip_files]


@pytest.fixture
def recipe():
    return TrainingRecipe.model_validate(
        {
            "model": {"widths": [8, 8, 16, 16], "down": [1, 1, 1, 1], "up": [1, 1, 1, 1], "embedding": 16},
            "stages": [
                {"steps": 6, "batch": 4, "frames": 2, "size": [16, 32]},
                {"steps": 4, "batch": 2, "frames": 3, "size": [32, 48]},
            ],
            "learning_rate": 3e-3,
            "warmup": 2,
            "cooldown": 4,
        }
    )
