"""One frame of one camera: a single rasterization that noise, conditions and labels share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, UInt8, UInt16

from ..conditions import Shader, camera_normals, edges, encode_normals, instance_ids, metric_depth
from ..noise import SurfaceNoise, charts_of, mix
from ..raster import rasterizer
from ..scene import Camera, deformed_vertices, triangles_of
from .plan import Plan


@dataclass(frozen=True, eq=False)
class Frame:
    """What was rendered of one view; ``None`` where it was not asked for.

    - ``noise`` has unit variance; ``depth`` is in metres, 0 without a surface; ``instances`` are ids, 0 = background.
    - ``flow`` is motion (x, y) in pixels to the next frame, ``visible`` says where its end is seen there.
    """

    noise: Float32[np.ndarray, "channels latent_height latent_width"] | None = None
    rgb: UInt8[np.ndarray, "height width 3"] | None = None
    depth: Float32[np.ndarray, "height width"] | None = None
    normals: UInt8[np.ndarray, "height width 3"] | None = None
    edges: UInt8[np.ndarray, "height width"] | None = None
    instances: UInt16[np.ndarray, "height width"] | None = None
    flow: Float32[np.ndarray, "height width 2"] | None = None
    visible: Bool[np.ndarray, "height width"] | None = None


class FrameRenderer:
    """Renders frames of a plan, in any order, from any thread; the same frame always has the same bits."""

    def __init__(self, plan: Plan) -> None:
        """Upload triangles, lay out charts and load what the plan's kinds of pictures need."""
        self.plan = plan
        self.triangles = triangles_of(plan.scene)
        self.rasterizer = rasterizer(self.triangles, device=plan.device)
        self._noise = self._surface_noise() if "noise" in plan.kinds else None
        self._noisy = frozenset(plan.latent_frames)
        wants_rgb = "rgb" in plan.kinds
        self._shader = Shader(plan.scene, self.triangles, self.rasterizer, plan.device) if wants_rgb else None

    def render(self, camera: Camera, frame: int) -> Frame:
        """Render one view.

        Args:
            camera: one of the plan's cameras.
            frame: frame of the scene.
        """
        plan, scene = self.plan, self.plan.scene
        wants_noise = self._noise is not None and frame in self._noisy
        if plan.kinds <= {"noise"} and not wants_noise:
            return Frame()
        camera_from_part = scene.camera_from_part(camera, frame)
        vertices = deformed_vertices(scene, frame)
        view: dict[str, Any] = {"near": camera.near, "part_visible": scene.part_visible(frame), "vertices": vertices}
        arguments = (camera_from_part, camera.intrinsics[frame], plan.size)
        if plan.kinds <= {"noise", "instances", "rgb"}:
            seen, fragments = self.rasterizer.visibility(*arguments, **view), None
        else:
            seen = fragments = self.rasterizer.fragments(*arguments, **view)
        pictures: dict[str, Any] = {}
        if self._noise is not None and wants_noise:
            drawn = self._noise.frame(
                seen.face, seen.camera_vertices, camera.intrinsics[frame], camera.world_from_camera[frame]
            )
            mixed = mix(drawn, plan.beta, seed=plan.seed, camera=camera.name, frame=frame)
            pictures["noise"] = mixed.cpu().numpy()
        if self._shader is not None:
            pictures["rgb"] = self._shader.frame(camera, frame)
        if "instances" in plan.kinds:
            pictures["instances"] = instance_ids(seen.face, self.triangles)
        if fragments is not None:
            if "depth" in plan.kinds:
                pictures["depth"] = metric_depth(fragments)
            if "edges" in plan.kinds:
                pictures["edges"] = edges(fragments, self.triangles, camera_from_part, vertices=vertices)
            if "normals" in plan.kinds:
                normals = camera_normals(fragments, self.triangles, camera_from_part, vertices=vertices)
                pictures["normals"] = encode_normals(normals)
        return Frame(**pictures)

    def _surface_noise(self) -> SurfaceNoise:
        plan = self.plan
        charts = charts_of(plan.scene, self.triangles)
        return SurfaceNoise(charts, self.triangles, plan.layout, seed=plan.seed, device=plan.device)
