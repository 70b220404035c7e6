"""What every rasterizer is asked: one view of the triangles, checked once for all backends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32

from ..errors import BadValueError
from ..scene import Camera, Lens, Scene, Triangles, deformed_vertices


@dataclass(frozen=True, eq=False)
class View:
    """The arguments of a rasterizer after checking.

    - ``camera_from_part``: one affine matrix per part; ``part_visible``: parts that exist.
    - ``intrinsics``: upper triangular (skew allowed), in pixels of ``size``.
    - ``lens``: what bends rays.
    - ``vertices``: mesh-frame vertices instead of the triangles' own, where meshes deform.
    """

    camera_from_part: Float[np.ndarray, "parts 4 4"]
    intrinsics: Float[np.ndarray, "3 3"]
    size: tuple[int, int]
    near: float
    part_visible: Bool[np.ndarray, "parts"]
    vertices: Float32[np.ndarray, "vertices 3"] | None
    lens: Lens

    @property
    def ray_terms(self) -> tuple[float, float, float, float, float]:
        """(1/fx, 1/fy, cx, cy, skew/fx): ``y = (row + 0.5 - cy) / fy``, ``x = (column + 0.5 - cx) / fx - skew/fx * y``."""
        k = self.intrinsics
        return 1 / float(k[0, 0]), 1 / float(k[1, 1]), float(k[0, 2]), float(k[1, 2]), float(k[0, 1] / k[0, 0])


def view_of(scene: Scene, camera: Camera, frame: int) -> dict[str, Any]:
    """What a camera sees in a frame, as arguments of a rasterizer of the scene: ``views.fragments(**view_of(...))``.

    Args:
        scene: whose triangles the rasterizer has.
        camera: its size and intrinsics may be changed ones (``camera.resized``).
        frame: of the scene.
    """
    return {
        "camera_from_part": scene.camera_from_part(camera, frame),
        "intrinsics": camera.intrinsics[frame],
        "size": camera.size,
        "near": camera.near,
        "part_visible": scene.part_visible(frame),
        "vertices": deformed_vertices(scene, frame),
        "lens": camera.lens,
    }


def check_triangles(triangles: Triangles) -> None:
    """Refuse faces and parts that index past their arrays.

    Raises:
        BadValueError: an index is out of range.
    """
    for what, index, count in (
        ("a face's vertex index", triangles.faces, len(triangles.vertices)),
        ("a vertex's part index", triangles.vertex_part, len(triangles.part_instance)),
    ):
        if index.size and (index.min() < 0 or index.max() >= count):
            bad = index[(index < 0) | (index >= count)].flat[0]
            raise BadValueError(what, bad, right=f"0 to {count - 1}")


def checked_view(
    triangles: Triangles,
    camera_from_part: np.ndarray,
    intrinsics: np.ndarray,
    size: tuple[int, int],
    near: float,
    part_visible: np.ndarray | None,
    vertices: np.ndarray | None,
    lens: Lens,
) -> View:
    """Check the arguments of a rasterizer; shapes are what it looks at, so it takes any array.

    Raises:
        BadValueError: a shape, a size or the near distance cannot be used, or a matrix is not finite.
    """
    parts = len(triangles.part_instance)
    matrices = np.asarray(camera_from_part, np.float64)
    k = np.asarray(intrinsics, np.float64)
    if matrices.shape != (parts, 4, 4):
        raise BadValueError("the shape of camera_from_part", matrices.shape, right=f"{(parts, 4, 4)}, one matrix per part")
    if not np.isfinite(matrices).all():
        part = int(np.flatnonzero(~np.isfinite(matrices).all(axis=(1, 2)))[0])
        raise BadValueError(f"camera_from_part[{part}]", "not finite", right="a finite 4x4 matrix")
    if k.shape != (3, 3) or not np.isfinite(k).all() or not (k[0, 0] > 0 and k[1, 1] > 0):
        raise BadValueError("intrinsics", k.tolist(), right="a finite 3x3 matrix with positive focal lengths")
    if k[1, 0] or k[2, 0] or k[2, 1] or k[2, 2] != 1:
        raise BadValueError("intrinsics", k.tolist(), right="[[fx, skew, cx], [0, fy, cy], [0, 0, 1]]")
    if min(size) < 1:
        raise BadValueError("the picture size", f"{size[0]}x{size[1]}", right="at least 1x1")
    if not 0 < near < float("inf"):
        raise BadValueError("the near distance", near, right="positive", fix="0.01 m suits most scenes")
    if lens.bent:  # those that fragments carry, so that everything that reads them shares one table of rays
        k = k.astype(np.float32).astype(np.float64)
    visible = np.ones(parts, bool) if part_visible is None else np.asarray(part_visible, bool)
    if visible.shape != (parts,):
        raise BadValueError("the shape of part_visible", visible.shape, right=f"{(parts,)}")
    if vertices is not None:
        vertices = np.ascontiguousarray(vertices, np.float32)
        if vertices.shape != triangles.vertices.shape:
            raise BadValueError("the shape of vertices", vertices.shape, right=f"{triangles.vertices.shape}")
    return View(matrices, k, (int(size[0]), int(size[1])), float(near), visible, vertices, lens)
