"""One tiny clip for the whole folder."""

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
