"""What a glTF file says that trimesh does not pass on."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ....text_files import read_text
from .glb import FilePart, binary_chunk, glb_of, json_chunk

_UNREAD_EXTENSIONS = {
    *("KHR_materials_transmission", "KHR_materials_clearcoat", "KHR_materials_volume"),
    *("KHR_materials_pbrSpecularGlossiness", "KHR_materials_variants", "KHR_lights_punctual"),
    *("KHR_materials_unlit", "KHR_materials_sheen", "KHR_materials_specular"),
}
"""What changes pictures where a reader heeds it."""
_HEEDED_EXTENSIONS = {"KHR_texture_transform", "KHR_mesh_quantization", "EXT_texture_webp", "EXT_mesh_gpu_instancing"}
_PACKED = {"KHR_draco_mesh_compression": "DracoPy"}
"""Extensions that another package reads."""
_STRENGTH = "KHR_materials_emissive_strength"
_BRIGHTEST = 1e6
_REPEAT = 10497
_LINES = (0, 1, 2, 3)
"""Modes of points, of lines, and of lines in a loop and in a strip."""
_TAG = "sim2real-material-"


def gltf_of(path: Path) -> dict[str, Any]:
    """The JSON of a glTF file; empty for other files and broken ones, which the reader will complain about."""
    try:
        if path.suffix.lower() == ".gltf":
            return dict(json.loads(read_text(path)))
        if path.suffix.lower() == ".glb":
            return dict(json.loads(json_chunk(path)[:]))
    except (ValueError, TypeError, OSError, RecursionError):
        return {}
    return {}


def unread_requirements(path: Path) -> list[str]:
    """Extensions that a glTF file cannot be read without, and that are not read here."""
    needed = gltf_of(path).get("extensionsRequired")
    names = sorted({str(name) for name in needed} if isinstance(needed, list) else ())
    there = {name for name, package in _PACKED.items() if find_spec(package) is not None}
    return [name for name in names if name not in _HEEDED_EXTENSIONS | there and not name.startswith("KHR_materials_")]


def embedded_pictures(path: Path) -> Iterator[tuple[str, bytes]]:
    """The PNG and JPEG pictures inside a glTF file, with their names; what is not where the file says is left to its reader."""
    held = gltf_of(path)
    images, views = held.get("images"), held.get("bufferViews")
    data = binary_chunk(path) if images else None
    for k, image in enumerate(images if isinstance(images, list) else []):
        try:
            name = str(image.get("name") or f"picture {k}")
            if str(image.get("uri", "")).startswith(("data:image/png", "data:image/jpeg")):
                yield name, base64.b64decode(image["uri"].partition(",")[2])
            elif data and image.get("mimeType") in ("image/png", "image/jpeg"):
                view = views[image["bufferView"]]  # pyright: ignore[reportOptionalSubscript]
                at = view.get("byteOffset", 0)
                yield name, data[at : at + view["byteLength"]]
        except (LookupError, TypeError, AttributeError, ValueError):
            continue


def gltf_notes(path: Path) -> list[str]:
    """Sentences on what a glTF file holds and is not read."""
    unread = {"animations": "animations", "skins": "skeletons", "cameras": "cameras"}
    held = gltf_of(path)
    found = [word for key, word in unread.items() if held.get(key)]
    notes = [f"{path.name}: its {', '.join(found)} are not read; the file is shown at rest"] if found else []
    return [*notes, *_notes_of_lines(path, held), *extension_notes(path)]


def _notes_of_lines(path: Path, held: dict[str, Any]) -> list[str]:
    """A sentence on each mesh that has points or lines."""
    names = []
    for k, mesh in enumerate(held["meshes"] if isinstance(held.get("meshes"), list) else []):
        parts = mesh.get("primitives") if isinstance(mesh, dict) else None
        modes = [part.get("mode") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
        if any(mode in _LINES for mode in modes):
            names.append(str(mesh.get("name") or f"mesh_{k}"))
    return [f"{path.name}: the points or lines of {name} are left out" for name in names]


def extension_notes(path: Path, heeded: tuple[str, ...] = ()) -> list[str]:
    """A sentence on the extensions of a glTF file that are not read, if there are any besides those that are heeded."""
    used = gltf_of(path).get("extensionsUsed")
    names = {name for name in used if isinstance(name, str)} if isinstance(used, list) else set()
    ignored = sorted((_UNREAD_EXTENSIONS & names) - set(heeded))
    return [f"{path.name}: its glTF extensions {', '.join(ignored)} are not read"] if ignored else []


def with_numbered_materials(held: dict[str, Any]) -> dict[str, Any] | None:
    """A JSON with materials named by their numbers, by which ``uv_map_of`` finds them; None where that is not needed."""
    materials = held.get("materials")
    if not isinstance(materials, list):
        return None
    plain = all(_base_texture(material) is None and _repeats(held, _texture_of(material)) for material in materials)
    if plain and all(_strength(material) is None for material in materials):
        return None
    numbered = [
        {**material, "name": numbered_material(k)} for k, material in enumerate(materials) if isinstance(material, dict)
    ]
    return {**held, "materials": numbered} if len(numbered) == len(materials) else None


def with_materials_alone(path: Path) -> bytes:
    """A file that has nothing but the materials of another: its mesh ``numbered_material(k)`` has material k."""
    held = gltf_of(path)
    materials = [entry if isinstance(entry, dict) else {} for entry in held.get("materials", [])]
    numbered = [{**material, "name": numbered_material(k)} for k, material in enumerate(materials)]
    pictured = {image.get("bufferView") for image in held.get("images", []) if isinstance(image, dict)} - {None}
    nowhere = {"buffer": 0, "byteLength": 0}
    views = [view if k in pictured else nowhere for k, view in enumerate(held.get("bufferViews", []))] if pictured else []
    shown = {key: held[key] for key in ("asset", "images", "textures", "samplers") if key in held}
    buffers, packed = held.get("buffers", []) if pictured else [], bytearray()
    if pictured and (binary := binary_chunk(path)) is not None:
        views = [_packed(view, binary, packed) if k in pictured else nowhere for k, view in enumerate(views)]
        buffers = [{"byteLength": len(packed)}, *buffers[1:]]
    meshes = [
        {"name": numbered_material(k), "primitives": [{"attributes": {"POSITION": 0}, "material": k}]}
        for k in range(len(numbered))
    ]
    nothing = [{"componentType": 5126, "count": 3, "type": "VEC3"}]
    tree = {**shown, "buffers": buffers, "bufferViews": views, "accessors": nothing, "materials": numbered, "meshes": meshes}
    text = json.dumps(tree).encode()
    return text if path.suffix.lower() == ".gltf" else glb_of(path, text, bytes(packed))


def _packed(view: dict[str, Any], binary: FilePart, packed: bytearray) -> dict[str, Any]:
    """A view of a GLB file's own buffer, whose bytes are put behind those that are packed already."""
    if view.get("buffer") != 0:
        return view
    start = view.get("byteOffset", 0)
    packed += b"\0" * (-len(packed) % 4)
    at = len(packed)
    packed += binary[start : start + view["byteLength"]]
    return {**view, "byteOffset": at}


