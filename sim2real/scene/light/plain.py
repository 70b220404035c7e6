"""The plain light that a simulator's user would set: one sun, a sky and a ground."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ..records import Lighting
from .environment import Environment
from .sky import axes_about, panorama_directions

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_USUAL = Lighting()


def lighting_of(environment: Environment, *, brightness: float = 1.0, balanced: bool = False) -> Lighting:
    """The plain light that a simulator's user would set for an environment: same sun, sky and ground of its tints.

    Where the environment has no sun of its own, the sun is what the panorama's brightest spot has above its surroundings.

    Args:
        environment: with a panorama, a sun, or both.
        brightness: of a surface that faces up, against that under the default lighting; the level of the environment is not
            kept, because plain renderers have a fixed exposure.
        balanced: make the light that falls on a surface that faces up white, as a camera would.
    """
    up = np.asarray(environment.up, np.float64) / np.linalg.norm(environment.up)
    sky, ground = np.asarray(_USUAL.sky), np.asarray(_USUAL.ground)
    sun, direction = np.asarray(environment.sun, np.float64), environment.sun_direction
    if environment.panorama is not None:
        sky, ground, peak, toward = _parts_of(environment.panorama)
        if direction is None:
            sun, direction = peak, tuple((axes_about(environment.up) @ toward).tolist())
    if direction is None:
        direction = environment.up
    falling = sun * max(float(up @ direction) / float(np.linalg.norm(direction)), 0.0) + np.pi * sky
    usual = np.asarray(_USUAL.sun) * 0.8 + np.pi * np.asarray(_USUAL.sky)
    level = max(float(falling @ _LUMINANCE), 1e-9)
    scale = np.full(3, brightness * float(usual @ _LUMINANCE) / level)
    if balanced:
        scale *= level / np.maximum(falling, 1e-9)

    def color(value: np.ndarray) -> tuple[float, float, float]:
        red, green, blue = (scale * value).tolist()
        return (red, green, blue)

    x, y, z = (float(c) for c in direction)
    return Lighting(sun_direction=(x, y, z), sun=color(sun), sky=color(sky), ground=color(ground), up=environment.up)


def _parts_of(
    panorama: Float[np.ndarray, "height width 3"],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Float[np.ndarray, "3"]]:
    """Mean radiance of sky and ground, and the irradiance and direction of what is much brighter than these."""
    directions = panorama_directions(panorama.shape[0])
    height = panorama.shape[0]
    area = np.sqrt(1 - directions[..., 1] ** 2) * (np.pi / height) ** 2
    light = np.asarray(panorama, np.float64)
    luminance = light @ _LUMINANCE
    limit = 6 * float(np.average(np.minimum(luminance, 10 * np.median(luminance)), weights=area)) + 1e-9
    steady = light * np.minimum(1, limit / np.maximum(luminance, 1e-9))[..., None]
    excess = light - steady
    weight = np.abs(directions[..., 1]) * area
    above, below = directions[..., 1] > 0, directions[..., 1] < 0
    sky, ground = (np.average(steady[half], axis=0, weights=weight[half]) for half in (above, below))
    strength = (excess @ _LUMINANCE) * area
    if strength.sum() < 1e-6:
        return sky, ground, np.zeros(3), np.array([0.0, 1.0, 0.0])
    y, x = np.unravel_index(np.argmax(strength), strength.shape)
    near = directions @ directions[y, x] > np.cos(np.deg2rad(25))
    toward = (directions[near] * strength[near][:, None]).sum(axis=0)
    return sky, ground, (excess[near] * area[near][:, None]).sum(axis=0), toward / np.linalg.norm(toward)
