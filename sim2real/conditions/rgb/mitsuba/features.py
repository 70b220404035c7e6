"""Base colors and normals without noise, averaged over pixels: what a denoiser tells edges from noise by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from ....camera.view import Camera
from ....raster import Rasterizer, rasterizer, view_of
from ....scene.records import Scene
from ....scene.triangles import Triangles, triangles_of
from ...normals import camera_normals
from ...samples import Sampler
from ...surface import SurfaceShader

_SIDE = 2


@dataclass(frozen=True, eq=False)
class Features:
    """One frame's base color (linear), normals in the camera's axes, and the share of each pixel that no surface covers."""

    albedo: Float32[np.ndarray, "height width 3"]
    normal: Float32[np.ndarray, "height width 3"]
    empty: Float32[np.ndarray, "height width"]


class FeatureMaker:
    """Makes features by our own rasterizer, at a small part of the cost of tracing them.

    Args:
        scene: what is looked at.
        triangles: of the scene, where they have been made already.
        views: a rasterizer of these, on the CPU.
        sampler: of the scene, where one is shared.
    """

    def __init__(
        self,
        scene: Scene,
        triangles: Triangles | None = None,
        views: Rasterizer | None = None,
        sampler: Sampler | None = None,
    ) -> None:
        self._scene = scene
        self._triangles = triangles_of(scene) if triangles is None else triangles
        self._views = rasterizer(self._triangles) if views is None else views
        self._surface = SurfaceShader(scene, self._triangles, self._views, sampler=sampler)

    def of(self, camera: Camera, frame: int) -> Features:
        """The features of one frame."""
        height, width = camera.size
        fine = camera.resized((height * _SIDE, width * _SIDE))
        view = view_of(self._scene, fine, frame)
        seen = self._views.fragments(view)
        normal = camera_normals(seen, self._triangles, view.camera_from_part, vertices=view.vertices).numpy()
        grid = (height, _SIDE, width, _SIDE)
        return Features(
            albedo=self._surface.linear(camera, frame)[..., :3],
            normal=normal.reshape(*grid, 3).mean(axis=(1, 3)),
            empty=(seen.face.numpy() < 0).reshape(grid).mean(axis=(1, 3)).astype(np.float32),
        )
