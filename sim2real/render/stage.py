"""What all frames of a plan share, and what the pictures of one view share: each made once, when it is first asked for."""

from __future__ import annotations

from functools import cached_property

from ..camera import View
from ..conditions import Layers, Sampler, SurfacePictures, SurfaceShader
from ..conditions.light import LightPictures, LightTracer
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

    @cached_property
    def sampler(self) -> Sampler:
        """Takes the samples of anti-aliased pictures."""
        return Sampler(self.scene, self.triangles, self.rasterizer, self.plan.device)

    @cached_property
    def surface(self) -> SurfaceShader:
        """Says what surfaces are made of."""
        return SurfaceShader(self.scene, self.triangles, self.rasterizer, self.plan.device, sampler=self.sampler)

    @cached_property
    def tracer(self) -> LightTracer:
        """Follows rays of light: on the CPU, wherever the rest is done."""
        if self.plan.device == "cpu":
            return LightTracer(self.scene, self.triangles, self.rasterizer, sampler=self.sampler)
        return LightTracer(self.scene, self.triangles, rasterizer(self.triangles))


class FrameView:
    """One frame of one camera while it is rendered, by one thread."""

    def __init__(self, stage: Stage, camera: Camera, frame: int) -> None:
        self.stage, self.camera, self.frame = stage, camera, frame

    @cached_property
    def asked(self) -> View:
        """What the rasterizer is asked for."""
        return view_of(self.stage.scene, self.camera, self.frame)

    @cached_property
    def fragments(self) -> Fragments:
        """What every pixel's center sees, and where on it."""
        return self.stage.rasterizer.fragments(self.asked)

    @cached_property
    def seen(self) -> Fragments | Visibility:
        """What every pixel's center sees: the fragments where they are there already, else without the places."""
        if "fragments" in vars(self):
            return self.fragments
        return self.stage.rasterizer.visibility(self.asked)

    @cached_property
    def layers(self) -> Layers:
        """The samples of anti-aliased pictures."""
        return self.stage.sampler.layers(self.camera, self.frame)

    @cached_property
    def surface(self) -> SurfacePictures:
        """Base color and material of every pixel."""
        return self.stage.surface.frame(self.camera, self.frame, self.layers)

    @cached_property
    def light(self) -> LightPictures:
        """What falls on every pixel's surface, and what it mirrors."""
        return self.stage.tracer.frame(self.camera, self.frame)
