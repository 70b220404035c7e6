"""What shines, as samples that any point of a scene can ask: sun and bright sky far away, lamps and windows nearby."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float, Float32

from ...camera_effects.tone import LUMA
from ...scene.light.environment import Environment
from ...scene.light.lamps import Lamp
from ...scene.light.sky import axes_about, panorama_directions
from .curve import order_along_a_curve

_FAR, _NEAR = 1024, 1024
"""Samples of each kind."""
_STEADY = 2.0
"""Times the mean light of a panorama: what is brighter is sampled by itself."""
_SUN_RADIUS_DEG = 0.6
_GOLDEN = np.array([0.7548776662, 0.5698402910])
"""Steps of a sequence that fills a square evenly (Roberts 2018, "The unreasonable effectiveness of quasirandom sequences")."""


@dataclass(frozen=True, eq=False)
class FarLight:
    """Sun and sky.

    - ``directions`` (world, towards the light) and ``light``: the mean of ``light * cosine`` is what sun and bright sky give to
      a surface, as the radiance of a white matte one (irradiance over pi).
    - ``steady``: the rest of the panorama, radiance; ``all_around``: all of it.
    """

    directions: Float32[np.ndarray, "samples 3"]
    light: Float32[np.ndarray, "samples 3"]
    steady: Float32[np.ndarray, "height width 3"]
    all_around: Float32[np.ndarray, "height width 3"]


def far_light(environment: Environment, lamps: Sequence[Lamp] = ()) -> FarLight:
    """Samples of an environment and of directional lamps, spread evenly over their light; any run of them is close together."""
    sky = environment.panorama
    if sky is None:
        sky = np.zeros((2, 4, 3), np.float32)
    sky = np.nan_to_num(np.asarray(sky, np.float64), posinf=0.0)
    height = sky.shape[0]
    toward = panorama_directions(height)
    angle = np.sqrt(np.maximum(1 - toward[..., 1:2] ** 2, 1e-9)) * (np.pi / height) ** 2
    luminance = sky @ LUMA
    limit = _STEADY * float((luminance[..., None] * angle).sum() / angle.sum())
    steady = sky * np.minimum(1, limit / np.maximum(luminance, 1e-12))[..., None]
    world_from_sky = axes_about(environment.up)
    directions = [toward.reshape(-1, 3) @ world_from_sky.T]
    light = [((sky - steady) * angle).reshape(-1, 3)]
    if environment.sun_direction is not None:
        directions.append(_disc(np.asarray(environment.sun_direction, np.float64)))
        light.append(np.tile(np.asarray(environment.sun) / len(directions[-1]), (len(directions[-1]), 1)))
    for lamp in lamps:
        directions.append(_disc(-np.asarray(lamp.direction, np.float64)))
        light.append(np.tile(np.asarray(lamp.color) / len(directions[-1]), (len(directions[-1]), 1)))
    where, what = np.concatenate(directions), np.concatenate(light)
    power = what @ LUMA
    if not power.sum() > 0:
        where, what, power = np.array([[0.0, 0.0, 1.0]]), np.zeros((1, 3)), np.ones(1)
        return FarLight(where.astype(np.float32), what.astype(np.float32), _pixels(steady), _pixels(sky))
    chosen = _evenly(power, _FAR)
    chosen = chosen[order_along_a_curve(where[chosen])]
    each = what[chosen] * (power.sum() / power[chosen])[:, None] / np.pi
    return FarLight(where[chosen].astype(np.float32), each.astype(np.float32), _pixels(steady), _pixels(sky))


@dataclass(frozen=True, eq=False)
class NearLight:
    """Surfaces and lamps that shine: the mean of ``light * cosine * cosine there / distance^2`` is what they give, as above.

    ``cone``: of a lamp without size the cosines of whole and dark and an exponent, in place of the cosine there; the exponent
    of a surface is below 0.
    """

    points: Float32[np.ndarray, "samples 3"]
    normals: Float32[np.ndarray, "samples 3"]
    light: Float32[np.ndarray, "samples 3"]
    cone: Float32[np.ndarray, "samples 3"]


def near_light(
    corners: Float[np.ndarray, "faces 3 3"], radiance: Float[np.ndarray, "faces 3"], lamps: Sequence[Lamp] = ()
) -> NearLight:
    """Samples of triangles that shine on the side of their normals (right-handed winding), and of lamps.

    Any run of them is close together.

    Args:
        corners: world, metres; of the faces that shine.
        radiance: of each.
        lamps: points and spots that stand in the world. Their light falls with the square of the distance.
    """
    every = _samples_of(corners, radiance, lamps)
    order = order_along_a_curve(every.points.astype(np.float64))
    return NearLight(*(getattr(every, f.name)[order] for f in fields(NearLight)))


def _samples_of(corners: np.ndarray, radiance: np.ndarray, lamps: Sequence[Lamp]) -> NearLight:
    """Samples of triangles, then of lamps; their mean is what both give."""
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1) / 2
    power = area * (radiance @ LUMA)
    colors = np.array([lamp.color for lamp in lamps], np.float64).reshape(-1, 3)
    strength = colors @ LUMA  # of a lamp as of a surface of one square metre, seen straight on
    whole = float(power.sum() + strength.sum())
    if not whole > 0:
        return NearLight(*(np.zeros((0, 3), np.float32) for _ in range(4)))
    many = _NEAR - int(np.rint(_NEAR * float(power.sum()) / whole)) if len(lamps) else 0
    of_lamps = _of_lamps(lamps, colors, strength, many)
    if many == _NEAR or not power.sum() > 0:
        return of_lamps
    of_faces = _of_faces(corners, radiance, power, area, _NEAR - many)
    if not many:
        return of_faces
    # both are parts of one mean over all samples
    parts = [(getattr(of_faces, f.name), getattr(of_lamps, f.name)) for f in fields(NearLight)]
    points, normals, light, cone = (np.concatenate(pair) for pair in parts)
    light = light * np.repeat([_NEAR / (_NEAR - many), _NEAR / many], [_NEAR - many, many])[:, None].astype(np.float32)
    return NearLight(points, normals, light, cone)


def _of_lamps(lamps: Sequence[Lamp], colors: np.ndarray, strength: np.ndarray, count: int) -> NearLight:
    """Samples of lamps, each as often as it is strong; their mean is the lamps' light."""
    if not count or not strength.sum() > 0:
        return NearLight(*(np.zeros((0, 3), np.float32) for _ in range(4)))
    chosen = _evenly(strength, count)
    axes = np.array([lamp.direction for lamp in lamps], np.float64)
    axes /= np.maximum(np.linalg.norm(axes, axis=1, keepdims=True), 1e-12)
    # a point shines everywhere: its cone ends behind it
    cones = np.array([(-2.0, -3.0, 0.0) if lamp.kind == "point" else _cone(lamp) for lamp in lamps])
    light = colors[chosen] * (strength.sum() / strength[chosen])[:, None] / np.pi
    places = np.array([lamp.position for lamp in lamps], np.float64)[chosen]
    return NearLight(*(array.astype(np.float32) for array in (places, axes[chosen], light, cones[chosen])))


