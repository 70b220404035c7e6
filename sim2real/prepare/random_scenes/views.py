"""Whether a camera is worth having: free, not blocked, and with things in its picture. Judged by rays against boxes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from ...camera.view import Camera
from ...scene.records import Scene
from ...transforms import inverse_rigid

_CLEARANCE_M = 0.04
_GRID = (18, 24)
_SHELL = ("floor", "wall", "ceiling", "window", "rug", "table", "counter", "cabinet", "drawer", "door", "shelf", "panel")


def _boxes(scene: Scene) -> tuple[Float[np.ndarray, "parts 3"], Float[np.ndarray, "parts 3"]]:
    low = np.stack([scene.meshes[p.mesh].vertices.min(axis=0) for p in scene.parts])
    high = np.stack([scene.meshes[p.mesh].vertices.max(axis=0) for p in scene.parts])
    return low.astype(np.float64), high.astype(np.float64)


def camera_is_free(scene: Scene, camera: Camera) -> bool:
    """Whether the eye stays out of the boxes around all meshes, in all frames."""
    low, high = _boxes(scene)
    for frame in range(scene.frames):
        part_from_camera = inverse_rigid(_rigid_part(scene.camera_from_part(camera, frame)))
        scale = _scale(scene.camera_from_part(camera, frame))[:, None]
        eye = part_from_camera[:, :3, 3]
        if ((eye > low * scale - _CLEARANCE_M) & (eye < high * scale + _CLEARANCE_M)).all(axis=1).any():
            return False
    return True


def _scale(matrices: np.ndarray) -> Float[np.ndarray, "parts"]:
    return np.linalg.norm(matrices[:, :3, 0], axis=1)


def _rigid_part(matrices: np.ndarray) -> Float[np.ndarray, "parts 4 4"]:
    out = matrices.copy()
    out[:, :3, :3] /= _scale(matrices)[:, None, None]
    return out


def first_hits(
    scene: Scene, camera: Camera, frame: int, grid: tuple[int, int] = _GRID
) -> tuple[Int[np.ndarray, "rays"], Float[np.ndarray, "rays"]]:
    """For a grid of rays: the part whose box is met first (-1: none), and how far away along z, metres."""
    low, high = _boxes(scene)
    v, u = np.mgrid[: grid[0], : grid[1]]
    pixels = np.stack([(u + 0.5) / grid[1] * camera.size[1], (v + 0.5) / grid[0] * camera.size[0], np.ones(grid)], axis=-1)
    rays = pixels.reshape(-1, 3) @ np.linalg.inv(camera.intrinsics[frame]).T
    matrices = scene.camera_from_part(camera, frame)
    scale = _scale(matrices)[:, None]
    part_from_camera = inverse_rigid(_rigid_part(matrices))
    eye = part_from_camera[:, None, :3, 3]
    way = np.einsum("pij,rj->pri", part_from_camera[:, :3, :3], rays)
    way = np.where(np.abs(way) < 1e-9, 1e-9, way)
    near = ((low * scale)[:, None] - eye) / way
    far = ((high * scale)[:, None] - eye) / way
    enter = np.minimum(near, far).max(axis=2)
    leave = np.maximum(near, far).min(axis=2)
    hit = np.where((leave >= enter) & (leave > 0.01), np.maximum(enter, 0.0), np.inf)
    part = hit.argmin(axis=0)
    distance = hit.min(axis=0)
    return np.where(np.isfinite(distance), part, -1), distance


def score(scene: Scene, camera: Camera) -> float:
    """How good a picture is, 0 and above; below 0: useless. Judged at the first and the last frame."""
    return min(_score(scene, camera, frame) for frame in {0, scene.frames - 1})


def _score(scene: Scene, camera: Camera, frame: int) -> float:
    part, distance = first_hits(scene, camera, frame)
    instance = np.array([p.instance for p in scene.parts])[part]
    names = [scene.instances[i].class_name for i in range(len(scene.instances))]
    things = [i for i in np.unique(instance[part >= 0]) if names[i] not in _SHELL]
    seen = sum((instance == i).mean() > 0.003 for i in things)
    share = float(np.isin(instance, things)[part >= 0].sum()) / len(part)
    largest = max((float(((instance == i) & (part >= 0)).mean()) for i in things), default=0.0)
    near = float((distance < 0.22).mean())
    robot = [i for i in things if names[i] == "robot"]
    largest = max(largest, float((np.isin(instance, robot) & (part >= 0)).mean()) + 0.05)
    if near > 0.05 or largest > 0.42 or seen < 3:
        return -near - largest + 0.1 * seen - 1.0
    return min(seen, 8) / 8 + min(share, 0.45) - 0.5 * max(largest - 0.3, 0)
