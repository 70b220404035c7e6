"""Structure of restyled surfaces: growth rings of wood, planks, tiles, bricks, laid out in the instance's own frame, in metres.

A pattern is a function of where a pixel's point lies on its instance, so it stays there under every camera. Pieces (a plank, a
tile) differ by a hash of their numbers and the seed. Whatever is finer than a pixel fades to its mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int, UInt8

from .surfaces import Pattern
from .textures import shade_per_lightness

_BENT = 0.5
"""Cosine below which an axis of the instance does not point up."""
_RING_SHADE = 0.32
"""Standard deviations of log light between the spring wood and the summer wood of one ring, at contrast 1."""
_RING_MEAN = 1 / 4 - 1 / 16
_UNEVEN = 0.25
"""By how much rings are wider or narrower than others, in rings."""
_FIBERS = ((0.31, 0.24), (1.7, 0.2), (5.3, 0.16), (14.7, 0.12))
"""Lines along the grain: how many to a ring, and standard deviation of log light, at contrast 1."""
_BENDING = 0.15
"""By how much rings are steeper than in straight wood, at least, as they wander."""
_NARROW = 1e-3
_TRUNK = (0.06, 0.3)
"""Distance between a plank and the middle of its tree, metres."""
_FINEST = 1e-6


class PatternPixels(NamedTuple):
    """What a pattern does to the pixels of one instance.

    - ``shade``: logarithm of what their linear base color is multiplied with, about 0 in the mean.
    - ``line``: share of each pixel that joints take, 0..1.
    """

    shade: Float32[np.ndarray, " pixels"]
    line: Float32[np.ndarray, " pixels"]


@dataclass(frozen=True, eq=False)
class SurfacePoints:
    """Pixels of one instance: where they are on it, and how far it is to the next pixel there.

    - ``points``: metres, in the instance's frame; ``normals`` likewise.
    - ``step``: metres on the surface between pixels, at most of the ways that lead to a neighbor.
    - ``up``: the world's up in the instance's frame.
    """

    points: Float32[np.ndarray, "pixels 3"]
    normals: Float32[np.ndarray, "pixels 3"]
    step: Float32[np.ndarray, " pixels"]
    up: Float[np.ndarray, "3"]


def pattern_of(
    pattern: Pattern, at: SurfacePoints, lightness: float, seed: int, bend: Float32[np.ndarray, " pixels"]
) -> PatternPixels:
    """What a pattern does to the pixels of an instance.

    Args:
        pattern: what it is.
        at: the pixels.
        lightness: L* of the instance's base color.
        seed: other pieces differ with another one.
        bend: smooth noise on the surface, about unit variance, by which rings wander.
    """
    across, along, plane = _laid_out(at)
    shade, line = np.zeros(len(at.step), np.float32), np.zeros(len(at.step), np.float32)
    piece = np.zeros(len(at.step), np.int64)
    if pattern.size is not None:
        length, width = pattern.size
        row = np.floor(across / width + 0.5)
        shift = pattern.shift * row if pattern.shift else _hashed(row.astype(np.int64), seed) * (pattern.shift is None)
        place = along / length + shift + 0.5
        column = np.floor(place)
        piece = (row.astype(np.int64) * 8191 + column.astype(np.int64)) * 3 + plane
        beside = np.minimum(_to_joint(across / width + 0.5) * width, _to_joint(place) * length)
        line = _covered(beside, pattern.joint, at.step)
        width_of_even = 12**0.5 * pattern.vary  # of an even distribution with this standard deviation
        shade += (_hashed(piece, seed + 1) - 0.5) * np.float32(width_of_even * shade_per_lightness(lightness))
    if pattern.rings:
        shade += _rings(pattern, at, piece, seed, bend)
    return PatternPixels(shade.astype(np.float32), line.astype(np.float32))


def _laid_out(at: SurfacePoints) -> tuple[np.ndarray, np.ndarray, Int[np.ndarray, " pixels"]]:
    """Coordinates across and along rows, and the axis that is seen face on: rows of upright surfaces are level."""
    plane = np.abs(at.normals).argmax(axis=1)
    across, along = np.empty_like(at.step), np.empty_like(at.step)
    for axis in range(3):
        first, second = (other for other in range(3) if other != axis)
        if abs(at.up[first]) > max(_BENT, abs(at.up[second])):
            first, second = second, first
        here = plane == axis
        along[here], across[here] = at.points[here, first], at.points[here, second]
    return across, along, plane


def _to_joint(place: Float32[np.ndarray, " pixels"]) -> Float32[np.ndarray, " pixels"]:
    """Distance to the nearest whole number."""
    return np.abs(place - np.round(place))


def _covered(
    distance: Float32[np.ndarray, " pixels"], width: float, step: Float32[np.ndarray, " pixels"]
) -> Float32[np.ndarray, " pixels"]:
    """How much of a pixel lies on a line of some width, as if it were a box of the pixel's size."""
    step = np.maximum(step, _FINEST)
    inside = np.minimum(distance + step / 2, width / 2) - np.maximum(distance - step / 2, -width / 2)
    return np.clip(inside / step, 0, 1)


