"""What the network is given beside the noise: surfaces in the light that falls on them, and geometry, a channel each.

Training, generation and evaluation make conditions here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8, UInt16

from ....camera_effects import Development
from ....camera_effects.tone import LUMA, toned
from ....conditions.coverage import NEIGHBORS, shares
from ....conditions.light.filters import alike_around
from ....conditions.light.shine import GRAZING, matte_share, mirrored_share
from ....errors import BadValueError
from ....scene.colors import linear_from_srgb
from .borders import Borders, Mixed
from .occlusion import occlusion

CHANNEL_NAMES = (
    *("red", "green", "blue"),
    *("base red", "base green", "base blue"),
    *("roughness", "metallic", "emissive"),
    *("normal x", "normal y", "normal z"),
    "nearness",
    "edges",
    "facing",
    *("light red", "light green", "light blue"),
    *("open nearby", "open"),
    *("rendered light red", "rendered light green", "rendered light blue"),
)
"""In order; all lie in [-1, 1]."""
CHANNELS = len(CHANNEL_NAMES)
PICTURE = slice(0, 3)
BASE = slice(3, 6)
MADE_OF = slice(6, 9)
NORMALS = slice(9, 12)
NEARNESS = slice(12, 13)
FACING = slice(14, 15)
LIGHT = slice(15, 18)
OPEN = slice(18, 20)
RENDERED = slice(20, 23)
SHARES = slice(CHANNELS, CHANNELS + len(NEIGHBORS))
"""Behind the channels that the network sees, where they are known: what each neighbor covers of a pixel, 0 to 1."""
ALONG = slice(SHARES.stop, SHARES.stop + 2)
"""Behind those, where it is known: which way borders run (``lines``)."""

_FAINT = 0.04
"""Screen value, 0 to 1, that is added to picture and base color before one is divided by the other."""
_BRIGHT, _WHITEST = 0.55, 0.8
"""Linear base colors from which simulators' whites are taken to be darker than they say, and the brightest paint there is."""
_BLACK = 0.08
"""Linear base color below which wear is no plainer."""
_GRAY_LIGHT = 0.569
"""(50 + 16) / 116, the cube root of the linear color whose L* is 50: d log Y = 3 dL* / (116 Y^(1/3))."""
_CAMERA = Development()
_LINEAR = linear_from_srgb(np.arange(256) / 255).astype(np.float32)


_LINE, _NEAR = 2, 0.03
"""Most alike neighbors on a line a pixel wide; differences of depth within one thing, as a share."""


@dataclass(frozen=True, eq=False)
class Surface:
    """What surfaces are to be made of, per pixel.

    - ``base_color``: sRGB.
    - ``roughness`` and ``metallic``: 0 to 255, as in a clip's ``material`` pictures.
    """

    base_color: UInt8[np.ndarray, "frames height width 3"]
    roughness: UInt8[np.ndarray, "frames height width"]
    metallic: UInt8[np.ndarray, "frames height width"]


@dataclass(frozen=True, eq=False)
class KnownPictures:
    """What a simulator knows of a stretch of frames.

    - ``rgb``: its shaded render, sRGB; ``albedo``: base color with textures, sRGB.
    - ``material``: red roughness, green metallic, blue emissive strength; ``normals``: camera frame, ``(n + 1) / 2``.
    - ``depth``: metres along z, 0 without a surface; ``edges``: white (255) on black.
    - ``light``: what a white matte surface would send back, linear, exposed; where there is no surface, what is seen.
      ``reflection``: what arrives from the mirrored directions, likewise.
    - ``K``: pixels; one, or one per frame.
    - ``hidden``: from ``occlusion``, where it is known already.
    - ``coverage``: of ``sim2real.conditions.coverage``; with it, every pixel is taken for one surface, and the finished picture
      is mixed of them.
    - ``along``: of ``lines``, along which the finished picture is averaged.
    """

    rgb: UInt8[np.ndarray, "frames height width 3"]
    albedo: UInt8[np.ndarray, "frames height width 3"]
    material: UInt8[np.ndarray, "frames height width 3"]
    normals: UInt8[np.ndarray, "frames height width 3"]
    depth: Float[np.ndarray, "frames height width"]
    edges: UInt8[np.ndarray, "frames height width"]
    light: Float[np.ndarray, "frames height width 3"]
    reflection: Float[np.ndarray, "frames height width 3"]
    K: Float[np.ndarray, "*matrices 3 3"]
    hidden: UInt8[np.ndarray, "frames height width 2"] | None = None
    coverage: UInt16[np.ndarray, "frames height width"] | None = None
    along: Float32[np.ndarray, "frames 2 height width"] | None = None


