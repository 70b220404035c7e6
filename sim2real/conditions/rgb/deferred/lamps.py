"""The light of a clip as kernels take it: its lamps with their shadow maps, and what comes from all around."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import warp as wp
from jaxtyping import Bool, Float

from ....devices import upload
from ....raster import Rasterizer
from ....scene import Camera, Lighting, Scene, Triangles
from ....scene.light.lamps import Lamp, Lights
from ....transforms import inverse_rigid
from . import light_kernels
from .lamp_cameras import (
    CameraOf,
    LampCamera,
    directional_camera,
    following,
    near_camera,
    part_corners,
    radius_of,
    seen_points,
    spread_frames,
)
from .shadows import ShadowMaps, ShadowOptions, fixed_parts, still_parts
from .sky import Sky

_KINDS = {"directional": light_kernels.DIRECTIONAL, "point": light_kernels.POINT, "spot": light_kernels.SPOT}
_COLUMNS: dict[str, Any] = {
    **{"kind": wp.int32, "map": wp.int32},
    **{"color": wp.vec3, "place": wp.vec3, "toward": wp.vec3, "fade": wp.vec4, "cone": wp.vec3},
}


class Lamps:
    """All light of a clip; ``light`` may be called from several threads at once.

    Args:
        scene: the rollout, with all cameras of the clip.
        triangles: of the scene.
        rasterizer: of these triangles.
        casts: which parts cast shadows.
        shadows: how they are found.
        device: where pictures are made.
    """

    def __init__(
        self,
        scene: Scene,
        triangles: Triangles,
        rasterizer: Rasterizer,
        casts: Bool[np.ndarray, "parts"],
        shadows: ShadowOptions,
        device: str,
    ) -> None:
        self._scene, self._device, self._texels = scene, device, shadows.texels
        self._lights = scene.lights or plain_lights(scene.lighting)
        looked_at = (0,) if shadows.as_live else spread_frames(scene)
        self._cameras: dict[int, CameraOf] = {}  # by place among the lamps
        self.radius: float | None = None
        if shadows.texels:
            self._aim(rasterizer, shadows, looked_at)
        self._places = list(self._cameras)
        shown = [(camera, self._lights.lamps[place].way is not None) for place, camera in self._cameras.items()]
        still = fixed_parts(scene) if shadows.as_live else still_parts(scene)
        self._maps = ShadowMaps(scene, triangles, shown, shadows.texels, (casts, still), device) if shown else None
        self._no_maps = upload(np.zeros((1, 1, 1), np.float32), wp.float32, device)
        self._sky = None if self._lights.skybox is None else Sky(self._lights.skybox, device)
        self._no_box = upload(np.zeros((1, 3), np.float32), wp.vec3, device)

    def _aim(self, rasterizer: Rasterizer, shadows: ShadowOptions, looked_at: Sequence[int]) -> None:
        points = seen_points(self._scene, rasterizer, looked_at)
        lamps = self._lights.lamps
        if not len(points) or not lamps:
            return
        self.radius = radius_of(points, lamps[0].at(0) or lamps[0], self._scene.lighting.up)
        corners = part_corners(self._scene, looked_at)

        def camera_of(lamp: Lamp) -> LampCamera | None:
            if lamp.kind == "directional":
                return directional_camera(self._scene, lamp, points, corners, shadows.texels, shadows.margin)
            return near_camera(self._scene, lamp, points, shadows.texels)

        for place, lamp in enumerate(lamps):
            if not lamp.shadows or lamp.instance is not None or not any(lamp.color):
                continue
            if lamp.way is not None:
                self._cameras[place] = following(lamp, camera_of)
            elif (standing := camera_of(lamp)) is not None:
                self._cameras[place] = functools.partial(_always, standing)

    def draw_shadows(self, frame: int) -> None:
        """Draw the shadow maps of a frame, if there are any."""
        if self._maps is not None:
            self._maps.of(frame)

    def light(self, camera: Camera, frame: int, exposure: float, *, headlight_on: Camera | None = None) -> Any:
        """The light of a view, a ``light_kernels.Light``.

        Args:
            camera: of the scene, or another that looks at it.
            frame: of the scene.
            exposure: what radiance is multiplied with before the tone curve; 0: pictures are radiance.
            headlight_on: the camera that carries the headlight; ``None``: the one that looks.
        """
        lighting, lights = self._scene.lighting, self._lights
        camera_from_world = inverse_rigid(camera.world_from_camera[frame])
        light = light_kernels.Light()
        light.up = wp.vec3(*_unit(camera_from_world[:3, :3] @ np.array(lighting.up, np.float64)))
        sky, ground = (lighting.sky, lighting.ground) if self._scene.lights is None else lights.mirrored
        around = (lighting.sky, lighting.ground) if self._scene.lights is None else (lights.ambient, lights.ambient)
        light.ambient_above, light.ambient_below = wp.vec3(*around[0]), wp.vec3(*around[1])
        light.sky, light.ground = wp.vec3(*sky), wp.vec3(*ground)
        above, below = lights.backdrop if self._scene.lights else lighting.backdrop or (lighting.sky, lighting.ground)
        light.above, light.below = wp.vec3(*above), wp.vec3(*below)
        light.box, light.box_side = self._no_box, 0
        if self._sky is not None and lights.skybox is not None:
            light.box, light.box_side = self._sky.seen_by(camera, frame)
            turn = lights.skybox.box_from_world @ camera.world_from_camera[frame, :3, :3]
            light.box_from_camera = wp.mat33(*turn.ravel().tolist())
        light.exposure = exposure
        shadowing = [camera_of(frame) for camera_of in self._cameras.values()]
        light.lamps, light.lamp_count = self._lamps_in(camera, camera_from_world, frame, headlight_on, shadowing)
        light.shadows = self._shadows_in(camera, frame, shadowing)
        return light

    def _lamps_in(
        self,
        camera: Camera,
        camera_from_world: Float[np.ndarray, "4 4"],
        frame: int,
        headlight_on: Camera | None,
        shadowing: Sequence[LampCamera | None],
    ) -> tuple[Any, int]:
        rows: dict[str, list] = {name: [] for name in _COLUMNS}
        maps = {place: number for number, place in enumerate(self._places) if shadowing[number] is not None}
        for place, lamp in enumerate(self._lights.lamps):
            pose = np.eye(4)
            if lamp.instance is not None:
                if not self._scene.visible[frame, lamp.instance]:
                    continue
                pose = self._scene.world_from_instance[frame, lamp.instance]
            elif lamp.way is not None:
                pose = lamp.way[frame]
                if not np.isfinite(pose).all():
                    continue
            pose = camera_from_world @ pose
            direction = pose[:3, :3] @ np.array(lamp.direction, np.float64)
            rows["kind"].append(_KINDS[lamp.kind])
            rows["color"].append(lamp.color)
            rows["place"].append(pose[:3, :3] @ np.array(lamp.position) + pose[:3, 3])
            rows["toward"].append(_unit(-direction if lamp.kind == "directional" else direction))
            rows["fade"].append((*lamp.attenuation, lamp.reach))
            rows["cone"].append((*lamp.cone, lamp.exponent))
            rows["map"].append(maps.get(place, -1))
        if any(self._lights.headlight):
            parallel = camera.lens.parallel
            rows["kind"].append(_KINDS["directional" if parallel else "point"])
            rows["color"].append(self._lights.headlight)
            head = np.eye(4) if headlight_on is None else camera_from_world @ headlight_on.world_from_camera[frame]
            rows["place"].append(head[:3, 3])
            rows["toward"].append(-head[:3, 2])
            rows["fade"].append((1.0, 0.0, 0.0, np.inf))
            rows["cone"].append((0.0, -1.0, 0.0))
            rows["map"].append(-1)
        out, count = light_kernels.Lamps(), len(rows["kind"])
        for name, dtype in _COLUMNS.items():
            width = 1 if dtype in (wp.int32, wp.float32) else dtype._length_
            filled = np.zeros((max(count, 1), width), np.int32 if dtype is wp.int32 else np.float32)
            filled[:count] = np.reshape(rows[name], (count, width))
            setattr(out, name, upload(filled.ravel() if width == 1 else filled, dtype, self._device))
        return out, count

    def _shadows_in(self, camera: Camera, frame: int, cameras: Sequence[LampCamera | None]) -> Any:
        shadows = light_kernels.Shadows()
        shadows.depth, shadows.side = self._no_maps, 0
        count = max(len(cameras), 1)
        turns, places, lenses, bias = np.zeros((count, 3, 3)), np.zeros((count, 3)), np.ones((count, 3)), np.zeros(count)
        for number, found in enumerate(cameras):
            if found is None:
                continue  # its lamp asks no map
            lamp_from_camera = inverse_rigid(found.camera.world_from_camera[frame]) @ camera.world_from_camera[frame]
            turns[number], places[number] = lamp_from_camera[:3, :3], lamp_from_camera[:3, 3]
            k = found.camera.intrinsics[frame]
            lenses[number], bias[number] = (1 / k[0, 0], k[0, 2], k[1, 2]), found.bias
        if self._maps is not None:
            shadows.depth, shadows.side = self._maps.of(frame), self._texels
        for name, values, dtype in (
            ("rotation", turns, wp.mat33),
            ("translation", places, wp.vec3),
            ("lens", lenses, wp.vec3),
            ("bias", bias, wp.float32),
        ):
            setattr(shadows, name, upload(values.astype(np.float32), dtype, self._device))
        return shadows


def _always(found: LampCamera, frame: int) -> LampCamera:
    """The camera of a lamp that stands still."""
    return found


def plain_lights(lighting: Lighting) -> Lights:
    """A sun as the only lamp, for scenes without lamps of their own."""
    x, y, z = lighting.sun_direction
    if not np.linalg.norm(lighting.sun_direction):
        return Lights()
    return Lights((Lamp("directional", lighting.sun, direction=(-x, -y, -z)),))


def _unit(vector: np.ndarray) -> list[float]:
    return (vector / max(float(np.linalg.norm(vector)), 1e-12)).tolist()
