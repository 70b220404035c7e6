"""The light around a scene: a panorama of all directions, and a sun beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32


@dataclass(frozen=True, eq=False)
class Environment:
    """What lights a scene from outside; windows and lamps are meshes of the scene with an ``emission``.

    - ``panorama`` is linear radiance from all around, rows from the zenith down, directions as ``panorama_directions`` in the
      axes of ``axes_about(up)``; ``None``: nothing but what the scene itself and the sun give (a closed room).
    - ``sun_direction`` points from the scene to the sun, world axes; ``None``: no sun beside the panorama.
    - ``sun`` is irradiance on a surface that faces it, linear RGB.
    """

    name: str
    panorama: Float32[np.ndarray, "height width 3"] | None
    sun_direction: tuple[float, float, float] | None = None
    sun: tuple[float, float, float] = (0.0, 0.0, 0.0)
    up: tuple[float, float, float] = (0.0, 0.0, 1.0)
