"""A camera in place of the sun, from which the shadow map is drawn with the rasterizer that draws everything else.

It stands so far away that its rays are parallel within about a degree, and its picture is fitted, once per clip, to what
the clip's cameras see: shadows keep their texels over time, and a floor that reaches the horizon does not blur them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ....camera import camera_from_px
from ....raster import Rasterizer, view_of
from ....scene import Camera, Lighting, Scene
from ....transforms import look_at

_DISTANCE = 40.0  # of the sun's camera, in radii of what is seen
_TAIL = 0.01  # of the seen points on each side that the fit leaves out
_FRAMES = 5


@dataclass(frozen=True, eq=False)
class Sun:
    """Where shadows come from.

    - ``camera``: looks down the sun's direction at everything that the clip shows; the same in all frames.
    - ``radius``: of what the clip shows; ``distance``: from the camera to it; ``texel``: side of a shadow texel; metres.
    """

    camera: Camera
    radius: float
    distance: float
    texel: float


def spread_frames(scene: Scene) -> tuple[int, ...]:
    """A few frames that stand for the clip."""
    frames = np.unique(np.linspace(0, scene.frames - 1, min(_FRAMES, scene.frames)).round().astype(int))
    return tuple(frames.tolist())


def fitted_sun(scene: Scene, rasterizer: Rasterizer, resolution: int, margin: float, looked_at: Sequence[int]) -> Sun | None:
    """The sun's camera for a clip; ``None`` where the clip shows nothing or there is no sun.

    Args:
        scene: the rollout with all cameras of the clip.
        rasterizer: of the scene's triangles.
        resolution: side of the shadow map, texels.
        margin: how far from what is seen, in its radii, things cast shadows.
        looked_at: the frames that it is fitted to.
    """
    points = seen_points(scene, rasterizer, looked_at)
    direction = np.array(scene.lighting.sun_direction, np.float64)
    if not len(points) or not any(scene.lighting.sun) or not np.linalg.norm(direction):
        return None
    direction /= np.linalg.norm(direction)
    world_from_sun = look_at(np.zeros(3), -direction, _across(scene.lighting))
    local = points @ world_from_sun[:3, :3]
    low, high = np.quantile(local, [_TAIL, 1 - _TAIL], axis=0)
    radius = max(0.55 * float(max(high[0] - low[0], high[1] - low[1])), 1e-3)
    center = world_from_sun[:3, :3] @ ((low + high) / 2)
    height = _reach(scene, direction, looked_at) - float(direction @ center)
    distance = min(max(_DISTANCE * radius, 1.05 * height + radius), 10 * _DISTANCE * radius)
    pose = world_from_sun.copy()
    pose[:3, 3] = center + distance * direction
    focal = resolution / 2 * distance / radius
    k = np.array([[focal, 0, resolution / 2], [0, focal, resolution / 2], [0, 0, 1.0]])
    frames = scene.frames
    near = distance - (high[2] - low[2]) / 2 - margin * radius
    camera = Camera(
        "sun",
        (resolution, resolution),
        np.tile(k, (frames, 1, 1)),
        np.tile(pose, (frames, 1, 1)),
        near=max(near, 1e-3 * distance),
    )
    return Sun(camera, radius, distance, 2 * radius / resolution)


def seen_points(
    scene: Scene, rasterizer: Rasterizer, looked_at: Sequence[int], rows: int = 40
) -> Float[np.ndarray, "points 3"]:
    """World points that the cameras see in a few frames of the clip; what lies far behind the rest is left out."""
    points = [np.zeros((0, 3))]
    for camera in scene.cameras:
        small = camera.resized((rows, max(1, round(rows * camera.size[1] / camera.size[0]))))
        for frame in looked_at:
            seen = rasterizer.fragments(view_of(scene, small, frame))
            depth = seen.depth.cpu().numpy().astype(np.float64)
            y, x = np.nonzero(depth)
            if not len(y):
                continue
            z = depth[y, x]
            local = camera_from_px(np.stack([x + 0.5, y + 0.5], axis=-1), z, small.intrinsics[frame], camera.lens)
            near = z <= 4 * np.median(z)
            pose = camera.world_from_camera[frame]
            points.append(local[near] @ pose[:3, :3].T + pose[:3, 3])
    return np.concatenate(points)


def _across(lighting: Lighting) -> np.ndarray:
    """An up vector for the sun's camera that is not its viewing direction."""
    up = np.array(lighting.up, np.float64)
    d = np.array(lighting.sun_direction, np.float64)
    if np.linalg.norm(np.cross(up, d)) < 1e-3 * np.linalg.norm(d) * np.linalg.norm(up):
        up = np.roll(up, 1)
    return up


def _reach(scene: Scene, direction: np.ndarray, looked_at: Sequence[int]) -> float:
    """How far the scene reaches towards the sun in some frames, metres along ``direction`` from the world's origin."""
    reach, boxes = -math.inf, dict[int, np.ndarray]()
    for part in scene.parts:
        mesh = scene.meshes[part.mesh]
        if not len(mesh.vertices):
            continue
        if part.mesh not in boxes:
            low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
            sides = zip(low.tolist(), high.tolist(), strict=True)
            boxes[part.mesh] = np.array([(*corner, 1.0) for corner in itertools.product(*sides)])
        corners = boxes[part.mesh]
        for frame in looked_at:
            world_from_mesh = scene.world_from_instance[frame, part.instance] @ part.instance_from_mesh
            reach = max(reach, float((corners @ world_from_mesh.T[:, :3] @ direction).max()))
    return reach
