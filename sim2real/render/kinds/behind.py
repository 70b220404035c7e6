"""What is behind clear things: the surface, its noise, and what the clear things add to it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...clip.behind import SeenBehind, nothing_behind
from ...conditions import ClearLooker, camera_normals, encode_normals, instance_ids, metric_depth
from ...conditions.cells import part_around
from ...noise.layout import NoiseLayout
from ...raster import view_of
from ..stage import FrameView, Stage
from ..view_noise import ViewNoise

_LAYOUT = NoiseLayout(factor=1, channels=3)
_MARGIN_PX = 16
"""Around what is clear, at least: noise of pixels takes in the parts of cells that stand out of their neighbors."""


def prepare(stage: Stage) -> Callable[[FrameView], SeenBehind]:
    """What ``albedo`` shares, and a second noise, of pixels; nothing where nothing of the scene is clear."""
    solid = stage.sampler.solid
    if solid.all():
        return lambda view: nothing_behind()
    clear = ClearLooker(stage.sampler, stage.surface)
    noise = ViewNoise(stage.plan, stage.triangles, stage.charts, _LAYOUT)

    def of(view: FrameView) -> SeenBehind:
        camera, found = view.camera, clear.frame(view.camera, view.frame)
        if found is None:
            return nothing_behind()
        mask = np.zeros(camera.size, np.bool_)
        mask.ravel()[found.at] = True
        around = part_around(camera, mask, _MARGIN_PX)
        assert around is not None
        part, box = around
        here, asked = mask[box], view_of(stage.scene, part, view.frame).only(solid)
        seen = stage.rasterizer.fragments(asked)
        normals = camera_normals(seen, stage.triangles, asked.camera_from_part, vertices=asked.vertices)
        (drawn,) = noise.draws(seen, asked, f"{camera.name}/behind", view.number)
        return SeenBehind(
            at=found.at.astype(np.uint32),
            share=found.share.astype(np.float16),
            color=found.added[:, :3].astype(np.float16),
            material=found.added[:, 3:].astype(np.float16),
            ids=instance_ids(seen.face, stage.triangles)[here],
            depth=metric_depth(seen)[here],
            normals=encode_normals(normals)[here],
            noise=drawn[:, here].T.astype(np.float16),
        )

    return of
