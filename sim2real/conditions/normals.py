"""Surface normals in the camera's frame, as floats and as the 8-bit picture of the clip folder.

Axes are the package's camera axes (x right, y down, z forward), so a surface that faces the camera has (0, 0, -1).
The picture stores 255 (n + 1) / 2, the background (128, 128, 128); n = 2 value / 255 - 1 comes back within half a degree.
"""

from __future__ import annotations

import numpy as np
import torch
import warp as wp
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from ..devices import as_warp, device_of, launch, row_threads, upload
from ..raster.fragments import Fragments
from ..scene import Triangles
from .geometry_kernels import encode_normals_kernel, normals_kernel
from .tables import camera_of_fragments, deformed_normals, normal_matrices, tables_of


def camera_normals(
    fragments: Fragments,
    triangles: Triangles,
    camera_from_part: Float[np.ndarray, "parts 4 4"] | None = None,
    *,
    vertices: Float32[np.ndarray, "vertices 3"] | None = None,
) -> Float32[Tensor, "height width 3"]:
    """Unit normals that face the camera; zero where there is no surface.

    Args:
        fragments: what the camera sees.
        triangles: the faces that ``fragments`` index.
        camera_from_part: gives smooth shading normals, where the asset has them; without it, the faces' own.
        vertices: mesh-frame vertices of this frame where meshes deform.
    """
    device = device_of(fragments.face)
    tables = tables_of(triangles, device)
    height, width = fragments.face.shape
    out = torch.zeros((height, width, 3), dtype=torch.float32, device=fragments.face.device)
    shape, run = row_threads((height, width), device)
    smooth = camera_from_part is not None
    matrices = normal_matrices(camera_from_part) if camera_from_part is not None else np.eye(3)[None]
    corner_normals = tables.corner_normals
    if smooth and vertices is not None:
        corner_normals = upload(deformed_normals(triangles, vertices), wp.vec3, device)
    launch(
        normals_kernel,
        shape,
        [
            as_warp(fragments.face, wp.int32),
            as_warp(fragments.camera_vertices, wp.vec3),
            tables.faces,
            corner_normals,
            tables.face_part,
            upload(matrices.astype(np.float32), wp.mat33, device),
            camera_of_fragments(fragments),
            int(smooth),
            run,
            as_warp(out, wp.vec3),
        ],
        device,
    )
    return out


def encode_normals(normals: Float32[Tensor, "height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
    """Normals as an 8-bit picture, 255 (n + 1) / 2; zero (the background) becomes 128."""
    height, width, _ = normals.shape
    out = torch.empty((height, width, 3), dtype=torch.uint8, device=normals.device)
    launch(
        encode_normals_kernel,
        (height, width),
        [as_warp(normals, wp.vec3), as_warp(out, wp.uint8)],
        device_of(normals),
    )
    return out.cpu().numpy()


def decode_normals(picture: UInt8[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "height width 3"]:
    """Unit normals of a picture made by ``encode_normals``; zero for the background."""
    n = picture.astype(np.float32) / 127.5 - 1
    length = np.linalg.norm(n, axis=-1, keepdims=True)
    return np.where(length > 0.5, n / np.maximum(length, 1e-6), 0).astype(np.float32)
