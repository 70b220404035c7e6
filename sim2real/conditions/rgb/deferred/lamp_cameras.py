"""Cameras in the place of lamps, from which shadow maps are drawn with the rasterizer that draws everything else.

In place of the sun it stands so far away that its rays are parallel within about a degree. Pictures are fitted, once per clip,
to what the clip's cameras see: shadows keep their texels over time, and a floor that reaches the horizon does not blur them.
The camera of a lamp that moves is that of its own frame alone.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ....camera import camera_from_px
from ....raster import Rasterizer, view_of
from ....scene import Camera, Scene
from ....scene.light.lamps import Lamp
from ....transforms import look_at

_DISTANCE = 40.0  # of the sun's camera, in radii of what is seen
_TAIL = 0.01  # of the seen points on each side that the fit leaves out
_FRAMES = 5
_WIDEST = math.tan(math.radians(65))
"""Of what one map can show to each side of the direction in which it looks."""
_NEAREST = 0.02
"""Metres from a point or spot within which nothing casts a shadow: its own bulb and shade."""
_BIAS = 0.6
"""Of a texel's side."""


@dataclass(frozen=True, eq=False)
class LampCamera:
    """From where shadows of a lamp are drawn.

    - ``camera``: looks down the lamp's light at what the clip shows; the same in all frames.
    - ``bias``: what a caster must be nearer than a receiver, as a part of their depth.
    """

    camera: Camera
    bias: float


CameraOf = Callable[[int], LampCamera | None]
"""The camera of a lamp by frame; ``None`` where it is off, or lights nothing that the clip shows."""


def spread_frames(scene: Scene) -> tuple[int, ...]:
    """A few frames that stand for the clip."""
    frames = np.unique(np.linspace(0, scene.frames - 1, min(_FRAMES, scene.frames)).round().astype(int))
    return tuple(frames.tolist())


def radius_of(points: Float[np.ndarray, "points 3"], lamp: Lamp, up: Sequence[float]) -> float:
    """Half the width, metres, of what is seen, as the lamp looks at it."""
    low, high = np.quantile(points @ _axes(-np.array(lamp.direction, np.float64), up), [_TAIL, 1 - _TAIL], axis=0)
    return max(0.55 * float(max(high[0] - low[0], high[1] - low[1])), 1e-3)


def directional_camera(
    scene: Scene,
    lamp: Lamp,
    points: Float[np.ndarray, "points 3"],
    corners: Float[np.ndarray, "corners 3"],
    resolution: int,
    margin: float,
) -> LampCamera:
    """The camera of a directional lamp for a clip.

    Args:
        scene: the rollout with all cameras of the clip.
        lamp: with a direction.
        points: that the clip shows, one at least.
        corners: of boxes about all parts, world.
        resolution: side of the shadow map, texels.
        margin: how far from what is seen, in its radii, things cast shadows; up to the lamp itself if it is of a model.
    """
    direction = -np.array(lamp.direction, np.float64)
    direction /= np.linalg.norm(direction)
    world_from_sun = look_at(np.zeros(3), -direction, _across(direction, scene.lighting.up))
    local = points @ world_from_sun[:3, :3]
    low, high = np.quantile(local, [_TAIL, 1 - _TAIL], axis=0)
    radius = max(0.55 * float(max(high[0] - low[0], high[1] - low[1])), 1e-3)
    center = world_from_sun[:3, :3] @ ((low + high) / 2)
    height = float((corners @ direction).max(initial=-math.inf)) - float(direction @ center)
    distance = min(max(_DISTANCE * radius, 1.05 * height + radius), 10 * _DISTANCE * radius)
    pose = world_from_sun.copy()
    pose[:3, 3] = center + distance * direction
    focal = resolution / 2 * distance / radius
    k = np.array([[focal, 0, resolution / 2], [0, focal, resolution / 2], [0, 0, 1.0]])
    near = distance - (high[2] - low[2]) / 2 - margin * radius
    if scene.lights is not None:
        near = min(near, distance - float(direction @ (np.array(lamp.position) - center)))
    camera = _resting(scene, resolution, k, pose, max(near, 1e-3 * distance))
    return LampCamera(camera, _BIAS * (2 * radius / resolution) / distance)


