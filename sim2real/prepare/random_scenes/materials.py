"""Looks: materials of photographed and of procedural textures, a little dirty and worn, from palettes that go together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, UInt8

from ...scene.colors import linear_from_srgb, srgb_from_linear
from ...scene.records import Material
from ..assets.library import Assets
from .prints import design
from .shapes import Number

_SIDE = 192

WALLS = (
    "#f0ece3",
    "#ebe4d6",
    "#f3f1ec",
    "#e4e7e6",
    "#dfe5da",
    "#e7ddcd",
    "#dce4ea",
    "#c9d3cf",
    "#d8c3ae",
    "#a9b7ae",
    "#8fa3b3",
    "#c98f73",
)
WOODS = ("#c79a63", "#b98550", "#d3ad7a", "#a9744a", "#8a5a38")
FRONTS = ("#f1efe9", "#e9e4d8", "#dde3dd", "#c4d0c8", "#f4f2ee", "#aebfca", "#5d6b66", "#3f4d5c", "#8d8f8c")
STONES = ("#d9d5cd", "#bdb8b0", "#e6e2da", "#8f8b86", "#55534f")
BRIGHT = ("#c8372d", "#e08a1e", "#e9c23b", "#3c8f4e", "#2f6fb0", "#1f8f8c", "#d8552b", "#7d4fa0", "#e3746f", "#254e7b")
SOFT = ("#e8e6e1", "#d5d9da", "#3a3d40", "#6f7a80", "#b7c4bb", "#c9b8a3", "#52606b", "#8c4a3f")
CROCKERY = ("#f5f3ee", "#efe9dc", "#dfe9ea", "#3d6f8e", "#b9563f", "#f2f0ea", "#86a08a")
CLOTHS = ("#d9d2c3", "#a9b8c0", "#c9796a", "#7f93a8", "#e3d9c6")


@dataclass(frozen=True)
class Look:
    """A material and how many metres its texture's width covers; ``None``: the UVs of what wears it are the texture's own."""

    material: Material
    period_m: Number | None = 1.0


def srgb_of(color: str) -> Float[np.ndarray, "3"]:
    """The 8-bit values of a color like ``#a0b1c2``."""
    return np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)], np.float64)


def pick(rng: np.random.Generator, palette: tuple[str, ...], jitter: Number = 6.0) -> Float[np.ndarray, "3"]:
    """A color of a palette, earlier ones more often, a little off."""
    weight = 0.85 ** np.arange(len(palette))
    color = srgb_of(palette[rng.choice(len(palette), p=weight / weight.sum())])
    return np.clip(color + rng.normal(0, jitter) + rng.normal(0, jitter / 3, 3), 4, 250)


def noise(
    rng: np.random.Generator, cycles_u: Number, cycles_v: Number, falloff: Number = 1.5, side: int = _SIDE
) -> Float[np.ndarray, "side side"]:
    """Smooth periodic noise of unit variance; most of it has the given cycles per side or fewer."""
    fv, fu = np.meshgrid(np.fft.fftfreq(side, 1 / side), np.fft.rfftfreq(side, 1 / side), indexing="ij")
    gain = (1 + (fu / cycles_u) ** 2 + (fv / cycles_v) ** 2) ** -falloff
    gain[0, 0] = 0
    out = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((side, side))) * gain, (side, side))
    return out / out.std()


