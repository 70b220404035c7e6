"""A shaded render: by our own renderer, one sun and a sky; by pyrender; or path-traced by Mitsuba."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from ...conditions import Shader, ShadowOptions
from ...conditions.rgb.protocol import MadeBy, PictureRenderer
from ..stage import FrameView, Stage


class RgbPictures:
    """Makes the pictures of views; what all cameras share of a frame may be made ahead."""

    def __init__(self, renderer: PictureRenderer) -> None:
        self._renderer = renderer

    @property
    def made_by(self) -> MadeBy | None:
        """Who makes them; ``None``: our own renderer."""
        return self._renderer.made_by

    def __call__(self, view: FrameView) -> UInt8[np.ndarray, "height width 3"]:
        """The picture of a view."""
        layers = view.layers if self.made_by is None else None
        return self._renderer.frame(view.camera, view.frame, layers)

    def ahead(self, frame: int) -> None:
        """Draw the shadows of a frame."""
        self._renderer.ahead(frame)


def prepare(stage: Stage) -> RgbPictures:
    """Make the renderer that the plan names."""
    return RgbPictures(_renderer(stage))


def _renderer(stage: Stage) -> PictureRenderer:
    plan, scene = stage.plan, stage.scene
    if plan.rgb == "pyrender":
        from ...conditions.rgb.pyrender import PyrenderPictures

        return PyrenderPictures(scene, stage.triangles, stage.rasterizer)
    if plan.rgb == "mitsuba":
        from ...conditions.rgb.mitsuba.pictures import PathTracedPictures

        chosen = {"samples": plan.rgb_samples, "seed": plan.seed, "threads": plan.threads}
        return PathTracedPictures(scene, stage.triangles, stage.cpu_rasterizer, **chosen)
    shadows, device = ShadowOptions(as_live=plan.as_live), plan.device
    return Shader(scene, stage.triangles, stage.rasterizer, device, sampler=stage.sampler, shadows=shadows)
