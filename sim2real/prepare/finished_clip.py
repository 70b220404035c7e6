"""From noisy radiance to a finished training clip: the picture, and what video models are conditioned on."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from ..conditions import edges, instance_ids, metric_depth
from ..conditions.rgb.mitsuba.denoise import denoised
from ..conditions.rgb.mitsuba.gbuffer import Guide
from ..conditions.rgb.mitsuba.tone import developed
from ..raster import rasterizer, view_of
from ..scene.records import Scene
from ..scene.triangles import triangles_of


def finished_clip(scene: Scene, light: Float[np.ndarray, "frames height width 3"]) -> dict[str, np.ndarray]:
    """The arrays of a training clip (see ``make_training_clips``).

    Args:
        scene: its first camera is used.
        light: radiance of all frames, as the paths found it.
    """
    camera, triangles = scene.cameras[0], triangles_of(scene)
    views = rasterizer(triangles)
    guide = Guide(scene, triangles, views)
    pictures = developed(denoised(light, [guide.guides(camera, frame) for frame in range(scene.frames)]))
    layers: dict[str, list[Any]] = {"depth": [], "edges": [], "instances": []}
    for frame in range(scene.frames):
        view = view_of(scene, camera, frame)
        seen = views.fragments(**view)
        layers["depth"].append(metric_depth(seen))
        layers["edges"].append(edges(seen, triangles, view["camera_from_part"], vertices=view["vertices"]))
        layers["instances"].append(instance_ids(seen.face, triangles))
    return {
        "rgb": pictures,
        **{name: np.stack(frames) for name, frames in layers.items()},
        "K": camera.intrinsics.astype(np.float64),
        "world_from_camera": camera.world_from_camera.astype(np.float64),
    }
