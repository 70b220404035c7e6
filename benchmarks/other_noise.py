"""Other ways to make noise move with a scene, in plain numpy: what `baselines` compares surface noise with.

Each is a class with ``video(stage, camera, frames)``, which yields (channels, height, width) frame by frame and may keep
state from frame to frame. All get exact motion and visibility. Nothing here is anybody's code.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np
from jaxtyping import Float
from scipy.sparse import coo_matrix

from benchmarks.noise_suite import Phase
from sim2real.conditions import instance_ids, metric_depth
from sim2real.metrics.footprints import LabelledView, carried, samples_of
from sim2real.noise import SurfaceNoise
from sim2real.raster import Fragments, view_of

Frames = Iterator[Float[np.ndarray, "channels height width"]]


class Stage:
    """What every method is given: fragments and labels of every view of one phase of a scene."""

    def __init__(self, phase: Phase, seed: int) -> None:
        self.phase, self.seed = phase, seed
        self.factor, self.channels = phase.layout.factor, phase.layout.channels
        self.size = phase.latent_size
        self.fragments = lru_cache(maxsize=4)(self._fragments)
        self.labels = lru_cache(maxsize=4)(self._labels)

    def fresh(self, count: int, stream: int) -> Float[np.ndarray, "channels count"]:
        """Independent normals; equal for equal seeds and streams."""
        return np.random.default_rng([self.seed, stream]).standard_normal((self.channels, count), np.float32)

    def shaped(self, noise: np.ndarray) -> Float[np.ndarray, "channels height width"]:
        """Latents in rows and columns."""
        return noise.reshape(self.channels, *self.size)

    def latent(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Index of the latent at picture positions."""
        return (y / self.factor).astype(int) * self.size[1] + (x / self.factor).astype(int)

    def _fragments(self, name: str, frame: int) -> Fragments:
        phase = self.phase
        return phase.raster.fragments(view_of(phase.scene, phase.cameras[name], frame))

    def _labels(self, name: str, frame: int) -> LabelledView:
        seen, scene, camera = self.fragments(name, frame), self.phase.scene, self.phase.cameras[name]
        return LabelledView(
            depth=metric_depth(seen).astype(np.float64),
            instances=instance_ids(seen.face, self.phase.triangles).astype(np.int64),
            intrinsics=camera.intrinsics[frame],
            world_from_camera=camera.world_from_camera[frame],
            world_from_instance=np.concatenate([np.eye(4)[None], scene.world_from_instance[frame]]),
        )


class Method(Protocol):
    """One way to make noise."""

    @property
    def name(self) -> str:
        """For the table."""
        ...

    def video(self, stage: Stage, camera: str, frames: int) -> Frames:
        """Noise of a camera's first frames."""
        ...


class Independent:
    """A new draw in every frame: what video models get without any of this."""

    name = "i.i.d."

    def video(self, stage: Stage, camera: str, frames: int) -> Frames:
        """See the module."""
        for frame in range(frames):
            yield stage.shaped(stage.fresh(math.prod(stage.size), 1000 * len(camera) + frame))


class ScreenFixed:
    """The same draw in every frame."""

    name = "fixed to the screen"

    def video(self, stage: Stage, camera: str, frames: int) -> Frames:
        """See the module."""
        for _ in range(frames):
            yield stage.shaped(stage.fresh(math.prod(stage.size), 0))


class Bilinear:
    """Every frame is the frame before, fetched bilinearly along the motion; fresh noise where a surface appears."""

    name = "bilinear warp, chained"

    def video(self, stage: Stage, camera: str, frames: int) -> Frames:
        """See the module."""
        height, width = stage.size
        last = stage.shaped(stage.fresh(height * width, 0))
        yield last
        y, x = (a.ravel() * float(stage.factor) for a in np.indices(stage.size) + 0.5)
        for frame in range(1, frames):
            here, before = stage.labels(camera, frame), stage.labels(camera, frame - 1)
            pixel = y.astype(int) * here.depth.shape[1] + x.astype(int)
            back_x, back_y, seen = carried(here, before, samples_of(here, pixel, x, y))
            column = np.clip(back_x / stage.factor - 0.5, 0, width - 1.001)
            row = np.clip(back_y / stage.factor - 0.5, 0, height - 1.001)
            left, top = column.astype(int), row.astype(int)
            u, v = (column - left).astype(np.float32), (row - top).astype(np.float32)
            upper = last[:, top, left] * (1 - u) + last[:, top, left + 1] * u
            lower = last[:, top + 1, left] * (1 - u) + last[:, top + 1, left + 1] * u
            fetched = upper * (1 - v) + lower * v
            last = stage.shaped(np.where(seen, fetched, stage.fresh(height * width, frame)))
            yield last


