"""What kinds of shaders call what we read of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """What one kind of shader calls its inputs; the first that has a value counts. ``base`` is its color if none is given."""

    color: tuple[str, ...]
    texture: tuple[str, ...] = ()
    tint: tuple[str, ...] = ()
    metallic: tuple[str, ...] = ()
    roughness: tuple[str, ...] = ()
    opacity: tuple[str, ...] = ()
    emission: tuple[str, ...] = ()
    base: tuple[float, float, float] = (0.8, 0.8, 0.8)
    usual_roughness: float = 0.5


PREVIEW = Dialect(
    color=("diffuseColor",),
    metallic=("metallic",),
    roughness=("roughness",),
    opacity=("opacity",),
    emission=("emissiveColor",),
    base=(0.18, 0.18, 0.18),
)
"""UsdPreviewSurface."""
OTHERS = Dialect(
    color=(
        *("diffuse_color_constant", "base_color_factor", "diffuse_reflection_color"),
        *("base_color", "diffuse_color", "glass_color"),
    ),
    texture=("diffuse_texture", "base_color_texture", "diffuse_reflection_color_image"),
    tint=("diffuse_tint",),
    metallic=("metallic_constant", "metallic_factor", "metalness", "base_metalness", "metallic"),
    roughness=(
        *("reflection_roughness_constant", "roughness_factor", "specular_reflection_roughness"),
        *("specular_roughness", "frosting_roughness", "roughness"),
    ),
    opacity=("opacity_constant", "geometry_opacity", "alpha"),
    emission=("emissive_color",),
    base=(0.2, 0.2, 0.2),
)
"""OmniPBR, OmniSurface and glTF in MDL; Standard Surface and OpenPBR in MaterialX."""
