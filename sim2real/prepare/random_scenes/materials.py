"""Looks: materials with procedural textures, from palettes that go together.

A picture cannot be told from depth and edges alone; the palettes keep to a family (light warm rooms, wood, white and grey
robots, a few saturated small things), so that a small model can learn it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from ...conditions.rgb.mitsuba.convert import linear_from_srgb
from ...scene.records import Material
from .shapes import Number

_SIDE = 128

WALLS = ("#f0ece3", "#ebe4d6", "#f3f1ec", "#e4e7e6", "#dfe5da", "#e7ddcd", "#dce4ea")
WOODS = ("#c79a63", "#b98550", "#d3ad7a", "#a9744a", "#8a5a38")
FRONTS = ("#f1efe9", "#e9e4d8", "#dde3dd", "#c4d0c8", "#f4f2ee", "#aebfca")
STONES = ("#d9d5cd", "#bdb8b0", "#e6e2da", "#8f8b86", "#55534f")
BRIGHT = ("#c8372d", "#e08a1e", "#e9c23b", "#3c8f4e", "#2f6fb0", "#1f8f8c", "#d8552b", "#7d4fa0", "#e3746f", "#254e7b")
CROCKERY = ("#f5f3ee", "#efe9dc", "#dfe9ea", "#3d6f8e", "#b9563f", "#f2f0ea", "#86a08a")
CLOTHS = ("#d9d2c3", "#a9b8c0", "#c9796a", "#7f93a8", "#e3d9c6")


@dataclass(frozen=True)
class Look:
    """A material and how many metres its texture covers."""

    material: Material
    period_m: Number = 1.0


def _srgb(color: str) -> Float[np.ndarray, "3"]:
    return np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)], np.float64)


def _pick(rng: np.random.Generator, palette: tuple[str, ...], jitter: Number = 6.0) -> Float[np.ndarray, "3"]:
    """A colour of a palette, earlier ones more often, a little off."""
    weight = 0.8 ** np.arange(len(palette))
    color = _srgb(palette[rng.choice(len(palette), p=weight / weight.sum())])
    return np.clip(color + rng.normal(0, jitter) + rng.normal(0, jitter / 3, 3), 4, 250)


def _plain(srgb: np.ndarray, roughness: Number, metallic: Number = 0.0) -> Look:
    r, g, b = (float(c) for c in linear_from_srgb(srgb))
    return Look(Material(base_color=(r, g, b, 1.0), roughness=roughness, metallic=metallic))


def _noise(
    rng: np.random.Generator, cycles_u: Number, cycles_v: Number, falloff: Number = 1.5
) -> Float[np.ndarray, "side side"]:
    """Smooth periodic noise of unit variance; most of it has the given cycles per side or fewer."""
    fv, fu = np.meshgrid(*[np.fft.fftfreq(_SIDE, 1 / _SIDE)] * 2, indexing="ij")
    gain = (1 + (fu / cycles_u) ** 2 + (fv / cycles_v) ** 2) ** -falloff
    gain[0, 0] = 0
    out = np.fft.ifft2(np.fft.fft2(rng.standard_normal((_SIDE, _SIDE))) * gain).real
    return out / out.std()


def _textured(base: np.ndarray, shade: np.ndarray, roughness: Number, period_m: Number) -> Look:
    """``shade`` multiplies the base colour (sRGB values)."""
    pixels = np.clip(base * (shade if shade.ndim == 3 else shade[..., None]), 0, 255)
    texture: UInt8[np.ndarray, "side side 3"] = np.rint(pixels).astype(np.uint8)
    return Look(Material(base_color=(1.0, 1.0, 1.0, 1.0), texture=texture, roughness=roughness), period_m)


def wood(rng: np.random.Generator, *, planks: int = 0, period_m: Number = 0.8) -> Look:
    """Grain along u; with planks, that many boards across v, each a little different."""
    base = _pick(rng, WOODS)
    rows = (np.arange(_SIDE) + 0.5) / _SIDE
    grain = _noise(rng, 2, 18) * 0.045 + _noise(rng, 1, 40, 2) * 0.03
    rings = np.sin(2 * np.pi * (rows[:, None] * 6 + 0.5 * _noise(rng, 1.2, 2)))
    shade = 1 + grain + 0.035 * rings
    if planks:
        which = (rows * planks).astype(int)
        joint = np.minimum(rows * planks % 1, 1 - rows * planks % 1) * _SIDE / planks < 0.8
        shade = shade * rng.uniform(0.84, 1.1, planks)[which][:, None] * np.where(joint, 0.62, 1)[:, None]
    tint = np.array([1, 1, 1]) + (shade[..., None] - 1) * np.array([0.9, 1.1, 1.35])
    return _textured(base, tint, rng.uniform(0.4, 0.7), period_m)


def plaster(rng: np.random.Generator) -> Look:
    """A painted wall, almost even."""
    return _textured(_pick(rng, WALLS, 4), 1 + 0.012 * _noise(rng, 4, 4, 1), rng.uniform(0.75, 0.95), 1.3)


def tiles(rng: np.random.Generator, *, floor: bool = False) -> Look:
    """Square or brick tiles with grout."""
    base = _pick(rng, STONES if floor else WALLS, 5)
    across, along = (2, 2) if floor or rng.random() < 0.5 else (2, 4)
    y, x = np.mgrid[:_SIDE, :_SIDE] / _SIDE
    row = (y * along).astype(int)
    x = (x + (0.5 / across if along != across else 0) * (row % 2)) % 1
    u, v = x * across % 1, y * along % 1
    grout = 1.5 / _SIDE
    seam = (np.minimum(u, 1 - u) / across < grout) | (np.minimum(v, 1 - v) / along < grout)
    each = rng.uniform(0.93, 1.04, (along, across))[row, (x * across).astype(int) % across]
    shade = each * (1 + 0.02 * _noise(rng, 6, 6)) * np.where(seam, rng.uniform(0.6, 0.85), 1)
    return _textured(base, shade, rng.uniform(0.2, 0.5), rng.uniform(0.6, 0.9) if floor else rng.uniform(0.24, 0.4))


def stone(rng: np.random.Generator) -> Look:
    """Terrazzo or granite."""
    speckle = np.where(_noise(rng, 30, 30, 1) > 1.3, rng.uniform(0.7, 1.2), 1) * (1 + 0.04 * _noise(rng, 5, 5))
    return _textured(_pick(rng, STONES), speckle, rng.uniform(0.25, 0.55), 0.6)


def cloth(rng: np.random.Generator) -> Look:
    """Woven fabric, sometimes striped."""
    y, x = np.mgrid[:_SIDE, :_SIDE]
    weave = 1 + 0.05 * np.sin(np.pi * x / 2) * np.sin(np.pi * y / 2) + 0.04 * _noise(rng, 8, 8)
    if rng.random() < 0.5:
        weave = weave * np.where(y * 4 // _SIDE % 2 == 0, 1, rng.uniform(0.7, 0.9))
    return _textured(_pick(rng, CLOTHS), weave, 0.95, 0.2)


def front(rng: np.random.Generator) -> Look:
    """Cabinet fronts: lacquer, now and then wood."""
    return wood(rng) if rng.random() < 0.25 else _plain(_pick(rng, FRONTS, 4), rng.uniform(0.35, 0.6))


def plastic(rng: np.random.Generator) -> Look:
    """A saturated colour."""
    return _plain(_pick(rng, BRIGHT, 8), rng.uniform(0.25, 0.6))


def printed(rng: np.random.Generator) -> Look:
    """Packaging: a saturated colour with bands and a label."""
    base, other = _pick(rng, BRIGHT, 8), _pick(rng, WALLS + BRIGHT[:4], 6)
    y, x = np.mgrid[:_SIDE, :_SIDE] / _SIDE
    band = (np.abs(y - rng.uniform(0.3, 0.7)) < rng.uniform(0.08, 0.2)) | ((x * 2 % 1 < 0.06) & (rng.random() < 0.3))
    return _textured(
        np.where(band[..., None], other, base), np.ones((_SIDE, _SIDE)), rng.uniform(0.4, 0.7), rng.uniform(0.12, 0.2)
    )


def ceramic(rng: np.random.Generator) -> Look:
    """Glazed crockery."""
    return _plain(_pick(rng, CROCKERY), rng.uniform(0.12, 0.35))


def fruit(rng: np.random.Generator) -> Look:
    """Apples, oranges, lemons, limes."""
    base = _srgb(("#c23b2c", "#e5862a", "#e6c53f", "#86a83b", "#a32e35")[rng.integers(5)])
    return _textured(base, 1 + 0.07 * _noise(rng, 3, 3), 0.45, 0.15)


def steel(rng: np.random.Generator) -> Look:
    """Brushed steel or aluminium."""
    return _plain(np.full(3, rng.uniform(190, 222)) + [0, 0, 3], rng.uniform(0.25, 0.45), rng.uniform(0.75, 1.0))


def dark(rng: np.random.Generator) -> Look:
    """Black plastic, rubber, glass of an oven."""
    return _plain(np.full(3, rng.uniform(28, 58)), rng.uniform(0.2, 0.6))


def robot_shell(rng: np.random.Generator) -> tuple[Look, Look]:
    """Shell and joints of a robot: white and dark, grey and dark, orange and dark, silver and blue."""
    kind = rng.choice(4, p=[0.55, 0.18, 0.15, 0.12])
    if kind == 3:
        return steel(rng), _plain(_srgb("#5e97b8"), 0.4)
    shell = ("#efeeea", "#b9bcbe", "#e2762a")[kind]
    return _plain(_srgb(shell) + rng.normal(0, 4), rng.uniform(0.3, 0.5)), dark(rng)
