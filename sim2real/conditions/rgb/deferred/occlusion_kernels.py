"""Ambient occlusion in screen space at half size.

Reference: McGuire et al. 2012, "Scalable ambient obscurance" (the estimator, eq. 3 of the "Alchemy" paper of 2011).
"""
# ruff: noqa: UP018 (a variable that a kernel loop changes must not start as a literal)
# pyright: reportInvalidTypeForm=false, reportGeneralTypeIssues=false, reportArgumentType=false, reportOperatorIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false

from typing import no_type_check

import numpy as np
import warp as wp

from ....camera.kernels import PARALLEL, DeviceCamera, direction_of, point_at, ray_from_px
from ...geometry_kernels import inverse_depth, plane_of

wp.set_module_options({"enable_backward": False})

TAPS = 8
PER_PX = wp.constant(2.0)
"""Pixels of the camera per pixel of the map of occlusion, which has half its size."""


def spiral() -> np.ndarray:
    """Offsets (16 turns, taps, 2) of the taps within a unit disc; neighboring pixels use different turns."""
    part = (np.arange(TAPS) + 0.5) / TAPS
    angle = 2 * np.pi * (np.arange(16)[:, None] / 16 + 3 * part)
    return (part[None, :, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)).astype(np.float32)


@wp.kernel
@no_type_check
def planes_kernel(
    face: wp.array2d(dtype=wp.int32),
    stride: int,
    run: int,
    vertices: wp.array(dtype=wp.vec3),
    faces: wp.array(dtype=wp.vec3i),
    camera: DeviceCamera,
    plane: wp.array2d(dtype=wp.vec4),
):
    """Normal towards the eye and inverse depth at every ``stride``-th sample, that is, every other pixel of the camera.

    A thread takes ``run`` pixels of a row.
    """
    y, block = wp.tid()
    row = wp.min(y * stride + stride // 2, face.shape[0] - 1)
    last = int(-1)
    p = wp.vec4(0.0, 0.0, 0.0, 0.0)
    for x in range(block * run, wp.min(block * run + run, plane.shape[1])):
        f = face[row, wp.min(x * stride + stride // 2, face.shape[1] - 1)]
        out = wp.vec4(0.0, 0.0, 0.0, 0.0)
        if f >= 0:
            if f != last:
                last = f
                p = plane_of(f, faces, vertices)
            ray = ray_from_px(camera, PER_PX * (float(x) + 0.5), PER_PX * (float(y) + 0.5))
            d = direction_of(camera.kind, ray)
            facing = float(1.0)
            if p[0] * d[0] + p[1] * d[1] + p[2] * d[2] > 0.0:
                facing = -1.0
            out = wp.vec4(facing * p[0], facing * p[1], facing * p[2], wp.max(inverse_depth(camera.kind, p, ray), 0.0))
        plane[y, x] = out


@wp.kernel
@no_type_check
def occlusion_kernel(
    plane: wp.array2d(dtype=wp.vec4),
    camera: DeviceCamera,
    taps: wp.array2d(dtype=wp.vec2),
    radius: float,
    strength: float,
    occlusion: wp.array2d(dtype=wp.vec2),
):
    """Visible part of the ambient light within ``radius`` metres, and inverse depth.

    Eight taps on a spiral, turned from pixel to pixel within tiles of 4x4; ``blur_kernel`` averages a tile.
    """
    y, x = wp.tid()
    height = plane.shape[0]
    width = plane.shape[1]
    here = plane[y, x]
    w = here[3]
    open_part = float(1.0)
    if w > 0.0:
        n = wp.vec3(here[0], here[1], here[2])
        p = point_at(camera.kind, ray_from_px(camera, PER_PX * (float(x) + 0.5), PER_PX * (float(y) + 0.5)), w)
        closeness = w
        if camera.kind == PARALLEL:
            closeness = 1.0
        reach = wp.clamp(radius * closeness / (PER_PX * float(camera.ify)), 1.5, 0.15 * float(height))
        turn = ((x & 3) * 4 + (y & 3) * 5) & 15  # every turn once per tile
        total = float(0.0)
        for k in range(taps.shape[1]):
            tap = taps[turn, k]
            i = x + int(wp.floor(tap[0] * reach + 0.5))
            j = y + int(wp.floor(tap[1] * reach + 0.5))
            if i >= 0 and j >= 0 and i < width and j < height:
                wq = plane[j, i][3]
                if wq > 0.0:
                    v = point_at(camera.kind, ray_from_px(camera, PER_PX * (float(i) + 0.5), PER_PX * (float(j) + 0.5)), wq) - p
                    far = wp.dot(v, v) / (radius * radius)
                    fall = wp.max(1.0 - far, 0.0)
                    rise = wp.dot(v, n) - 0.004 / w
                    if rise > 0.0:
                        total += fall * rise / wp.sqrt(wp.dot(v, v) + 1.0e-12)
        open_part = wp.max(1.0 - strength * total / float(taps.shape[1]), 0.0)
    occlusion[y, x] = wp.vec2(open_part, w)


@wp.kernel
@no_type_check
def blur_kernel(occlusion: wp.array2d(dtype=wp.vec2), run: int, smooth: wp.array2d(dtype=wp.vec2)):
    """Average over 4x4 pixels of about the same depth; a thread takes ``run`` pixels of a row."""
    y, block = wp.tid()
    height = occlusion.shape[0]
    width = occlusion.shape[1]
    for x in range(block * run, wp.min(block * run + run, width)):
        here = occlusion[y, x]
        w = here[1]
        total = float(0.0)
        weights = float(0.0)
        if w > 0.0:
            for j in range(-2, 2):
                for i in range(-2, 2):
                    o = occlusion[wp.clamp(y + j, 0, height - 1), wp.clamp(x + i, 0, width - 1)]
                    if wp.abs(o[1] - w) < 0.03 * w:
                        total += o[0]
                        weights += 1.0
        if weights > 0.0:
            here = wp.vec2(total / weights, w)
        smooth[y, x] = here
