"""What our own rasterizer knows without noise about a path-traced picture: base color, normals, parts, where points move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from ....camera.view import Camera
from ....raster import Rasterizer, view_of
from ....scene.colors import linear_from_srgb
from ....scene.records import Material, Scene
from ....scene.triangles import Triangles
from ...textures import mip_pyramid


@dataclass(frozen=True, eq=False)
class Guides:
    """One frame: a grid of samples inside every pixel, and the surface at every pixel's center.

    - ``sample_*``: (height, width, samples); ``part`` is -1 where there is no surface, whose albedo is 1.
    - ``point``: mesh-frame coordinates of the center; ``camera_from_part`` and ``intrinsics`` bring it to any frame's picture.
    """

    sample_part: Int[np.ndarray, "height width samples"]
    sample_albedo: Float32[np.ndarray, "height width samples 3"]
    sample_normal: Float32[np.ndarray, "height width samples 3"]
    part: Int[np.ndarray, "height width"]
    normal: Float32[np.ndarray, "height width 3"]
    depth: Float32[np.ndarray, "height width"]
    point: Float[np.ndarray, "height width 3"]
    camera_from_part: Float[np.ndarray, "parts 4 4"]
    intrinsics: Float[np.ndarray, "3 3"]

    @property
    def albedo(self) -> Float32[np.ndarray, "height width 3"]:
        """Base color, averaged over each pixel."""
        return self.sample_albedo.mean(axis=2)

    @property
    def whole(self) -> Bool[np.ndarray, "height width"]:
        """Whether all of a pixel's samples see the part that its center sees, at like normals."""
        same = (self.sample_part == self.part[..., None]).all(axis=2)
        turned = ((self.sample_normal - self.normal[:, :, None]) ** 2).sum(axis=-1).max(axis=2)
        return same & (turned < 0.15)


class Guide:
    """Makes guides for the frames of a scene.

    Args:
        scene: what is looked at.
        triangles: of the scene.
        rasterizer: of the triangles, on the CPU.
        samples: per pixel and axis; odd, so that one of them is the pixel's center.
    """

    def __init__(self, scene: Scene, triangles: Triangles, rasterizer: Rasterizer, samples: int = 3) -> None:
        assert samples % 2 == 1
        self._scene, self._triangles, self._rasterizer, self._samples = scene, triangles, rasterizer, samples
        self._pyramids: dict[int, list[np.ndarray]] = {}

    def guides(self, camera: Camera, frame: int) -> Guides:
        """The guides of one frame."""
        scene, triangles, n = self._scene, self._triangles, self._samples
        height, width = camera.size
        fine = camera.resized((height * n, width * n))
        view = view_of(scene, fine, frame)
        camera_from_part, vertices = view.camera_from_part, view.vertices
        seen = self._rasterizer.fragments(view)
        face, depth = seen.face.numpy(), seen.depth.numpy()
        weight = seen.barycentrics.numpy().transpose(1, 2, 0)
        hit = face >= 0
        index, weights = face[hit], weight[hit]
        part = np.full(face.shape, -1)
        part[hit] = triangles.face_part[index]
        normal = np.zeros((*face.shape, 3), np.float32)
        rotations = np.linalg.inv(camera.world_from_camera[frame, :3, :3]).T @ camera_from_part[:, :3, :3]
        normal[hit] = _unit(np.einsum("nij,nj->ni", rotations[part[hit]], _mix(triangles.normals, index, weights)))
        albedo = np.ones((*face.shape, 3), np.float32)
        albedo[hit] = self._albedo(part[hit], _mix(triangles.uv, index, weights))
        point = np.zeros((*face.shape, 3))
        corners = (triangles.vertices if vertices is None else vertices)[triangles.faces[index]]
        point[hit] = np.einsum("nk,nkj->nj", weights, corners)

        def per_pixel(values: np.ndarray) -> np.ndarray:
            grid = values.reshape(height, n, width, n, *values.shape[2:])
            return np.moveaxis(grid, 2, 1).reshape(height, width, n * n, *values.shape[2:])

        middle = (slice(n // 2, None, n), slice(n // 2, None, n))
        return Guides(
            sample_part=per_pixel(part),
            sample_albedo=per_pixel(albedo),
            sample_normal=per_pixel(normal),
            part=part[middle],
            normal=normal[middle],
            depth=depth[middle],
            point=point[middle],
            camera_from_part=camera_from_part,
            intrinsics=camera.intrinsics[frame],
        )

    def _albedo(self, part: np.ndarray, uv: np.ndarray) -> np.ndarray:
        out = np.empty((len(part), 3), np.float32)
        for k in np.unique(part):
            mine = part == k
            material = self._scene.meshes[self._scene.parts[k].mesh].material
            out[mine] = np.asarray(material.base_color[:3], np.float32) * self._texels(material, uv[mine])
        return np.clip(out, 0, 1)

    def _texels(self, material: Material, uv: np.ndarray) -> np.ndarray | float:
        """Nearest texels of the level whose texels are about as large as the samples are apart."""
        texture = material.texture
        if texture is None:
            return 1.0
        if id(texture) not in self._pyramids:
            self._pyramids[id(texture)] = [
                linear_from_srgb(level[..., :3] / 255).astype(np.float32) for level in mip_pyramid(texture)
            ]
        pyramid = self._pyramids[id(texture)]
        apart = np.median(np.abs(np.diff(uv, axis=0)).max(axis=1)) * max(texture.shape[:2]) if len(uv) > 1 else 1.0
        level = pyramid[int(np.clip(np.log2(max(apart, 1e-6)), 0, len(pyramid) - 1))]
        rows, columns = level.shape[:2]
        row = np.floor(-uv[:, 1] * rows).astype(int) % rows
        return level[row, np.floor(uv[:, 0] * columns).astype(int) % columns]


def _mix(corners: np.ndarray, index: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.einsum("nk,nkj->nj", weights, corners[index])


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
