"""What is behind clear things: the surface, its noise, and what the clear things add to it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...clip.behind import SeenBehind, nothing_behind
from ...conditions import ClearLooker, camera_normals, encode_normals, instance_ids, metric_depth
from ...noise.layout import NoiseLayout
from ..stage import FrameView, Stage
from ..view_noise import ViewNoise

_LAYOUT = NoiseLayout(factor=1, channels=3)


def prepare(stage: Stage) -> Callable[[FrameView], SeenBehind]:
    """What ``albedo`` shares, and a second noise, of pixels; nothing where nothing of the scene is clear."""
    if stage.sampler.solid.all():
        return lambda view: nothing_behind()
    clear = ClearLooker(stage.sampler, stage.surface)
    noise = ViewNoise(stage.plan, stage.triangles, stage.charts, _LAYOUT)

    def of(view: FrameView) -> SeenBehind:
        found = clear.frame(view.camera, view.frame)
        if found is None:
            return nothing_behind()
        asked = view.asked.only(stage.sampler.solid)
        seen = stage.rasterizer.fragments(asked)
        normals = encode_normals(camera_normals(seen, stage.triangles, asked.camera_from_part, vertices=asked.vertices))
        (drawn,) = noise.draws(seen, asked, view.camera.name, view.number)
        at = found.at
        return SeenBehind(
            at=at.astype(np.uint32),
            share=found.share.astype(np.float16),
            color=found.added[:, :3].astype(np.float16),
            material=found.added[:, 3:].astype(np.float16),
            ids=instance_ids(seen.face, stage.triangles).ravel()[at],
            depth=metric_depth(seen).ravel()[at],
            normals=normals.reshape(-1, 3)[at],
            noise=drawn.reshape(len(drawn), -1).T[at].astype(np.float16),
        )

    return of
