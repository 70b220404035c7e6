"""The embedded model's control picture, from metric depth and edges alone; training and generation share it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from ..errors import BadValueError
from ..scene.lens import PINHOLE, Lens, points_of


def inverse_depth_range(depth: Float[np.ndarray, "frames height width"]) -> tuple[float, float]:
    """The far and near ends of a clip's inverse depth (1/m): 1st and 99th percentile of what has a surface.

    Fixed over the clip, so that brightness does not flicker; percentiles, so that one stray pixel does not flatten the rest.
    """
    surface = depth > 0
    if not surface.any():
        return 0.0, 1.0
    inverse = 1.0 / depth[surface]
    far, near = np.percentile(inverse, [1, 99])
    return float(far), float(max(near, far * (1 + 1e-3)))


def facing_ratio(
    depth: Float[np.ndarray, "frames height width"], intrinsics: Float[np.ndarray, "frames 3 3"], lens: Lens = PINHOLE
) -> Float32[np.ndarray, "frames height width"]:
    """Cosine between the surface normal and the ray to the eye, from depth alone; 0 where there is no surface.

    The two tangents of a pixel are differences to its nearer neighbour along each axis, so that the normal does not
    reach across a silhouette.

    Args:
        depth: metres along z, 0 without a surface.
        intrinsics: pixels, centres at 0.5.
        lens: of the camera.
    """
    y, x = np.indices(depth.shape[1:]) + 0.5
    pixels = np.stack([x, y], axis=-1)
    points, rays = np.empty((*depth.shape, 3)), np.empty((*depth.shape, 3))
    for frame, k in enumerate(intrinsics):
        points[frame] = points_of(pixels, depth[frame], k, lens)
        rays[frame] = [0.0, 0, 1] if lens.parallel else points_of(pixels, np.ones(depth.shape[1:]), k, lens)
    along_x = _nearer_difference(points, depth, axis=2)
    along_y = _nearer_difference(points, depth, axis=1)
    normal = np.cross(along_x, along_y)
    norms = np.linalg.norm(normal, axis=-1) * np.linalg.norm(rays, axis=-1)
    cosine = np.abs((normal * rays).sum(-1)) / np.maximum(norms, 1e-20)
    return np.where(depth > 0, np.clip(cosine, 0, 1), 0).astype(np.float32)


def _nearer_difference(
    points: Float[np.ndarray, "frames height width 3"], depth: Float[np.ndarray, "frames height width"], axis: int
) -> Float[np.ndarray, "frames height width 3"]:
    """Difference to the neighbour before or behind along an axis, whichever is closer in depth and has a surface."""
    step = np.diff(points, axis=axis)
    surface: Bool[np.ndarray, "frames height width"] = depth > 0
    both = np.logical_and(
        np.take(surface, range(1, depth.shape[axis]), axis), np.take(surface, range(depth.shape[axis] - 1), axis)
    )
    jump = np.where(both, np.abs(np.diff(depth, axis=axis)), np.inf)
    pad_end = [(0, 0)] * 3
    pad_end[axis] = (0, 1)
    pad_start = [(0, 0)] * 3
    pad_start[axis] = (1, 0)
    ahead, behind = np.pad(jump, pad_end, constant_values=np.inf), np.pad(jump, pad_start, constant_values=np.inf)
    use_ahead = (ahead <= behind)[..., None]
    return np.where(use_ahead, np.pad(step, [*pad_end, (0, 0)]), np.pad(step, [*pad_start, (0, 0)]))


def control_video(
    depth: Float[np.ndarray, "frames height width"],
    edges: UInt8[np.ndarray, "edge_frames edge_height edge_width"],
    intrinsics: Float[np.ndarray, "*frames 3 3"],
    inverse_range: tuple[float, float] | None = None,
    lens: Lens = PINHOLE,
) -> Float32[np.ndarray, "frames 3 height width"]:
    """Red inverse depth, green edges, blue facing ratio, each in [0, 1].

    Args:
        depth: metres along z, 0 without a surface.
        edges: white (255) on black.
        intrinsics: one 3x3, or one per frame; pixels.
        inverse_range: from :func:`inverse_depth_range` of the whole clip; None computes it from ``depth``.
        lens: of the camera.

    Raises:
        BadValueError: depth and edges differ in shape.
    """
    if depth.shape != edges.shape:
        raise BadValueError("the shape of edges", edges.shape, right=f"that of depth, {depth.shape}")
    far, near = inverse_depth_range(depth) if inverse_range is None else inverse_range
    inverse = np.divide(1.0, depth, out=np.zeros(depth.shape, np.float64), where=depth > 0)
    red = np.where(depth > 0, 0.1 + 0.9 * np.clip((inverse - far) / (near - far), 0, 1), 0)
    per_frame = np.broadcast_to(np.asarray(intrinsics, np.float64), (len(depth), 3, 3))
    blue = facing_ratio(depth.astype(np.float64), per_frame, lens)
    return np.stack([red, edges / 255.0, blue], axis=1).astype(np.float32)
