"""What a depth camera meets at every pixel: how far, how oblique, how light and how smooth the surface is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from ..camera.lens import Lens
from ..camera.rays import bent_rays, ray_from_px
from ..camera_effects.tone import LUMA
from ..clip import Clip
from ..scene.colors import linear_from_srgb

_LINEAR = linear_from_srgb(np.arange(256) / 255).astype(np.float32)
_GRAY = 0.5
"""Reflectance where nobody knows it."""


@dataclass(frozen=True, eq=False)
class Surface:
    """The surface at every pixel.

    - ``depth``: metres along the camera's z, 0 where there is none.
    - ``slopes``: change of depth by a pixel to the right, and by one down.
    - ``cosine``: of the angle between its normal and the line of sight.
    - ``reflectance``: share of light that it scatters back; metals lose what they mirror.
    - ``smooth``: 1 is a mirror, 0 is matte.
    - ``lost``: nothing can be measured there.
    - ``focal_px``: of the picture, horizontally.
    """

    depth: Float32[np.ndarray, "height width"]
    slopes: Float32[np.ndarray, "2 height width"]
    cosine: Float32[np.ndarray, "height width"]
    reflectance: Float32[np.ndarray, "height width"]
    smooth: Float32[np.ndarray, "height width"]
    lost: Bool[np.ndarray, "height width"]
    focal_px: float

    def beside(self, shift: Int64[np.ndarray, "2 height width"]) -> Surface:
        """The surface with every pixel taken from one (right, down) beside it, as if that went on, flat, to here.

        A plane stays what it is; borders between surfaces move. ``1 / z`` of a plane is linear in the picture.
        """
        height, width = self.depth.shape
        row, column = np.indices((height, width))
        at_row, at_column = np.clip(row + shift[1], 0, height - 1), np.clip(column + shift[0], 0, width - 1)
        at = at_row, at_column
        depth, slopes = self.depth[at], np.stack([plane[at] for plane in self.slopes])
        change = slopes[0] * (column - at_column) + slopes[1] * (row - at_row)
        safe = np.maximum(depth, np.float32(1e-6))
        flat = safe / np.clip(1 - change / safe, 0.8, 1.25)
        depth = np.where(depth > 0, flat, 0).astype(np.float32)
        return Surface(depth, slopes, self.cosine[at], self.reflectance[at], self.smooth[at], self.lost[at], self.focal_px)


def surface_at(clip: Clip, camera: str, frame: int) -> Surface:
    """The surface that a camera of a clip sees in a frame, by its depth, and albedo and material where it has them."""
    depth, record = clip.depth(camera, frame), clip.camera(camera)
    reflectance = np.full(depth.shape, _GRAY, np.float32)
    if clip.has(camera, "albedo"):
        reflectance = _LINEAR[clip.albedo(camera, frame)] @ LUMA
    smooth = np.zeros(depth.shape, np.float32)
    if clip.has(camera, "material"):
        material = clip.material(camera, frame)
        smooth = 1 - material[..., 0] / np.float32(255)
        smooth[depth <= 0] = 0
        reflectance *= 1 - smooth * (material[..., 1] / np.float32(255))
    intrinsics = record.intrinsics[frame]
    slopes = slopes_of(depth)
    cosine = cosines(depth, slopes, intrinsics, record.lens)
    return Surface(depth, slopes, cosine, reflectance, smooth, depth <= 0, abs(float(intrinsics[0, 0])))


def slopes_of(depth: Float32[np.ndarray, "height width"]) -> Float32[np.ndarray, "2 height width"]:
    """Change of depth by a pixel to the right and down: ``-z^2`` times that of ``1 / z``, which a plane changes evenly.

    It is taken to the side where ``1 / z`` changes less, so that edges do not count; 0 where there is nothing on either.
    """
    inverse = np.divide(1, depth, out=np.full_like(depth, np.nan), where=depth > 0)
    planes = []
    for axis in (1, 0):
        steps = np.diff(inverse, axis=axis)
        blank = np.full_like(inverse.take([0], axis), np.nan)
        before, after = np.concatenate([blank, steps], axis), np.concatenate([steps, blank], axis)
        less = np.where(np.abs(before) < np.abs(after), before, after)  # not a number is never less
        planes.append(-depth * depth * np.nan_to_num(np.where(np.isnan(less), before, less), nan=0.0))
    return np.stack(planes)


def cosines(
    depth: Float32[np.ndarray, "height width"],
    slopes: Float32[np.ndarray, "2 height width"],
    intrinsics: Float64[np.ndarray, "3 3"],
    lens: Lens,
) -> Float32[np.ndarray, "height width"]:
    """Cosines between normals, which depth and its slopes give, and lines of sight; 0 where there is no surface."""
    rays, across, down = _rays(np.asarray(intrinsics, np.float64).tobytes(), lens, depth.shape)
    tangents = []
    for slope, along in zip(slopes, (across, down), strict=True):
        x, y = along if lens.parallel else along * depth + rays * slope
        tangents.append((x, y, slope))
    (ax, ay, az), (bx, by, bz) = tangents
    normal = (ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)
    sight = (0.0, 0.0, 1.0) if lens.parallel else (rays[0], rays[1], 1.0)
    dot = sum(n * s for n, s in zip(normal, sight, strict=True))
    lengths = sum(n * n for n in normal) * sum(s * s for s in sight)
    cosine = np.abs(dot) / np.sqrt(np.maximum(lengths, np.float32(1e-30)))
    return np.where(depth > 0, np.minimum(cosine, 1), 0).astype(np.float32)


@lru_cache(maxsize=4)
def _rays(intrinsics: bytes, lens: Lens, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lines of sight (x, y), and by how much they change from column to column and from row to row."""
    k = np.frombuffer(intrinsics).reshape(3, 3)
    if lens.bent:
        rays = bent_rays(k, lens, size)
    else:
        rows, columns = size
        rays = ray_from_px(np.stack(np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5), axis=-1), k, lens)
    planes = np.moveaxis(rays, -1, 0)
    changes = [np.gradient(planes, axis=axis) if planes.shape[axis] > 1 else np.zeros_like(planes) for axis in (2, 1)]
    return planes.astype(np.float32), changes[0].astype(np.float32), changes[1].astype(np.float32)
