"""What a scene contains, as plain data for people and scripts."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from ..camera.view import Camera
from .cameras.orbit import bounds
from .light.lamps import Lights
from .records import Mesh, Scene


def describe(scene: Scene) -> dict[str, Any]:
    """Everything worth knowing about a scene, ready for ``json.dumps``.

    Returns:
        ``source``, ``sha256``, ``frames``, ``fps``, ``seconds``, totals (``meshes``, ``triangles``, ``vertices``,
        ``textures``), ``bounds_m`` (lowest and highest corner over all frames), ``instances`` (id, name, class, triangles,
        ``moves``, ``visible_frames``), ``cameras`` (name, size, intrinsics, projection, distortion, field of view or, if
        orthographic, ``height_m``, ``moves``), ``light`` (``lamps`` by kind, ``headlight``, ``skybox``, ``haze``;
        ``panorama``, its name or null; no lamps and no panorama: a sun and a sky), ``notes``.
    """
    low, high = bounds(scene)
    meshes = [scene.meshes[part.mesh] for part in scene.parts]
    return {
        "source": str(scene.source),
        "sha256": scene.sha256,
        "frames": scene.frames,
        "fps": float(scene.fps),
        "seconds": scene.frames / float(scene.fps),
        "meshes": len(scene.meshes),
        "triangles": sum(len(mesh.faces) for mesh in meshes),
        "vertices": sum(len(mesh.vertices) for mesh in meshes),
        "textures": len({id(m.material.texture) for m in scene.meshes if m.material.texture is not None}),
        "triangles_with_uv": sum(len(mesh.faces) for mesh in meshes if mesh.uv is not None),
        "bounds_m": [low.tolist(), high.tolist()] if scene.parts else None,
        "instances": [_instance(scene, k, meshes) for k in range(len(scene.instances))],
        "cameras": [_camera(camera) for camera in scene.cameras],
        "light": _light(scene),
        "notes": list(scene.notes),
    }


def _light(scene: Scene) -> dict[str, Any]:
    lights = Lights() if scene.lights is None else scene.lights
    return {
        "lamps": dict(sorted(Counter(lamp.kind for lamp in lights.lamps).items())),
        "headlight": any(lights.headlight),
        "skybox": lights.skybox is not None,
        "haze": lights.haze is not None,
        "panorama": None if scene.environment is None or scene.environment.panorama is None else scene.environment.name,
    }


def _instance(scene: Scene, index: int, meshes: list[Mesh]) -> dict[str, Any]:
    own = [mesh for mesh, part in zip(meshes, scene.parts, strict=True) if part.instance == index]
    instance, way = scene.instances[index], scene.world_from_instance[:, index]
    return {
        "id": index + 1,
        "name": instance.name,
        "class": instance.class_name,
        "triangles": sum(len(mesh.faces) for mesh in own),
        "moves": bool((np.abs(way - way[0]) > 1e-9).any()),
        "deforms": any(mesh.deformed is not None for mesh in own),
        "visible_frames": int(scene.visible[:, index].sum()),
    }


def _camera(camera: Camera) -> dict[str, Any]:
    k, way = camera.intrinsics, camera.world_from_camera
    height, width = camera.size
    fixed = bool((k == k[0]).all())
    if camera.lens.parallel:
        shows = {"height_m": float(height / k[0, 1, 1])}
    else:
        half = height / 2 / k[0, 1, 1]
        shows = {"fov_deg": float(np.rad2deg(2 * (half if camera.projection == "fisheye" else np.arctan(half))))}
    return {
        "name": camera.name,
        "size": [height, width],
        "K": k[0].tolist(),
        "K_changes": not fixed,
        "projection": camera.projection,
        "distortion": None if camera.distortion is None else [float(c) for c in camera.distortion],
        **shows,
        "near_m": float(camera.near),
        "position_m": way[0, :3, 3].tolist(),
        "moves": bool((np.abs(way - way[0]) > 1e-9).any()),
    }
