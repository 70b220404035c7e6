"""How far a scene reaches, and a camera from which all of it is seen."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ..camera.paths import intrinsics_of_fov, orbit
from ..camera.view import Camera
from .records import Scene

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
    points = _outline(scene)
    center = (points.min(axis=0) + points.max(axis=0)) / 2
    reach = float(max(np.linalg.norm(points - center, axis=1).max(), 1e-6))
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
    points = _outline(scene)
    return points.min(axis=0), points.max(axis=0)


def _outline(scene: Scene) -> Float[np.ndarray, "points 3"]:
    """Points whose hull holds the scene in all frames: vertices of what rests, corners of the boxes around what moves."""
    found = []
    for part in scene.parts:
        way = scene.world_from_instance[scene.visible[:, part.instance], part.instance]
        if len(way) == 0:
            continue
        mesh = scene.meshes[part.mesh]
        points = mesh.vertices if mesh.deformed is None else mesh.deformed.reshape(-1, 3)
        low, high = points.min(axis=0), points.max(axis=0)
        if (way == way[0]).all():
            way = way[:1]
        else:
            points = np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), axis=-1).reshape(-1, 3)
        points = points @ part.instance_from_mesh[:3, :3].T + part.instance_from_mesh[:3, 3]
        moved = np.einsum("fij,vj->fvi", way[:, :3, :3], points) + way[:, None, :3, 3]
        found.append((bool(np.min(high - low) <= 1e-6 * np.max(high - low)), moved.reshape(-1, 3)))
    solid = [points for flat, points in found if not flat] or [points for _, points in found]
    return np.concatenate(solid) if solid else np.array([[-1.0, -1, -1], [1, 1, 1]])
