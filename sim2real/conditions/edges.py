"""Line drawings of geometry: occlusions, creases and borders of instances, white on black.

They come from surfaces, never from brightness: texture and shadows draw nothing, and a line moves as its surface does.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import warp as wp
from jaxtyping import Bool, Float, Float32, UInt8

from ..devices import as_warp, device_of, launch, row_threads, upload
from ..raster.fragments import Fragments
from ..scene import Triangles
from .edge_kernels import Creases, edge_pixels_kernel
from .tables import camera_of_fragments, deformed_normals, normal_matrices, tables_of

LINE_OF_HEIGHT = 1 / 360
"""Thickness of lines as a part of the picture's height."""

_STEP = 0.001  # of the depth
_STEP_PX = 0.25  # of a pixel's width; the larger of the two counts
_BEND = 0.02
_SMOOTH_CREASE_DEG = 30.0
_FLAT_CREASE_DEG = 60.0


def edge_pixels(
    fragments: Fragments,
    triangles: Triangles,
    camera_from_part: Float[np.ndarray, "parts 4 4"] | None = None,
    *,
    vertices: Float32[np.ndarray, "vertices 3"] | None = None,
) -> Bool[np.ndarray, "height width"]:
    """The pixels beside a discontinuity, one pixel thick.

    Between neighboring pixels of different faces there is an edge where

    - one of them shows no surface;
    - depth steps off both faces' planes by more than a thousandth of it (and a quarter of a pixel's width): a plane seen at a
      grazing angle has no edge, whatever its depth does, and neither has a bend; an orthographic camera's distance means
      nothing, so there it is a thousandth of the picture's height in metres;
    - the instance changes;
    - shading normals turn by more than 30 degrees, or the faces by more than 60.

    Single pixels without a neighbor are left out: they are chance hits of details thinner than a pixel.

    Args:
        fragments: what the camera sees.
        triangles: the faces that ``fragments`` index.
        camera_from_part: gives shading normals; without it, faces that turn by more than 30 degrees are creases.
        vertices: mesh-frame vertices of this frame where meshes deform.
    """
    return _edge_pixels(fragments, triangles, camera_from_part, vertices).astype(bool)


def edges(
    fragments: Fragments,
    triangles: Triangles,
    camera_from_part: Float[np.ndarray, "parts 4 4"] | None = None,
    *,
    vertices: Float32[np.ndarray, "vertices 3"] | None = None,
    thickness_px: float | None = None,
) -> UInt8[np.ndarray, "height width"]:
    """The picture of ``edge_pixels``: anti-aliased lines, by default 1/360 of the height thick and at least one pixel."""
    exact = _edge_pixels(fragments, triangles, camera_from_part, vertices)
    thickness = max(1.0, exact.shape[0] * LINE_OF_HEIGHT) if thickness_px is None else thickness_px
    return _thickened(exact, thickness)


def _thickened(exact: np.ndarray, thickness_px: float) -> np.ndarray:
    """Lines around the pixels that are 1: white within half the thickness, fading over one pixel of distance."""
    height, width = exact.shape
    reach = (thickness_px + 1) / 2
    picture = exact * np.uint8(255)
    steps = range(1 - math.ceil(reach), math.ceil(reach))
    for dy, dx in ((dy, dx) for dy in steps for dx in steps):
        level = round(255 * min(max(reach - math.hypot(dy, dx), 0), 1))
        if level == 0 or abs(dy) >= height or abs(dx) >= width:
            continue
        to = picture[max(dy, 0) : height + min(dy, 0), max(dx, 0) : width + min(dx, 0)]
        source = exact[max(-dy, 0) : height + min(-dy, 0), max(-dx, 0) : width + min(-dx, 0)]
        np.maximum(to, source * np.uint8(level), out=to)
    return picture


def _edge_pixels(
    fragments: Fragments, triangles: Triangles, camera_from_part: np.ndarray | None, vertices: np.ndarray | None
) -> np.ndarray:
    device = device_of(fragments.face)
    tables = tables_of(triangles, device)
    height, width = fragments.face.shape
    smooth = camera_from_part is not None
    matrices = normal_matrices(camera_from_part) if camera_from_part is not None else np.eye(3)[None]
    s = Creases()
    s.vertices = as_warp(fragments.camera_vertices, wp.vec3)
    s.faces, s.face_part, s.face_instance = tables.faces, tables.face_part, tables.face_instance
    s.corner_normals = tables.corner_normals
    if smooth and vertices is not None:
        s.corner_normals = upload(deformed_normals(triangles, vertices), wp.vec3, device)
    s.normal_from_part = upload(matrices.astype(np.float32), wp.mat33, device)
    s.camera = camera_of_fragments(fragments)
    pixel_m = max(s.camera.ifx, s.camera.ify)  # at a depth of 1 m, or anywhere for parallel lines
    s.unit = height * pixel_m
    s.smooth = int(smooth)
    s.step = max(_STEP, _STEP_PX * (1 / height if fragments.lens.parallel else pixel_m))
    s.bend = _BEND
    s.cos_smooth = math.cos(math.radians(_SMOOTH_CREASE_DEG))
    s.cos_flat = math.cos(math.radians(_FLAT_CREASE_DEG if smooth else _SMOOTH_CREASE_DEG))
    shape, run = row_threads((height, width), device)
    edge = torch.empty((height, width), dtype=torch.uint8, device=fragments.face.device)
    launch(
        edge_pixels_kernel,
        shape,
        [as_warp(fragments.face, wp.int32), s, run, as_warp(edge, wp.uint8)],
        device,
    )
    return _without_specks(edge.cpu().numpy())


def _without_specks(exact: np.ndarray) -> np.ndarray:
    framed = np.pad(exact, 1)
    rows = framed[:-2] | framed[2:]
    beside = rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:] | framed[1:-1, :-2] | framed[1:-1, 2:]
    return exact & beside
