"""Materials, textures and colors of what trimesh read, as our own."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from ....arrays import reason
from ....eight_bits import pixels_of
from ....errors import UnreadableFileError
from ...colors import linear_from_srgb, srgb_from_linear
from ...records import CornerColors, Maps, Material, Mesh
from .cutouts import cut_out

MAX_TEXTURE_PX = 4096
MOST_REPEATS = 1000
"""Of a texture, beyond which its holes are not cut out."""
_BRIGHTEST, _FARTHEST_UV = 1e6, 1e6
_FACES_AT_ONCE = 500_000


def dressed(
    mesh: Mesh,
    geometry: Any,
    notes: list[str],
    *,
    source: Path | None = None,
    uv_map: Float[np.ndarray, "2 3"] | None = None,
) -> Mesh:
    """The mesh with the UVs and the material of a trimesh geometry, without what its texture leaves out (``cutouts``).

    Args:
        mesh: vertices and faces of ``geometry``.
        geometry: a ``trimesh.Trimesh``.
        notes: gets a sentence for everything that could not be kept.
        source: the mesh file; pictures that trimesh does not load lie beside it.
        uv_map: what becomes of (u, v, 1).

    Raises:
        UnreadableFileError: a picture is damaged, or a number of a material is not finite.
    """
    visual = geometry.visual
    if visual.kind == "texture":
        raw = getattr(visual, "uv", None)
        flat = raw is not None and np.shape(raw)[1:] in ((2,), (3,)) and len(raw) == len(mesh.vertices)
        uv = np.asarray(raw, mesh.vertices.dtype)[:, :2][mesh.faces] if flat else None
        if raw is not None and len(raw) and (uv is None or not (np.abs(uv) <= _FARTHEST_UV).all()):
            notes.append(f"{mesh.name}: UVs that are not finite, huge, or no pairs for every vertex, were dropped")
            uv = None
        if uv is not None and uv_map is not None:
            uv = uv @ uv_map[:, :2].T + uv_map[:, 2]
        material = material_of(visual.material, mesh.name, notes, source)
        _check_finite(material, mesh.name, source)
        if uv is None and (material.texture is not None or material.maps is not None):
            notes.append(f"{mesh.name}: its texture is not used, because the mesh has no UVs")
            material = replace(material, texture=None, maps=None)
        tint = (getattr(visual, "vertex_attributes", None) or {}).get("color")
        made = replace(mesh, uv=uv, material=material)
        if tint is not None and len(tint) == len(mesh.vertices):
            made = _tinted(made, np.asarray(tint), notes)
        return _without_clear_parts(made, visual.material, source, notes)
    if visual.kind in ("vertex", "face") and visual.defined:
        return face_colored(mesh, visual, notes)
    return mesh


def _check_finite(material: Material, name: str, file: Path | None) -> None:
    numbers = (*material.base_color, *material.emission, material.metallic, material.roughness)
    if not all(0 <= number <= _BRIGHTEST for number in numbers):
        why = f"the material of {name} has negative, infinite or huge numbers"
        raise UnreadableFileError(file or name, what="mesh file", why=why, fix="export it again")


def material_of(source: Any, name: str, notes: list[str], file: Path | None = None) -> Material:
    """A material of trimesh (PBR of glTF, or simple of OBJ and PLY) as a metallic-roughness material."""
    if hasattr(source, "baseColorFactor"):
        return _from_pbr(source, name, notes, file)
    unset = not getattr(source, "kwargs", None) and (source.image is None or source.image.size == (2, 2))
    if unset:  # trimesh stands in a 2x2 picture where a file names no material
        return Material()
    color = linear_from_srgb(np.asarray(source.diffuse, np.float64)[:3] / 255)
    texture = pixels(source.image, name, notes, file)
    if texture is not None and "kd" not in source.kwargs:
        color = np.ones(3)
    said = {key.lower(): value for key, value in source.kwargs.items()}
    gloss = _numbers(said.get("ns"), 1)
    roughness = Material().roughness if gloss is None else float(np.clip(np.sqrt(2 / (max(gloss[0], 0) + 2)), 0.05, 1))
    dissolve, clear, glow = _numbers(said.get("d"), 1), _numbers(said.get("tr"), 1), _numbers(said.get("ke"), 3)
    alpha = dissolve[0] if dissolve is not None else 1.0 if clear is None else 1.0 - clear[0]
    glow = _mapped_glow(glow, said.get("map_ke"), name, notes, file)
    unread = [key for key in ("map_bump", "bump", "map_ns", "map_ks") if key in said]
    if unread:
        notes.append(f"{name}: its {', '.join(unread)} are not used")
    return Material(
        base_color=_rgba(color, float(np.clip(alpha, 0, 1))),
        texture=texture,
        roughness=roughness,
        emission=(0.0, 0.0, 0.0) if glow is None else (glow[0], glow[1], glow[2]),
    )


def _mapped_glow(glow: list[float] | None, picture: Any, name: str, notes: list[str], file: Path | None) -> list[float] | None:
    """The glow (linear) of a material, times the mean of the picture that ``map_Ke`` names."""
    place = _neighbor(picture, file)
    if place is None:
        return glow
    shown = pixels(_opened(place, place), name, notes, place) if place.is_file() else None
    if shown is None:
        notes.append(f"{name}: the picture of its map_Ke is missing: {place.name}")
        return glow
    notes.append(f"{name}: its map_Ke was replaced by its mean")
    return (np.array([1.0, 1, 1] if glow is None else glow) * linear_from_srgb(shown[..., :3] / 255).mean(axis=(0, 1))).tolist()


def _neighbor(name: Any, file: Path | None) -> Path | None:
    """The picture beside a mesh file that an MTL statement names; trimesh splits names at spaces."""
    words = [str(word) for word in np.atleast_1d(name)] if name is not None else []
    return file.parent / " ".join(words).replace("\\", "/") if words and file is not None else None


def _without_clear_parts(mesh: Mesh, source: Any, file: Path | None, notes: list[str]) -> Mesh:
    """The mesh cut where its alpha is below the cutoff (blended: one half); the rest is blended as in the mean."""
    texture, base = mesh.material.texture, mesh.material.base_color
    if mesh.uv is None or texture is None:
        return mesh
    alpha = texture[..., 3] / 255 if texture.shape[2] == 4 else None
    masked, cutoff = getattr(source, "alphaMode", None) == "MASK", 0.5
    if masked and getattr(source, "alphaCutoff", None) is not None:
        cutoff = float(source.alphaCutoff)
    if not hasattr(source, "baseColorFactor"):
        alpha = _clear_map(source, file, mesh.name, notes)
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
    assert mesh.uv is not None
    if np.abs(mesh.uv).max() > MOST_REPEATS:
        notes.append(f"{mesh.name}: its UVs leave the texture too far for its holes to be cut out")
        return replace(mesh, material=replace(mesh.material, base_color=_rgba(np.array(base[:3]), rest)))
    made = cut_out(mesh, seen, cutoff)
    if len(made.faces) != len(mesh.faces):
        notes.append(f"{mesh.name}: what its texture leaves out was cut away (alpha below {cutoff:g})")
    return replace(made, material=replace(made.material, base_color=_rgba(np.array(base[:3]), rest)))


def _clear_map(source: Any, file: Path | None, name: str, notes: list[str]) -> Float[np.ndarray, "height width"] | None:
    """The picture that ``map_d`` of an MTL file names: 0 is clear, 1 is solid."""
    said = {key.lower(): value for key, value in (getattr(source, "kwargs", None) or {}).items()}.get("map_d")
    place = _neighbor(said, file)
    if place is None:
        return None
    if not place.is_file():
        notes.append(f"{name}: the picture of its map_d is missing: {place.name}")
        return None
    picture = pixels(_opened(place, place), name, notes, place)
    assert picture is not None
    if picture.shape[2] == 4:
        return picture[..., 3] / 255
    return np.asarray(Image.fromarray(picture).convert("L"), np.float64) / 255


def check_picture(data: bytes, where: object) -> None:
    """Refuse a picture of which trimesh would make none without a word.

    Raises:
        UnreadableFileError: it cannot be opened.
    """
    _opened(io.BytesIO(data), where)


def _opened(file: Path | io.BytesIO, where: object) -> Image.Image:
    try:
        return Image.open(file)
    except Exception as error:  # headers of every format have errors of their own
        why, fix = reason(error).split(" '")[0].split(" <")[0], "use a PNG or JPEG picture"
        raise UnreadableFileError(where, what="texture", why=why, fix=fix) from error


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
    if colors.shape[1] > 3 and colors[:, 3].min() < (np.iinfo(colors.dtype).max if colors.dtype.kind == "u" else 1):
        notes.append(f"{mesh.name}: the alpha of its vertex colors is not used")
    if np.ptp(rgb, axis=0).max() < 1e-6:
        base = np.array(material.base_color[:3]) * rgb[0]
        return replace(mesh, material=replace(material, base_color=_rgba(base, material.base_color[3])))
    if material.texture is not None or material.maps is not None:
        notes.append(f"{mesh.name}: of its vertex colors, which are multiplied with its textures, rgb and albedo tell alone")
        return replace(mesh, colors=CornerColors(_corner_srgb(rgb, mesh.faces)))
    colored = per_face(mesh, _face_means(rgb, mesh.faces, material.base_color[:3]))
    made = replace(material, base_color=_rgba(np.array(colored.material.base_color[:3]), material.base_color[3]))
    corners = CornerColors(_corner_srgb(rgb, mesh.faces, material.base_color[:3]), in_texture=True)
    return replace(colored, material=replace(made, texture=colored.material.texture, maps=None), colors=_kept(colored, corners))


def _from_pbr(source: Any, name: str, notes: list[str], file: Path | None) -> Material:
    factor = np.ones(4)
    if source.baseColorFactor is not None:
        given = np.asarray(source.baseColorFactor)
        factor[: len(given)] = given / 255 if given.dtype == np.uint8 else given
    metallic = 1.0 if source.metallicFactor is None else float(source.metallicFactor)
    roughness = 1.0 if source.roughnessFactor is None else float(source.roughnessFactor)
    emission = np.zeros(3) if source.emissiveFactor is None else np.asarray(source.emissiveFactor, np.float64)
    maps = _maps_of(source, (metallic, roughness), emission, name, notes, file)
    if maps is not None and maps.surface is not None:
        metallic *= float(maps.surface[..., 2].mean()) / 255
        roughness *= float(maps.surface[..., 1].mean()) / 255
    if maps is not None and maps.emission_texture is not None:
        emission = emission * linear_from_srgb(maps.emission_texture / 255).mean(axis=(0, 1))
    texture = pixels(source.baseColorTexture, name, notes, file)
    if source.alphaMode in (None, "OPAQUE"):  # whatever alpha says
        factor[3], texture = 1.0, None if texture is None else np.ascontiguousarray(texture[..., :3])
    return Material(
        base_color=_rgba(factor[:3], float(factor[3])),
        texture=texture,
        metallic=float(np.clip(metallic, 0, 1)),
        roughness=float(np.clip(roughness, 0.02, 1)),
        emission=(float(emission[0]), float(emission[1]), float(emission[2])),
        maps=maps,
    )


def _maps_of(
    source: Any,
    factors: tuple[float, float],
    emission: np.ndarray,
    name: str,
    notes: list[str],
    file: Path | None,
) -> Maps | None:
    """The textures of a PBR material besides its base color, by which ``rgb`` is drawn; other pictures take their means.

    Args:
        source: a PBR material of trimesh, which drops strengths of occlusion and scales of normals.
        factors: metallic and roughness.
        emission: linear.
        name: of the mesh.
        notes: gets a sentence on what only ``rgb`` shows.
        file: named in errors.
    """
    packed, shade, bent, glow = (
        pixels(getattr(source, f"{kind}Texture", None), name, notes, file)
        for kind in ("metallicRoughness", "occlusion", "normal", "emissive")
    )
    surface: np.ndarray | None = None if packed is None or packed.shape[2] < 3 else np.array(packed[..., :3])
    if surface is not None:
        surface[..., 0] = 255 if shade is None else 0
    elif shade is not None:
        surface = np.full((*shade.shape[:2], 3), 255, np.uint8)
    if shade is not None and surface is not None:
        red = Image.fromarray(np.ascontiguousarray(shade[..., 0]))
        surface[..., 0] = np.asarray(red.resize((surface.shape[1], surface.shape[0]), Image.Resampling.BILINEAR))
    bent = None if bent is None or bent.shape[2] < 3 else np.ascontiguousarray(bent[..., :3])
    shown = None
    if glow is not None and emission.any():
        shown = np.ascontiguousarray(glow[..., :3] if glow.shape[2] >= 3 else glow[..., :1].repeat(3, -1))
    if surface is None and bent is None and shown is None:
        return None
    had = {"metallic-roughness": packed, "occlusion": shade, "normal": bent, "emissive": shown}
    said = ", ".join(kind for kind, picture in had.items() if picture is not None)
    notes.append(f"{name}: of its {said} texture(s) rgb shows all, other pictures the mean")
    red, green, blue = (float(c) for c in emission)
    return Maps(
        surface=surface,
        metallic=factors[0],
        roughness=factors[1],
        normal=bent,
        emission_texture=shown,
        emission=(red, green, blue),
    )


def _rgba(color: np.ndarray, alpha: float = 1.0) -> tuple[float, float, float, float]:
    return float(color[0]), float(color[1]), float(color[2]), alpha


def pixels(
    image: Any, name: str, notes: list[str], file: Path | None = None
) -> UInt8[np.ndarray, "height width channels"] | None:
    """An image of Pillow as an array, at most ``MAX_TEXTURE_PX`` wide and high."""
    if image is None:
        return None
    where = f"the texture of {name}" + (f", {file}" if file else "")
    if not isinstance(image, Image.Image):
        raise UnreadableFileError(where, what="the picture", why="it is none", fix="export it again")
    if max(image.size) > MAX_TEXTURE_PX:
        notes.append(f"{name}: its texture of {image.size[0]}x{image.size[1]} was reduced to at most {MAX_TEXTURE_PX} pixels")
    return pixels_of(image, where, most_px=MAX_TEXTURE_PX)


def face_colored(mesh: Mesh, visual: Any, notes: list[str]) -> Mesh:
    """Colors of vertices or faces as a palette texture: one texel per color, to which all corners of a face point.

    The UVs of a face have no area, so they carry color and nothing else.
    """
    given = np.asarray(visual.face_colors if visual.kind == "face" else visual.vertex_colors)
    if given.shape[1] > 3 and (given[:, 3] < 255).any():
        notes.append(f"{mesh.name}: the alpha of its {visual.kind} colors is not used")
    if visual.kind == "face":
        srgb = np.asarray(visual.face_colors)[:, :3]
    else:
        own = np.asarray(visual.vertex_colors, np.uint8)[:, :3]
        colored = per_face(mesh, _face_means(linear_from_srgb(own / 255), mesh.faces))
        return replace(colored, colors=_kept(colored, CornerColors(own[mesh.faces], in_texture=True)))
    return per_face(mesh, srgb)


def _kept(colored: Mesh, colors: CornerColors) -> CornerColors | None:
    """Corner colors of a mesh whose texture has those of its faces; ``None`` where one base color says all."""
    if colored.material.texture is None and not np.ptp(colors.srgb.reshape(-1, 3), axis=0).any():
        return None
    return replace(colors, in_texture=colored.material.texture is not None)


def _corner_srgb(
    linear: Float[np.ndarray, "vertices 3"], faces: np.ndarray, factor: tuple[float, ...] = (1.0, 1.0, 1.0)
) -> UInt8[np.ndarray, "faces 3 3"]:
    """The colors of vertices times a factor at the corners of faces, sRGB; what is beyond 1 is white."""
    return np.rint(srgb_from_linear((linear * factor).clip(0, 1)) * 255).astype(np.uint8)[faces]


def _face_means(
    linear: Float[np.ndarray, "vertices 3"], faces: np.ndarray, factor: tuple[float, ...] = (1.0, 1.0, 1.0)
) -> UInt8[np.ndarray, "faces 3"]:
    """The mean of the colors of each face's corners times a factor, sRGB; what is beyond 1 is white."""
    srgb = np.empty((len(faces), 3), np.uint8)
    for start in range(0, len(faces), _FACES_AT_ONCE):
        mean = (linear[faces[start : start + _FACES_AT_ONCE]].mean(axis=1) * factor).clip(0, 1)
        srgb[start : start + len(mean)] = np.rint(srgb_from_linear(mean) * 255).astype(np.uint8)
    return srgb


def per_face(mesh: Mesh, srgb: UInt8[np.ndarray, "faces 3"]) -> Mesh:
    """A mesh with one color per face: its UVs point into a palette."""
    red, green, blue = srgb.astype(np.int32).T
    packed, index = np.unique(red << 16 | green << 8 | blue, return_inverse=True)
    colors = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1).astype(np.uint8)
    if len(colors) == 1:
        return replace(mesh, material=Material(base_color=_rgba(linear_from_srgb(colors[0] / 255))))
    texture, centers = palette(colors)
    uv = np.repeat(centers.astype(mesh.vertices.dtype)[index][:, None], 3, axis=1)
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
