"""Where every surface point that one view sees lies in another view, and whether it is seen there: no estimation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int32
from torch import Tensor

from ..devices import as_warp, device_of, launch, load, row_threads
from ..raster import Fragments


@dataclass(frozen=True, eq=False)
class Flow:
    """Motion from a source view to a target view, for every source pixel.

    - ``forward``: (x, y) in target pixels minus (x, y) in source pixels; 0 where the point is not in front of the target, or
      outside of its lens' field.
    - ``visible``: the target view sees that very point.
    """

    forward: Float32[Tensor, "height width 2"]
    visible: Bool[Tensor, "height width"]


def exact_flow(
    source: Fragments,
    target: Fragments,
    faces: Int32[Tensor, "faces 3"],
    world_from_source: Float[np.ndarray, "4 4"],
    world_from_target: Float[np.ndarray, "4 4"],
    *,
    near: float = 0.01,
    tolerance: float = 5e-3,
) -> Flow:
    """Flow between two views of the same triangles: other frames, other cameras, or both.

    A surface point is followed as a face and its barycentrics, so moving and deforming meshes are right. Background is at
    infinity: it flows by the rotation between the cameras (of an orthographic camera, it is not followed). What does not move
    has a flow of exactly 0. Lenses are those of the fragments.

    A point is visible if it falls into the target picture, no face seen by the pixel centers around it covers it
    exactly and nearer, and the four closest centers see its face or depths that bracket its own. So a silhouette is resolved
    to less than a pixel where the occluder's faces are larger than pixels, and to about a pixel where they are smaller.

    Args:
        source: what the source view sees; its pixels are the flow's.
        target: what the target view sees, on the same device; the size may differ.
        faces: vertex indices of every face, on the same device.
        world_from_source: camera to world of the source view; only its rotation is used.
        world_from_target: camera to world of the target view; only its rotation is used.
        near: the target's near distance in metres.
        tolerance: share of its depth by which a point may miss the depths around it.
    """
    import warp as wp

    from . import kernels

    device = source.face.device
    load(kernels, str(device))
    rotation = world_from_target[:3, :3].T @ world_from_source[:3, :3]
    if np.abs(rotation - np.eye(3)).max() < 1e-12:  # or the background of a camera that stands still would drift by rounding
        rotation = np.eye(3)
    height, width = source.face.shape
    forward = torch.empty((height, width, 2), dtype=torch.float32, device=device)
    visible = torch.empty((height, width), dtype=torch.bool, device=device)
    shape, run = row_threads((height, width), str(device))
    inputs = [
        _picture(source, faces),
        _picture(target, faces),
        as_warp(source.barycentrics),
        wp.mat33d(*rotation.flatten().tolist()),
        wp.float64(near),
        wp.float64(tolerance),
        run,
        as_warp(forward),
        as_warp(visible),
    ]
    launch(kernels.flow, shape, inputs, str(device))
    return Flow(forward, visible)


def _picture(fragments: Fragments, faces: Tensor) -> Any:
    import warp as wp

    from ..camera.kernels import device_camera, lens_map_of
    from . import kernels

    record = kernels.Picture()
    record.faces = as_warp(faces, wp.vec3i)
    record.camera_vertices = as_warp(fragments.camera_vertices, wp.vec3f)
    record.face = as_warp(fragments.face)
    record.depth = as_warp(fragments.depth)
    height, width = fragments.face.shape
    intrinsics = fragments.intrinsics.cpu().numpy()
    record.camera = device_camera(intrinsics, fragments.lens, (height, width), device_of(fragments.face))
    record.lens = lens_map_of(fragments.lens)
    return record
