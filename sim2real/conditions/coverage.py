"""How much of a pixel what its neighbors show covers: pictures that name one surface per pixel are made smooth by it."""

from __future__ import annotations

import numpy as np
import torch
import warp as wp
from jaxtyping import Bool, Float32, Int32, UInt16
from torch import Tensor

from ..camera.kernels import device_camera
from ..devices import as_warp, device_of, launch, load, row_threads
from ..raster import Fragments, Rasterizer, view_of
from ..scene import Camera, Scene, Triangles
from . import coverage_kernels
from .cells import part_around
from .tables import tables_of

SIDE = int(coverage_kernels.SIDE)
"""Samples of a pixel along each axis."""
NEIGHBORS = ((-1, 0), (1, 0), (0, -1), (0, 1))
"""Rows and columns from a pixel to those that may cover a part of it: above, below, left, right. Four bits each, in order."""
_STRAIGHT = 0.7
_STEP = 0.6
_SPARE_PX = 2
_AT_ONCE = 2**24
"""Samples that are drawn together: 12 bytes each, and as many again behind what is clear."""


def coverage(
    scene: Scene,
    triangles: Triangles,
    rasterizer: Rasterizer,
    camera: Camera,
    frame: int,
    fragments: Fragments | None = None,
) -> UInt16[np.ndarray, "height width"]:
    """The sixteenths of each pixel that its neighbors' surfaces cover.

    Of a pixel's 16 samples, those count that see another surface than its center, and one that a neighbor's center sees: the
    nearest such neighbor gets a sixteenth, up to 15. Surfaces differ where the part does, where planes turn by more than 45
    degrees, and where depth steps off one of them; where one sees through them, what is behind them counts, too. What no
    neighbor shows, the pixel keeps.

    Args:
        scene: the rollout.
        triangles: of the scene.
        rasterizer: of these triangles.
        camera: of the scene.
        frame: of the scene.
        fragments: of the camera, where they are known already.

    Returns:
        Four bits per neighbor of ``NEIGHBORS``, the first lowest.
    """
    if fragments is None:
        fragments = rasterizer.fragments(view_of(scene, camera, frame))
    out = np.empty(camera.size, np.uint16)
    for rows in _bands(camera):
        around = slice(max(0, rows.start - 1), min(camera.size[0], rows.stop + 1))
        band = camera.cropped(around.start, 0, (around.stop - around.start, camera.size[1]))
        found = _of_band(scene, triangles, rasterizer, band, frame, fragments.face[around], fragments.camera_vertices)
        out[rows] = found[rows.start - around.start : rows.stop - around.start]
    return out


def _bands(camera: Camera) -> list[slice]:
    """The rows of a picture, as many together as there is memory for; all where rays bend: their tables are kept by picture."""
    height, width = camera.size
    count = height if camera.lens.bent else max(1, _AT_ONCE // (SIDE**2 * width))
    return [slice(first, min(first + count, height)) for first in range(0, height, count)]


def _of_band(
    scene: Scene,
    triangles: Triangles,
    rasterizer: Rasterizer,
    camera: Camera,
    frame: int,
    face: Int32[Tensor, "height width"],
    vertices: Float32[Tensor, "vertices 3"],
) -> UInt16[np.ndarray, "height width"]:
    """The shares of a view whose pixels' faces are known; at its margin, without the neighbors beyond."""

    def fine(camera: Camera, parts: Bool[np.ndarray, "parts"]) -> Int32[Tensor, "samples_y samples_x"]:
        samples = camera.resized((camera.size[0] * SIDE, camera.size[1] * SIDE))
        return rasterizer.visibility(view_of(scene, samples, frame).only(parts)).face

    clear = np.array([scene.meshes[part.mesh].material.base_color[3] < 1 for part in scene.parts], np.bool_)
    near = face, fine(camera, np.ones_like(clear))
    out = _counted(triangles, camera, frame, vertices, near)
    found = part_around(camera, np.append(clear[triangles.face_part], False)[face.cpu().numpy()], _SPARE_PX)
    if found is not None:
        part, box = found
        far = rasterizer.visibility(view_of(scene, part, frame).only(~clear)).face, fine(part, ~clear)
        inside = tuple(slice(SIDE * along.start, SIDE * along.stop) for along in box)
        inner = tuple(
            slice(int(a.start > 0), a.stop - a.start - int(a.stop < n)) for a, n in zip(box, camera.size, strict=True)
        )
        out[box][inner] = _counted(triangles, part, frame, vertices, (near[0][box], near[1][inside]), far)[inner]
    return out


def _counted(
    triangles: Triangles,
    camera: Camera,
    frame: int,
    vertices: Float32[Tensor, "vertices 3"],
    near: tuple[Tensor, ...],
    far: tuple[Tensor, ...] | None = None,
) -> UInt16[np.ndarray, "height width"]:
    """The shares of a view from the faces of its pixels and of its samples, and those behind what is clear."""
    device = device_of(near[0])
    load(coverage_kernels, device)
    tables = tables_of(triangles, device)
    p, s = coverage_kernels.Pictures(), coverage_kernels.Surfaces()
    p.face, p.fine = (as_warp(face, wp.int32) for face in near)
    if far is not None:
        p.far_face, p.far_fine = (as_warp(face, wp.int32) for face in far)
    s.vertices, s.faces, s.face_part = as_warp(vertices, wp.vec3), tables.faces, tables.face_part
    s.camera = device_camera(camera.intrinsics[frame], camera.lens, camera.size, device)
    s.straight, s.step = _STRAIGHT, _STEP
    shape, run = row_threads(camera.size, device)
    out = torch.empty(camera.size, dtype=torch.int32, device=near[0].device)
    launch(coverage_kernels.coverage_kernel, shape, [p, s, run, as_warp(out, wp.int32)], device)
    return out.cpu().numpy().astype(np.uint16)


def shares(coverage: UInt16[np.ndarray, "*shape height width"]) -> Float32[np.ndarray, "*shape 4 height width"]:
    """What each of ``NEIGHBORS`` covers of every pixel, from 0 to 1; together they are at most 1."""
    bits = np.arange(len(NEIGHBORS), dtype=np.uint16)[:, None, None] * np.uint16(4)
    return ((coverage[..., None, :, :] >> bits) & np.uint16(15)).astype(np.float32) / np.float32(SIDE * SIDE)
