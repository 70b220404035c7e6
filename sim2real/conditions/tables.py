"""The tables of a triangle list that the condition kernels read, on one device, made once per triangle list."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
import warp as wp
from jaxtyping import Float, Float32, Float64, Int

from ..camera.kernels import device_camera
from ..devices import device_of, load, shared
from ..raster.fragments import Fragments
from ..scene import Triangles
from ..scene.normals import corner_angles, welded
from . import edge_kernels, geometry_kernels


@dataclass(frozen=True, eq=False)
class Tables:
    """Warp arrays over the faces of a triangle list.

    - ``faces``: vec3i; ``corner_normals`` and ``corner_uv``: (faces, 3) of vec3 and vec2, mesh frames.
    - ``face_part``: part of a face; ``face_instance``: instance id of a face (1, 2, ...).
    """

    faces: Any
    corner_normals: Any
    corner_uv: Any
    face_part: Any
    face_instance: Any


_cache: weakref.WeakKeyDictionary[Triangles, dict[str, Tables]] = weakref.WeakKeyDictionary()
_corners: weakref.WeakKeyDictionary[Triangles, tuple[np.ndarray, np.ndarray]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()
_NORMAL_STEPS = 512
"""How finely normals at rest are told apart."""
_OPPOSED = 1e-6
"""Length of a sum of normals below which they say nothing."""


def tables_of(triangles: Triangles, device: str) -> Tables:
    """The tables of ``triangles`` on ``device``; made at the first call, shared by all threads afterwards."""
    with _lock:
        of_device = _cache.setdefault(triangles, {})
        if device not in of_device:
            for module in (geometry_kernels, edge_kernels):
                load(module, device)
            of_device[device] = _upload(triangles, device)
        return of_device[device]


def _upload(triangles: Triangles, device: str) -> Tables:
    instance = triangles.part_instance[triangles.face_part] if len(triangles.face_part) else triangles.face_part
    return Tables(
        faces=shared(triangles.faces, wp.vec3i, device),
        corner_normals=shared(triangles.normals, wp.vec3, device),
        corner_uv=shared(triangles.uv, wp.vec2, device),
        face_part=shared(triangles.face_part, wp.int32, device),
        face_instance=shared(instance.astype(np.int32, copy=False), wp.int32, device),
    )


def normal_matrices(camera_from_part: Float[np.ndarray, "parts 4 4"]) -> Float64[np.ndarray, "parts 3 3"]:
    """What carries mesh-frame normals of every part into the camera's frame: the inverse transpose, up to length.

    The cofactor matrix is used (no division), with its sign mended for mirrored parts, so that flat parts stay finite.
    """
    m = np.asarray(camera_from_part, np.float64)[:, :3, :3]
    following, last = np.array([1, 2, 0]), np.array([2, 0, 1])
    p, q = m[:, following], m[:, last]
    cofactors = p[..., following] * q[..., last] - p[..., last] * q[..., following]
    size = np.linalg.norm(cofactors, axis=(1, 2), keepdims=True)
    sign = np.where(np.einsum("pi,pi->p", m[:, 0], cofactors[:, 0]) < 0, -1.0, 1.0)[:, None, None]
    return sign * cofactors / np.where(size > 0, size, 1)


def deformed_normals(triangles: Triangles, vertices: Float32[np.ndarray, "vertices 3"]) -> Float32[np.ndarray, "faces 3 3"]:
    """Corner normals of deformed meshes: every face's rest normals turned with the face, and what is smooth at rest stays so.

    Corners that share place and normal at rest get the mean of their turned normals, weighted by their angles at rest.

    Args:
        triangles: the meshes at rest.
        vertices: mesh-frame vertices of one frame.
    """
    rest, now = _face_frames(triangles.vertices, triangles.faces), _face_frames(vertices, triangles.faces)
    turned = np.einsum("fij,fkj,fck->fci", now, rest, triangles.normals, optimize=True)
    corner, weight = _smooth_corners(triangles)
    sums = np.stack([np.bincount(corner, weight * turned[..., axis].ravel()) for axis in range(3)], axis=-1)
    length = np.linalg.norm(sums, axis=-1, keepdims=True)
    mean = (sums / np.maximum(length, _OPPOSED))[corner].reshape(turned.shape)
    told = (length > _OPPOSED)[corner].reshape(*turned.shape[:2], 1)
    return np.where(told, mean, turned).astype(np.float32)


def _smooth_corners(triangles: Triangles) -> tuple[Int[np.ndarray, "corners"], Float[np.ndarray, "corners"]]:
    """For every corner the number of those that share its part, place and normal at rest, and its angle; made once."""
    with _lock:
        if triangles not in _corners:
            place = welded(triangles.vertices)[triangles.faces].ravel()
            normal = np.round(triangles.normals.reshape(-1, 3) * _NORMAL_STEPS).astype(np.int64)
            rows = np.column_stack([np.repeat(triangles.face_part, 3), place, normal])
            shared = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
            _corners[triangles] = shared, corner_angles(triangles.vertices, triangles.faces).ravel()
        return _corners[triangles]


def _face_frames(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(faces, 3, 3) rotations whose columns are an edge, its cross with the normal, and the normal."""
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    n = np.cross(b - a, c - a)
    x, z = ((v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-30)) for v in (b - a, n))
    return np.stack([x, np.cross(z, x), z], axis=-1)


def camera_of_fragments(fragments: Fragments) -> Any:
    """How the pixels of fragments see, as kernels take it."""
    height, width = fragments.face.shape
    return device_camera(fragments.intrinsics.cpu().numpy(), fragments.lens, (height, width), device_of(fragments.face))