def worn(rng: np.random.Generator, amount: Number, side: int = _SIDE) -> Float[np.ndarray, "side side"]:
    """What use does to a surface: smudges, spots and fine scratches, as a factor near 1.

    Args:
        rng: of all of it.
        amount: 0 leaves it new, 1 is well used.
        side: of the square that repeats, pixels.
    """
    smudge = np.clip(noise(rng, 2.5, 2.5, 1.2, side), -2, 3)
    shade = 1 - amount * 0.035 * smudge - amount * 0.05 * np.maximum(noise(rng, 5, 5, 1.3, side) - 1.3, 0)
    spots = noise(rng, 40, 40, 2.0, side)
    shade -= amount * 0.14 * np.clip(spots - 2.9, 0, 1)
    for _ in range(int(rng.poisson(5 * amount))):
        start, way = rng.uniform(0, side, 2), rng.normal(0, 1, 2)
        steps = np.arange(int(rng.uniform(0.05, 0.35) * side))[:, None]
        bend = 0.002 * rng.normal() * steps**2 * np.array([-way[1], way[0]]) / max(np.hypot(*way), 1e-6) / 8
        y, x = ((start + steps * way / max(np.hypot(*way), 1e-6) + bend) % side).astype(int).T
        shade[y, x] *= 1 + rng.normal(0, 0.07)
    return np.clip(shade, 0.4, 1.15)


def textured(base: np.ndarray, shade: np.ndarray, roughness: Number, period_m: Number, kind: str) -> Look:
    """``shade`` multiplies the base color (sRGB values)."""
    pixels = np.clip(base * (shade if shade.ndim == 3 else shade[..., None]), 2, 252)
    texture: UInt8[np.ndarray, "side side 3"] = np.rint(pixels).astype(np.uint8)
    return Look(Material((1.0, 1.0, 1.0, 1.0), texture, 0.0, float(roughness), kind=kind), period_m)


def plain(srgb: np.ndarray, roughness: Number, kind: str, metallic: Number = 0.0) -> Look:
    """One color."""
    r, g, b = (float(c) for c in linear_from_srgb(np.asarray(srgb, np.float64) / 255))
    return Look(Material((r, g, b, 1.0), None, float(metallic), float(roughness), kind=kind))


def upright(look: Look) -> Look:
    """The same look turned by a quarter: grain that lay along u stands along v."""
    texture = look.material.texture
    if texture is None or look.period_m is None:
        return look
    standing = np.ascontiguousarray(np.rot90(texture))
    return Look(replace(look.material, texture=standing), look.period_m * texture.shape[0] / texture.shape[1])


