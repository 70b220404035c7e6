"""Surfaces with the small things that photographs show and simulators leave out: relief, uneven gloss, thin glass."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Float

from ....scene.records import Material
from .convert import bitmap, linear_from_srgb

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
_LEAST_ROUGH = 0.08
_RELIEF_M = 0.0012
"""Height between a texture's black and white."""
_CLOUD_TEXELS = 128


def detailed_bsdf(mi: ModuleType, material: Material, rng: np.random.Generator, *, has_uv: bool) -> Any:
    """A two-sided ``principled`` BSDF with relief and gloss from the texture's luminance, or smudges where it has none.

    Args:
        mi: Mitsuba.
        material: of a mesh.
        rng: draws the smudges.
        has_uv: whether the mesh has texture coordinates.
    """
    base = np.asarray(material.base_color, np.float32)
    if material.is_thin_glass:
        return mi.load_dict({"type": "thindielectric", "specular_transmittance": _color(0.75 + 0.25 * base[:3])})
    rough = float(np.clip(material.roughness, _LEAST_ROUGH, 1))
    inner: dict[str, Any] = {"type": "principled", "metallic": float(np.clip(material.metallic, 0, 1))}
    height = opacity = None
    if material.texture is not None:
        texture = material.texture
        inner["base_color"] = bitmap(mi, np.clip(linear_from_srgb(texture[..., :3]) * base[:3], 0, 1))
        luma = texture[..., :3].astype(np.float32) @ _LUMINANCE / 255
        inner["roughness"] = bitmap(mi, np.clip(rough - 0.5 * (luma - luma.mean()), _LEAST_ROUGH, 1)[..., None])
        height = luma if luma.std() > 0.01 else None
        if texture.shape[-1] == 4 and (texture[..., 3] < 250).any():
            opacity = bitmap(mi, texture[..., 3:].astype(np.float32) / 255 * base[3])
    else:
        inner["base_color"], inner["roughness"] = _color(base[:3]), rough
        if has_uv:
            smudges = 1 + 0.22 * clouds(rng, _CLOUD_TEXELS)
            inner["roughness"] = bitmap(mi, np.clip(rough * smudges, 0.06, 1)[..., None])
    if height is not None and has_uv:
        inner = {"type": "bumpmap", "texture": bitmap(mi, height[..., None]), "scale": _RELIEF_M, "bsdf": inner}
    surface = {"type": "twosided", "surface": inner}
    if opacity is None and base[3] < 1:
        opacity = float(base[3])
    if opacity is not None:
        surface = {"type": "mask", "opacity": opacity, "inside": surface}
    return mi.load_dict(surface)


def clouds(rng: np.random.Generator, side: int, *, power: float = 1.1) -> Float[np.ndarray, "side side"]:
    """Periodic noise of variance 1 whose amplitude falls with frequency as ``frequency ** -power``."""
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(side, 1 / side)] * 2))
    frequency[0, 0] = np.inf
    values = np.fft.ifft2(np.fft.fft2(rng.standard_normal((side, side))) / frequency**power).real
    return values / values.std()


def _color(values: np.ndarray) -> dict[str, Any]:
    return {"type": "rgb", "value": [float(np.clip(c, 0, 1)) for c in values]}