def numbered_material(index: int) -> str:
    """What a material is called in a file whose materials are named by their numbers."""
    return f"{_TAG}{index}"


def rewritten(path: Path, held: dict[str, Any]) -> bytes:
    """A glTF file with another JSON, and its own binary chunk."""
    text = json.dumps(held).encode()
    if path.suffix.lower() == ".gltf":
        return text
    binary = binary_chunk(path)
    return glb_of(path, text, b"" if binary is None else binary[:])


def uv_map_of(held: dict[str, Any], name: object, what: str, notes: list[str]) -> Float[np.ndarray, "2 3"] | None:
    """How the texture coordinates of a material's base color texture are to be changed (``KHR_texture_transform``).

    Args:
        held: ``gltf_of`` the file.
        name: of the material, as ``with_numbered_materials`` names it.
        what: the mesh, for notes.
        notes: gets a sentence for what cannot be heeded.

    Returns:
        An affine map of (u, v, 1), v up; None where they stay.
    """
    if not isinstance(name, str) or not name.startswith(_TAG):  # the file was read as it is
        return None
    texture = _base_texture(held["materials"][int(name.removeprefix(_TAG))])
    if texture is None:
        return None
    said = texture.get("extensions", {}).get("KHR_texture_transform", {})
    if said.get("texCoord", texture.get("texCoord", 0)) != 0:
        notes.append(f"{what}: its texture lies by the first set of UVs; the file names another, which is not read")
    scale, offset = said.get("scale", [1, 1]), said.get("offset", [0, 0])
    c, s = math.cos(said.get("rotation", 0)), math.sin(said.get("rotation", 0))
    down = np.array([[c * scale[0], s * scale[1], offset[0]], [-s * scale[0], c * scale[1], offset[1]], [0, 0, 1]])
    flip = np.array([[1.0, 0, 0], [0, -1, 1], [0, 0, 1]])
    turned = flip @ down @ flip
    return None if np.array_equal(turned, np.eye(3)) else turned[:2]


def glow_of(held: dict[str, Any], name: object) -> float:
    """By how much a material's glow is multiplied (``KHR_materials_emissive_strength``); names as of ``uv_map_of``.

    Raises:
        ValueError: it is no number, negative or endless.
    """
    if not isinstance(name, str) or not name.startswith(_TAG):
        return 1.0
    strength = _strength(held["materials"][int(name.removeprefix(_TAG))])
    glow = 1.0 if strength is None else float(strength)
    if not 0 <= glow <= _BRIGHTEST:
        raise ValueError(f"its emissive strength is {glow:g}")
    return glow


def repeats(held: dict[str, Any], name: object) -> bool:
    """Whether a material's base color texture goes on beyond its border as it began, as textures do here."""
    if not isinstance(name, str) or not name.startswith(_TAG):
        return True
    return _repeats(held, _texture_of(held["materials"][int(name.removeprefix(_TAG))]))


def _repeats(held: dict[str, Any], texture: dict[str, Any] | None) -> bool:
    try:
        sampler = held["samplers"][held["textures"][(texture or {})["index"]]["sampler"]]
        return {sampler.get("wrapS", _REPEAT), sampler.get("wrapT", _REPEAT)} == {_REPEAT}
    except (LookupError, TypeError, AttributeError):
        return True


def _strength(material: Any) -> Any:
    """What stands in a material as the strength of its glow; None where nothing does."""
    extensions = material.get("extensions") if isinstance(material, dict) else None
    held = extensions.get(_STRENGTH) if isinstance(extensions, dict) else None
    return held.get("emissiveStrength") if isinstance(held, dict) else None


def _texture_of(material: Any) -> dict[str, Any] | None:
    """The reference to a material's base color texture."""
    texture = (material.get("pbrMetallicRoughness") or {}).get("baseColorTexture") if isinstance(material, dict) else None
    return texture if isinstance(texture, dict) else None


def _base_texture(material: Any) -> dict[str, Any] | None:
    """The reference to a material's base color texture if there is more in it than a number."""
    texture = _texture_of(material)
    return texture if texture and (texture.get("extensions") or texture.get("texCoord")) else None