def near_camera(scene: Scene, lamp: Lamp, points: Float[np.ndarray, "points 3"], resolution: int) -> LampCamera | None:
    """The camera of a point or spot for a clip; ``None`` where it lights nothing that the clip shows.

    A spot looks along its axis, a point at what is seen; what one map cannot show is in the light.

    Args:
        scene: the rollout.
        lamp: a point or a spot.
        points: that the clip shows, one at least.
        resolution: side of the shadow map, texels.
    """
    eye = np.array(lamp.position, np.float64)
    away = points - eye
    distance = np.linalg.norm(away, axis=1)
    away = away[(distance > _NEAREST) & (distance < lamp.reach)]
    widest = _WIDEST
    if lamp.kind == "spot":
        forward = np.array(lamp.direction, np.float64)
        forward /= np.linalg.norm(forward)
        edge = max(lamp.cone[1], math.cos(math.atan(_WIDEST)))
        widest = math.tan(math.acos(min(edge, 0.999))) + 0.02
        away = away[away @ forward > lamp.cone[1] * np.linalg.norm(away, axis=1)]
    else:
        forward = np.median(away, axis=0) if len(away) else np.zeros(3)
    if not len(away) or np.linalg.norm(forward) < 1e-6:
        return None
    forward = forward / np.linalg.norm(forward)
    pose = look_at(np.zeros(3), forward, _across(forward, scene.lighting.up))
    local = away @ pose[:3, :3]
    slopes = local[local[:, 2] > 1e-3, :2] / local[local[:, 2] > 1e-3, 2:]
    slopes = slopes[(np.abs(slopes) < 2 * widest).all(axis=1)]
    if not len(slopes):
        return None
    low, high = np.clip(np.quantile(slopes, [_TAIL, 1 - _TAIL], axis=0), -widest, widest)
    side = max(1.1 * float((high - low).max()), 0.02)
    focal = resolution / side
    middle = resolution / 2 - focal * (low + high) / 2
    k = np.array([[focal, 0, round(middle[0])], [0, focal, round(middle[1])], [0, 0, 1.0]])
    pose[:3, 3] = eye
    return LampCamera(_resting(scene, resolution, k, pose, _NEAREST), _BIAS * side / resolution)


def following(lamp: Lamp, camera_of: Callable[[Lamp], LampCamera | None]) -> CameraOf:
    """The camera of a lamp that moves by itself: in every frame that of a lamp which stands there.

    Args:
        lamp: with a way.
        camera_of: makes the camera of a lamp that stands still.
    """

    def of(frame: int) -> LampCamera | None:
        now = lamp.at(frame)
        return None if now is None else camera_of(now)

    return of


def _resting(scene: Scene, resolution: int, k: np.ndarray, pose: np.ndarray, near: float) -> Camera:
    """A camera with one place in all frames, which takes no memory for each."""
    at = np.broadcast_to(k, (scene.frames, 3, 3)), np.broadcast_to(pose, (scene.frames, 4, 4))
    return Camera("lamp", (resolution, resolution), *at, near=near)


def _axes(direction: np.ndarray, up: Sequence[float]) -> np.ndarray:
    """The turn of a camera that looks against a direction."""
    return look_at(np.zeros(3), -direction / np.linalg.norm(direction), _across(direction, up))[:3, :3]


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


def _across(direction: np.ndarray, up: Sequence[float]) -> np.ndarray:
    """An up vector that is not the viewing direction."""
    above = np.array(up, np.float64)
    if np.linalg.norm(np.cross(above, direction)) < 1e-3 * np.linalg.norm(direction) * np.linalg.norm(above):
        above = np.roll(above, 1)
    return above


def part_corners(scene: Scene, looked_at: Sequence[int]) -> Float[np.ndarray, "corners 3"]:
    """The corners of boxes about all parts in some frames, world."""
    found, boxes = [np.zeros((0, 3))], dict[int, np.ndarray]()
    for part in scene.parts:
        mesh = scene.meshes[part.mesh]
        if not len(mesh.vertices):
            continue
        if part.mesh not in boxes:
            sides = zip(mesh.vertices.min(axis=0).tolist(), mesh.vertices.max(axis=0).tolist(), strict=True)
            boxes[part.mesh] = np.array([(*corner, 1.0) for corner in itertools.product(*sides)])
        for frame in looked_at:
            world_from_mesh = scene.world_from_instance[frame, part.instance] @ part.instance_from_mesh
            found.append(boxes[part.mesh] @ world_from_mesh.T[:, :3])
    return np.concatenate(found)
