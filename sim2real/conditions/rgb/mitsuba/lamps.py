"""The lamps of a scene as Mitsuba's emitters, and what comes from all around beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from ....camera.view import Camera
from ....scene import Scene
from ....scene.light.environment import Environment
from ....scene.light.lamps import Lamp, Lights
from ....scene.light.metering import surface_points
from ....scene.light.standing import cone_of, in_candela, standing_lamps
from ...light.tracer import backdrop_of, sky_of

_FLAT_COSINE = 0.01
"""A spot that falls with the cosine, and is dark from there on, is a flat lamp."""
_SIDE_M = 0.01
"""Of the square that stands for it."""


class LampEmitters:
    """Emitters for the lamps of every frame; light falls with the square of the distance.

    Where a lamp's does not, what it gives the middle of the scene stays. The headlight is a point at the eye.

    Args:
        scene: the rollout, with lights.
        mi: Mitsuba.
    """

    def __init__(self, scene: Scene, mi: ModuleType) -> None:
        self._scene, self._mi = scene, mi
        points, _ = surface_points(scene)
        self._middle = np.median(points, axis=0) if len(points) else np.zeros(3)

    def of(self, camera: Camera, frame: int) -> dict[str, Any]:
        """The emitters of a frame, seen by a camera."""
        assert self._scene.lights is not None
        lamps = [lamp for _, lamp in standing_lamps(self._scene, frame)]
        if any(self._scene.lights.headlight):
            x, y, z = (float(c) for c in camera.world_from_camera[frame, :3, 3])
            lamps.append(Lamp("point", self._scene.lights.headlight, (x, y, z)))
        return {f"lamp{k}": self._emitter(in_candela(lamp, self._middle)) for k, lamp in enumerate(lamps)}

    def _emitter(self, lamp: Lamp) -> dict[str, Any]:
        color, place = [float(c) for c in lamp.color], [float(c) for c in lamp.position]
        direction = np.asarray(lamp.direction, np.float64)
        direction = direction / max(float(np.linalg.norm(direction)), 1e-12)
        if lamp.kind == "directional":
            return {"type": "directional", "direction": direction.tolist(), "irradiance": {"type": "rgb", "value": color}}
        if lamp.kind == "point":
            return {"type": "point", "position": place, "intensity": {"type": "rgb", "value": color}}
        up = np.eye(3)[np.argmin(np.abs(direction))].tolist()
        to_world = self._mi.ScalarTransform4f().look_at(origin=place, target=(np.array(place) + direction).tolist(), up=up)
        if lamp.exponent == 1 and lamp.cone[1] <= _FLAT_COSINE:
            radiance = {"type": "rgb", "value": [c / _SIDE_M**2 for c in color]}
            square = to_world @ self._mi.ScalarTransform4f().scale([_SIDE_M / 2, _SIDE_M / 2, 1])
            return {"type": "rectangle", "to_world": square, "emitter": {"type": "area", "radiance": radiance}}
        whole, dark = np.rad2deg(cone_of(lamp))
        return {
            "type": "spot",
            "to_world": to_world,
            "intensity": {"type": "rgb", "value": color},
            "cutoff_angle": float(min(dark, 89.0)),
            "beam_width": float(min(whole, dark - 0.05, 88.9)),
        }


def ambient_of(lights: Lights) -> Environment:
    """What comes from everywhere, as a panorama."""
    return Environment("ambient", np.ascontiguousarray(np.broadcast_to(np.array(lights.ambient, np.float32), (8, 16, 3))))


def seen_where_nothing_is(scene: Scene, lights: Lights) -> Callable[[np.ndarray], np.ndarray]:
    """Radiance in directions where there is nothing: the skybox' colors above and below, or the lights' backdrop."""
    above, below = lights.backdrop
    lighting = scene.lighting
    if lights.skybox is not None and lighting.backdrop is not None:
        above, below = lighting.backdrop
    shown = replace(lighting, sun=(0.0, 0.0, 0.0), sky=above, ground=below, backdrop=None)
    return backdrop_of(replace(scene, environment=None, lighting=shown), sky_of(shown))