@dataclass
class UvTexture:
    """A Gaussian texture on the UV layout of every mesh; the background is fixed to the screen.

    - ``per_latent``: texels per latent's side, at the median depth of the first frame.
    - ``mean``: average all texels that a latent sees, weighted by how much of it they cover, and normalize; otherwise the texel
      at the latent's center counts alone.
    """

    per_latent: float
    mean: bool
    _texture: dict[tuple[int, int], tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For the table."""
        kind = "area mean" if self.mean else "nearest texel"
        return f"UV texture, {kind}, {self.per_latent:g} a latent"

    def video(self, stage: Stage, camera: str, frames: int) -> Frames:
        """See the module."""
        start, texels, values = self._textures(stage)
        screen = stage.fresh(math.prod(stage.size), 0)
        for frame in range(frames):
            seen = stage.fragments(camera, frame)
            face = seen.face.numpy()
            if not self.mean:
                half = stage.factor // 2
                face = face[half :: stage.factor, half :: stage.factor]
            index = self._texel(stage, seen, face, start, texels)
            if not self.mean:
                yield stage.shaped(np.where(index.ravel() < 0, screen, values[:, np.maximum(index.ravel(), 0)]))
                continue
            y, x = np.indices(face.shape) + 0.5
            latent = stage.latent(x, y)
            index = np.where(index < 0, values.shape[1] + latent, index).ravel()
            known = np.concatenate([values, screen], axis=1)
            shape = (screen.shape[1], known.shape[1])
            weight = coo_matrix((np.ones(index.size, np.float32), (latent.ravel(), index)), shape=shape).tocsr()
            size = np.sqrt(weight.multiply(weight).sum(axis=1))
            yield stage.shaped((weight @ known.T / np.asarray(size)).T.astype(np.float32))

    def _textures(self, stage: Stage) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """First texel of every chart in one long list, texels per side, and values; made once per phase."""
        key = (id(stage.phase), stage.seed)
        if key not in self._texture:
            labels = stage.labels("camera", 0)
            depth = np.median(labels.depth[labels.depth > 0])
            side = depth * stage.factor / labels.intrinsics[0, 0] / self.per_latent
            texels = np.maximum(1, np.ceil(stage.phase.charts.side_m / side)).astype(np.int64)
            start = np.cumsum(texels**2) - texels**2
            self._texture = {key: (start, texels, stage.fresh(int((texels**2).sum()), 1))}
        return self._texture[key]

    def _texel(
        self, stage: Stage, seen: Fragments, face: np.ndarray, start: np.ndarray, texels: np.ndarray
    ) -> Float[np.ndarray, "rows columns"]:
        weights = seen.barycentrics.numpy()
        if not self.mean:
            half = stage.factor // 2
            weights = weights[:, half :: stage.factor, half :: stage.factor]
        charts = stage.phase.charts
        safe = np.maximum(face, 0)
        uv = np.einsum("krc,rckd->rcd", weights, charts.coordinates[safe])
        chart = charts.face_chart[safe]
        count = texels[chart]
        column, row = (np.clip((uv[..., axis] * count).astype(np.int64), 0, count - 1) for axis in (0, 1))
        return np.where(face < 0, -1, start[chart] + row * count + column)


@dataclass
class ConditionalUpsampling:
    """Integral noise by conditional upsampling of the first frame.

    Frame 0's noise is refined to ``subdivision`` x ``subdivision`` values per latent, given their sum; every later latent is
    the normalized sum of the values whose places lie in its preimage. Latents without any draw afresh.

    Reference: Chang et al., How I Warped Your Noise, ICLR 2024 (conditional white noise sampling, noise transport).
    """

    subdivision: int = 8

    @property
    def name(self) -> str:
        """For the table."""
        return f"conditional upsampling, N = {self.subdivision}"

    def video(self, stage: Stage, camera: str, frames: int) -> Frames:
        """See the module."""
        n, (height, width), channels = self.subdivision, stage.size, stage.channels
        coarse = stage.shaped(stage.fresh(height * width, 0))
        fine = stage.fresh(height * n * width * n, 1).reshape(channels, height, n, width, n)
        fine = fine - fine.mean(axis=(2, 4), keepdims=True) + coarse[:, :, None, :, None] / n
        fine = fine.reshape(channels, -1)
        first = stage.labels(camera, 0)
        y, x = ((a.ravel() + 0.5) * stage.factor / n for a in np.indices((height * n, width * n)))
        samples = samples_of(first, y.astype(int) * first.depth.shape[1] + x.astype(int), x, y)
        for frame in range(frames):
            there_x, there_y, seen = carried(first, stage.labels(camera, frame), samples)
            latent = stage.latent(there_x[seen], there_y[seen])
            count = np.bincount(latent, minlength=height * width)
            total = np.stack([np.bincount(latent, values[seen], height * width) for values in fine])
            noise = np.where(count > 0, total / np.sqrt(np.maximum(count, 1)), stage.fresh(height * width, 2 + frame))
            yield stage.shaped(noise.astype(np.float32))


class OnSurfaces:
    """This project's."""

    name = "surface noise"

    def video(self, stage: Stage, camera: str, frames: int) -> Frames:
        """See the module."""
        phase = stage.phase
        noise = SurfaceNoise(phase.charts, phase.triangles, phase.layout, seed=stage.seed)
        for frame in range(frames):
            yield noise.frame(stage.fragments(camera, frame), view_of(phase.scene, phase.cameras[camera], frame)).numpy()


METHODS: tuple[Method, ...] = (
    Independent(),
    ScreenFixed(),
    Bilinear(),
    UvTexture(1, mean=False),
    UvTexture(4, mean=False),
    UvTexture(1, mean=True),
    UvTexture(4, mean=True),
    ConditionalUpsampling(),
    OnSurfaces(),
)
