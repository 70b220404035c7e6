"""A scene at one instant as light meets it: triangles that rays can be sent at, what shines, and the light that is cached."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import warp as wp
from jaxtyping import Float, Float32, Int
from PIL import Image

from ...camera_effects.tone import LUMA
from ...devices import load, upload
from ...scene import Scene, Triangles
from ...scene.colors import linear_from_srgb
from ...scene.light.environment import Environment
from ...scene.light.lamps import Lamp
from ...scene.light.sky import axes_about
from ..samples import Sampler
from . import filter_kernels, kernels
from .rays import kernels as ray_kernels
from .rays.instants import Instants
from .sources import FarLight, NearLight, far_light, near_light

ENDLESS = 1e5
_FACES_AT_ONCE = 500_000
_KEPT = 3
_DARK = 0.05
_LOWEST_SKY = 4
"""Rows of the smallest copy of a panorama."""


@dataclass(frozen=True, eq=False)
class LightCache:
    """Light on surfaces, as the radiance of white ones: ``cached``, ``origin``, ``cell`` and ``cells`` of ``kernels.World``."""

    cached: Float32[np.ndarray, "places 3"]
    origin: Float[np.ndarray, "3"]
    cell: float
    cells: Int[np.ndarray, "3"]


EMPTY = LightCache(np.zeros((6, 3), np.float32), np.zeros(3), 1.0, np.ones(3, np.int64))


@dataclass(frozen=True, eq=False)
class World:
    """One instant: ``struct`` is what kernels take, ``alive`` keeps it alive; ``part_from_world`` ends with that of part -1."""

    struct: Any
    alive: tuple[Any, ...]
    part_from_world: Float[np.ndarray, "parts_and_none 4 4"]


class Worlds:
    """The instants of a scene; may be asked from several threads at once.

    Args:
        scene: the rollout.
        triangles: of the scene.
        sampler: of the scene, on a CPU.
        environment: what lights it from outside.
        reach: metres beyond which nothing keeps the light of sun and sky out.
    """

    def __init__(
        self,
        scene: Scene,
        triangles: Triangles,
        sampler: Sampler,
        environment: Environment,
        reach: float = ENDLESS,
    ) -> None:
        for module in (ray_kernels, kernels, filter_kernels):
            load(module, "cpu")
        self._reach = reach
        self._cache, self._cached = EMPTY, upload(EMPTY.cached, wp.vec3, "cpu")
        self._scene, self._triangles, self._environment = scene, triangles, environment
        self._solid = sampler.alpha >= 1
        self._instants = Instants(scene, triangles, self._solid)
        self._texel = upload(_texels(scene, triangles, self._instants), wp.float32, "cpu")
        self.tints = np.array([_tint(scene, part.mesh) for part in scene.parts], np.float32).reshape(-1, 3)
        materials = [scene.meshes[part.mesh].material for part in scene.parts]
        base = np.array([m.base_color[:3] for m in materials], np.float32).reshape(-1, 3)
        self.colors = np.concatenate([self.tints * base, np.zeros((1, 3), np.float32)])  # the last is that of part -1
        shine = np.array([m.emission for m in materials], np.float32).reshape(-1, 3)
        self.emission = self.tints * shine
        self.glow = np.concatenate([shine / np.maximum(base, _DARK), np.zeros((1, 3), np.float32)])
        self._lamps = followed_lamps(scene)
        self._moving = any(lamp.way is not None for lamp in self._lamps)
        self._far: FarLight = far_light(environment, self._lamps_at(0, far=True))
        self._around, self._levels = with_smaller(self._far.all_around)
        self.brightness = float((self._far.steady.mean(axis=(0, 1)) + self._far.light.mean(axis=0) / 4) @ LUMA)
        self._worlds: OrderedDict[bytes, World] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, cache: LightCache) -> None:
        """From now on, rays find this light on surfaces. Not while other threads use the worlds."""
        self._cache, self._cached = cache, upload(cache.cached, wp.vec3, "cpu")
        for world in self._worlds.values():
            self._show_cache(world.struct)

    def _show_cache(self, struct: Any) -> None:
        struct.cached, struct.origin = self._cached, wp.vec3(*self._cache.origin.tolist())
        struct.cell, struct.cells = float(self._cache.cell), wp.vec3i(*(int(n) for n in self._cache.cells))

    def at(self, frame: int) -> World:
        """The scene at a frame; frames in which nothing has moved share one."""
        scene = self._scene
        deforms = any(mesh.deformed is not None for mesh in scene.meshes)
        key = scene.world_from_instance[frame].tobytes() + scene.part_visible(frame).tobytes()
        key = key + frame.to_bytes(8, "little") if deforms or self._moving else key
        with self._lock:
            if key not in self._worlds:
                self._worlds[key] = self._made(frame)
                while len(self._worlds) > _KEPT:
                    self._worlds.popitem(last=False)
            self._worlds.move_to_end(key)
            return self._worlds[key]

    def steady(self, directions: Float[np.ndarray, "*shape 3"]) -> Float32[np.ndarray, "*shape 3"]:
        """The panorama without what is sampled by itself."""
        return looked_up(self._far.steady, self._environment.up, directions)

    def _made(self, frame: int) -> World:
        bodies = self._instants.at(frame)
        shining = self._shining(frame)
        far = far_light(self._environment, self._lamps_at(frame, far=True)) if self._moving else self._far
        struct = kernels.World()
        struct.bodies, struct.texel = bodies.address, self._texel
        struct.tints = upload(self.tints, wp.vec3, "cpu")
        struct.far_direction, struct.far_light = (upload(a, wp.vec3, "cpu") for a in (far.directions, far.light))
        cones = [shining.cone] if (shining.cone[:, 2] >= 0).any() else []
        struct.near_point, struct.near_normal, struct.near_light = (
            upload(array, wp.vec3, "cpu")
            for array in (shining.points, np.concatenate([shining.normals, *cones]), shining.light)
        )
        struct.steady, struct.all_around = (upload(a, wp.vec3, "cpu") for a in (self._far.steady, self._around))
        struct.sky_height, struct.sky_levels = len(self._far.all_around), self._levels
        struct.sky_from_world = wp.mat33(*axes_about(self._environment.up).T.ravel().tolist())
        self._show_cache(struct)
        struct.least_distance, struct.reach = 0.05, self._reach
        return World(struct, (bodies,), np.linalg.pinv(np.concatenate([self._instants.poses(frame), np.eye(4)[None]])))

    def _lamps_at(self, frame: int, *, far: bool) -> list[Lamp]:
        """Directional lamps, or all others, as they stand in a frame."""
        stand = (lamp.at(frame) for lamp in self._lamps)
        return [lamp for lamp in stand if lamp is not None and (lamp.kind == "directional") == far]

    def _shining(self, frame: int) -> NearLight:
        """Lamps, and the triangles that shine."""
        shines = self._solid & self._scene.part_visible(frame) & (self.emission > 0).any(axis=1)
        faces = np.flatnonzero(shines[self._triangles.face_part]) if shines.any() else np.zeros(0, np.int64)
        corners, part = self._instants.corners(faces, frame).astype(np.float64), self._triangles.face_part[faces]
        return near_light(corners, self.emission[part].astype(np.float64), self._lamps_at(frame, far=False))


def _texels(scene: Scene, triangles: Triangles, instants: Instants) -> Float32[np.ndarray, " faces"]:
    """How much of its texture's side every face shows in a metre, in the first frame; 0 where it has none."""
    out = np.zeros(len(triangles.faces), np.float32)
    textured = np.array([scene.meshes[part.mesh].material.texture is not None for part in scene.parts], bool)
    faces = np.flatnonzero(textured[triangles.face_part]) if textured.any() else np.zeros(0, np.int64)
    for start in range(0, len(faces), _FACES_AT_ONCE):
        few = faces[start : start + _FACES_AT_ONCE]
        corners, uv = instants.corners(few, 0), triangles.uv[few].astype(np.float64)
        (one, two), (a, b) = (np.moveaxis(array[:, 1:] - array[:, :1], 1, 0) for array in (corners, uv))
        area = np.maximum(np.linalg.norm(np.cross(one, two), axis=-1), 1e-12)
        out[few] = np.sqrt(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / area)
    return out


