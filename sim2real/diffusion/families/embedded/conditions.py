"""What the network is given beside the noise: a shaded picture, surfaces and geometry, a channel each.

Training, generation and evaluation make conditions here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from ....errors import BadValueError
from ....scene.colors import linear_from_srgb
from .borders import Borders
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
)
"""In order; all lie in [-1, 1]."""
CHANNELS = len(CHANNEL_NAMES)
PICTURE = slice(0, 3)
BASE = slice(3, 6)
NORMALS = slice(9, 12)
LIGHT = slice(15, 18)
OPEN = slice(18, 20)

_DARKEST = 0.03
"""Linear base color below which a channel's light is taken from the brightness: 8 bits do not resolve it."""
_FAINT = 0.04
"""Screen value, 0 to 1, that is added to picture and base color before one is divided by the other."""
_BRIGHTEST = 6.0
"""Most light, in units of what makes white white, that a replaced surface is shown under."""
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
_LINEAR = linear_from_srgb(np.arange(256) / 255).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Surface:
    """What surfaces are to be made of, per pixel.

    - ``base_color``: sRGB.
    - ``roughness`` and ``metallic``: 0 to 255, as in a clip's ``material`` pictures.
    """

    base_color: UInt8[np.ndarray, "frames height width 3"]
    roughness: UInt8[np.ndarray, "frames height width"]
    metallic: UInt8[np.ndarray, "frames height width"]


def picture_conditions(
    *,
    rgb: UInt8[np.ndarray, "frames height width 3"],
    albedo: UInt8[np.ndarray, "frames height width 3"],
    material: UInt8[np.ndarray, "frames height width 3"],
    normals: UInt8[np.ndarray, "frames height width 3"],
    depth: Float[np.ndarray, "frames height width"],
    edges: UInt8[np.ndarray, "frames height width"],
    K: Float[np.ndarray, "*frames 3 3"],  # noqa: N803
    surface: Surface | None = None,
    kept: Bool[np.ndarray, "frames height width"] | None = None,
    ids: np.ndarray | None = None,
    hidden: UInt8[np.ndarray, "frames height width 2"] | None = None,
) -> Float32[np.ndarray, "frames 20 height width"]:
    """The channels of :data:`CHANNEL_NAMES`, for any stretch of frames: no frame depends on another.

    Args:
        rgb: the simulator's shaded render, sRGB.
        albedo: base color with textures, sRGB.
        material: red roughness, green metallic, blue emissive strength.
        normals: camera frame, ``(n + 1) / 2``.
        depth: metres along z, 0 without a surface.
        edges: white (255) on black.
        K: pixels; one, or one per frame.
        surface: new surfaces for where ``kept`` is false; None keeps all.
        kept: where colors and textures of the simulator stay; None replaces everywhere if there is a ``surface``. What has no
            depth or shines by itself is always kept.
        ids: of instances (frames, height, width), so that the borders of what is replaced neither fray nor have stairs.
        hidden: from ``occlusion``, where it is known already.

    Raises:
        BadValueError: ``kept`` is false somewhere, without a ``surface``.
    """
    if surface is None and kept is not None and not kept.all():
        raise BadValueError("surface", None, right="given, where kept is not true everywhere")
    out = np.zeros((len(rgb), CHANNELS, *rgb.shape[1:3]), np.float32)
    solid = depth > 0
    stays = np.ones(depth.shape, np.bool_)
    if surface is not None:
        stays = ~solid | (material[..., 2] > 0) | (np.zeros_like(stays) if kept is None else kept)
    picture, base, rough_metal = rgb, albedo, material[..., :2]
    if surface is not None and not stays.all():
        changed = ~stays
        picture, base = _recolored(rgb, albedo, surface.base_color, changed, ids)
        rough_metal = rough_metal.copy()
        rough_metal[changed] = np.stack([surface.roughness[changed], surface.metallic[changed]], axis=-1)
    out[:, 0:3] = np.moveaxis(picture, -1, 1)
    out[:, 3:6] = np.moveaxis(base, -1, 1)
    out[:, 6:8] = np.moveaxis(rough_metal, -1, 1)
    out[:, 8] = material[..., 2]
    out[:, 9:12] = np.moveaxis(normals, -1, 1)
    out[:, 13] = edges
    out[:, OPEN] = 255 - np.moveaxis(occlusion(depth, normals, K) if hidden is None else hidden, -1, 1)
    for bytes_ in (slice(0, 12), slice(13, 14), OPEN):
        out[:, bytes_] = out[:, bytes_] / 127.5 - 1
    out[:, 9:12] *= solid[:, None]
    out[:, 12] = np.where(solid, 2 / (1 + depth), 0) - 1
    out[:, 14] = _facing(out[:, 9:12], K)
    out[:, LIGHT] = _light(out[:, PICTURE], out[:, BASE], solid & (material[..., 2] == 0))
    return out


