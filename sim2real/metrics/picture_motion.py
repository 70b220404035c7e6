"""The overlap of two frames' pixel footprints from motion in the picture, for clips that know no depth: real videos.

Area is counted in pixels of the earlier frame, as the noise of videos does. Latents of which a part cannot be followed to the
other frame share nothing: what the rest of them shares would be told too small.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from scipy.ndimage import map_coordinates
from scipy.sparse import coo_matrix, csr_matrix, diags

from ..clip import Clip
from ..errors import MissingFileError
from ..flow import DisFlow, Flow, believed_flow, inverted_flow, read_flow
from ..flow.estimated import sampled_at_end
from .footprints import samples_per_pixel

LARGEST_CHANGE = 16.0
"""Estimated motion may enlarge or shrink a pixel by so much; more is taken for an error of the estimate."""


class PictureMotion:
    """Motion between two frames: the clip's own flow, step by step, or an estimate from its pictures."""

    def __init__(self, clip: Clip, camera: str) -> None:
        """Choose what is known.

        Args:
            clip: the clip folder.
            camera: one of its cameras.

        Raises:
            MissingFileError: the camera has neither flow nor pictures.
            MissingPackageError: motion has to be estimated, and OpenCV is not installed.
        """
        self._clip = clip
        if clip.has(camera, "flow"):
            self.what = "the clip's flow"
            motion = self._followed
        elif clip.has(camera, "rgb"):
            self.what = "motion estimated between the two frames"
            self._estimator = DisFlow()
            motion = self._seen
        else:
            fix = "make it again with rgb or flow among --only"
            raise MissingFileError(clip.folder(camera), what="pictures or flow of a camera", fix=fix)
        self._motion = lru_cache(maxsize=2)(motion)

    def overlap(self, camera: str, a: int, b: int, *, factor: int, seed: int) -> csr_matrix:
        """See ``Geometry``; frame a is the earlier one."""
        forth, back = self._motion(camera, a, b)
        return picture_overlap(forth, back, factor=factor, seed=seed)

    def _seen(self, camera: str, a: int, b: int) -> tuple[Flow, Flow]:
        return believed_flow(self._clip.rgb(camera, a), self._clip.rgb(camera, b), self._estimator)

    def _followed(self, camera: str, a: int, b: int) -> tuple[Flow, Flow]:
        height, width = self._clip.record.size
        total, visible = torch.zeros(height, width, 2), torch.ones(height, width, dtype=torch.bool)
        for frame in range(a, b):
            motion, seen = read_flow(self._clip.frame_path(camera, "flow", frame), (height, width))
            shown = torch.ones(height, width) if seen is None else seen.float()
            inside, there = sampled_at_end(total, torch.cat([motion, shown[..., None]], dim=-1))
            visible &= inside & (there[..., 2] > 0.5)
            total += there[..., :2]
        inside, _ = sampled_at_end(total, total)
        forth = Flow(total, visible & inside)
        return forth, inverted_flow(forth)


def picture_overlap(forth: Flow, back: Flow, *, factor: int, seed: int = 0) -> csr_matrix:
    """Normalized overlap ``|F_a(p) n F_b(q)| / sqrt(|F_a(p)| |F_b(q)|)`` of all latent pixels of two frames.

    Args:
        forth: motion from frame a to frame b.
        back: motion from frame b to frame a; it tells how large b's pixels are in a.
        factor: picture pixels per latent and axis.
        seed: of the sample places; two seeds give two independent estimates.

    Returns:
        Sparse (pixels of b, pixels of a).
    """
    height, width = forth.visible.shape
    per_axis, across = samples_per_pixel(factor), width // factor
    jitter = np.random.default_rng(seed).random((2, height * per_axis, width * per_axis))
    y, x = ((np.indices(jitter.shape[1:]) + jitter) / per_axis).reshape(2, -1)
    motion = forth.forward.cpu().numpy().astype(np.float64)
    moved = [map_coordinates(motion[..., k], [y - 0.5, x - 0.5], order=1, mode="nearest") for k in (0, 1)]
    to_x, to_y = x + moved[0], y + moved[1]
    stays = (to_x >= 0) & (to_y >= 0) & (to_x < width) & (to_y < height)
    latents = (height // factor) * across
    of_a = (y / factor).astype(int) * across + (x / factor).astype(int)
    lost = stays & ~forth.visible.cpu().numpy()[y.astype(int), x.astype(int)]
    seen = stays & ~np.bincount(of_a, lost, latents).astype(bool)[of_a]
    of_b = (to_y[seen] / factor).astype(int) * across + (to_x[seen] / factor).astype(int)
    shared = coo_matrix((np.ones(len(of_b)), (of_b, of_a[seen])), shape=(latents, latents)).tocsr()
    areas = _areas(back).reshape(height // factor, factor, across, factor).sum((1, 3)).ravel()
    total = [np.full(latents, float(factor**2)), areas]
    scale = [diags(1 / np.sqrt(np.maximum(t, 1e-300) * per_axis**2)) for t in total]
    return csr_matrix(scale[1] @ shared @ scale[0])


def _areas(back: Flow) -> np.ndarray:
    """How many pixels of frame a every pixel of frame b covers; where b shows what a does not, as many as elsewhere."""
    along_y, along_x = (np.gradient(back.forward.cpu().numpy().astype(np.float64), axis=axis) for axis in (0, 1))
    area = np.abs((1 + along_x[..., 0]) * (1 + along_y[..., 1]) - along_x[..., 1] * along_y[..., 0])
    visible = back.visible.cpu().numpy()
    usual = float(np.median(area[visible])) if visible.any() else 1.0
    return np.clip(np.where(visible, area, usual), 1 / LARGEST_CHANGE, LARGEST_CHANGE)