def followed_lamps(scene: Scene) -> tuple[Lamp, ...]:
    """The lamps that light comes from when it is followed: those that are as real lamps are."""
    return scene.lights.lamps if scene.lights is not None and scene.lights.followed else ()


def with_smaller(panorama: Float32[np.ndarray, "height width 3"]) -> tuple[Float32[np.ndarray, "rows width 3"], int]:
    """A panorama and below it copies of it, each half as high and wide as the one before, and how many there are in all."""
    height, width, _ = panorama.shape
    levels = max(1, int(height).bit_length() - _LOWEST_SKY.bit_length() + 1)
    rows = [panorama]
    for level in range(1, levels):
        size = (width >> level, height >> level)
        channels = [Image.fromarray(panorama[..., k]).resize(size, Image.Resampling.BOX) for k in range(3)]
        small = np.stack([np.asarray(channel) for channel in channels], axis=-1)
        rows.append(np.pad(small, ((0, 0), (0, width - size[0]), (0, 0))))
    return np.concatenate(rows).astype(np.float32), levels


def looked_up(
    panorama: Float32[np.ndarray, "height width 3"], up: tuple[float, float, float], directions: Float[np.ndarray, "*shape 3"]
) -> Float32[np.ndarray, "*shape 3"]:
    """A panorama whose zenith is ``up`` in directions of the world, bilinearly."""
    d = directions @ axes_about(up)
    height, width, _ = panorama.shape
    y = np.arccos(np.clip(d[..., 1], -1, 1)) / np.pi * height - 0.5
    x = (np.arctan2(d[..., 0], -d[..., 2]) / (2 * np.pi) + 1) * width - 0.5
    i, j = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    across, down = (x - i)[..., None].astype(np.float32), (y - j)[..., None].astype(np.float32)
    left, right, upper, lower = i % width, (i + 1) % width, np.clip(j, 0, height - 1), np.clip(j + 1, 0, height - 1)
    above = (1 - across) * panorama[upper, left] + across * panorama[upper, right]
    below = (1 - across) * panorama[lower, left] + across * panorama[lower, right]
    return (1 - down) * above + down * below


def _tint(scene: Scene, mesh: int) -> Float32[np.ndarray, "3"]:
    """Mean linear color of a mesh's texture and corners; white without any."""
    texture, colors = scene.meshes[mesh].material.texture, scene.meshes[mesh].colors
    if colors is not None and not colors.in_texture:
        every = max(1, len(colors.srgb) // 4096)
        own = linear_from_srgb(colors.srgb[::every] / 255).mean(axis=(0, 1)).astype(np.float32)
        return own * _texture_mean(texture if scene.meshes[mesh].uv is not None else None)
    return _texture_mean(texture if scene.meshes[mesh].uv is not None else None)


def _texture_mean(texture: np.ndarray | None) -> Float32[np.ndarray, "3"]:
    if texture is None:
        return np.ones(3, np.float32)
    step = max(1, max(texture.shape[:2]) // 64)
    return linear_from_srgb(texture[::step, ::step, :3] / 255).mean(axis=(0, 1)).astype(np.float32)
