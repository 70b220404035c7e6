"""Triangles and views for tests of rasterizers."""

from __future__ import annotations

import numpy as np
import trimesh

from sim2real.scene import Triangles

SIZE = (48, 72)
INTRINSICS = np.array([[60.0, 0, 37.3], [0, 55.0, 22.6], [0, 0, 1]])


def triangles(vertices: np.ndarray, faces: np.ndarray, part: np.ndarray | None = None) -> Triangles:
    """Triangles of one part, or of the parts that the vertices name."""
    vertices, faces = np.asarray(vertices, np.float32).reshape(-1, 3), np.asarray(faces, np.int32).reshape(-1, 3)
    vertex_part = np.zeros(len(vertices), np.int32) if part is None else np.asarray(part, np.int32)
    count = int(vertex_part.max(initial=0)) + 1
    return Triangles(
        vertices=vertices,
        faces=faces,
        uv=np.zeros((len(faces), 3, 2), np.float32),
        normals=np.zeros((len(faces), 3, 3), np.float32),
        face_part=vertex_part[faces[:, 0]].astype(np.int32),
        vertex_part=vertex_part,
        part_instance=np.arange(1, count + 1, dtype=np.int32),
    )


def soup(seed: int) -> Triangles:
    """Random triangles of many sizes before, behind and around the camera; some share vertices, some have no area."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 40))
    vertices = rng.normal(size=(3 * count, 3)) * 10 ** rng.uniform(-2, 1)
    vertices[:, 2] += rng.uniform(-1, 3)
    faces = rng.integers(0, 3 * count, (count, 3)) if seed % 2 else np.arange(3 * count).reshape(count, 3)
    return triangles(vertices, faces)


def bumpy_ball(subdivisions: int, seed: int = 0) -> trimesh.Trimesh:
    """A closed mesh about the origin with a radius of about 1."""
    ball = trimesh.creation.icosphere(subdivisions)
    wave = np.random.default_rng(seed).normal(size=3) * 4
    ball.vertices *= 1 + 0.15 * np.sin(ball.vertices @ wave)[:, None]
    return ball


def placed(x: float = 0, y: float = 0, z: float = 0) -> np.ndarray:
    """``camera_from_part`` of one part that is only moved."""
    matrix = np.eye(4)
    matrix[:3, 3] = x, y, z
    return matrix[None]