@dataclass(frozen=True, eq=False)
class Wear:
    """What use has left on surfaces.

    - ``amount``: 0 nothing, 1 a household's; from 1 on, white is what white paint is.
    - ``shade``, ``roughness``: what a gray's linear base color and the roughness are multiplied with, per pixel.
    """

    amount: float
    shade: Float32[np.ndarray, "frames height width"]
    roughness: Float32[np.ndarray, "frames height width"]


def picture_conditions(
    known: KnownPictures,
    *,
    surface: Surface | None = None,
    kept: Bool[np.ndarray, "frames height width"] | None = None,
    ids: np.ndarray | None = None,
    wear: Wear | None = None,
) -> Float32[np.ndarray, "frames channels height width"]:
    """The channels of :data:`CHANNEL_NAMES`, for any stretch of frames: no frame depends on another.

    Where coverage is known, :data:`SHARES` are behind them; where it is known how borders run, :data:`ALONG`, too.

    Args:
        known: of these frames.
        surface: new surfaces for where ``kept`` is false; None keeps all.
        kept: where colors and textures of the simulator stay; None replaces everywhere if there is a ``surface``. What has no
            depth or shines by itself is always kept.
        ids: of instances (frames, height, width), so that the borders of what is replaced neither fray nor have stairs;
            of no use where coverage is known.
        wear: of surfaces that stay as they are.

    Raises:
        BadValueError: ``kept`` is false somewhere, without a ``surface``.
    """
    if surface is None and kept is not None and not kept.all():
        raise BadValueError("surface", None, right="given, where kept is not true everywhere")
    count = ALONG.stop if known.along is not None else CHANNELS if known.coverage is None else SHARES.stop
    out = np.zeros((len(known.rgb), count, *known.rgb.shape[1:3]), np.float32)
    solid = known.depth > 0
    stays = np.ones(known.depth.shape, np.bool_)
    if surface is not None:
        stays = ~solid | (known.material[..., 2] > 0) | (np.zeros_like(stays) if kept is None else kept)
    base, rough_metal, rgb = _LINEAR[known.albedo], known.material[..., :2], known.rgb
    albedo = known.albedo
    if known.along is not None:
        out[:, ALONG] = known.along
    if known.coverage is not None:
        out[:, SHARES] = shares(known.coverage)
        mixed = Mixed(out[:, SHARES])
        base = mixed.undone(base)
        albedo, rgb = srgb8(base), srgb8(mixed.undone(_LINEAR[rgb]))
    if surface is not None and not stays.all():
        changed = ~stays
        _recolor(base, surface.base_color, changed, ids if known.coverage is None else None)
        rough_metal = rough_metal.copy()
        rough_metal[changed] = np.stack([surface.roughness[changed], surface.metallic[changed]], axis=-1)
    if wear is not None:
        rough_metal = rough_metal.copy()
        _wear_down(base, rough_metal, stays & solid & (known.material[..., 2] == 0), wear)
    out[:, BASE] = np.moveaxis(srgb8(base), -1, 1)
    out[:, 6:8] = np.moveaxis(rough_metal, -1, 1)
    out[:, 8] = known.material[..., 2]
    out[:, 9:12] = np.moveaxis(known.normals, -1, 1)
    out[:, 13] = known.edges
    hidden = occlusion(known.depth, known.normals, known.K) if known.hidden is None else known.hidden
    out[:, OPEN] = 255 - np.moveaxis(hidden, -1, 1)
    for bytes_ in (slice(3, 12), slice(13, 14), OPEN):
        out[:, bytes_] = out[:, bytes_] / 127.5 - 1
    out[:, 9:12] *= solid[:, None]
    out[:, 12] = np.where(solid, 2 / (1 + known.depth), 0) - 1
    out[:, 14] = _facing(out[:, 9:12], known.K)
    falling = known.light.astype(np.float32)
    rough, metallic = (rough_metal[..., k] * np.float32(1 / 255) for k in (0, 1))
    facing = _facing_on_lines(out[:, 14], out[:, 9:12], known.depth)
    mirrored = mirrored_share(base, metallic, rough, facing) * known.reflection.astype(np.float32)
    shown = np.where(solid[..., None], matte_share(base, metallic) * falling + mirrored, falling)
    for channels, linear in ((PICTURE, shown), (LIGHT, falling)):
        out[:, channels] = np.moveaxis(2 * toned(linear, _CAMERA) - 1, -1, 1)
    rendered = _with_sky(rgb, falling, ~solid)
    out[:, RENDERED] = np.moveaxis(_rendered_light(rendered, albedo, solid & (known.material[..., 2] == 0)), -1, 1)
    return out


