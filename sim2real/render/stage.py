"""What all frames of a plan share, and what the pictures of one view share: each made once, when it is first asked for."""

from __future__ import annotations

from ..camera import View
from ..conditions import Layers, Sampler, SurfacePictures, SurfaceShader
from ..conditions.light import LightPictures, LightTracer
from ..lazy import once
from ..noise import Charts, charts_of
from ..raster import Fragments, Rasterizer, Visibility, rasterizer, view_of
from ..scene import Camera, Scene, triangles_of
from .plan import Plan


class Stage:
    """A plan's scene, ready to be rendered.

    Kinds of pictures ask for what they need while they are prepared, in one thread; frames, in many, only find it there.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.triangles = triangles_of(plan.scene)
        self.rasterizer: Rasterizer = rasterizer(self.triangles, device=plan.device)

    @property
    def scene(self) -> Scene:
        """The plan's."""
        return self.plan.scene

    @once
    def sampler(self) -> Sampler:
        """Takes the samples of anti-aliased pictures."""
        return Sampler(self.scene, self.triangles, self.rasterizer, self.plan.device)

    @once
    def surface(self) -> SurfaceShader:
        """Says what surfaces are made of."""
        return SurfaceShader(self.scene, self.triangles, self.rasterizer, self.plan.device, sampler=self.sampler)

    @once
    def charts(self) -> Charts:
        """Where the noise of every surface is."""
        return charts_of(self.scene, self.triangles)

    @once
    def tracer(self) -> LightTracer:
        """Follows rays of light: on the CPU, wherever the rest is done."""
        shared = self.sampler if self.plan.device == "cpu" else None
        views, plan = self.cpu_rasterizer, self.plan
        return LightTracer(
            self.scene,
            self.triangles,
            views,
            sampler=shared,
            as_live=plan.as_live,
            gloss="gloss" in plan.kinds,
            quick=plan.quick,
        )

    @once
    def cpu_rasterizer(self) -> Rasterizer:
        """For what works on the CPU, wherever the rest is done."""
        return self.rasterizer if self.plan.device == "cpu" else rasterizer(self.triangles)


class FrameView:
    """One frame of one camera while it is rendered, by one thread; ``number`` is what fresh noise is drawn for."""

    def __init__(self, stage: Stage, camera: Camera, frame: int, number: int | None = None) -> None:
        self.stage, self.camera, self.frame = stage, camera, frame
        self.number = frame if number is None else number

    @once
    def asked(self) -> View:
        """What the rasterizer is asked for."""
        return view_of(self.stage.scene, self.camera, self.frame)

    @once
    def fragments(self) -> Fragments:
        """What every pixel's center sees, and where on it."""
        return self.stage.rasterizer.fragments(self.asked)

    @once
    def seen(self) -> Fragments | Visibility:
        """What every pixel's center sees: the fragments where they are there already, else without the places."""
        if "fragments" in vars(self):
            return self.fragments
        return self.stage.rasterizer.visibility(self.asked)

    @once
    def layers(self) -> Layers:
        """The samples of anti-aliased pictures."""
        return self.stage.sampler.layers(self.camera, self.frame)

    @once
    def surface(self) -> SurfacePictures:
        """Base color and material of every pixel."""
        return self.stage.surface.frame(self.camera, self.frame, self.layers)

    @once
    def light(self) -> LightPictures:
        """What falls on every pixel's surface, and what it mirrors."""
        return self.stage.tracer.frame(self.camera, self.frame)