class Looks:
    """Draws looks; photographed where assets are given, more often than not.

    Args:
        assets: with photographed surfaces; ``None``: everything is procedural.
    """

    def __init__(self, assets: Assets | None) -> None:
        self._assets = assets

    def _photograph(self, rng: np.random.Generator, kind: str, share: float) -> tuple[Float[np.ndarray, "h w 3"], float] | None:
        found = self._assets.surfaces(kind) if self._assets is not None else ()
        if not found or self._assets is None or rng.random() > share:
            return None
        pixels, width_m = self._assets.surface(found[rng.integers(len(found))])
        return pixels.astype(np.float64), width_m

    def wood(self, rng: np.random.Generator, *, planks: int = 0, period_m: Number = 0.8) -> Look:
        """Grain along u; with planks, that many boards across v, each a little different."""
        base, dirt = pick(rng, WOODS), rng.uniform(0.2, 1.0)
        photo = self._photograph(rng, "planks" if planks else "wood", 0.9)
        if photo is not None:
            pixels, width_m = photo
            if rng.random() < 0.35:
                pixels = pixels * (base / pixels.mean(axis=(0, 1))) ** 0.6
            shade = _fitted(worn(rng, dirt), pixels.shape[:2])
            return textured(pixels, shade, rng.uniform(0.3, 0.65), width_m, "wood")
        rows = (np.arange(_SIDE) + 0.5) / _SIDE
        grain = noise(rng, 2, 18) * 0.045 + noise(rng, 1, 40, 2) * 0.03
        rings = np.sin(2 * np.pi * (rows[:, None] * 6 + 0.5 * noise(rng, 1.2, 2)))
        shade = (1 + grain + 0.035 * rings) * worn(rng, dirt)
        if planks:
            which = (rows * planks).astype(int)
            joint = np.minimum(rows * planks % 1, 1 - rows * planks % 1) * _SIDE / planks < 0.8
            shade = shade * rng.uniform(0.84, 1.1, planks)[which][:, None] * np.where(joint, 0.62, 1)[:, None]
        tint = np.array([1, 1, 1]) + (shade[..., None] - 1) * np.array([0.9, 1.1, 1.35])
        return textured(base, tint, rng.uniform(0.35, 0.7), period_m, "wood")

    def plaster(self, rng: np.random.Generator) -> Look:
        """A painted or papered wall: faint relief, faint stains, sometimes a pattern."""
        base, rough = pick(rng, WALLS, 4), rng.uniform(0.6, 0.95)
        stains = 1 + 0.012 * noise(rng, 3, 3, 1) + 0.006 * noise(rng, 60, 60, 1)
        photo = self._photograph(rng, "wall", 0.6)
        if photo is not None:
            pixels, width_m = photo
            gray = pixels.mean(axis=2)
            shade = 1 + rng.uniform(0.05, 0.22) * (gray / gray.mean() - 1)
            return textured(base, shade * _fitted(stains, shade.shape), rough, width_m, "plaster")
        x = np.arange(_SIDE) / _SIDE
        if rng.random() < 0.3:
            stripes = np.where((x * rng.choice([4, 6, 8]) % 1) < rng.uniform(0.3, 0.6), 1, rng.uniform(0.86, 0.96))
            stains = stains * stripes[None, :]
        return textured(base, stains, rough, 1.1, "plaster")

    def ceiling(self, rng: np.random.Generator) -> Look:
        """White paint."""
        return textured(np.full(3, rng.uniform(226, 246)), 1 + 0.01 * noise(rng, 3, 3, 1, 96), 0.9, 2.0, "plaster")

    def tiles(self, rng: np.random.Generator, *, floor: bool = False) -> Look:
        """Square or brick tiles with grout, each cut from another place of a photograph where there is one."""
        base = pick(rng, STONES if floor else WALLS, 5)
        across, along = (2, 2) if floor or rng.random() < 0.5 else (2, 4)
        side = 2 * _SIDE
        y, x = np.mgrid[:side, :side] / side
        row = np.minimum((y * along).astype(int), along - 1)
        x = (x + (0.5 / across if along != across else 0) * (row % 2)) % 1
        column = np.minimum((x * across).astype(int), across - 1)
        u, v = x * across % 1, y * along % 1
        period_m = rng.uniform(0.6, 0.9) if floor else rng.uniform(0.24, 0.4)
        half_gap = rng.uniform(0.0012, 0.0025) / period_m
        seam = (np.minimum(u, 1 - u) / across < half_gap) | (np.minimum(v, 1 - v) / along < half_gap)
        each = rng.uniform(0.94, 1.03, (along, across))[row, column]
        face = 1 + 0.02 * noise(rng, 6, 6, side=side)
        photo = self._photograph(rng, "stone", 0.75 if floor else 0.4)
        if photo is not None:
            pixels, width_m = photo
            start = rng.integers(0, 10_000, (2, along, across))
            step = period_m / width_m * pixels.shape[1] / side
            py = ((v / along * side * step).astype(int) + start[0][row, column]) % pixels.shape[0]
            px = ((u / across * side * step).astype(int) + start[1][row, column]) % pixels.shape[1]
            face = 1 + rng.uniform(0.3, 1.0) * (pixels[py, px] / pixels.mean(axis=(0, 1)) - 1)
        joint = rng.uniform(0.55, 0.9)
        shade = np.where(seam, joint * (1 + 0.05 * noise(rng, 20, 20, side=side)), each)[..., None]
        whole = shade * np.where(seam[..., None], 1.0, face if face.ndim == 3 else face[..., None])
        dirt = worn(rng, rng.uniform(0.2, 0.9), side)[..., None]
        return textured(base, whole * dirt, rng.uniform(0.12, 0.45), period_m, "tile")

    def stone(self, rng: np.random.Generator) -> Look:
        """A slab of granite, marble or terrazzo."""
        photo = self._photograph(rng, "stone", 0.85)
        if photo is not None:
            pixels, width_m = photo
            if rng.random() < 0.3:
                pixels = pixels * (pick(rng, STONES) / pixels.mean(axis=(0, 1))) ** 0.6
            return textured(pixels, _fitted(worn(rng, 0.5), pixels.shape[:2]), rng.uniform(0.12, 0.45), width_m, "stone")
        speckle = np.where(noise(rng, 30, 30, 1) > 1.3, rng.uniform(0.7, 1.2), 1) * (1 + 0.04 * noise(rng, 5, 5))
        return textured(pick(rng, STONES), speckle * worn(rng, 0.5), rng.uniform(0.15, 0.5), 0.5, "stone")

    def cloth(self, rng: np.random.Generator) -> Look:
        """Woven fabric, sometimes striped."""
        photo = self._photograph(rng, "cloth", 0.85)
        if photo is not None:
            pixels, width_m = photo
            if rng.random() < 0.4:
                pixels = pixels * (pick(rng, CLOTHS) / pixels.mean(axis=(0, 1))) ** 0.7
            return textured(pixels, _fitted(worn(rng, 0.7), pixels.shape[:2]), 0.9, width_m, "cloth")
        y, x = np.mgrid[:_SIDE, :_SIDE]
        weave = 1 + 0.05 * np.sin(np.pi * x / 2) * np.sin(np.pi * y / 2) + 0.04 * noise(rng, 8, 8)
        if rng.random() < 0.5:
            weave = weave * np.where(y * 4 // _SIDE % 2 == 0, 1, rng.uniform(0.7, 0.9))
        return textured(pick(rng, CLOTHS), weave * worn(rng, 0.7), 0.95, 0.2, "cloth")

    def front(self, rng: np.random.Generator) -> Look:
        """Cabinet fronts: lacquer with fingerprints, or wood, most often with its grain upright."""
        if rng.random() < 0.4:
            return upright(self.wood(rng)) if rng.random() < 0.75 else self.wood(rng)
        return textured(pick(rng, FRONTS, 4), worn(rng, rng.uniform(0.3, 1)), rng.uniform(0.3, 0.6), 0.7, "paint")

    def trim(self, rng: np.random.Generator) -> Look:
        """Skirting and window frames."""
        if rng.random() < 0.25:
            return self.wood(rng)
        color = pick(rng, ("#f1f0ec", "#e8e6e0", "#d8d8d4", "#4a4c4e"), 4)
        return textured(color, worn(rng, 0.7), rng.uniform(0.3, 0.6), 0.8, "paint")

    def plastic(self, rng: np.random.Generator) -> Look:
        """A saturated color, or a quiet one."""
        color = pick(rng, BRIGHT if rng.random() < 0.55 else SOFT, 8)
        return textured(color, worn(rng, rng.uniform(0.2, 0.8), 96), rng.uniform(0.25, 0.6), 0.3, "plastic")

    def printed(self, rng: np.random.Generator) -> Look:
        """Packaging or a label: a design that fills UVs from 0 to 1."""
        base, other = pick(rng, BRIGHT + SOFT, 8), pick(rng, WALLS + BRIGHT[:4], 6)
        pixels = design(rng, base, other)
        shade = _fitted(worn(rng, rng.uniform(0.2, 0.8), 96), pixels.shape[:2])
        return replace(textured(pixels, shade, rng.uniform(0.35, 0.7), 1.0, "paper"), period_m=None)

    def paper(self, rng: np.random.Generator) -> Look:
        """White or yellowed paper."""
        base = np.array([238, 234, 224]) - rng.uniform(0, 25) * np.array([0.4, 0.7, 1.2])
        return textured(base, 1 + 0.02 * noise(rng, 2, 60, 1, 96), 0.85, 0.1, "paper")

    def picture(self, rng: np.random.Generator) -> Look:
        """A photograph or a print for the wall, which fills UVs from 0 to 1."""
        outdoor = self._assets.outdoor if self._assets is not None else ()
        if not outdoor or self._assets is None or rng.random() < 0.35:
            return self.printed(rng)
        panorama = self._assets.map(outdoor[rng.integers(len(outdoor))])
        height, width = panorama.shape[:2]
        top, left = int(rng.uniform(0.3, 0.42) * height), int(rng.integers(width))
        crop = np.take(panorama[top : top + height // 4], np.arange(left, left + height // 3), axis=1, mode="wrap")
        crop = crop / max(float(np.percentile(crop, 80)), 1e-3)
        if rng.random() < 0.3:
            crop = np.repeat(crop.mean(axis=2, keepdims=True), 3, axis=2)
        pixels = 255 * srgb_from_linear(np.clip(crop / (1 + 0.5 * crop), 0, 0.92))
        return replace(textured(pixels, np.ones(pixels.shape[:2]), rng.uniform(0.15, 0.6), 1.0, "paper"), period_m=None)

    def ceramic(self, rng: np.random.Generator) -> Look:
        """Glazed crockery."""
        return textured(pick(rng, CROCKERY), worn(rng, rng.uniform(0, 0.4), 96), rng.uniform(0.12, 0.35), 0.25, "ceramic")

    def fruit(self, rng: np.random.Generator) -> Look:
        """Apples, oranges, lemons, limes."""
        base = srgb_of(("#c23b2c", "#e5862a", "#e6c53f", "#86a83b", "#a32e35")[rng.integers(5)])
        shade = 1 + 0.07 * noise(rng, 3, 3, side=96) - 0.12 * np.clip(noise(rng, 30, 30, 2, side=96) - 2.2, 0, 1)
        return textured(base, shade, 0.4, 0.15, "food")

    def steel(self, rng: np.random.Generator) -> Look:
        """Brushed steel or aluminium."""
        base = np.full(3, rng.uniform(180, 222)) + [0, 0, 3]
        shade = (1 + 0.03 * noise(rng, 2, 90, 1.2)) * worn(rng, rng.uniform(0.2, 1))
        look = textured(base, shade, rng.uniform(0.22, 0.45), 0.3, "metal")
        return replace(look, material=replace(look.material, metallic=float(rng.uniform(0.8, 1.0))))

    def dark(self, rng: np.random.Generator) -> Look:
        """Black plastic or rubber."""
        kind, rough = ("rubber", rng.uniform(0.55, 0.85)) if rng.random() < 0.35 else ("plastic", rng.uniform(0.2, 0.55))
        shade = 2 - worn(rng, rng.uniform(0.4, 1.5), 96)
        return textured(np.full(3, rng.uniform(26, 58)), shade, rough, 0.3, kind)

    def robot_shell(self, rng: np.random.Generator) -> tuple[Look, Look]:
        """Shell and joints of a robot: painted or bare metal, with scuffs."""
        kind = rng.choice(5, p=[0.45, 0.18, 0.15, 0.12, 0.1])
        if kind == 3:
            return self.steel(rng), plain(srgb_of("#5e97b8"), 0.35, "paint")
        shell = srgb_of(("#e6e5e0", "#a9adb0", "#d96c24", "", "#3b3f44")[kind]) + rng.normal(0, 4, 3)
        shade = worn(rng, rng.uniform(0.5, 1.6), 256) * (1 + 0.012 * noise(rng, 80, 80, 1, side=256))
        return textured(shell, shade, rng.uniform(0.28, 0.5), 0.5, "paint"), self.dark(rng)


def _fitted(shade: np.ndarray, shape: tuple[int, ...]) -> Float[np.ndarray, "height width"]:
    """A square that repeats, sampled to another size."""
    rows, columns = ((np.arange(n) * len(shade)) // n for n in shape[:2])
    return shade[np.ix_(rows, columns)]
