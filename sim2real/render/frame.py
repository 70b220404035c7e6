"""One frame of one camera: a single rasterization that noise, conditions and labels share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float32, UInt8, UInt16

from ..camera import View
from ..conditions import Sampler, Shader, SurfaceShader, camera_normals, edges, encode_normals, instance_ids, metric_depth
from ..conditions.light import LightTracer
from ..flow import exact_flow
from ..noise import SurfaceNoise, charts_of, mix, seen_beta
from ..raster import Fragments, Visibility, rasterizer, view_of
from ..scene import Camera, triangles_of
from .plan import Plan

_PAINTED = frozenset({"rgb", "albedo", "material"})
"""Pictures with samples of their own."""
_LIT = frozenset({"light", "reflection"})
"""Pictures with rays of their own."""


@dataclass(frozen=True, eq=False)
class Frame:
    """What was rendered of one view; ``None`` where it was not asked for.

    - ``noise`` has unit variance; ``depth`` is in metres, 0 without a surface; ``instances`` are ids, 0 = background.
    - ``albedo`` and ``material`` are those of ``SurfacePictures``, ``light`` and ``reflection`` those of ``LightPictures``.
    - ``flow`` is motion (x, y) in pixels to the next frame, ``visible`` says where its end is seen there.
    """

    noise: Float32[np.ndarray, "channels latent_height latent_width"] | None = None
    rgb: UInt8[np.ndarray, "height width 3"] | None = None
    depth: Float32[np.ndarray, "height width"] | None = None
    normals: UInt8[np.ndarray, "height width 3"] | None = None
    edges: UInt8[np.ndarray, "height width"] | None = None
    albedo: UInt8[np.ndarray, "height width 3"] | None = None
    material: UInt8[np.ndarray, "height width 3"] | None = None
    light: Float32[np.ndarray, "height width 3"] | None = None
    reflection: Float32[np.ndarray, "height width 3"] | None = None
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
        self._beta = self._beta_or_one_per_face()
        seen = (plan.scene, self.triangles, self.rasterizer, plan.device)
        self._sampler = Sampler(*seen) if plan.kinds & _PAINTED else None
        self._shader = Shader(*seen, sampler=self._sampler) if "rgb" in plan.kinds else None
        self._tracer = self._light_tracer() if plan.kinds & _LIT else None
        self._surface = SurfaceShader(*seen, sampler=self._sampler) if plan.kinds & {"albedo", "material"} else None

    def render(self, camera: Camera, frame: int) -> Frame:
        """Render one view.

        Args:
            camera: one of the plan's cameras.
            frame: frame of the scene.
        """
        kinds = self.plan.kinds
        pictures = self._paintings(camera, frame)
        if self._tracer is not None:
            lit = self._tracer.frame(camera, frame)
            both = {"light": lit.light, "reflection": lit.reflection}
            pictures |= {kind: picture for kind, picture in both.items() if kind in kinds}
        if not kinds - _PAINTED - _LIT - (set() if frame in self._noisy else {"noise"}):
            return Frame(**pictures)  # nobody asks what the pixels' centers see
        view = view_of(self.plan.scene, camera, frame)
        if kinds <= _PAINTED | _LIT | {"noise", "instances"}:
            seen: Visibility | Fragments = self.rasterizer.visibility(view)
        else:
            seen = self.rasterizer.fragments(view)
            pictures |= self._conditions(seen, view, camera, frame)
        if "instances" in kinds:
            pictures["instances"] = instance_ids(seen.face, self.triangles)
        if self._noise is not None and frame in self._noisy:
            drawn = self._noise.frame(seen, view)
            told = self._beta
            beta = seen_beta(seen.face, told, self.plan.layout.factor) if isinstance(told, torch.Tensor) else told
            mixed = mix(drawn, beta, seed=self.plan.seed, camera=camera.name, frame=frame)
            pictures["noise"] = mixed.cpu().numpy()
        return Frame(**pictures)

    def _paintings(self, camera: Camera, frame: int) -> dict[str, Any]:
        """The anti-aliased pictures, all from the same samples."""
        if self._sampler is None:
            return {}
        pictures, layers = {}, self._sampler.layers(camera, frame)
        if self._shader is not None:
            pictures["rgb"] = self._shader.frame(camera, frame, layers)
        if self._surface is not None:
            surface = self._surface.frame(camera, frame, layers)
            both = {"albedo": surface.albedo, "material": surface.material}
            pictures |= {kind: picture for kind, picture in both.items() if kind in self.plan.kinds}
        return pictures

    def _conditions(self, seen: Fragments, view: View, camera: Camera, frame: int) -> dict[str, Any]:
        kinds, camera_from_part, vertices = self.plan.kinds, view.camera_from_part, view.vertices
        pictures: dict[str, Any] = {}
        if "depth" in kinds:
            pictures["depth"] = metric_depth(seen)
        if "edges" in kinds:
            pictures["edges"] = edges(seen, self.triangles, camera_from_part, vertices=vertices)
        if "normals" in kinds:
            pictures["normals"] = encode_normals(camera_normals(seen, self.triangles, camera_from_part, vertices=vertices))
        if "flow" in kinds:
            pictures["flow"], pictures["visible"] = self._flow(seen, camera, frame)
        return pictures

    def _flow(self, seen: Fragments, camera: Camera, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """Motion to the next frame; the last frame has none, and nothing of it is visible there."""
        if frame + 1 == self.plan.scene.frames:
            return np.zeros((*self.plan.size, 2), np.float32), np.zeros(self.plan.size, bool)
        after = self.rasterizer.fragments(view_of(self.plan.scene, camera, frame + 1))
        faces = torch.as_tensor(self.triangles.faces, device=seen.face.device)
        poses = camera.world_from_camera
        flow = exact_flow(seen, after, faces, poses[frame], poses[frame + 1], near=camera.near)
        return flow.forward.cpu().numpy(), flow.visible.cpu().numpy()

    def _beta_or_one_per_face(self) -> float | Float32[torch.Tensor, "faces_and_background"]:
        """The one beta of everything, or one per face and that of the background at the end."""
        plan = self.plan
        if not isinstance(plan.beta, Mapping):
            return float(plan.beta)
        ids = np.append(self.triangles.part_instance[self.triangles.face_part], 0)
        return torch.as_tensor(plan.id_beta[ids], device=plan.device)

    def _light_tracer(self) -> LightTracer:
        """Rays are followed on the CPU, wherever the rest is done."""
        if self.plan.device == "cpu":
            return LightTracer(self.plan.scene, self.triangles, self.rasterizer, sampler=self._sampler)
        return LightTracer(self.plan.scene, self.triangles, rasterizer(self.triangles))

    def _surface_noise(self) -> SurfaceNoise:
        plan = self.plan
        charts = charts_of(plan.scene, self.triangles)
        return SurfaceNoise(charts, self.triangles, plan.layout, seed=plan.seed, device=plan.device)
