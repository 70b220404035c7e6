"""One tiny model and one tiny clip for the whole folder."""

import warnings
from pathlib import Path

import numpy as np
import pytest

with warnings.catch_warnings():
    # Third-party modules warn at import: swig types without modules, and others' deprecations.
    warnings.simplefilter("ignore")
    import diffusers  # noqa: F401
    import torch

from sim2real.clip import CameraRecord, ClipRecord, NoiseRecord, SceneRecord, new_folder, write_record
from sim2real.clip.images import NoiseWriter, write_depth, write_png
from sim2real.diffusion.embedded import EmbeddedInfo, EmbeddedSpec, build_transformer, save_model
from sim2real.diffusion.palette import palette_of

TINY = EmbeddedSpec(width=32, layers=2, vace_layers=(0, 1), heads=2, hidden=64)
FRAMES, SIZE = 6, (40, 56)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def transformer():
    """A tiny denoiser whose output depends on everything: nothing is left at zero."""
    model = build_transformer(TINY, seed=1)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(2)
        for layer in (model.proj_out, *(block.proj_out for block in model.vace_blocks)):
            layer.weight.normal_(std=0.3)
    return model.eval().requires_grad_(False)


@pytest.fixture
def model_folder(transformer, tmp_path) -> Path:
    colours = np.random.default_rng(1).integers(0, 255, (3, 4, 8, 8, 3)).astype(np.uint8)
    palettes = np.stack([palette_of(look) for look in colours])
    save_model(tmp_path / "model", transformer, palettes, EmbeddedInfo(TINY, window=(4, 32, 32), steps=2))
    return tmp_path / "model"


@pytest.fixture
def clip_folder(make_clip) -> Path:
    return make_clip()


@pytest.fixture
def make_clip(rng, tmp_path):
    return lambda **layout: _write_clip(tmp_path / "clip", rng, **layout)


def _write_clip(folder: Path, rng, *, factor=1, channels=3, latents=None, size=SIZE, frames=FRAMES) -> Path:
    """A clip with one camera that looks at a slanted plane."""
    height, width = size
    latents = list(range(frames)) if latents is None else latents
    k = np.array([[60.0, 0, width / 2], [0, 60.0, height / 2], [0, 0, 1]])
    record = ClipRecord(
        scene=SceneRecord(path="scene.yaml", sha256=""),
        seed=0,
        fps=12,
        frames=frames,
        size=size,
        cameras={"front": CameraRecord(intrinsics=k, world_from_camera=np.broadcast_to(np.eye(4), (frames, 4, 4)))},
        noise=NoiseRecord(factor=factor, channels=channels, beta=1, latent_frames=latents, method="test"),
    )
    with new_folder(folder) as work:
        write_record(work / "clip.json", record)
        for kind in ("depth", "edges"):
            (work / "front" / kind).mkdir(parents=True)
        depth = np.broadcast_to(np.linspace(1, 3, width, dtype=np.float32), size)
        for frame in range(frames):
            write_depth(work / "front" / "depth" / f"{frame:06d}.exr", depth)
            write_png(work / "front" / "edges" / f"{frame:06d}.png", np.zeros(size, np.uint8))
        shape = (len(latents), channels, height // factor, width // factor)
        with NoiseWriter(work / "front" / "noise.npy", shape) as noise:
            for latent in range(shape[0]):
                noise.write(latent, rng.standard_normal(shape[1:], np.float32))
    return folder
