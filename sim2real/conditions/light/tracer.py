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
from jaxtyping import Bool, Float32

from ...camera import camera_from_px
from ...camera_effects.develop import exposure_gains
from ...camera_effects.tone import LUMA
from ...devices import launch, upload
from ...raster import Rasterizer, view_of
from ...scene import Camera, Lighting, Scene, Triangles
from ...scene.light.environment import Environment
from ...scene.light.sky import panorama
from ..cells import cell_middles, part_around
from ..normals import camera_normals
from ..samples import Sampler
from . import kernels
from .cache import solve
from .filters import Grid, fill_lines, vectors
from .mirrors import PANE, SHINY, Fine, Look, fine_cells, followed, put_shiny
from .places import Seen, cell_side, cells_of, every_other, starts_of, variation
from .shine import GLOSS, MATTE, matte, matte_share, mirrored_share
from .world import World, Worlds, looked_up

_FAR, _NEAR, _ROUND = 16, 12, 12
"""Rays of a cell: at samples of sun and sky, at lamps, and all around (of every other cell)."""
_EDGE_RAYS = (24, 16)
"""At sun and sky, and at lamps, where shadows end."""
_VARIED = 0.1
"""Of the light between neighboring cells, from which a shadow may end there; from twice that, it does."""
_CLOSE = 0.05
"""Metres from which what is nearby is finer than cells."""
_LEAST_OPEN = 0.2
"""What is less open is taken for as open as this."""
_SHADOW = 0.22
"""Differences of light that are taken for noise, not for the edge of a shadow."""
_BRIGHTEST = 8.0
"""Most light that a mirrored ray brings from a surface, exposed: white is about 1."""
_DARK = 0.01
"""Of the light of an open sky: less is a room that is shut."""
_OPEN = 0.2
"""In such a room, walls farther off than this part of what is seen keep no light out."""
_FACES = 2
"""Of a pane, each of which mirrors."""
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
    - ``gloss``: the same, if no surface were rougher than ``shine.GLOSS``; ``None`` where it was not asked for.
    """

    light: Float32[np.ndarray, "height width 3"]
    reflection: Float32[np.ndarray, "height width 3"]
    gloss: Float32[np.ndarray, "height width 3"] | None = None

    @property
    def of_gloss(self) -> Float32[np.ndarray, "height width 3"]:
        """``gloss``, of a tracer that was asked for it."""
        assert self.gloss is not None
        return self.gloss


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
        gloss: also find what would be mirrored if no surface were rougher than ``shine.GLOSS``.
        quick: follow light from a quarter of the places; exposure stays the same.
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
        gloss: bool = False,
        quick: bool = False,
    ) -> None:
        self._quick = quick
        self._metered_frames = 1 if as_live else _METERED
        environment = environment or scene.environment or sky_of(scene.lighting)
        self._backdrop = backdrop_of(scene, environment)
        self._painted_backdrop = _is_painted(scene, environment)
        self._scene, self._triangles, self._rasterizer = scene, triangles, rasterizer
        self._sampler = sampler or Sampler(scene, triangles, rasterizer)
        self._solid = self._sampler.solid
        materials = [scene.meshes[part.mesh].material for part in scene.parts]
        smooth = [min(m.roughness, PANE) if m.is_thin_glass else m.roughness for m in materials]
        self._roughness = np.array([*smooth, 1], np.float32)  # the last is that of part -1
        self._with_gloss = gloss
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
        by = cell_side(camera.size, quick=self._quick)
        light, mirrored, gloss = self._traced(seen, camera, frame, by, brightest, gloss=self._with_gloss)
        self._put_panes((mirrored,) if gloss is None else (mirrored, gloss), camera, frame, brightest)
        return LightPictures(light * gains, mirrored * gains, None if gloss is None else gloss * gains)

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
        light, mirrored, _ = self._traced(seen, camera, frame, cell_side(camera.size), np.inf)
        base = self._worlds.colors[seen.part]
        facing = -np.einsum("hwc,hwc->hw", seen.normals, seen.directions).astype(np.float32)
        made_of = (base, self._metallic[seen.part])
        shown = matte_share(*made_of) * light + mirrored_share(*made_of, self._roughness[seen.part], facing) * mirrored
        return np.where((seen.part < 0)[..., None], light, shown), base, seen.part >= 0

    def _traced(
        self, seen: Seen, camera: Camera, frame: int, by: int, brightest: float, *, gloss: bool = False
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Light and mirrored light of all pixels, not exposed, and the latter as if all were glossy, if asked for."""
        world = self._worlds.at(frame)
        cells, sizes = cells_of(seen, camera, frame, by)
        grid, everywhere = Grid(cells.points, cells.normals, sizes), Grid(seen.points, seen.normals)
        starts = starts_of(cells, world, sizes)
        straight, indirect = self._rays(world, cells, starts, every_other(cells.part), (_FAR, _NEAR))
        look, materials = Look(world, camera.world_from_camera[frame, :3, 3], brightest), self._sampler.materials
        mirrored = followed(materials, look, cells, starts, self._roughness[cells.part], (SHINY, MATTE))
        straight = grid.smoothed(grid.smoothed(straight, (1,)), (2, 4), contrast=_SHADOW)
        # what is close by hides light in shapes finer than cells: light is smoothed and spread as if nothing were close by
        opening = np.maximum(everywhere.openness(_CLOSE), _LEAST_OPEN)[..., None]
        cell_opening = opening[cell_middles(seen.depth.shape, by)]
        even = np.maximum(grid.smoothed(np.where(indirect < 0, indirect, indirect / cell_opening), (1, 2, 4)), 0)
        sharp = grid.smoothed(mirrored, (1,))
        light, roughness = straight + even * cell_opening, self._roughness[cells.part][..., None]
        mirrored = sharp + (grid.smoothed(sharp, (2, 4)) - sharp) * np.clip(3 * roughness - 0.4, 0, 1)
        mirrored = mirrored + (light - mirrored) * matte(roughness)
        even, mirrored = grid.spread((even, mirrored), everywhere, by)
        varied = variation(straight, light, cells)
        fine = fine_cells(seen, camera, frame, by)
        light = self._sharpened(straight, varied, (grid, everywhere), fine, world, by) + even * opening
        put_shiny(mirrored, light, materials, look, fine, seen, self._roughness)
        glossy = None
        if gloss:
            glossy = mirrored.copy()
            smoother = np.where(self._roughness > GLOSS, np.float32(GLOSS), np.float32(1))
            put_shiny(glossy, light, materials, look, fine, seen, smoother)
        none = seen.part < 0
        light[none] = self._backdrop(seen.directions[none])
        light += self._worlds.glow[seen.part]
        fill_lines((light, mirrored) if glossy is None else (light, mirrored, glossy), seen.part, seen.normals)
        return light, mirrored, glossy

    def _sharpened(
        self,
        straight: Float32[np.ndarray, "rows columns 3"],
        varied: Float32[np.ndarray, "rows columns"],
        grids: tuple[Grid, Grid],
        fine: Fine,
        world: World,
        by: int,
    ) -> Float32[np.ndarray, "height width 3"]:
        """The straight light on cells brought to pixels, with more rays from half as large cells where shadows end."""
        grid, everywhere = grids
        if by == 1:
            return grid.spread((straight,), everywhere, by)[0]
        cells, half = fine.cells, fine.side
        (light,) = grid.spread((straight,), fine.grid, by / half)
        rows, columns = (
            np.minimum(np.arange(n) * half // by, m - 1) for n, m in zip(cells.part.shape, varied.shape, strict=True)
        )
        share = np.clip(varied / _VARIED - 1, 0, 1)[np.ix_(rows, columns)] * (cells.part >= 0)
        chosen = share > 0
        if chosen.any():
            few, starts = fine.chosen(chosen, world)
            found, _ = self._rays(world, few, starts, np.zeros(few.part.shape, bool), _EDGE_RAYS)
            traced = np.zeros_like(light)
            traced[chosen] = found[:, 0]
            there = fine.grid_of(chosen)
            traced = there.smoothed(there.smoothed(traced, (1,)), (2, 4), contrast=_SHADOW)
            light += share[..., None] * (traced - light)
        return light if half == 1 else fine.grid.spread((light,), everywhere, half)[0]

    def _put_panes(self, pictures: tuple[np.ndarray, ...], camera: Camera, frame: int, brightest: float) -> None:
        """Where one looks through something, what it mirrors in place of what the surface behind it does; both its faces do.

        What is matte mirrors nothing of its own.
        """
        if self._solid.all():
            return
        face = self._rasterizer.visibility(view_of(self._scene, camera, frame)).face.numpy()
        by = cell_side(face.shape, quick=self._quick)
        found = part_around(camera, np.append(~self._solid[self._triangles.face_part], False)[face], by)
        if found is None:
            return
        part, box = found
        front = self._seen(part, frame, np.ones_like(self._solid))
        pane = (front.part >= 0) & ~np.append(self._solid, True)[front.part]
        front = replace(front, normals=front.normals * pane[..., None])
        cells, sizes = cells_of(front, part, frame, by)
        world, eye = self._worlds.at(frame), camera.world_from_camera[frame, :3, 3]
        rough, starts = self._roughness[cells.part], starts_of(cells, world, sizes)
        light = followed(self._sampler.materials, Look(world, eye, brightest), cells, starts, rough)
        grid = Grid(cells.points, cells.normals, sizes)
        light = _FACES * grid.smoothed(light, (1,))
        (spread,) = grid.spread((light,), Grid(front.points, front.normals), by)
        own = 1 - matte(self._roughness[front.part[pane]])[:, None]
        for mirrored in pictures:
            mirrored[box][pane] += own * (spread[pane] - mirrored[box][pane])

    def _rays(
        self,
        world: World,
        cells: Seen,
        starts: tuple[Any, Any],
        around: Bool[np.ndarray, "height width"],
        straight: tuple[int, int],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Light on cells: what comes straight, by so many rays, and from all ``around`` where that is asked for (else -1)."""
        shape = cells.depth.shape
        (points, seeds), normals = starts, vectors(cells.normals.reshape(-1, 3))
        out = [np.zeros((*shape, 3), np.float32) for _ in range(2)]
        arrays = [vectors(array.reshape(-1, 3)) for array in out]
        count, materials = shape[0] * shape[1], self._sampler.materials
        far, near = straight[0], straight[1] if world.struct.near_light.shape[0] else 0
        rays = upload(_ROUND * around.ravel().astype(np.int32), wp.int32, "cpu")
        inputs = [world.struct, materials, points, normals, seeds, count, far, near, rays, arrays[0], arrays[1]]
        launch(kernels.light_kernel, 1, inputs, "cpu")
        return out[0], out[1]

    def _seen(self, camera: Camera, frame: int, parts: Bool[np.ndarray, "parts"] | None = None) -> Seen:
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
        return Seen(
            points=flat @ pose[:3, :3].T + pose[:3, 3],
            normals=(normals @ pose[:3, :3].T.astype(np.float32)) * (part >= 0)[..., None],
            depth=depth,
            part=part,
            directions=directions / np.sqrt(np.einsum("hwc,hwc->hw", directions, directions))[..., None],
        )


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