def _cone(lamp: Lamp) -> tuple[float, float, float]:
    whole, dark = lamp.cone
    return max(whole, dark + 1e-4), dark, lamp.exponent


def _of_faces(corners: np.ndarray, radiance: np.ndarray, power: np.ndarray, area: np.ndarray, count: int) -> NearLight:
    """Samples of triangles, spread evenly over their light; their mean is what the triangles give."""
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    chosen = _evenly(power, count)
    u, v = np.moveaxis((0.5 + np.arange(count)[:, None] * _GOLDEN) % 1, 1, 0)
    root = np.sqrt(u)
    weights = np.stack([1 - root, root * (1 - v), root * v], axis=1)
    points = np.einsum("sc,scx->sx", weights, corners[chosen])
    normals = cross[chosen] / np.maximum(2 * area[chosen], 1e-12)[:, None]
    light = radiance[chosen] * (power.sum() * area[chosen] / power[chosen])[:, None] / np.pi
    cone = np.tile(np.array([0, 0, -1], np.float32), (count, 1))
    return NearLight(points.astype(np.float32), normals.astype(np.float32), light.astype(np.float32), cone)


def _evenly(power: Float[np.ndarray, " n"], samples: int) -> np.ndarray:
    """Indices, each as often as its power asks, in order."""
    total = np.cumsum(power)
    return np.searchsorted(total, (np.arange(samples) + 0.5) / samples * total[-1]).clip(0, len(power) - 1)


def _disc(toward: Float[np.ndarray, "3"], points: int = 64) -> Float[np.ndarray, "points 3"]:
    """Directions within the sun's disc."""
    axes = axes_about(toward.tolist())
    radius = np.tan(np.deg2rad(_SUN_RADIUS_DEG)) * np.sqrt((np.arange(points) + 0.5) / points)
    angle = np.pi * (3 - np.sqrt(5)) * np.arange(points)
    flat = np.stack([radius * np.cos(angle), np.ones(points), radius * np.sin(angle)], axis=1)
    return flat @ axes.T / np.linalg.norm(flat, axis=1, keepdims=True)


def _pixels(panorama: np.ndarray) -> Float32[np.ndarray, "height width 3"]:
    return np.ascontiguousarray(panorama, np.float32)
