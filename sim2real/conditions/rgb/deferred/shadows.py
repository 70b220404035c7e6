"""Shadow maps of a clip's frames: what stands still is drawn once; what moves, and only that, on top of it in every frame."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
import warp as wp
from jaxtyping import Bool, Float32
from torch import Tensor

from ....camera import Camera
from ....devices import as_warp
from ....raster import view_of
from ....raster.backends.warp import WarpRasterizer
from ....scene import Scene, Triangles
from ....scene.triangles import parts_alone
from .lamp_cameras import CameraOf

_KEPT = 4  # frames whose map is kept for the other cameras
_Parts = Bool[np.ndarray, "parts"]


@dataclass(frozen=True)
class ShadowOptions:
    """How shadows are found.

    - ``texels``: side of a lamp's shadow map; 0 switches shadows off.
    - ``margin``: how far from what is seen, in its radii, things cast shadows of the sun. The default lets it into rooms; with
      infinity, walls and ceilings shut it out.
    - ``as_live``: the lamps' cameras are fitted to the first frame, and only what is fixed is taken for still: nothing of the
      pictures then depends on frames that come later.
    """

    texels: int = 1024
    margin: float = 0.15
    as_live: bool = False


class ShadowMaps:
    """Inverse depth in the cameras of lamps, frame by frame; safe to ask from several threads at once.

    Args:
        scene: the rollout.
        triangles: of the scene.
        cameras: the lamps' by frame, and whether they move.
        texels: side of a map.
        parts: those that cast shadows, and those that never change.
        device: where the maps live.
    """

    def __init__(
        self,
        scene: Scene,
        triangles: Triangles,
        cameras: Sequence[tuple[CameraOf, bool]],
        texels: int,
        parts: tuple[_Parts, _Parts],
        device: str,
    ) -> None:
        self._scene, self._cameras, self._device = scene, tuple(camera for camera, _ in cameras), device
        casts, still = parts
        moves = [moving for _, moving in cameras]
        every = _Casters(scene, triangles, casts, device) if any(moves) else None
        moving = _Casters(scene, triangles, casts & ~still, device)
        self._moving = [moving if every is None or not one else every for one in moves]
        self._changes = any(moves) or bool((casts & ~still).any())
        self._maps: OrderedDict[int, _FrameMaps] = OrderedDict()
        self._lock = threading.Lock()
        nothing = torch.zeros((len(self._cameras), texels, texels), device=device)
        resting = _Casters(scene, triangles, casts & still, device)
        self._still = nothing
        for number, one in enumerate(moves):
            if not one:
                self._draw(number, 0, resting, nothing[number])

    def of(self, frame: int) -> Any:
        """The maps of a frame, kept for a while: each is drawn by the first thread that gets to it; the others wait for it."""
        if not self._changes:
            return as_warp(self._still, wp.float32)
        with self._lock:
            if frame not in self._maps:
                spare = None
                while len(self._maps) >= _KEPT:
                    _, old = self._maps.popitem(last=False)
                    spare = old.maps if old.is_free() else spare
                # new memory costs more than what is drawn in it
                maps = torch.empty_like(self._still) if spare is None else spare
                self._maps[frame] = _FrameMaps(maps, [None] * len(self._cameras))
            kept = self._maps[frame]
            lent = as_warp(kept.maps, wp.float32)
            kept.lent.append(weakref.ref(lent))
        for number in range(len(self._cameras)):
            with self._lock:
                if kept.drawn[number] is not None:
                    continue
                mine = kept.drawn[number] = Future()
            try:
                kept.maps[number] = self._still[number]
                self._draw(number, frame, self._moving[number], kept.maps[number])
                mine.set_result(None)
            except BaseException as error:
                mine.set_exception(error)
                with self._lock:
                    self._maps.pop(frame, None)
                raise
        for future in kept.drawn:
            assert future is not None
            future.result()
        return lent

    def _draw(self, number: int, frame: int, casters: _Casters, into: Float32[Tensor, "side side"]) -> None:
        """Draw some parts of a frame in front of what the map of a lamp holds."""
        lamp = self._cameras[number](frame)
        if lamp is not None:
            casters.draw(lamp.camera, frame, into)


@dataclass(frozen=True, eq=False)
class _FrameMaps:
    """The maps of a frame, which of them some thread has drawn or is drawing, and the arrays through which they are read."""

    maps: Float32[Tensor, "lamps side side"]
    drawn: list[Future | None]
    lent: list[weakref.ref] = field(default_factory=list)

    def is_free(self) -> bool:
        """Whether they are drawn and nobody reads them any more."""
        return all(one is not None and one.done() for one in self.drawn) and all(read() is None for read in self.lent)


class _Casters:
    """Some parts of a scene, as a lamp's camera sees them alone."""

    def __init__(self, scene: Scene, triangles: Triangles, parts: _Parts, device: str) -> None:
        self._scene, self._parts, self._vertices = scene, parts, parts[triangles.vertex_part]
        self._rasterizer = WarpRasterizer(parts_alone(triangles, parts), device)

    def draw(self, camera: Camera, frame: int, into: Float32[Tensor, "side side"]) -> None:
        """Draw what is seen in front of what a map of inverse depth holds."""
        shown = self._parts & self._scene.part_visible(frame)
        if not shown.any():
            return
        asked = view_of(self._scene, camera, frame).only(shown)
        own = None if asked.vertices is None else asked.vertices[self._vertices]
        self._rasterizer.add_inverse_depth(replace(asked, vertices=own), into)


def still_parts(scene: Scene) -> Bool[np.ndarray, "parts"]:
    """Which parts neither move, nor deform, nor appear or vanish during the clip."""
    poses, visible = scene.world_from_instance, scene.visible
    instance = np.all(np.abs(poses - poses[:1]) < 1e-7, axis=(0, 2, 3)) & np.all(visible == visible[:1], axis=0)
    rigid = np.array([scene.meshes[p.mesh].deformed is None for p in scene.parts], bool)
    return instance[[p.instance for p in scene.parts]] & rigid if scene.parts else rigid


def fixed_parts(scene: Scene) -> Bool[np.ndarray, "parts"]:
    """Which parts cannot change, whatever states are still to come."""
    return np.array([scene.instances[p.instance].fixed and scene.meshes[p.mesh].deformed is None for p in scene.parts], bool)