def _recolored(
    rgb: UInt8[np.ndarray, "frames height width 3"],
    albedo: UInt8[np.ndarray, "frames height width 3"],
    base_color: UInt8[np.ndarray, "frames height width 3"],
    changed: Bool[np.ndarray, "frames height width"],
    ids: np.ndarray | None,
) -> tuple[UInt8[np.ndarray, "frames height width 3"], UInt8[np.ndarray, "frames height width 3"]]:
    """The render and its base colors, with another base color where ``changed``: what is light and shadow stays.

    The light per channel is ``rgb / albedo``, linear; a channel in which the old surface is nearly black tells nothing, so that
    the brightness's ratio is mixed in as far as a channel is dark.
    """
    shown, base = _LINEAR[rgb], _LINEAR[albedo]
    borders = None if ids is None else Borders(ids, changed)
    if borders is not None:
        borders.unmixed([shown, base])
    old, new = base[changed], _LINEAR[base_color[changed]]
    overall = (shown[changed] @ _LUMINANCE + 0.2 * _DARKEST) / (old @ _LUMINANCE + 0.2 * _DARKEST)
    light = (shown[changed] + _DARKEST * overall[:, None]) / (old + _DARKEST)
    shown[changed], base[changed] = np.minimum(light, _BRIGHTEST) * new, new
    if borders is not None:
        borders.softened([shown, base])
    return _srgb8(shown), _srgb8(base)


def shaded(base_color: UInt8[np.ndarray, "*shape 3"], factor: Float32[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape 3"]:
    """Colors (sRGB) whose linear light is multiplied."""
    return _srgb8(_LINEAR[base_color] * factor[..., None])


def _srgb8(linear: Float32[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """Screen values 0..255 of linear light, by table: much faster than a power."""
    return _SRGB[np.round(np.sqrt(np.clip(linear, 0, 1)) * (len(_SRGB) - 1)).astype(np.int32)]


def _srgb_table(entries: int = 4096) -> UInt8[np.ndarray, " entries"]:
    """Screen values by the square root of linear light."""
    linear = (np.arange(entries) / (entries - 1)) ** 2
    return np.searchsorted((_LINEAR[1:] + _LINEAR[:-1]) / 2, linear).astype(np.uint8)


_SRGB = _srgb_table()


def _light(
    picture: Float32[np.ndarray, "frames 3 height width"],
    base: Float32[np.ndarray, "frames 3 height width"],
    lit: Bool[np.ndarray, "frames height width"],
) -> Float32[np.ndarray, "frames 3 height width"]:
    """Screen values over those of the base color, less 1: light without texture, in which shadows are easy to find.

    What shines by itself, and where there is no surface, has a base color of white.
    """
    below = np.where(lit[:, None], (base + 1) / 2, 1) + np.float32(_FAINT)
    return np.minimum(((picture + 1) / 2 + np.float32(_FAINT)) / below, 2) - 1


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
