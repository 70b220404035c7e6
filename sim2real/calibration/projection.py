"""How places in the picture move with points, with the camera and with its focal length: exact derivatives."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ..camera.lens import Lens, lens_map


def px_jacobian(
    points: Float[np.ndarray, "n 3"], intrinsics: Float[np.ndarray, "3 3"], lens: Lens
) -> Float[np.ndarray, "n 2 3"]:
    """Derivatives of ``px_from_camera`` with respect to points in camera axes, px per metre."""
    z = np.ones(len(points)) if lens.parallel else points[:, 2]
    xy = points[:, :2] / z[:, None]
    flat = np.zeros((len(points), 2, 3))
    flat[:, 0, 0] = flat[:, 1, 1] = 1 / z
    if not lens.parallel:
        flat[:, :, 2] = -xy / z[:, None]
    bent = lens_map(xy, lens)[1] @ flat if lens.bent else flat
    return intrinsics[:2, :2] @ bent


def motion_jacobian(
    points: Float[np.ndarray, "n 3"],
    pixels: Float[np.ndarray, "n 2"],
    pivot: Float[np.ndarray, "3"],
    intrinsics: Float[np.ndarray, "3 3"],
    lens: Lens,
    *,
    zooms: bool = False,
) -> Float[np.ndarray, "n 2 unknowns"]:
    """Derivatives of the places of points in the picture with respect to the step of ``Estimate.moved``, at no step.

    Args:
        points: camera axes, metres.
        pixels: where they are seen.
        pivot: about which the step turns.
        intrinsics: 3x3.
        lens: of the camera.
        zooms: whether the focal length is among the unknowns.
    """
    by_point = px_jacobian(points, intrinsics, lens)
    arm = points - pivot
    turning = np.cross(by_point, arm[:, None], axis=-1) * -1.0  # a . (w x r) = w . (r x a)
    columns = [turning, by_point]
    if zooms:
        columns.append((pixels - intrinsics[:2, 2])[..., None])
    return np.concatenate(columns, axis=-1)
