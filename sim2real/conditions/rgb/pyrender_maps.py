"""Texture maps of our materials as pyrender takes them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from ...scene.records import Material


def maps_of(pyrender: ModuleType, material: Material, scale: float) -> dict[str, Any]:
    """Arguments of a pyrender material for the maps of ours; they replace what the material says as a whole.

    pyrender multiplies all light with occlusion, not only what comes from around.

    Args:
        pyrender: the package.
        material: with maps.
        scale: what light is multiplied with.
    """
    maps, said = material.maps, dict[str, Any]()
    if maps is None:
        return said
    if maps.surface is not None:
        packed = np.zeros_like(maps.surface)
        packed[..., 0], packed[..., 1] = maps.surface[..., 1], maps.surface[..., 2]  # pyrender reads roughness, metallic
        said["metallicRoughnessTexture"] = pyrender.Texture(source=np.ascontiguousarray(packed), source_channels="RGB")
        said["roughnessFactor"], said["metallicFactor"] = float(maps.roughness), float(maps.metallic)
        shade = 255 + maps.occlusion * (maps.surface[..., :1].astype(np.float32) - 255)
        if (shade < 254.5).any():
            gray = np.rint(shade).astype(np.uint8).repeat(3, axis=-1)
            said["occlusionTexture"] = pyrender.Texture(source=gray, source_channels="RGB")
    if maps.normal is not None:
        bent = maps.normal.astype(np.float32) / 127.5 - 1
        bent[..., :2] *= maps.normal_scale
        bent /= np.maximum(np.linalg.norm(bent, axis=-1, keepdims=True), 1e-6)
        pixels = np.rint((bent + 1) * 127.5).astype(np.uint8)
        said["normalTexture"] = pyrender.Texture(source=pixels, source_channels="RGB")
    if maps.emission_texture is not None and any(maps.emission):
        glow = np.asarray(maps.emission, np.float64) * scale
        said["emissiveFactor"] = np.sqrt(np.maximum(glow, 0))
        picture = np.ascontiguousarray(maps.emission_texture)
        said["emissiveTexture"] = pyrender.Texture(source=picture, source_channels="RGB")
    return said
