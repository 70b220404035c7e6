"""How far a scene reaches, and a camera from which all of it is seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Float

from ...camera.paths import intrinsics_of_fov, orbit
from ...camera.view import Camera
from ..moving_vertices import extent_of
from ..records import Part, Scene

ORBIT_FRAMES = 48
ORBIT_ELEVATION_DEG = 25.0
ORBIT_FOV_DEG = 40.0


def fitting_orbit(
    scene: Scene,
    size: tuple[int, int],
    *,
    name: str = "orbit",
    fov_deg: float = ORBIT_FOV_DEG,
    elevation_deg: float = ORBIT_ELEVATION_DEG,
    degrees: float = 360.0,
) -> Camera:
    """A camera that circles a scene at a distance from which all of it fits into the picture.

    Flat parts (floors, walls) do not count if there is anything else.

    Args:
        scene: what it circles; without surfaces, one metre around the origin.
        size: (height, width) of the picture.
        name: of the camera.
        fov_deg: vertical field of view.
        elevation_deg: above the horizon.
        degrees: how much of the circle, over the scene's frames.
    """
    low, high = bounds(scene)
    center = (low + high) / 2
    reach = max(1e-6, *(float(np.linalg.norm(points - center, axis=1).max()) for points in _outline(scene)))
    half_fov = np.deg2rad(fov_deg) / 2
    narrow = min(half_fov, np.arctan(np.tan(half_fov) * size[1] / size[0]))
    distance = 1.05 * reach / np.sin(narrow)
    elevation = np.deg2rad(elevation_deg)
    way = orbit(
        center,
        distance * np.cos(elevation),
        distance * np.sin(elevation),
        scene.frames,
        degrees=degrees,
        start_deg=-60.0,
    )
    k = np.repeat(intrinsics_of_fov(fov_deg, size)[None], scene.frames, axis=0)
    return Camera(name, size, k, way, near=min(0.01, distance / 100))


def bounds(scene: Scene) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """Lowest and highest coordinates of a scene over all its frames, flat parts aside if there is anything else."""
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for points in _outline(scene):
        low, high = np.minimum(low, points.min(axis=0)), np.maximum(high, points.max(axis=0))
    return low, high


def _outline(scene: Scene) -> Iterator[Float[np.ndarray, "points 3"]]:
    """Points whose hull holds the scene in all frames: vertices of what rests, corners of the boxes around what moves."""
    found: list[tuple[bool, Part, np.ndarray, Iterable[np.ndarray]]] = []
    for part in scene.parts:
        way = scene.world_from_instance[scene.visible[:, part.instance], part.instance]
        if len(way) == 0:
            continue
        mesh = scene.meshes[part.mesh]
        shapes = mesh.vertices[None] if mesh.deformed is None else mesh.deformed
        low, high = extent_of(shapes)
        if (way == way[0]).all():
            way = way[:1]
        else:
            shapes = [np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), axis=-1).reshape(-1, 3)]
        found.append((bool(np.min(high - low) <= 1e-6 * np.max(high - low)), part, way, shapes))
    solid = [one for one in found if not one[0]] or found
    if not solid:
        yield np.array([[-1.0, -1, -1], [1, 1, 1]])
    for _, part, way, shapes in solid:
        for shape in shapes:
            points = shape @ part.instance_from_mesh[:3, :3].T + part.instance_from_mesh[:3, 3]
            moved = np.einsum("fij,vj->fvi", way[:, :3, :3], points) + way[:, None, :3, 3]
            yield moved.reshape(-1, 3)
