"""Shadow maps of a clip's frames: what stands still is drawn once, what moves is drawn on top of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import warp as wp
from jaxtyping import Bool

from ....camera.kernels import device_camera
from ....devices import as_warp, blank, launch, load
from ....raster import Rasterizer, view_of
from ....scene import Scene
from ...tables import Tables
from . import light_kernels
from .sun import Sun

_KEPT = 4  # frames whose map is kept for the other cameras
_Parts = Bool[np.ndarray, "parts"]


@dataclass(frozen=True)
class ShadowOptions:
    """How the sun's shadows are found.

    - ``texels``: side of the shadow map; 0 switches shadows off.
    - ``margin``: how far from what is seen, in its radii, things cast shadows. The default lets the sun into rooms; with
      infinity, walls and ceilings shut it out.
    - ``as_live``: the sun's camera is fitted to the first frame, and only what is fixed is taken for still: nothing of the
      pictures then depends on frames that come later.
    """

    texels: int = 1024
    margin: float = 0.15
    as_live: bool = False


class ShadowMaps:
    """Inverse depth in the sun's camera, frame by frame; safe to ask from several threads at once.

    Args:
        scene: the rollout.
        tables: of its triangles.
        rasterizer: of its triangles.
        sun: the sun's camera.
        parts: those that cast shadows, and those that never change.
        device: where the maps live.
    """

    def __init__(
        self, scene: Scene, tables: Tables, rasterizer: Rasterizer, sun: Sun, parts: tuple[_Parts, _Parts], device: str
    ) -> None:
        self._scene, self._tables, self._rasterizer = scene, tables, rasterizer
        self._camera, self._device = sun.camera, device
        load(light_kernels, device)
        casts, still = parts
        self._moving = casts & ~still
        self._maps: OrderedDict[int, Future] = OrderedDict()
        self._lock = threading.Lock()
        self._still = as_warp(torch.zeros(self._camera.size, device=device), wp.float32)
        self._still = self._drawn(0, casts & still)

    def of(self, frame: int) -> Any:
        """The map of a frame: drawn by the first thread that asks, awaited by the others, kept for a while."""
        with self._lock:
            future, mine = self._maps.get(frame), False
            if future is None:
                future, mine = Future(), True
                self._maps[frame] = future
                while len(self._maps) > _KEPT:
                    self._maps.popitem(last=False)
        if mine:
            try:
                future.set_result(self._drawn(frame, self._moving))
            except BaseException as error:
                future.set_exception(error)
                with self._lock:
                    self._maps.pop(frame, None)
                raise
        return future.result()

    def _drawn(self, frame: int, parts: np.ndarray) -> Any:
        """Some parts of a frame in front of what stands still."""
        visible = parts & self._scene.part_visible(frame)
        if not visible.any():
            return self._still
        camera = self._camera
        seen = self._rasterizer.visibility(view_of(self._scene, camera, frame).only(parts))
        shadow = blank(camera.size, wp.float32, self._device)
        launch(
            light_kernels.shadow_kernel,
            camera.size,
            [
                as_warp(seen.face, wp.int32),
                as_warp(seen.camera_vertices, wp.vec3),
                self._tables.faces,
                device_camera(camera.intrinsics[frame], camera.lens, camera.size, self._device),
                self._still,
                shadow,
            ],
            self._device,
        )
        return shadow


def still_parts(scene: Scene) -> Bool[np.ndarray, "parts"]:
    """Which parts neither move, nor deform, nor appear or vanish during the clip."""
    poses, visible = scene.world_from_instance, scene.visible
    instance = np.all(np.abs(poses - poses[:1]) < 1e-7, axis=(0, 2, 3)) & np.all(visible == visible[:1], axis=0)
    rigid = np.array([scene.meshes[p.mesh].deformed is None for p in scene.parts], bool)
    return instance[[p.instance for p in scene.parts]] & rigid if scene.parts else rigid


def fixed_parts(scene: Scene) -> Bool[np.ndarray, "parts"]:
    """Which parts cannot change, whatever states are still to come."""
    return np.array([scene.instances[p.instance].fixed and scene.meshes[p.mesh].deformed is None for p in scene.parts], bool)
