"""What a training clip holds: the path-traced truth, and all that a simulator knows about the same pictures."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import UInt8

from ..conditions import (
    Sampler,
    Shader,
    ShadowOptions,
    SurfaceShader,
    camera_normals,
    coverage,
    edges,
    encode_normals,
    instance_ids,
    metric_depth,
)
from ..conditions.light import LightTracer
from ..conditions.rgb.mitsuba.features import FeatureMaker
from ..conditions.rgb.mitsuba.trace import PathTracer
from ..raster import rasterizer, view_of
from ..scene.light.environment import Environment
from ..scene.material_kinds import MATERIAL_KINDS
from ..scene.records import Scene
from ..scene.triangles import Triangles, triangles_of

_BRIGHTEST = 6e4
"""Half floats end at 65504."""


def finished_clip(
    scene: Scene, environment: Environment | None, *, spp: int, max_depth: int, seed: int
) -> dict[str, np.ndarray]:
    """The arrays of a training clip (see ``make_training_clips``).

    Args:
        scene: its first camera is used.
        environment: what lights the path-traced pictures; ``None`` is the scene's own lighting.
        spp: paths per pixel.
        max_depth: of paths.
        seed: of the paths.
    """
    shoot = _Shooting(scene, environment, spp=spp, max_depth=max_depth, seed=seed)
    frames, camera = [shoot(frame) for frame in range(scene.frames)], scene.cameras[0]
    return {
        **{name: np.stack([pictures[name] for pictures in frames]) for name in frames[0]},
        "K": camera.intrinsics.astype(np.float64),
        "world_from_camera": camera.world_from_camera.astype(np.float64),
        "class_names": np.array([instance.class_name for instance in scene.instances]),
    }


class _Shooting:
    """A scene ready to be shot, frame by frame; arguments as of ``finished_clip``."""

    def __init__(self, scene: Scene, environment: Environment | None, *, spp: int, max_depth: int, seed: int) -> None:
        self._scene, self._triangles = scene, triangles_of(scene)
        shared = (scene, self._triangles, rasterizer(self._triangles))
        self._views = shared[2]
        self._sampler = sampler = Sampler(*shared)
        walled = environment is not None and environment.sun_direction is not None  # the sun comes in by a window
        shadows = ShadowOptions(margin=math.inf) if walled else ShadowOptions()
        self._shader = Shader(*shared, sampler=sampler, shadows=shadows)
        self._surface = SurfaceShader(*shared, sampler=sampler)
        self._features = FeatureMaker(*shared, sampler)
        self._truth = PathTracer(
            scene, environment=environment, spp=spp, seed=seed, max_depth=max_depth, detailed=True, threads=1
        )
        self._known = LightTracer(*shared, sampler=sampler, environment=environment)

    def __call__(self, frame: int) -> dict[str, np.ndarray]:
        """The pictures of a frame, by name."""
        scene, triangles, camera = self._scene, self._triangles, self._scene.cameras[0]
        light = self._truth.clean_radiance(camera, frame, self._features)
        view, painted = view_of(scene, camera, frame), self._sampler.layers(camera, frame)
        seen, made_of = self._views.fragments(view), self._surface.frame(camera, frame, painted)
        pose, vertices, lit = view.camera_from_part, view.vertices, self._known.frame(camera, frame)
        return {
            "light": np.clip(light, 0, _BRIGHTEST).astype(np.float16),
            "rgb": self._shader.frame(camera, frame, painted),
            "albedo": made_of.albedo,
            "material": made_of.material,
            "normals": encode_normals(camera_normals(seen, triangles, pose, vertices=vertices)),
            "depth": metric_depth(seen),
            "edges": edges(seen, triangles, pose, vertices=vertices),
            "instances": instance_ids(seen.face, triangles),
            "coverage": coverage(scene, triangles, self._views, camera, frame, seen),
            "known_light": np.minimum(lit.light, _BRIGHTEST).astype(np.float16),
            "known_reflection": np.minimum(lit.reflection, _BRIGHTEST).astype(np.float16),
            "kinds": _kinds(seen.face.numpy(), scene, triangles),
        }


def _kinds(face: np.ndarray, scene: Scene, triangles: Triangles) -> UInt8[np.ndarray, "height width"]:
    """What the surface at each pixel's center is made of, as places in ``MATERIAL_KINDS``; 0 where there is none."""
    of_part = [MATERIAL_KINDS.index(scene.meshes[part.mesh].material.kind) for part in scene.parts]
    of_face = np.append(np.array(of_part, np.uint8)[triangles.face_part], np.uint8(0))  # the last entry is face -1
    return of_face[face]