def _facing_on_lines(
    facing: Float32[np.ndarray, "frames height width"],
    normals: Float32[np.ndarray, "frames 3 height width"],
    depth: Float[np.ndarray, "frames height width"],
) -> Float32[np.ndarray, "frames height width"]:
    """How surfaces face the camera; on lines a pixel wide, so that they shine as what is around them does.

    A rounded edge is seen at every angle, at some pixels by chance: it would be a row of sparks.
    """
    out = facing.copy()
    for frame, turned, far, seen in zip(out, np.moveaxis(normals, 1, -1), depth, facing, strict=True):
        height, width = far.shape
        y, x = np.nonzero((far > 0) & (alike_around(turned, far, _is_near) <= _LINE))
        total, count = np.zeros(len(y), np.float32), np.zeros(len(y), np.float32)
        for i, j in np.ndindex(3, 3):
            there = np.clip(y + i - 1, 0, height - 1), np.clip(x + j - 1, 0, width - 1)
            near = _is_near(far[there], far[y, x])
            total += near * np.exp2(GRAZING * seen[there])
            count += near
        frame[y, x] = np.log2(total / count) / GRAZING
    return out


def _is_near(depth: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.abs(depth - other) < _NEAR * other


def _recolor(
    base: Float32[np.ndarray, "frames height width 3"],
    base_color: UInt8[np.ndarray, "frames height width 3"],
    changed: Bool[np.ndarray, "frames height width"],
    ids: np.ndarray | None,
) -> None:
    """Put other base colors where ``changed``, in place; where instances meet, both sides are told apart and mixed anew."""
    borders = None if ids is None else Borders(ids, changed)
    if borders is not None:
        borders.unmixed([base])
    base[changed] = _LINEAR[base_color[changed]]
    if borders is not None:
        borders.softened([base])


def _plausible(base: Float32[np.ndarray, "*shape 3"]) -> Float32[np.ndarray, "*shape 3"]:
    """Colors that used things have: new snow sends back 0.9 of the light, white plastic and paint 0.8, simulators' robots all.

    White that sends back all light has no shading left when a camera exposes for what is around it.
    """
    brightest = np.maximum(np.maximum(base[..., 0:1], base[..., 1:2]), base[..., 2:3])
    room = _WHITEST - _BRIGHT
    over = np.maximum(brightest - _BRIGHT, 0)
    held = np.where(over > 0, _BRIGHT + room * (1 - np.exp(-over / room)), brightest)
    return base * (held / np.maximum(brightest, np.float32(1e-6)))


def _wear_down(
    base: Float32[np.ndarray, "frames height width 3"],
    rough_metal: UInt8[np.ndarray, "frames height width 2"],
    here: Bool[np.ndarray, "frames height width"],
    wear: Wear,
) -> None:
    """Vary base color and roughness, in place, by steps of lightness that look alike on black and on white."""
    shown = base + np.float32(min(wear.amount, 1)) * (_plausible(base) - base)
    bright = np.maximum(shown @ LUMA, _BLACK)
    shade = np.exp(np.log(wear.shade) * np.float32(_GRAY_LIGHT) * np.exp(np.log(bright) * np.float32(-1 / 3)))
    np.copyto(base, np.minimum(shown * shade[..., None], 1), where=here[..., None])
    rough = np.clip(np.rint(rough_metal[..., 0] * wear.roughness), 0, 255)
    np.copyto(rough_metal[..., 0], rough.astype(np.uint8), where=here)


def between(
    albedo: UInt8[np.ndarray, "frames height width 3"],
    material: UInt8[np.ndarray, "frames height width 3"],
    surface: Surface,
    share: float,
) -> Surface:
    """Surfaces on the way from what the simulator has, at 0, to others, at 1, in even steps for the eye (sRGB)."""

    def mixed(start: UInt8[np.ndarray, "*shape"], end: UInt8[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
        return np.round(start + np.float32(share) * (end.astype(np.float32) - start)).astype(np.uint8)

    return Surface(
        mixed(albedo, surface.base_color),
        mixed(material[..., 0], surface.roughness),
        mixed(material[..., 1], surface.metallic),
    )


def shaded(base_color: UInt8[np.ndarray, "*shape 3"], factor: Float32[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape 3"]:
    """Colors (sRGB) whose linear light is multiplied."""
    return srgb8(_LINEAR[base_color] * factor[..., None])


def linear8(srgb: UInt8[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """Linear light of screen values."""
    return _LINEAR[srgb]


def srgb8(linear: Float32[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """Screen values 0..255 of linear light, by table: much faster than a power."""
    return _SRGB[np.round(np.sqrt(np.clip(linear, 0, 1)) * (len(_SRGB) - 1)).astype(np.int32)]


def _srgb_table(entries: int = 4096) -> UInt8[np.ndarray, " entries"]:
    """Screen values by the square root of linear light."""
    linear = (np.arange(entries) / (entries - 1)) ** 2
    return np.searchsorted((_LINEAR[1:] + _LINEAR[:-1]) / 2, linear).astype(np.uint8)


_SRGB = _srgb_table()


def _with_sky(
    rgb: UInt8[np.ndarray, "frames height width 3"],
    falling: Float32[np.ndarray, "frames height width 3"],
    empty: Bool[np.ndarray, "frames height width"],
) -> UInt8[np.ndarray, "frames height width 3"]:
    """The render; where a simulator draws nothing and it is black, the light from there: the network saw no such black."""
    black = empty.copy()
    black[empty] = ~rgb[empty].any(axis=-1)
    if not black.any():
        return rgb
    rgb = rgb.copy()
    rgb[black] = np.rint(255 * np.clip(toned(falling[black][None, None], _CAMERA)[0, 0], 0, 1)).astype(np.uint8)
    return rgb


def _rendered_light(
    rgb: UInt8[np.ndarray, "frames height width 3"],
    albedo: UInt8[np.ndarray, "frames height width 3"],
    lit: Bool[np.ndarray, "frames height width"],
) -> Float32[np.ndarray, "frames height width 3"]:
    """The render's screen values over those of the base color, less 1: the simulator's plain light, sharp, without texture.

    What shines by itself, and where there is no surface, has a base color of white.
    """
    below = np.where(lit[..., None], albedo * np.float32(1 / 255), 1) + np.float32(_FAINT)
    return np.minimum((rgb * np.float32(1 / 255) + np.float32(_FAINT)) / below, 2) - 1


def background_light(picture: Float32[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """The channels ``RENDERED`` of the background, which has a base color of white, from those of the picture."""
    return (picture / 2 + np.float32(0.5 + _FAINT)) / np.float32(1 + _FAINT) - 1


def _facing(
    normals: Float32[np.ndarray, "frames 3 height width"],
    K: Float[np.ndarray, "*frames 3 3"],  # noqa: N803
) -> Float32[np.ndarray, "frames height width"]:
    """Cosine between the normal and the direction to the eye; 0 without a surface."""
    frames, _, height, width = normals.shape
    k = np.broadcast_to(np.asarray(K, np.float32), (frames, 3, 3))
    x = (np.arange(width, dtype=np.float32) + 0.5 - k[:, 0, 2, None]) / k[:, 0, 0, None]
    y = (np.arange(height, dtype=np.float32) + 0.5 - k[:, 1, 2, None]) / k[:, 1, 1, None]
    along = normals[:, 0] * x[:, None, :] + normals[:, 1] * y[:, :, None] + normals[:, 2]
    length = np.sqrt(1 + x[:, None, :] ** 2 + y[:, :, None] ** 2)
    return np.clip(-along / length, -1, 1)
