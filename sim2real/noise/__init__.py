"""Gaussian noise on surfaces: exactly white in every frame, carried by the geometry, drawn on demand.

``SurfaceNoise`` needs a view and what any rasterizer found in it::

    from sim2real.noise import NoiseLayout, SurfaceNoise, charts_of

    noise = SurfaceNoise(charts_of(scene, triangles), triangles, NoiseLayout(factor=8, channels=16), seed=0)
    values = noise.frame(seen, view)  # (16, height / 8, width / 8)

Names are loaded when they are first used, so that importing the layout alone stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from .layout import LatentTime as LatentTime
from .layout import NoiseLayout as NoiseLayout

if TYPE_CHECKING:
    from .beta import Beta as Beta
    from .beta import beta_from_degradation as beta_from_degradation
    from .beta import beta_of_ids as beta_of_ids
    from .charts.build import Charts as Charts
    from .charts.build import charts_of as charts_of
    from .draws import seed_of_draw as seed_of_draw
    from .mixing import independent_noise as independent_noise
    from .mixing import mix as mix
    from .mixing import seen_beta as seen_beta
    from .surface import SurfaceNoise as SurfaceNoise
    from .video import VideoNoise as VideoNoise
    from .video_map import Places as Places
    from .video_map import ReferenceMap as ReferenceMap

_HOME = {
    "Charts": "charts.build",
    "charts_of": "charts.build",
    "SurfaceNoise": "surface",
    "Places": "video_map",
    "ReferenceMap": "video_map",
    "VideoNoise": "video",
    "mix": "mixing",
    "independent_noise": "mixing",
    "seen_beta": "mixing",
    "seed_of_draw": "draws",
    "Beta": "beta",
    "beta_from_degradation": "beta",
    "beta_of_ids": "beta",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
