"""Path-traced pictures of a scene."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, UInt8

from ....optional import require
from ....scene.records import Camera, Scene
from ....scene.triangles import triangles_of
from .convert import bsdf, sensor, shape
from .sky import axes_about, panorama

if TYPE_CHECKING:
    from .gbuffer import Guide


def mitsuba(threads: int | None = None) -> ModuleType:
    """Mitsuba with its scalar RGB variant, which needs no compiler and gives the same bits on any number of threads.

    The LLVM variant was 1.3 times as fast on scenes of this kind, and some LLVM releases abort the whole process.

    Args:
        threads: number of threads; ``None`` leaves it at all cores.

    Raises:
        MissingPackageError: Mitsuba is not installed.
    """
    mi = require("mitsuba", "pathtrace")
    if mi.variant() != "scalar_rgb":
        mi.set_variant("scalar_rgb")
    mi.set_log_level(mi.LogLevel.Error)
    if threads is not None:
        require("drjit", "pathtrace").set_thread_count(threads)
    return mi


class PathTracer:
    """Mitsuba on a scene, one frame at a time; parts that do not move are converted once.

    Args:
        scene: what to look at.
        spp: paths per pixel; 32 with the filter suits small pictures, 256 and more without it gives references.
        seed: of the paths; the noise of every frame is drawn from (seed, frame).
        max_depth: length of paths; 2 is direct light only.
        denoise: filter what noise is left, guided by normals, distance and base colour.
        sun_radius_deg: softness of the sun's shadows.
        exposure: factor on radiance before the tone curve; the default is that of the plain renderer.
        threads: number of threads; ``None`` is all cores.
    """

    def __init__(
        self,
        scene: Scene,
        *,
        spp: int = 64,
        seed: int = 0,
        max_depth: int = 5,
        denoise: bool = True,
        sun_radius_deg: float = 3.0,
        exposure: float = 0.8,
        threads: int | None = None,
    ) -> None:
        self._mi = mitsuba(threads)
        self._scene, self._spp, self._seed = scene, spp, seed
        self._denoise, self._exposure = denoise, exposure
        self._integrator = self._mi.load_dict({"type": "path", "max_depth": max_depth, "block_size": 16})
        self._guides: Guide | None = None
        self._surfaces: dict[int, Any] = {}
        self._placed: dict[int, tuple[np.ndarray, Any]] = {}
        world_from_sky = np.eye(4)
        world_from_sky[:3, :3] = axes_about(scene.lighting.up)
        picture = panorama(scene.lighting, sun_radius_deg=sun_radius_deg).astype(np.float32)
        self._sky = self._mi.load_dict(
            {
                "type": "envmap",
                "bitmap": self._mi.Bitmap(picture),
                "to_world": self._mi.ScalarTransform4f(world_from_sky),
            }
        )

    def _shape(self, index: int, frame: int) -> Any | None:
        part = self._scene.parts[index]
        mesh = self._scene.meshes[part.mesh]
        world_from_mesh = self._scene.world_from_instance[frame, part.instance] @ part.instance_from_mesh
        placed = self._placed.get(index)
        if placed is None or mesh.deformed is not None or not np.array_equal(placed[0], world_from_mesh):
            if part.mesh not in self._surfaces:
                self._surfaces[part.mesh] = bsdf(self._mi, mesh.material)
            made = shape(self._mi, mesh, world_from_mesh, self._surfaces[part.mesh], frame, f"part{index}")
            placed = self._placed[index] = (world_from_mesh, made)
        return placed[1]

    def world(self, camera: Camera, frame: int) -> Any:
        """Mitsuba's scene at one frame, to be rendered by any of its integrators."""
        shown = np.flatnonzero(self._scene.part_visible(frame))
        shapes = {f"part{k}": made for k in shown if (made := self._shape(int(k), frame)) is not None}
        return self._mi.load_dict({"type": "scene", "sky": self._sky, "sensor": sensor(self._mi, camera, frame), **shapes})

    def radiance(self, camera: Camera, frame: int) -> Float32[np.ndarray, "height width 3"]:
        """What the paths found, linear light, not filtered."""
        seed = (self._seed * 1_000_003 + frame) % 2**32
        picture = self._mi.render(self.world(camera, frame), integrator=self._integrator, spp=self._spp, seed=seed)
        return np.nan_to_num(np.array(picture, np.float32)[..., :3], posinf=0.0)

    def frame(self, camera: Camera, frame: int) -> UInt8[np.ndarray, "height width 3"]:
        """The picture of one frame, tone-mapped to sRGB."""
        from .denoise import denoised
        from .tone import developed

        light = self.radiance(camera, frame)
        if self._denoise:
            light = denoised(light[None], [self._guide().guides(camera, frame)])[0]
        return developed(light, self._exposure)

    def _guide(self) -> Guide:
        from ....raster import rasterizer
        from .gbuffer import Guide

        if self._guides is None:
            triangles = triangles_of(self._scene)
            self._guides = Guide(self._scene, triangles, rasterizer(triangles))
        return self._guides
