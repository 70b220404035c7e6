"""Between pixels, lines of sight and points: straight rays from one point, rays bent by a lens, parallel rays. Float64.

A pixel's line of sight is named by two numbers (x, y):

- perspective and fisheye cameras: it leaves the eye towards (x, y, 1), camera axes;
- orthographic cameras: it is the line of all points (x, y, z); x and y are metres.

The 3x3 intrinsics bring (x, y), after the lens has moved it, to pixels; for orthographic cameras they hold pixels per metre.
"""

from __future__ import annotations

import functools

import numpy as np
from jaxtyping import Float

from ..errors import BadValueError
from .lens import PINHOLE, WIDEST_DEG, Lens, distorted, field_of, undistorted
from .view import Camera


def ray_from_px(
    pixels: Float[np.ndarray, "*shape 2"], intrinsics: Float[np.ndarray, "3 3"], lens: Lens = PINHOLE
) -> Float[np.ndarray, "*shape 2"]:
    """Lines of sight (x, y) through points of the picture, px; not a number where the lens shows nothing."""
    k = np.asarray(intrinsics, np.float64)
    y = (pixels[..., 1] - k[1, 2]) / k[1, 1]
    xy = np.stack([(pixels[..., 0] - k[0, 2] - k[0, 1] * y) / k[0, 0], y], axis=-1)
    return undistorted(xy, lens) if lens.bent else xy


def px_from_camera(
    points: Float[np.ndarray, "*shape 3"], intrinsics: Float[np.ndarray, "3 3"], lens: Lens = PINHOLE
) -> Float[np.ndarray, "*shape 2"]:
    """Where points (camera axes, metres) fall in the picture, px; not a number behind the eye or out of the lens' field."""
    k = np.asarray(intrinsics, np.float64)
    xy = np.asarray(points, np.float64)[..., :2]
    if not lens.parallel:
        front = points[..., 2:] > 0
        xy = np.where(front, xy / np.where(front, points[..., 2:], 1), np.nan)
    if lens.bent:
        xy = distorted(xy, lens)
    return np.stack([k[0, 0] * xy[..., 0] + k[0, 1] * xy[..., 1] + k[0, 2], k[1, 1] * xy[..., 1] + k[1, 2]], axis=-1)


def camera_from_px(
    pixels: Float[np.ndarray, "*shape 2"],
    depth: Float[np.ndarray, "*shape"],
    intrinsics: Float[np.ndarray, "3 3"],
    lens: Lens = PINHOLE,
) -> Float[np.ndarray, "*shape 3"]:
    """Camera-frame points of pixels with a depth, metres: the inverse of ``px_from_camera``."""
    xy = ray_from_px(pixels, intrinsics, lens)
    z = np.asarray(depth, np.float64)[..., None]
    return np.concatenate([xy if lens.parallel else xy * z, z], axis=-1)


def ray_table(
    camera: Camera, frame: int, size: tuple[int, int] | None = None
) -> Float[np.ndarray, "height_plus_1 width_plus_1 2"] | None:
    """Lines of sight through the corners of all pixels, or ``None`` where intrinsics give them (pinhole, orthographic).

    Bilinear interpolation between corners errs by a few thousandths of a pixel at most for usual lenses.

    Args:
        camera: any camera.
        frame: whose intrinsics count.
        size: another (height, width) of the same view.

    Raises:
        BadValueError: the lens' map folds inside the picture.
    """
    seen = camera if size is None or size == camera.size else camera.resized(size)
    return bent_rays(seen.intrinsics[frame], seen.lens, seen.size, corners=True) if seen.lens.bent else None


def bent_rays(
    intrinsics: Float[np.ndarray, "3 3"], lens: Lens, size: tuple[int, int], *, corners: bool = False
) -> Float[np.ndarray, "rows columns 2"]:
    """Lines of sight through all pixel centers, or all pixel corners (a row and a column more); kept for the next call.

    Raises:
        BadValueError: the lens' map folds inside the picture.
    """
    return _rays(np.asarray(intrinsics, np.float64).tobytes(), lens, (int(size[0]), int(size[1])), corners)


@functools.lru_cache(maxsize=12)
def _rays(intrinsics: bytes, lens: Lens, size: tuple[int, int], corners: bool) -> np.ndarray:
    first, more = (0.0, 1) if corners else (0.5, 0)
    y, x = np.meshgrid(np.arange(size[0] + more) + first, np.arange(size[1] + more) + first, indexing="ij")
    pixels = np.stack([x, y], axis=-1)
    k = np.frombuffer(intrinsics).reshape(3, 3)
    rays = ray_from_px(pixels, k, lens)
    rays.setflags(write=False)
    _refuse_folds(pixels, rays, k, lens)
    return rays


def check_lens(camera: Camera, where: object = "") -> None:
    """Refuse a camera whose lens does not show something at every pixel.

    Raises:
        BadValueError: the map folds inside the picture, or the picture shows more than ``WIDEST_DEG`` to each side.
    """
    if not camera.lens.bent:
        return
    height, width = camera.size
    y, x = np.meshgrid(np.linspace(0, height, 33), np.linspace(0, width, 33), indexing="ij")
    pixels = np.stack([x, y], axis=-1)
    for k in np.unique(camera.intrinsics, axis=0):
        _refuse_folds(pixels, ray_from_px(pixels, k, camera.lens), k, camera.lens, f"camera {camera.name}", where)


def _refuse_folds(
    pixels: np.ndarray, rays: np.ndarray, k: np.ndarray, lens: Lens, of: str = "a camera", where: object = ""
) -> None:
    bad = ~np.isfinite(rays).all(axis=-1)
    if not bad.any():
        return
    reach = float(np.linalg.norm(pixels[bad] - k[:2, 2], axis=-1).min())
    if field_of(lens) >= 0.999 * np.tan(np.deg2rad(WIDEST_DEG)):
        wide = f"within {WIDEST_DEG:g} degrees of the axis; it looks past that from {reach:.0f} px off the principal point on"
        raise BadValueError(f"the view of {of}", "too wide", right=wide, fix="narrow or crop the picture", where=where)
    right = (
        f"coefficients that show something at every pixel; from {reach:.0f} px off the principal point on, the map folds back"
    )
    fix = "check the coefficients and their order (k1 k2 p1 p2 k3 ...), or crop the picture"
    raise BadValueError(f"the distortion of {of}", [float(c) for c in lens.distortion], right=right, fix=fix, where=where)
