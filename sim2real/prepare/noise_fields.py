"""Fresh noise for training clips: drawn once per clip with many channels, mixed anew for every sample."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float16, Float32

from ..clip.images import open_noise
from ..devices import frame_pool
from ..noise import NoiseLayout, SurfaceNoise, charts_of
from ..raster import rasterizer, view_of
from ..scene import Scene, triangles_of

CHANNELS = 12
"""Independent channels per clip that draws are mixed from."""


def clip_noise(scene: Scene, *, channels: int = CHANNELS, seed: int = 0) -> Float16[np.ndarray, "frames channels height width"]:
    """Surface noise at pixel resolution for every frame of a scene's first camera."""
    camera, triangles = scene.cameras[0], triangles_of(scene)
    views = rasterizer(triangles)
    noise = SurfaceNoise(charts_of(scene, triangles), triangles, NoiseLayout(factor=1, channels=channels), seed=seed)
    out = np.empty((scene.frames, channels, *camera.size), np.float16)
    for frame in range(scene.frames):
        view = view_of(scene, camera, frame)
        out[frame] = noise.frame(views.visibility(view), view).numpy()
    return out


def noise_path(output: Path, clip: int) -> Path:
    """Where a training clip's noise is."""
    return output / f"{clip:06d}.noise.npy"


def write_clip_noise(path: Path, scene: Scene, *, channels: int = CHANNELS, seed: int = 0) -> None:
    """Draw a clip's noise into a file, whole or not at all; what is there already stays."""
    if path.is_file():
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            np.save(file, clip_noise(scene, channels=channels, seed=seed))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def make_training_noise(
    scene_of: Callable[[int], Scene],
    clips: Sequence[int],
    output: Path,
    *,
    channels: int = CHANNELS,
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Draw the noise of training clips into ``output``; what is there already stays.

    Args:
        scene_of: builds the scene of a clip from its number.
        clips: numbers of the clips.
        output: folder of the training clips.
        channels: independent fields per clip, at least 3; more make draws of one clip less alike.
        seed: clip ``n`` has noise of seed ``seed + n``.
        threads: clips at once; None is one per core.
        progress: told (clips done, clips).

    Returns:
        One file per clip: float16 (frames, channels, height, width).
    """

    def make(clip: int) -> Path:
        path = noise_path(output, clip)
        if not path.is_file():
            write_clip_noise(path, scene_of(clip), channels=channels, seed=seed + clip)
        return path

    paths = []
    with frame_pool(threads or len(os.sched_getaffinity(0))) as pool:
        for path in pool.map(make, clips):
            paths.append(path)
            if progress is not None:
                progress(len(paths), len(clips))
    return paths


class NoiseDraws:
    """Noise of many clips, fresh at every draw, for a trainer that never sees a scene.

    A clip's channels are independent fields on the same surfaces. Any orthonormal combination of them is again independent
    standard Gaussian noise on these surfaces, so that a draw costs three weighted sums and no rasterization.

    Args:
        paths: from :func:`make_training_noise`.
        seed: of the draws.
    """

    def __init__(self, paths: Sequence[Path], *, seed: int = 0) -> None:
        self._seed = seed
        self._paths = list(paths)  # opened when asked for: a process may hold fewer open files than there are clips

    def noise(
        self, clip: int, draw: int, frames: slice, rows: slice, columns: slice
    ) -> Float32[np.ndarray, "frames 3 height width"]:
        """Draw ``draw`` of a clip's noise, cropped: the same arguments give the same values."""
        held = open_noise(self._paths[clip], fix="delete it, and it is made again")
        fields = torch.from_numpy(held[frames, :, rows, columns].copy()).float()
        rng = np.random.default_rng([self._seed, clip, draw])
        weights = torch.from_numpy(orthonormal_rows(rng, 3, fields.shape[1]))
        return (weights @ fields.flatten(2)).unflatten(2, fields.shape[2:]).numpy()


def orthonormal_rows(rng: np.random.Generator, rows: int, columns: int) -> Float32[np.ndarray, "rows columns"]:
    """Evenly distributed orthonormal rows (Haar measure): QR of a Gaussian matrix with the signs undone."""
    q, r = np.linalg.qr(rng.standard_normal((columns, rows)))
    return np.ascontiguousarray((q * np.sign(np.diagonal(r))).T, np.float32)
