"""Materials, textures and colors of what trimesh read, as our own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from ....eight_bits import eight_bits
from ...colors import linear_from_srgb, srgb_from_linear
from ...records import Material, Mesh
from .cutouts import cut_out

MAX_TEXTURE_PX = 4096


def dressed(
    mesh: Mesh,
    geometry: Any,
    notes: list[str],
    *,
    folder: Path | None = None,
    uv_map: Float[np.ndarray, "2 3"] | None = None,
) -> Mesh:
    """The mesh with the UVs and the material of a trimesh geometry, without what its texture leaves out (``cutouts``).

    Args:
        mesh: vertices and faces of ``geometry``.
        geometry: a ``trimesh.Trimesh``.
        notes: gets a sentence for everything that could not be kept.
        folder: where pictures lie that trimesh does not load.
        uv_map: what becomes of (u, v, 1).
    """
    visual = geometry.visual
    if visual.kind == "texture":
        raw = getattr(visual, "uv", None)
        uv = None if raw is None or len(raw) != len(mesh.vertices) else np.asarray(raw, np.float64)[mesh.faces]
        if uv is not None and not np.isfinite(uv).all():
            notes.append(f"{mesh.name}: UVs that are not finite were dropped")
            uv = None
        if uv is not None and uv_map is not None:
            uv = uv @ uv_map[:, :2].T + uv_map[:, 2]
        material = material_of(visual.material, mesh.name, notes)
        if uv is None and material.texture is not None:
            notes.append(f"{mesh.name}: its texture is not used, because the mesh has no UVs")
            material = replace(material, texture=None)
        tint = (getattr(visual, "vertex_attributes", None) or {}).get("color")
        made = replace(mesh, uv=uv, material=material)
        if tint is not None and len(tint) == len(mesh.vertices):
            made = _tinted(made, np.asarray(tint), notes)
        return _without_clear_parts(made, visual.material, folder, notes)
    if visual.kind in ("vertex", "face") and visual.defined:
        return face_colored(mesh, visual, notes)
    return mesh


def material_of(source: Any, name: str, notes: list[str]) -> Material:
    """A material of trimesh (PBR of glTF, or simple of OBJ and PLY) as a metallic-roughness material."""
    if hasattr(source, "baseColorFactor"):
        return _from_pbr(source, name, notes)
    unset = not getattr(source, "kwargs", None) and (source.image is None or source.image.size == (2, 2))
    if unset:  # trimesh stands in a 2x2 picture where a file names no material
        return Material()
    color = linear_from_srgb(np.asarray(source.diffuse, np.float64)[:3] / 255)
    texture = pixels(source.image, name, notes)
    if texture is not None and "kd" not in source.kwargs:
        color = np.ones(3)
    said = {key.lower(): value for key, value in source.kwargs.items()}
    gloss = _numbers(said.get("ns"), 1)
    roughness = Material().roughness if gloss is None else float(np.clip(np.sqrt(2 / (max(gloss[0], 0) + 2)), 0.05, 1))
    dissolve, clear, glow = _numbers(said.get("d"), 1), _numbers(said.get("tr"), 1), _numbers(said.get("ke"), 3)
    alpha = dissolve[0] if dissolve is not None else 1.0 if clear is None else 1.0 - clear[0]
    unread = [key for key in ("map_ke", "map_bump", "bump", "map_ns", "map_ks") if key in said]
    if unread:
        notes.append(f"{name}: its {', '.join(unread)} are not used")
    return Material(
        base_color=_rgba(color, float(np.clip(alpha, 0, 1))),
        texture=texture,
        roughness=roughness,
        emission=(0.0, 0.0, 0.0) if glow is None else (glow[0], glow[1], glow[2]),
    )


def _without_clear_parts(mesh: Mesh, source: Any, folder: Path | None, notes: list[str]) -> Mesh:
    """The mesh cut where its alpha is below the cutoff (blended: one half); the rest is blended as in the mean."""
    texture, base = mesh.material.texture, mesh.material.base_color
    if mesh.uv is None or texture is None:
        return mesh
    alpha = texture[..., 3] / 255 if texture.shape[2] == 4 else None
    masked, cutoff = getattr(source, "alphaMode", None) == "MASK", 0.5
    if masked and getattr(source, "alphaCutoff", None) is not None:
        cutoff = float(source.alphaCutoff)
    if not hasattr(source, "baseColorFactor"):
        alpha = _clear_map(source, folder, mesh.name, notes)
    if texture.shape[2] == 4:
        mesh = replace(mesh, material=replace(mesh.material, texture=np.ascontiguousarray(texture[..., :3])))
    if alpha is None:
        return mesh
    seen = alpha * base[3]
    if masked:
        rest = 1.0
    elif (alpha >= cutoff).any():
        seen, rest = alpha, base[3] * float(alpha[alpha >= cutoff].mean())
    else:  # clear all over, as a pane is
        seen, rest = np.ones_like(alpha), base[3] * float(alpha.mean())
    made = cut_out(mesh, seen, cutoff)
    if len(made.faces) != len(mesh.faces):
        notes.append(f"{mesh.name}: what its texture leaves out was cut away (alpha below {cutoff:g})")
    return replace(made, material=replace(made.material, base_color=_rgba(np.array(base[:3]), rest)))


def _clear_map(source: Any, folder: Path | None, name: str, notes: list[str]) -> Float[np.ndarray, "height width"] | None:
    """The picture that ``map_d`` of an MTL file names: 0 is clear, 1 is solid."""
    said = {key.lower(): value for key, value in (getattr(source, "kwargs", None) or {}).items()}.get("map_d")
    words = [str(word) for word in np.atleast_1d(said)] if said is not None else []
    if not words:
        return None
    place = None if folder is None else folder / words[-1].replace("\\", "/")
    if place is None or not place.is_file():
        notes.append(f"{name}: the picture of its map_d is missing: {words[-1]}")
        return None
    image = eight_bits(Image.open(place), f"the map_d of {name}")
    band = image.getchannel("A") if "A" in image.getbands() else image.convert("L")
    return np.asarray(band, np.float64) / 255


def _numbers(value: Any, count: int) -> list[float] | None:
    """So many non-negative numbers of an MTL statement; ``None`` where it says something else."""
    try:
        found = [float(number) for number in np.atleast_1d(value)] if value is not None else []
    except (TypeError, ValueError):
        return None
    return found[:count] if len(found) >= count and np.isfinite(found).all() and min(found) >= 0 else None


def _tinted(mesh: Mesh, colors: np.ndarray, notes: list[str]) -> Mesh:
    """A mesh whose material is multiplied with colors of its vertices (linear, glTF's COLOR_0)."""
    rgb = colors[:, :3].astype(np.float64) / (np.iinfo(colors.dtype).max if colors.dtype.kind == "u" else 1)
    material = mesh.material
    if np.ptp(rgb, axis=0).max() < 1e-6:
        base = np.array(material.base_color[:3]) * rgb[0]
        return replace(mesh, material=replace(material, base_color=_rgba(base, material.base_color[3])))
    if material.texture is not None:
        notes.append(f"{mesh.name}: its vertex colors are not used, because it has a texture, too")
        return mesh
    linear = (rgb[mesh.faces].mean(axis=1) * material.base_color[:3]).clip(0, 1)
    notes.append(f"{mesh.name}: its vertex colors were averaged over each face")
    colored = _per_face(mesh, np.rint(srgb_from_linear(linear) * 255).astype(np.uint8))
    made = replace(material, base_color=_rgba(np.array(colored.material.base_color[:3]), material.base_color[3]))
    return replace(colored, material=replace(made, texture=colored.material.texture))


def _from_pbr(source: Any, name: str, notes: list[str]) -> Material:
    factor = np.ones(4)
    if source.baseColorFactor is not None:
        given = np.asarray(source.baseColorFactor)
        factor[: len(given)] = given / 255 if given.dtype == np.uint8 else given
    metallic = 1.0 if source.metallicFactor is None else float(source.metallicFactor)
    roughness = 1.0 if source.roughnessFactor is None else float(source.roughnessFactor)
    packed = pixels(source.metallicRoughnessTexture, name, notes)
    if packed is not None and packed.shape[2] >= 3:
        metallic *= float(packed[..., 2].mean()) / 255
        roughness *= float(packed[..., 1].mean()) / 255
        notes.append(f"{name}: its metallic-roughness texture was replaced by its mean")
    if source.normalTexture is not None:
        notes.append(f"{name}: its normal map is not used")
    emission = np.zeros(3) if source.emissiveFactor is None else np.asarray(source.emissiveFactor, np.float64)
    if source.emissiveTexture is not None and emission.any():
        glow = pixels(source.emissiveTexture, name, notes)
        emission = emission * (1.0 if glow is None else linear_from_srgb(glow[..., :3] / 255).mean(axis=(0, 1)))
        notes.append(f"{name}: its emissive texture was replaced by its mean")
    texture = pixels(source.baseColorTexture, name, notes)
    if source.alphaMode in (None, "OPAQUE"):  # whatever alpha says
        factor[3], texture = 1.0, None if texture is None else np.ascontiguousarray(texture[..., :3])
    return Material(
        base_color=_rgba(factor[:3], float(factor[3])),
        texture=texture,
        metallic=float(np.clip(metallic, 0, 1)),
        roughness=float(np.clip(roughness, 0.02, 1)),
        emission=(float(emission[0]), float(emission[1]), float(emission[2])),
    )


def _rgba(color: np.ndarray, alpha: float = 1.0) -> tuple[float, float, float, float]:
    return float(color[0]), float(color[1]), float(color[2]), alpha


def pixels(image: Any, name: str, notes: list[str]) -> UInt8[np.ndarray, "height width channels"] | None:
    """An image of Pillow as an array, at most ``MAX_TEXTURE_PX`` wide and high."""
    if image is None:
        return None
    image = eight_bits(image, f"the texture of {name}")
    if max(image.size) > MAX_TEXTURE_PX:
        notes.append(f"{name}: its texture of {image.size[0]}x{image.size[1]} was reduced to at most {MAX_TEXTURE_PX} pixels")
        image = image.copy()
        image.thumbnail((MAX_TEXTURE_PX, MAX_TEXTURE_PX))
    alpha = "A" in image.getbands() or "transparency" in image.info
    return np.array(image.convert("RGBA" if alpha else "RGB"))


def face_colored(mesh: Mesh, visual: Any, notes: list[str]) -> Mesh:
    """Colors of vertices or faces as a palette texture: one texel per color, to which all corners of a face point.

    The UVs of a face have no area, so they carry color and nothing else.
    """
    if visual.kind == "face":
        srgb = np.asarray(visual.face_colors)[:, :3]
    else:
        linear = linear_from_srgb(np.asarray(visual.vertex_colors)[:, :3] / 255)[mesh.faces].mean(axis=1)
        srgb = np.rint(srgb_from_linear(linear) * 255).astype(np.uint8)
        notes.append(f"{mesh.name}: its vertex colors were averaged over each face")
    return _per_face(mesh, srgb)


def _per_face(mesh: Mesh, srgb: UInt8[np.ndarray, "faces 3"]) -> Mesh:
    """A mesh with one color per face."""
    colors, index = np.unique(srgb, axis=0, return_inverse=True)
    index = index.ravel()
    if len(colors) == 1:
        return replace(mesh, material=Material(base_color=_rgba(linear_from_srgb(colors[0] / 255))))
    texture, centers = palette(colors.astype(np.uint8))
    uv = np.repeat(centers[index][:, None], 3, axis=1)
    return replace(mesh, uv=uv, material=Material(base_color=(1.0, 1.0, 1.0, 1.0), texture=texture))


def palette(
    colors: UInt8[np.ndarray, "colors 3"],
) -> tuple[UInt8[np.ndarray, "side side 3"], Float[np.ndarray, "colors 2"]]:
    """A square picture with one pixel per color, and the UVs of the pixels' centers."""
    side = int(np.ceil(np.sqrt(len(colors))))
    picture = np.zeros((side * side, 3), np.uint8)
    picture[: len(colors)] = colors
    row, column = np.divmod(np.arange(len(colors)), side)
    return picture.reshape(side, side, 3), np.stack([(column + 0.5) / side, 1 - (row + 0.5) / side], axis=1)
