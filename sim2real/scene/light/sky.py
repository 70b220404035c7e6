"""The light of a scene as one picture of all directions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ...scene.records import Lighting


def axes_about(up: Sequence[float]) -> Float[np.ndarray, "3 3"]:
    """A right-handed rotation whose second column is the direction ``up``."""
    y = np.asarray(up, np.float64) / np.linalg.norm(up)
    aside = np.eye(3)[np.argmin(np.abs(y))]
    x = np.cross(y, aside)
    x /= np.linalg.norm(x)
    return np.stack([x, y, np.cross(x, y)], axis=1)


def panorama_directions(height: int) -> Float[np.ndarray, "height width 3"]:
    """Directions of an equirectangular picture (width = 2 height), y up, the top row near the zenith."""
    polar = (np.arange(height) + 0.5) / height * np.pi
    azimuth = (np.arange(2 * height) + 0.5) / height * np.pi
    s = np.sin(polar)[:, None]
    return np.stack([s * np.sin(azimuth), np.cos(polar)[:, None] + 0 * azimuth, -s * np.cos(azimuth)], axis=-1)


def panorama(lighting: Lighting, *, height: int = 128, sun_radius_deg: float = 3.0) -> Float[np.ndarray, "height width 3"]:
    """Radiance of sky and sun as an equirectangular picture, in the axes of ``axes_about(lighting.up)``.

    Args:
        lighting: its ``sun`` is spread over a disc so that a facing surface receives just that irradiance.
        height: rows; there are twice as many columns.
        sun_radius_deg: radius of the disc; the real sun has 0.27 degrees, a window or a softbox 5 to 15.
    """
    directions = panorama_directions(height)
    t = directions[..., 1:2] * 0.5 + 0.5
    t = t * t * (3 - 2 * t)
    sky = np.asarray(lighting.ground) * (1 - t) + np.asarray(lighting.sky) * t
    to_sun = axes_about(lighting.up).T @ (np.asarray(lighting.sun_direction) / np.linalg.norm(lighting.sun_direction))
    cosine = directions @ to_sun
    radius = np.deg2rad(max(sun_radius_deg, 180 / height))
    angle = np.arccos(np.clip(cosine, -1, 1))
    disc = np.clip((1.15 * radius - angle) / (0.3 * radius), 0, 1)
    solid_angle = np.sqrt(1 - directions[..., 1] ** 2) * (np.pi / height) ** 2
    disc /= (disc * solid_angle * np.maximum(cosine, 0)).sum()
    return sky + disc[..., None] * np.asarray(lighting.sun)
