"""The lamps of a scene as nodes of pyrender's."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Float

from ...camera.view import Camera
from ...scene import Scene
from ...scene.light.lamps import Lamp
from ...scene.light.metering import irradiance, surface_points
from ...scene.light.standing import cone_of, in_candela, standing_lamps

_MOST = 4
"""Lamps of each kind that pyrender draws."""
_WIDEST = np.radians(75.0)
"""Of a spot's cone: its shadow map has to hold it."""
_BRIGHT = 0.98
"""Of the surface, what is not brighter than white."""


class LampNodes:
    """Directional lamps and spots with shadows, points without; the headlight is a point at the eye.

    pyrender's light falls with the square of the distance. Where a lamp's does not, what it gives the middle of what is seen
    stays.

    Args:
        scene: the rollout, with lights.
        pyrender: the package.
        points: that the clip shows.
        directional: makes a directional lamp that casts shadows, of its irradiance.
    """

    def __init__(
        self,
        scene: Scene,
        pyrender: ModuleType,
        points: Float[np.ndarray, "points 3"],
        directional: Callable[[np.ndarray], Any],
    ) -> None:
        self._scene, self._pyrender, self._directional = scene, pyrender, directional
        self._middle = np.median(points, axis=0) if len(points) else np.zeros(3)
        self._nodes: dict[int, Any] = {}
        self.spots = scene.lights is not None and any(lamp.kind == "spot" for lamp in scene.lights.lamps)

    def brightest(self) -> Float[np.ndarray, "3"]:
        """Irradiance that nearly all of the surface does not exceed."""
        assert self._scene.lights is not None
        points, normals = surface_points(self._scene)
        total = np.asarray(self._scene.lights.headlight, np.float64) + np.zeros((max(len(points), 1), 3))
        for lamp in self._kept(0).values():
            strength = irradiance(lamp, points, normals) if len(points) else np.zeros(1)
            color = np.asarray(lamp.color) / max(float(np.asarray(lamp.color) @ [0.2126, 0.7152, 0.0722]), 1e-9)
            total += strength[:, None] * color
        return np.quantile(total, _BRIGHT, axis=0)

    def set(self, stage: Any, camera: Camera, frame: int, scale: float) -> None:
        """Put all lamps where they are in a frame, and the headlight where the camera is.

        Args:
            stage: pyrender's scene.
            camera: that looks.
            frame: of the scene.
            scale: what light is multiplied with.
        """
        wanted = self._kept(frame)
        assert self._scene.lights is not None
        head = np.asarray(self._scene.lights.headlight, np.float64)
        if head.any():
            eye = camera.world_from_camera[frame, :3, 3]
            color, place = ((float(x), float(y), float(z)) for x, y, z in (head, eye))
            wanted[-1] = in_candela(Lamp("point", color, place, shadows=False), self._middle)
        for place in [place for place in self._nodes if place not in wanted]:
            stage.remove_node(self._nodes.pop(place))
        for place, lamp in wanted.items():
            if place not in self._nodes:
                self._nodes[place] = stage.add(self._made(lamp, scale))
            self._nodes[place].light.intensity = float(max(lamp.color)) * scale
            stage.set_pose(self._nodes[place], _pose(lamp))

    def _kept(self, frame: int) -> dict[int, Lamp]:
        """The strongest lamps of each kind, as pyrender's."""
        found = [(place, in_candela(lamp, self._middle)) for place, lamp in standing_lamps(self._scene, frame)]
        up = np.array(self._scene.lighting.up, np.float64)[None]
        found.sort(key=lambda one: -float(irradiance(one[1], self._middle[None], up)[0]))
        kept: dict[int, Lamp] = {}
        for kind in ("directional", "point", "spot"):
            kept |= dict([one for one in found if one[1].kind == kind][:_MOST])
        return kept

    def _made(self, lamp: Lamp, scale: float) -> Any:
        strongest = float(max(lamp.color))
        color = np.asarray(lamp.color) / strongest
        if lamp.kind == "directional":
            return self._directional(np.asarray(lamp.color, np.float64) * scale)
        if lamp.kind == "point":
            return self._pyrender.PointLight(color=color, intensity=strongest * scale)
        whole, dark = cone_of(lamp)
        return self._pyrender.SpotLight(
            color=color,
            intensity=strongest * scale,
            innerConeAngle=min(whole, _WIDEST - 0.01),
            outerConeAngle=min(dark, _WIDEST),
        )


def _pose(lamp: Lamp) -> Float[np.ndarray, "4 4"]:
    pose = shining(-np.asarray(lamp.direction, np.float64))
    if lamp.kind != "directional":
        pose[:3, 3] = lamp.position
    return pose


def shining(toward_lamp: Float[np.ndarray, "3"]) -> Float[np.ndarray, "4 4"]:
    """The pose of a lamp that shines along its own -z, from a direction."""
    z = toward_lamp / np.linalg.norm(toward_lamp)
    x = np.cross(np.eye(3)[np.argmin(np.abs(z))], z)
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
    return pose
