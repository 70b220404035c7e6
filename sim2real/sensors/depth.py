"""What a depth camera measures of the surfaces that a frame shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float32

from ..camera_effects.filters import blurred
from ..camera_effects.sensor import unit_noise
from . import triangulation
from .randomness import generator_of
from .records import DepthCamera, RangeNoise, Signal, TimeOfFlight
from .surface import Surface

_SPOTS_PX = 2.5
"""How coarse the uneven border of too little light is."""
_SMOOTH = 0.65
"""Smoother than this, a surface dazzles."""
_STEEPEST = np.deg2rad(85)
"""The noise of what is seen even more obliquely is that of this angle."""
_DARKEST = 0.02
"""The noise of what is darker is that of this reflectance."""


def sensed_depth(
    surface: Surface, by: DepthCamera, *, seed: int, camera: str, frame: int
) -> Float32[np.ndarray, "height width"]:
    """Depth as a depth camera measures it: metres along the camera's z, 0 where it measures nothing.

    Args:
        surface: what the frame shows.
        by: the depth camera.
        seed: of its noise.
        camera: its name.
        frame: its number; with seed and camera, all that the noise depends on.
    """
    if by.nothing:
        return surface.depth
    size = surface.depth.shape
    scale = size[0] / 480

    def noise(what: str, planes: int, sigma_px: float) -> Float32[np.ndarray, "planes height width"]:
        return unit_noise(generator_of(seed, camera, what, frame), (planes, *size), sigma_px * scale)

    if by.triangulation is not None:
        own = by.triangulation
        shadow = triangulation.shadow(surface.depth, surface.focal_px, own.baseline_m, band=own.band)
        surface = replace(surface, lost=surface.lost | shadow)
    if by.time_of_flight is not None:
        chance = generator_of(seed, camera, "mixed", frame).random(size, np.float32)
        surface = mixed(surface, by.time_of_flight, chance)
    if by.lateral_px:
        shift = np.rint(noise("lateral", 2, by.grain_px) * np.float32(by.lateral_px * scale)).astype(np.int64)
        surface = surface.beside(shift)
    uneven = noise("signal", 1, _SPOTS_PX)[0] if by.signal.spread else np.zeros(size, np.float32)
    error = np.zeros(size, np.float32)
    if not by.noise.nothing:
        error = noise("range", 1, by.grain_px)[0] * deviation(surface, by.noise)
    if by.triangulation is not None:
        depth = triangulation.measured(surface.depth, error, by.triangulation)
    else:
        depth = surface.depth + error
    if by.unit_m:
        depth = np.float32(by.unit_m) * np.rint(depth / np.float32(by.unit_m))
    farthest = np.inf if by.max_m is None else by.max_m
    good = ~surface.lost & returned(surface, by.signal, uneven) & (depth > 0) & (depth >= by.min_m) & (depth <= farthest)
    return np.where(good, depth, 0).astype(np.float32)


def deviation(surface: Surface, noise: RangeNoise) -> Float32[np.ndarray, "height width"]:
    """Standard deviation of depth in metres; see ``RangeNoise``."""
    z = np.maximum(surface.depth, np.float32(1e-3))
    out = np.float32(noise.floor_m) + np.float32(noise.per_m2) * np.square(z - np.float32(noise.from_m))
    if noise.grazing_m:
        theta = np.minimum(np.arccos(surface.cosine), np.float32(_STEEPEST))
        out += np.float32(noise.grazing_m) / np.sqrt(z) * np.square(theta / (np.float32(np.pi / 2) - theta))
    if noise.dark:
        out *= (np.float32(0.5) / np.maximum(surface.reflectance, np.float32(_DARKEST))) ** np.float32(noise.dark)
    return out


def returned(surface: Surface, signal: Signal, uneven: Float32[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """Where enough light comes back, and not too much; see ``Signal``.

    Args:
        surface: what is seen.
        signal: what the camera needs.
        uneven: noise of unit variance.
    """
    z = np.maximum(surface.depth, np.float32(1e-3))
    light = surface.reflectance * surface.cosine / (z * z)
    if signal.spread:
        light = light * np.exp(np.float32(signal.spread) * uneven)
    good = light >= signal.least
    if signal.steepest_deg is not None:
        good &= surface.cosine >= np.float32(np.cos(np.deg2rad(signal.steepest_deg)))
    if signal.dazzle_deg:
        excess = np.maximum(surface.smooth - np.float32(_SMOOTH), 0) / np.float32(1 - _SMOOTH)
        within = np.float32(np.deg2rad(signal.dazzle_deg)) * excess * np.exp(np.float32(signal.spread / 2) * uneven)
        good &= np.arccos(surface.cosine) >= np.minimum(within, np.float32(np.pi / 2))
    return good


def mixed(surface: Surface, by: TimeOfFlight, chance: Float32[np.ndarray, "height width"]) -> Surface:
    """Depth as the mean over what a pixel sees, by the light that comes back; some of what is mixed is lost.

    Args:
        surface: what is seen.
        by: the sensor.
        chance: evenly from 0 to 1; mixed pixels are lost where it is below ``mixed_loss``.
    """
    depth, footprint = surface.depth, by.footprint_px * len(surface.depth) / 480
    seen = depth > 0
    z = np.maximum(depth, np.float32(1e-3))
    back = np.maximum(surface.reflectance * surface.cosine, np.float32(1e-4)) / (z * z)
    light = np.where(seen, back, 0).astype(np.float32)
    whole, first = blurred(np.stack([light, light * depth]), footprint)
    whole = np.maximum(whole, np.float32(1e-12))
    mean = np.where(seen, first / whole, 0).astype(np.float32)
    off = np.where(seen, depth - mean, 0).astype(np.float32)  # squares of depth itself would lose all digits
    unlike = blurred(light * off * off, footprint) / whole > by.mixed_m**2
    return replace(surface, depth=mean, lost=surface.lost | (unlike & (chance < by.mixed_loss)))
