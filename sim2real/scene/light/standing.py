"""Where the lamps of a scene stand in a frame, for renderers that know no instances, and whose light falls as real light."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from ..records import Scene
from .lamps import Lamp

_NARROW = 0.1
"""What is left of a spot's light, by its exponent, where its cone is taken to end."""


def standing_lamps(scene: Scene, frame: int) -> list[tuple[int, Lamp]]:
    """The lamps that are on in a frame, in the world, with their places among the scene's."""
    found = []
    for place, lamp in enumerate(() if scene.lights is None else scene.lights.lamps):
        now: Lamp | None = lamp
        if lamp.instance is not None:
            pose = (
                scene.world_from_instance[frame, lamp.instance]
                if scene.visible[frame, lamp.instance]
                else np.full((4, 4), np.nan)
            )
            now = replace(lamp, way=np.broadcast_to(pose, (frame + 1, 4, 4)), instance=None)
        now = None if now is None else now.at(frame)
        if now is not None and any(now.color):
            found.append((place, now))
    return found


def in_candela(lamp: Lamp, middle: Float[np.ndarray, "3"]) -> Lamp:
    """A point or spot whose light falls with the square of the distance, and which gives a place as much as before.

    Args:
        lamp: that stands in the world.
        middle: the place.
    """
    if lamp.kind == "directional" or lamp.attenuation == (0.0, 0.0, 1.0):
        return lamp
    distance = max(float(np.linalg.norm(np.asarray(lamp.position) - middle)), 1e-3)
    a, b, c = lamp.attenuation
    candela = distance**2 / max(a + distance * (b + distance * c), 1e-6)
    red, green, blue = (candela * color for color in lamp.color)
    return replace(lamp, color=(red, green, blue), attenuation=(0.0, 0.0, 1.0))


def cone_of(lamp: Lamp) -> tuple[float, float]:
    """Angles in radians up to which a spot is whole and from which on it is dark, about as its exponent makes it fall, too."""
    whole, dark = (float(np.arccos(np.clip(cosine, 0.0, 1.0))) for cosine in lamp.cone)
    if lamp.exponent > 0:
        fallen = float(np.arccos(_NARROW ** (1 / lamp.exponent)))
        whole, dark = min(whole, 0.3 * fallen), min(dark, fallen)
    return min(whole, dark - 1e-3), max(dark, 2e-3)
