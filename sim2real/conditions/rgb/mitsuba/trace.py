"""Path-traced pictures of a scene."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, UInt8

from ....camera.view import Camera
from ....optional import require
from ....scene.light.environment import Environment
from ....scene.light.sky import axes_about, panorama
from ....scene.records import Scene
from ....scene.triangles import triangles_of
from ..corners import PartCorners
from .convert import bsdf, sensor, shape, turned_here
from .lamps import LampEmitters
from .oidn import Oidn, library_at_hand
from .surfaces import detailed_bsdf

if TYPE_CHECKING:
    from .features import FeatureMaker
    from .gbuffer import Guide

_PASSES = 4
_SUN_RADIUS_DEG = 3.0
"""Softness of the shadows of a scene's plain sun."""
_EXPOSURE = 0.8
"""Factor on radiance before the tone curve."""
_BRIGHTEST = 1000
"""Of a picture, in its medians."""


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

    Meshes with an ``emission`` are lamps and windows; where they have a texture too, it is multiplied with it.

    Args:
        scene: what to look at; where it has lamps of its own, they light it, too.
        environment: what lights it from outside; ``None`` is the sky and sun of the scene's ``lighting``.
        spp: paths per pixel; 16 with the filter suits training pictures, 256 and more without it gives references.
        seed: of the paths; the noise of every frame is drawn from (seed, frame).
        max_depth: length of paths; 2 is direct light only.
        denoise: filter what noise is left: by Open Image Denoise if the package ``oidn`` has been fetched, else by our own.
        detailed: relief, uneven gloss and thin glass (``detailed_bsdf``).
        threads: number of threads; ``None`` is all cores.
    """

    def __init__(
        self,
        scene: Scene,
        *,
        environment: Environment | None = None,
        spp: int = 64,
        seed: int = 0,
        max_depth: int = 5,
        denoise: bool = True,
        detailed: bool = False,
        threads: int | None = None,
    ) -> None:
        self._mi = mitsuba(threads)
        self._scene, self._spp, self._seed = scene, spp, seed
        self._denoise, self._detailed = denoise, detailed
        # ``volpath`` looks for lamps through thin glass, which ``path`` takes for walls; it is slower by a fifth
        kind = "volpath" if detailed and any(mesh.material.is_thin_glass for mesh in scene.meshes) else "path"
        self._integrator = self._mi.load_dict({"type": kind, "max_depth": max_depth, "rr_depth": 3, "block_size": 32})
        self._surfaces: dict[tuple[int, bool], Any] = {}
        self._placed: dict[int, tuple[np.ndarray, Any]] = {}
        self._lights = self._sky(_SUN_RADIUS_DEG) if environment is None else self._surroundings(environment)
        self._lamps = LampEmitters(scene, self._mi) if scene.lights is not None else None
        self._corners: PartCorners | None = None
        self._guides: Guide | None = None
        self._features: FeatureMaker | None = None
        self._oidn: Oidn | None = None

    def world(self, camera: Camera, frame: int, *, alpha: bool = False) -> Any:
        """Mitsuba's scene at one frame, to be rendered by any of its integrators; with alpha as a last channel if asked."""
        shown = np.flatnonzero(self._scene.part_visible(frame))
        shapes = {f"part{k}": made for k in shown if (made := self._shape(int(k), camera, frame)) is not None}
        eye = sensor(self._mi, camera, frame)
        if alpha:
            eye["film"]["pixel_format"] = "rgba"
        lamps = {} if self._lamps is None else self._lamps.of(camera, frame)
        return self._mi.load_dict({"type": "scene", **self._lights, **lamps, "sensor": eye, **shapes})

    def radiance(self, camera: Camera, frame: int, *, spp: int | None = None) -> Float32[np.ndarray, "height width 3"]:
        """What the paths found, linear light, not filtered; paths that shine alone are dimmed (``without_fireflies``).

        Args:
            camera: of the scene.
            frame: of the scene.
            spp: paths per pixel, if not the tracer's.
        """
        pictures = self._passes(self.world(camera, frame), self._integrator, frame, spp or self._spp)
        return without_fireflies(np.nan_to_num(pictures[..., :3], posinf=0.0))

    def empty(self, camera: Camera, frame: int, *, spp: int | None = None) -> Float32[np.ndarray, "height width"]:
        """The share of each pixel that no surface covers, by the very rays with which ``radiance`` begins its paths.

        Args:
            camera: of the scene.
            frame: of the scene.
            spp: paths per pixel, if not the tracer's.
        """
        first = self._mi.load_dict({"type": "depth", "block_size": 32})
        pictures = self._passes(self.world(camera, frame, alpha=True), first, frame, spp or self._spp)
        return 1 - pictures[..., -1].mean(axis=0)

    def _passes(self, world: Any, integrator: Any, frame: int, spp: int) -> Float32[np.ndarray, "passes height width channels"]:
        """Independent renders of a frame."""
        passes, first = min(_PASSES, spp), self._seed * 1_000_003 + _PASSES * frame
        pictures = []
        for k in range(passes):
            own = spp // passes + (k < spp % passes)
            picture = self._mi.render(world, integrator=integrator, spp=own, seed=(first + k) % 2**32)
            pictures.append(np.array(picture, np.float32))
        return np.stack(pictures)

    def clean_radiance(
        self, camera: Camera, frame: int, features: FeatureMaker | None = None
    ) -> Float32[np.ndarray, "height width 3"]:
        """What the paths found, filtered.

        Args:
            camera: of the scene.
            frame: of the scene.
            features: of the scene, where they have been set up already.
        """
        return self.cleaned(self.radiance(camera, frame), camera, frame, features)

    def cleaned(
        self,
        light: Float32[np.ndarray, "height width 3"],
        camera: Camera,
        frame: int,
        features: FeatureMaker | None = None,
    ) -> Float32[np.ndarray, "height width 3"]:
        """Radiance without the noise that paths leave.

        Args:
            light: of this camera and frame, however it was found.
            camera: of the scene.
            frame: of the scene.
            features: of the scene, where they have been set up already.
        """
        from .denoise import denoised

        library = library_at_hand()
        if library is None:
            return denoised(light[None], [self._guide().guides(camera, frame)])[0].astype(np.float32)
        if self._oidn is None:
            self._oidn = Oidn(library)
        seen = (features or self._maker()).of(camera, frame)
        shown = light / (1 + light)
        albedo = seen.albedo + seen.empty[..., None] * shown
        return self._oidn(light, albedo, seen.normal)

    def frame(self, camera: Camera, frame: int) -> UInt8[np.ndarray, "height width 3"]:
        """The picture of one frame, tone-mapped to sRGB."""
        from ..developed import developed

        light = self.clean_radiance(camera, frame) if self._denoise else self.radiance(camera, frame)
        return developed(light, _EXPOSURE)

    def _shape(self, index: int, camera: Camera, frame: int) -> Any | None:
        part = self._scene.parts[index]
        mesh = self._scene.meshes[part.mesh]
        world_from_mesh = self._scene.world_from_instance[frame, part.instance] @ part.instance_from_mesh
        surface, name = self._surface(part.mesh), f"part{index}"
        if mesh.outside_only:
            mesh = turned_here(mesh, camera, world_from_mesh, frame)
            return shape(self._mi, mesh, world_from_mesh, surface, frame, name)
        placed = self._placed.get(index)
        if placed is None or mesh.deformed is not None or not np.array_equal(placed[0], world_from_mesh):
            smooth = None if mesh.deformed is None else self._smooth_normals(index, frame)
            made = shape(self._mi, mesh, world_from_mesh, surface, frame, name, deformed_normals=smooth)
            placed = self._placed[index] = (world_from_mesh, made)
        return placed[1]

    def _smooth_normals(self, index: int, frame: int) -> Float32[np.ndarray, "faces 3 3"]:
        """Of a part whose mesh deforms."""
        if self._corners is None:
            self._corners = PartCorners(self._scene, triangles_of(self._scene))
        return self._corners.of(index, frame).normals

    def _surface(self, mesh: int) -> Any:
        """The BSDF of a mesh, shared by all meshes of the same material."""
        material, has_uv = self._scene.meshes[mesh].material, self._scene.meshes[mesh].uv is not None
        key = (id(material), has_uv)
        if key not in self._surfaces:
            if self._detailed:
                rng = np.random.default_rng([self._seed, mesh])
                self._surfaces[key] = detailed_bsdf(self._mi, material, rng, has_uv=has_uv)
            else:
                self._surfaces[key] = bsdf(self._mi, material, maps=material.maps if has_uv else None)
        return self._surfaces[key]

    def _sky(self, sun_radius_deg: float) -> dict[str, Any]:
        """The sky and sun of the scene's lighting."""
        lighting = self._scene.lighting
        return {"sky": self._all_around(panorama(lighting, sun_radius_deg=sun_radius_deg), lighting.up)}

    def _surroundings(self, environment: Environment) -> dict[str, Any]:
        """The lights of an environment."""
        lights: dict[str, Any] = {}
        if environment.panorama is not None:
            lights["sky"] = self._all_around(environment.panorama, environment.up)
        if environment.sun_direction is not None and any(environment.sun):
            lights["sun"] = {
                "type": "directional",
                "direction": [-float(c) for c in environment.sun_direction],
                "irradiance": {"type": "rgb", "value": [float(c) for c in environment.sun]},
            }
        return lights

    def _all_around(self, picture: np.ndarray, up: tuple[float, float, float]) -> Any:
        world_from_sky = np.eye(4)
        world_from_sky[:3, :3] = axes_about(up)
        bitmap = self._mi.Bitmap(np.ascontiguousarray(picture, np.float32))
        to_world = self._mi.ScalarTransform4f(world_from_sky)
        return self._mi.load_dict({"type": "envmap", "bitmap": bitmap, "to_world": to_world})

    def _guide(self) -> Guide:
        from ....raster import rasterizer
        from .gbuffer import Guide

        if self._guides is None:
            triangles = triangles_of(self._scene)
            self._guides = Guide(self._scene, triangles, rasterizer(triangles))
        return self._guides

    def _maker(self) -> FeatureMaker:
        from .features import FeatureMaker

        if self._features is None:
            self._features = FeatureMaker(self._scene)
        return self._features


def without_fireflies(
    passes: Float32[np.ndarray, "passes height width 3"], *, own: float = 2.0, near: float = 4.0
) -> Float32[np.ndarray, "height width 3"]:
    """The mean of independent renders of one picture, in which no render counts for more than the others make plausible.

    A single path that brings a hundred times the light of its neighbors would become a blotch in the denoised picture.

    Args:
        passes: radiance.
        own: a render may be this many times as bright as the pixel's second-brightest one,
        near: or this many times as bright as what is usual around the pixel.
    """
    if len(passes) < 3:
        return passes.mean(axis=0)
    luminance = passes.mean(axis=-1)
    ordered = np.sort(luminance, axis=0)
    usual = np.pad(ordered[(len(passes) - 1) // 2], 1, mode="edge")
    height, width = luminance.shape[1:]
    around = sum(usual[i : i + height, j : j + width] for i in range(3) for j in range(3)) / 9
    limit = np.maximum(own * ordered[-2], near * around) + 1e-4
    limit = np.minimum(limit, _BRIGHTEST * max(float(np.median(usual)), 1e-4))
    return (passes * np.minimum(1, limit / np.maximum(luminance, 1e-9))[..., None]).mean(axis=0)
