"""The light of a scene in pictures: how much falls on every pixel's surface, and what it mirrors, by following rays.

Rays are few, and the same ones wherever a place of a surface is seen: their random numbers come from the place. So what noise
is left lies still on surfaces, like the noise that drives the video model, and a filter along surfaces takes most of it away.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import warp as wp
from jaxtyping import Bool, Float, Float32, Int32

from ...camera import camera_from_px
from ...camera_effects.develop import exposure_gains
from ...camera_effects.tone import LUMA
from ...devices import as_warp, launch, upload
from ...raster import Rasterizer, view_of
from ...scene import Camera, Lighting, Scene, Triangles
from ...scene.light.environment import Environment
from ...scene.light.sky import panorama
from ..cells import cell_middles, part_around
from ..normals import camera_normals
from ..samples import Sampler
from . import filter_kernels, kernels
from .cache import solve
from .shine import matte_share, mirrored_share
from .world import World, Worlds, looked_up

LONGEST_CELLS = 160
"""Larger pictures are traced at a half (a third, ...) of their size, until the longer side has no more."""
_FAR, _NEAR, _ROUND, _MIRRORED = 12, 8, 12, 4
"""Rays of a cell: at samples of sun and sky, at lamps, all around (of every other cell), and into the mirrored lobe."""
_SHADOW = 0.22
"""Differences of light that are taken for noise, not for the edge of a shadow."""
_MATTE = 0.75
"""Roughness from which what is mirrored is what falls on the surface."""
_BRIGHTEST = 8.0
"""Most light that a mirrored ray brings, exposed: white is about 1."""
_DARK = 0.01
"""Of the light of an open sky: less is a room that is shut."""
_OPEN = 0.2
"""In such a room, walls farther off than this part of what is seen keep no light out."""
_BENT = 0.7
"""Cosine between normals at an edge."""
_LINE = 2
"""Pixels around one of a line."""
_AROUND = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j)
_BESIDE = ((-1, 0), (1, 0), (0, -1), (0, 1))
_FACES = 2
"""Of a pane, each of which mirrors."""
_PANE = 0.05
"""Roughness of glass, at most."""
_METERED = 5
"""Frames that exposure is found from."""
_ROWS = 48
"""Of the small pictures that say what cameras see."""


@dataclass(frozen=True, eq=False)
class LightPictures:
    """The light of one view, in linear light as the camera exposes and balances it: a white surface in even light is about 1.

    - ``light``: what a white matte surface in the place of the pixel's would send back; where a surface shines by itself, with
      that (over its base color). Where there is no surface, the light from outside itself.
    - ``reflection``: what arrives from the mirrored direction, spread by the surface's roughness; where one looks through
      something that is not matte, what both its faces mirror.
    """

    light: Float32[np.ndarray, "height width 3"]
    reflection: Float32[np.ndarray, "height width 3"]


@dataclass(frozen=True, eq=False)
class _Seen:
    """The first surface that one does not see through, per pixel: world points, normals, depth and parts (-1: none)."""

    points: Float[np.ndarray, "height width 3"]
    normals: Float32[np.ndarray, "height width 3"]
    depth: Float32[np.ndarray, "height width"]
    part: Int32[np.ndarray, "height width"]
    directions: Float[np.ndarray, "height width 3"]


class LightTracer:
    """Follows light through a clip; ``frame`` may be called from several threads at once, on a CPU.

    Args:
        scene: the rollout, with all cameras of the clip.
        triangles: of the scene.
        rasterizer: of these triangles.
        sampler: of the scene.
        environment: what lights it from outside; ``None`` is the scene's own or, where it has none, the sky and sun of its
            ``lighting``.
        as_live: meter exposure in the first frame alone.
    """

    def __init__(
        self,
        scene: Scene,
        triangles: Triangles,
        rasterizer: Rasterizer,
        *,
        sampler: Sampler | None = None,
        environment: Environment | None = None,
        as_live: bool = False,
    ) -> None:
        self._metered_frames = 1 if as_live else _METERED
        environment = environment or scene.environment or sky_of(scene.lighting)
        self._backdrop = backdrop_of(scene, environment)
        self._painted_backdrop = _is_painted(scene, environment)
        self._scene, self._triangles, self._rasterizer = scene, triangles, rasterizer
        self._sampler = sampler or Sampler(scene, triangles, rasterizer)
        self._solid = self._sampler.alpha >= 1
        materials = [scene.meshes[part.mesh].material for part in scene.parts]
        smooth = [min(m.roughness, _PANE) if m.is_thin_glass else m.roughness for m in materials]
        self._roughness = np.array([*smooth, 1], np.float32)  # the last is that of part -1
        self._metallic = np.array([*(m.metallic for m in materials), 0], np.float32)
        seen = [self._seen(_small(camera), 0) for camera in scene.cameras]
        hit = [(view.points[view.part >= 0], view.normals[view.part >= 0]) for view in seen]
        points, normals = (
            (np.concatenate([np.zeros((0, 3)), *arrays]) for arrays in zip(*hit, strict=True))
            if hit
            else (np.zeros((0, 3)),) * 2
        )
        surroundings = (scene, triangles, self._sampler, environment)
        self._worlds = Worlds(*surroundings)
        cache = solve(self._worlds, self._sampler, points, normals)
        if len(points) and float((cache.cached @ LUMA).mean()) < _DARK * self._worlds.brightness:
            self._worlds = Worlds(*surroundings, _OPEN * float(np.ptp(points, axis=0).max()))
            cache = solve(self._worlds, self._sampler, points, normals)
        self._worlds.keep(cache)
        self._gains: dict[str, Float32[np.ndarray, "3"]] = {}
        self._lock = threading.Lock()

    def frame(self, camera: Camera, frame: int) -> LightPictures:
        """The light of a camera at a frame.

        Args:
            camera: of the scene.
            frame: of the scene.
        """
        gains = self.gains(camera)
        seen, brightest = self._seen(camera, frame), float(_BRIGHTEST / gains.mean())
        light, mirrored = self._traced(seen, camera, frame, brightest)
        self._put_panes(mirrored, camera, frame, brightest)
        return LightPictures(light * gains, mirrored * gains)

    def gains(self, camera: Camera) -> Float32[np.ndarray, "3"]:
        """Exposure and white balance of a camera: metered once, over frames of the whole scene, so that nothing flickers."""
        with self._lock:
            if camera.name not in self._gains:
                frames = np.unique(np.linspace(0, self._scene.frames - 1, self._metered_frames).round().astype(int))
                rows = [self._metered(_small(camera), int(frame)) for frame in frames]
                light, base, solid = (np.stack(pictures) for pictures in zip(*rows, strict=True))
                counted = solid if self._painted_backdrop else None
                self._gains[camera.name] = exposure_gains(light.astype(np.float32), base.astype(np.float32), counted=counted)
            return self._gains[camera.name]

    def _metered(self, camera: Camera, frame: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What a camera sees, roughly and not exposed, the base colors in it, and where there are surfaces."""
        seen = self._seen(camera, frame)
        light, mirrored = self._traced(seen, camera, frame, np.inf)
        base = self._worlds.colors[seen.part]
        facing = -np.einsum("hwc,hwc->hw", seen.normals, seen.directions).astype(np.float32)
        made_of = (base, self._metallic[seen.part])
        shown = matte_share(*made_of) * light + mirrored_share(*made_of, self._roughness[seen.part], facing) * mirrored
        return np.where((seen.part < 0)[..., None], light, shown), base, seen.part >= 0

    def _traced(self, seen: _Seen, camera: Camera, frame: int, brightest: float) -> tuple[np.ndarray, np.ndarray]:
        """Light and mirrored light of all pixels, not exposed."""
        world = self._worlds.at(frame)
        by = _cell_side(seen.depth.shape)
        cells, sizes = _cells(seen, camera, frame, by)
        starts = _starts(cells, world, sizes)
        straight, indirect = self._rays(world, cells, starts)
        mirrored = self._mirrored(world, cells, starts, camera.world_from_camera[frame, :3, 3], brightest)
        points, normals = _vectors(cells.points), _vectors(cells.normals)
        size = as_warp(sizes, wp.float32)
        straight = _smooth(points, normals, size, straight, (1,))
        straight = _smooth(points, normals, size, straight, (2, 4), contrast=_SHADOW)
        indirect = np.maximum(_smooth(points, normals, size, indirect, (1, 2, 4)), 0)
        sharp = _smooth(points, normals, size, mirrored, (1,))
        light, roughness = straight + indirect, self._roughness[cells.part][..., None]
        blurred = _smooth(points, normals, size, sharp, (2, 4))
        mirrored = sharp + (blurred - sharp) * np.clip(3 * roughness - 0.4, 0, 1)
        mirrored = mirrored + (light - mirrored) * _matte(roughness)
        shape = seen.depth.shape
        out = [np.zeros((*shape, 3), np.float32) for _ in range(2)]
        pictures = [_vectors(light), _vectors(mirrored), by, _vectors(seen.points), _vectors(seen.normals)]
        launch(filter_kernels.spread_kernel, shape[0], [points, normals, size, *pictures, *map(_vectors, out)], "cpu")
        none = seen.part < 0
        out[0][none] = self._backdrop(seen.directions[none])
        out[0] += self._worlds.glow[seen.part]
        _fill_lines(out, seen)
        return out[0], out[1]

    def _put_panes(self, mirrored: np.ndarray, camera: Camera, frame: int, brightest: float) -> None:
        """Where one looks through something, what it mirrors in place of what the surface behind it does; both its faces do.

        What is matte mirrors nothing of its own.
        """
        if self._solid.all():
            return
        face = self._rasterizer.visibility(view_of(self._scene, camera, frame)).face.numpy()
        by = _cell_side(face.shape)
        found = part_around(camera, np.append(~self._solid[self._triangles.face_part], False)[face], by)
        if found is None:
            return
        part, box = found
        front = self._seen(part, frame, np.ones_like(self._solid))
        pane = (front.part >= 0) & ~np.append(self._solid, True)[front.part]
        front = replace(front, normals=front.normals * pane[..., None])
        cells, sizes = _cells(front, part, frame, by)
        world, eye = self._worlds.at(frame), camera.world_from_camera[frame, :3, 3]
        light = self._mirrored(world, cells, _starts(cells, world, sizes), eye, brightest)
        points, normals, size = _vectors(cells.points), _vectors(cells.normals), as_warp(sizes, wp.float32)
        light = _vectors(_FACES * _smooth(points, normals, size, light, (1,)))
        spread = [np.zeros((*part.size, 3), np.float32) for _ in range(2)]
        pictures = [light, light, by, _vectors(front.points), _vectors(front.normals), *map(_vectors, spread)]
        launch(filter_kernels.spread_kernel, part.size[0], [points, normals, size, *pictures], "cpu")
        own = 1 - _matte(self._roughness[front.part[pane]])[:, None]
        mirrored[box][pane] += own * (spread[0][pane] - mirrored[box][pane])

    def _rays(self, world: World, cells: _Seen, starts: tuple[Any, Any]) -> tuple[np.ndarray, np.ndarray]:
        """Light on cells: what comes straight, and from all around where it is asked for (else -1)."""
        shape = cells.depth.shape
        (points, seeds), normals = starts, _vectors(cells.normals.reshape(-1, 3))
        out = [np.zeros((*shape, 3), np.float32) for _ in range(2)]
        arrays = [_vectors(array.reshape(-1, 3)) for array in out]
        count, materials = shape[0] * shape[1], self._sampler.materials
        near = _NEAR if world.struct.near_light.shape[0] else 0
        around = upload(_ROUND * _every_other(cells.part).ravel().astype(np.int32), wp.int32, "cpu")
        inputs = [world.struct, materials, points, normals, seeds, count, _FAR, near, around, arrays[0], arrays[1]]
        launch(kernels.light_kernel, 1, inputs, "cpu")
        return out[0], out[1]

    def _mirrored(
        self, world: World, cells: _Seen, starts: tuple[Any, Any], eye: Float[np.ndarray, "3"], brightest: float
    ) -> Float32[np.ndarray, "height width 3"]:
        """What cells that are not matte mirror."""
        shape, out = cells.depth.shape, np.zeros((*cells.depth.shape, 3), np.float32)
        roughness = self._roughness[cells.part].ravel()
        glossy = cells.normals * (roughness.reshape(shape) < _MATTE)[..., None]
        (points, seeds), normals = starts, _vectors(glossy.reshape(-1, 3))
        inputs = [world.struct, self._sampler.materials, points, normals, wp.vec3(*eye.tolist())]
        inputs += [
            upload(roughness, wp.float32, "cpu"),
            seeds,
            roughness.size,
            _MIRRORED,
            min(brightest, 1e9),
            _vectors(out.reshape(-1, 3)),
        ]
        launch(kernels.reflection_kernel, 1, inputs, "cpu")
        return out

    def _seen(self, camera: Camera, frame: int, parts: Bool[np.ndarray, "parts"] | None = None) -> _Seen:
        """What a camera sees of the solid parts, or of others."""
        view = view_of(self._scene, camera, frame).only(self._solid if parts is None else parts)
        seen = self._rasterizer.fragments(view)
        pose = camera.world_from_camera[frame]
        normals = camera_normals(seen, self._triangles, view.camera_from_part, vertices=view.vertices).numpy()
        depth, face = seen.depth.numpy(), seen.face.numpy()
        y, x = np.indices(depth.shape) + 0.5
        pixels = np.stack([x, y], axis=-1)
        flat = camera_from_px(pixels, np.where(depth > 0, depth, 1), camera.intrinsics[frame], camera.lens)
        ahead = np.array([0.0, 0.0, 1.0]) if camera.lens.parallel else flat
        directions = np.broadcast_to(ahead, flat.shape) @ pose[:3, :3].T
        part = np.where(face >= 0, np.append(self._triangles.face_part, -1)[face], -1).astype(np.int32)
        return _Seen(
            points=flat @ pose[:3, :3].T + pose[:3, 3],
            normals=(normals @ pose[:3, :3].T.astype(np.float32)) * (part >= 0)[..., None],
            depth=depth,
            part=part,
            directions=directions / np.linalg.norm(directions, axis=-1, keepdims=True),
        )