def _rings(
    pattern: Pattern, at: SurfacePoints, piece: Int[np.ndarray, " pixels"], seed: int, bend: Float32[np.ndarray, " pixels"]
) -> Float32[np.ndarray, " pixels"]:
    """Rings about the axis of a tree: each plank is cut out of another place of another one."""
    near, far = _TRUNK
    radius = near + (far - near) * _hashed(piece, seed + 2)
    angle = 2 * np.pi * _hashed(piece, seed + 3)
    lean = 0.04 * (_hashed(piece, seed + 4) - 0.5)
    y = at.points[:, 1] + radius * np.cos(angle) + lean * at.points[:, 0]
    z = at.points[:, 2] + radius * np.sin(angle)
    distance = np.maximum(np.hypot(y, z), _FINEST)
    phase = distance / pattern.rings + np.float32(0.35) * bend
    phase += _UNEVEN * _smooth(phase / 2, piece, seed + 5)
    outward = np.stack([y * lean, y, z], axis=-1) / distance[:, None]
    steep = np.linalg.norm(outward - (outward * at.normals).sum(-1, keepdims=True) * at.normals, axis=-1)
    wide = at.step / pattern.rings * np.clip(steep + _BENDING, 0, 1)  # rings that a pixel sees
    seen = (_ring_sum(phase + wide / 2) - _ring_sum(phase - wide / 2)) / np.maximum(wide, _FINEST)
    seen = np.where(wide > _NARROW, seen, _ring(phase))
    shade = -seen * 3 * _RING_SHADE
    for k, (per_ring, strength) in enumerate(_FIBERS):
        deviation = strength / (1 + (wide * per_ring) ** 2 / 6)  # a pixel's mean, from what its middle foretells of it
        shade += deviation * _smooth(phase * per_ring, piece, seed + 6 + k) - pattern.contrast * deviation**2 / 2
    return (shade * pattern.contrast).astype(np.float32)


def _smooth(place: Float[np.ndarray, " pixels"], piece: Int[np.ndarray, " pixels"], seed: int) -> Float[np.ndarray, " pixels"]:
    """Smooth noise along a line, another one for every piece, of mean 0 and variance 1.

    Values at whole numbers are even in [0, 1), of variance 1/12; what is smoothstepped between them has 26/35 of it.
    """
    whole = np.floor(place)
    t = place - whole
    number = whole.astype(np.int64) + piece * 65537
    low, high = _hashed(number, seed), _hashed(number + 1, seed)
    return (low + (high - low) * t * t * (3 - 2 * t) - 0.5) * (12 * 35 / 26) ** 0.5


def _ring(phase: Float[np.ndarray, " pixels"]) -> Float[np.ndarray, " pixels"]:
    """Darkness across rings, of mean 0: it grows slowly, then ends at once."""
    t = phase - np.floor(phase)
    return t * t * t - np.clip(1 - 8 * (1 - t), 0, 1) - _RING_MEAN


def _ring_sum(phase: Float[np.ndarray, " pixels"]) -> Float[np.ndarray, " pixels"]:
    """Its integral from 0, which is 0 again after every ring."""
    t = (phase - np.floor(phase)).astype(np.float64)
    late = np.maximum(t - 7 / 8, 0)
    return t**4 / 4 - 4 * late * late - _RING_MEAN * t


def _hashed(number: Int[np.ndarray, " pixels"], seed: int) -> Float32[np.ndarray, " pixels"]:
    """A number in [0, 1) for every whole number."""
    key = (number.astype(np.int64) * 0x9E3779B1 + (seed % (1 << 31)) * 0x85EBCA6B) & 0xFFFFFFFF
    key = ((key ^ (key >> 15)) * 0x2C1B3C6D) & 0xFFFFFFFF
    key = ((key ^ (key >> 12)) * 0x297A2D39) & 0xFFFFFFFF
    return ((key ^ (key >> 15)) / np.float32(1 << 32)).astype(np.float32)


def joined(
    base: UInt8[np.ndarray, "pixels 3"], color: str, share: Float32[np.ndarray, " pixels"]
) -> UInt8[np.ndarray, "pixels 3"]:
    """Base colors with the color of joints, ``#rrggbb``, mixed in."""
    mixed = base + share[:, None] * (np.array(list(bytes.fromhex(color[1:])), np.float32) - base)
    return np.rint(mixed).astype(np.uint8)