def _cell_side(size: tuple[int, ...]) -> int:
    """Pixels along the side of a cell."""
    return -(-max(size) // LONGEST_CELLS)


def _cells(seen: _Seen, camera: Camera, frame: int, by: int) -> tuple[_Seen, Float32[np.ndarray, "height width"]]:
    """The pixels that rays are sent from, and how wide their cells are, metres."""
    middle = cell_middles(seen.depth.shape, by)
    cells = _Seen(*(getattr(seen, name)[middle] for name in ("points", "normals", "depth", "part", "directions")))
    focal = float(camera.intrinsics[frame, 0, 0])
    sizes = (np.maximum(cells.depth, camera.near) * by / focal).astype(np.float32)
    return cells, np.full_like(sizes, by / focal) if camera.lens.parallel else sizes


def _matte(roughness: Float32[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """How far a surface is from a mirror, 0 to 1: matte ones mirror what falls on them from everywhere."""
    return np.clip(2 * roughness / _MATTE - 1, 0, 1)


def _starts(cells: _Seen, world: World, sizes: Float32[np.ndarray, "height width"]) -> tuple[Any, Any]:
    """Where the rays of cells begin, a little off the surface, and what their random numbers are drawn from (Warp arrays)."""
    aside = 0.02 * sizes[..., None]
    points = cells.points + (1e-4 + aside) * cells.normals - aside * cells.directions
    return _vectors(points.reshape(-1, 3)), upload(_seeds(cells, world, sizes).ravel(), wp.int32, "cpu")


def sky_of(lighting: Lighting) -> Environment:
    """The sky and sun of a scene's plain lighting as a panorama."""
    return Environment("sky", panorama(lighting).astype(np.float32), up=lighting.up)


def backdrop_of(scene: Scene, environment: Environment) -> Callable[[np.ndarray], np.ndarray]:
    """What is seen in directions where there is nothing: the panorama, or what the scene has in its place."""
    lighting, shown = scene.lighting, environment
    if lighting.backdrop is not None and _is_painted(scene, environment):
        above, below = lighting.backdrop
        shown = sky_of(replace(lighting, sun=(0.0, 0.0, 0.0), sky=above, ground=below))
    picture = np.zeros((2, 4, 3), np.float32) if shown.panorama is None else shown.panorama
    return functools.partial(looked_up, picture, environment.up)


def _is_painted(scene: Scene, environment: Environment) -> bool:
    """Whether what is seen behind everything is the scene's own picture of a sky, which is not what lights it."""
    return scene.lighting.backdrop is not None and scene.environment is None and environment.name == "sky"


def _small(camera: Camera) -> Camera:
    rows = min(_ROWS, camera.size[0])
    return camera.resized((rows, max(1, round(rows * camera.size[1] / camera.size[0]))))


def _every_other(part: Int32[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """The black fields of a chessboard, and those white ones that no black one of the same part is beside."""
    y, x = np.indices(part.shape)
    padded = np.pad(part, 1, constant_values=-2)
    beside = [padded[1 + i : 1 + i + part.shape[0], 1 + j : 1 + j + part.shape[1]] for i, j in _BESIDE]
    return ((x + y) % 2 == 0) | ~np.any([there == part for there in beside], axis=0)


def _vectors(array: np.ndarray) -> Any:
    """A Warp array of vec3 over an array (..., 3)."""
    return as_warp(np.ascontiguousarray(array, np.float32), wp.vec3)


def _smooth(
    points: Any, normals: Any, sizes: Any, light: np.ndarray, steps: tuple[int, ...], contrast: float = 1e6
) -> np.ndarray:
    for step in steps:
        out = np.zeros_like(light)
        inputs = [points, normals, sizes, _vectors(light), step, contrast, _vectors(out)]
        launch(filter_kernels.smooth_kernel, light.shape[0], inputs, "cpu")
        light = out
    return light


def _fill_lines(pictures: list[np.ndarray], seen: _Seen) -> None:
    """Give what is one pixel wide the light of what is beside it, in place: seen by some centers only, it would be dashes."""
    height, width = seen.part.shape
    part, normals = np.pad(seen.part, 1, mode="edge"), np.pad(seen.normals, ((1, 1), (1, 1), (0, 0)), mode="edge")
    meets = np.zeros(seen.part.shape, bool)
    for i, j in _BESIDE:
        there = np.s_[1 + i : 1 + i + height, 1 + j : 1 + j + width]
        apart = (part[there] != seen.part) | (np.einsum("hwc,hwc->hw", normals[there], seen.normals) < _BENT)
        meets |= apart & (part[there] >= 0)
    y, x = np.nonzero(meets & (seen.part >= 0))
    own_part, own_normal = seen.part[y, x], seen.normals[y, x]
    alike = {}
    for i, j in _AROUND:
        there = (1 + y + i, 1 + x + j)
        alike[i, j] = (part[there] == own_part) & ((normals[there] * own_normal).sum(axis=-1) > _BENT)
    beside = np.stack([(part[1 + y + i, 1 + x + j] >= 0) & ~alike[i, j] for i, j in _BESIDE])
    line = (np.sum(list(alike.values()), axis=0) <= _LINE) & beside.any(axis=0)
    y, x, weights = y[line], x[line], (beside / np.maximum(beside.sum(axis=0), 1)).astype(np.float32)[:, line, None]
    for picture in pictures:
        around = [picture[np.clip(y + i, 0, height - 1), np.clip(x + j, 0, width - 1)] for i, j in _BESIDE]
        picture[y, x] = sum(weight * light for weight, light in zip(weights, around, strict=True))


def _seeds(cells: _Seen, world: World, sizes: Float32[np.ndarray, "height width"]) -> Int32[np.ndarray, "height width"]:
    """A number per place of a surface, the same from everywhere: of the part, and of the cube about it, about a cell wide."""
    part_from_world = np.linalg.pinv(world.world_from_part)
    pose = part_from_world[cells.part]
    local = np.einsum("hwij,hwj->hwi", pose[..., :3, :3], cells.points) + pose[..., :3, 3]
    level = np.floor(np.log2(np.maximum(sizes, 1e-6)))
    cube = np.floor(local / np.exp2(level)[..., None]).astype(np.int64)
    key = cells.part.astype(np.int64)
    for value in (level.astype(np.int64), cube[..., 0], cube[..., 1], cube[..., 2]):
        key = (key * 0x9E3779B1 + value) & 0xFFFFFFFF
        key = ((key ^ (key >> 15)) * 0x85EBCA6B) & 0xFFFFFFFF
    return (key ^ (key >> 13)).astype(np.uint32).view(np.int32)
