"""A mesh file as trimesh has it, and what trimesh does not pass on."""

from __future__ import annotations

import io
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from jaxtyping import Float

from ....arrays import reason
from ....errors import MissingFileError, Sim2RealError, UnreadableFileError
from ....text_files import read_json, text_of
from ..gltf.dense import with_dense_accessors
from ..gltf.instances import with_instances
from .collada import without_materials_astray
from .gltf import (
    embedded_pictures,
    glow_of,
    gltf_of,
    repeats,
    rewritten,
    unread_requirements,
    uv_map_of,
    with_numbered_materials,
)
from .materials import check_picture
from .mtl import MapOptions, without_options
from .ply import PlyMesh, read_ply

_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tga", ".tif", ".tiff", ".webp", ".gif")
_UNSAID: dict[type[Exception], str] = {
    AssertionError: "its arrays do not fit each other",
    TypeError: "it has a value of another kind",
    AttributeError: "it has a value of another kind",
    IndexError: "it names something that it does not have",
}
"""What trimesh means by errors without a word, or with words of Python."""
_OTHER_VERSION = re.compile(r"only GLTF 2 is supported not `([^`]{1,20})`")


@dataclass(frozen=True)
class Textures:
    """How textures lie, by what trimesh does not pass on: the JSON of a glTF file, the options in an OBJ's material files."""

    held: dict[str, Any]
    maps: dict[str, MapOptions]

    def uv_map(self, material: object, what: str, notes: list[str]) -> Float[np.ndarray, "2 3"] | None:
        """An affine map of (u, v, 1) by which texture coordinates are to be changed."""
        said = self.maps.get(str(material))
        return uv_map_of(self.held, material, what, notes) if said is None else said.uv_map

    def repeat(self, material: object) -> bool:
        """Whether the texture goes on beyond its border as it began."""
        said = self.maps.get(str(material))
        return repeats(self.held, material) if said is None else not said.clamped

    def glow(self, material: object) -> float:
        """By how much the material's glow is multiplied."""
        return glow_of(self.held, material)


def check_requirements(path: Path) -> None:
    """Refuse a glTF file that needs extensions which are not read.

    Raises:
        UnreadableFileError: it does; names them.
    """
    if lacking := unread_requirements(path):
        why = f"it needs the glTF extension{'s' if len(lacking) > 1 else ''} {', '.join(lacking)}"
        fix = "export it without (compression off)"
        raise UnreadableFileError(path, what="mesh file", why=f"{why}, which is not read", fix=fix)


def loaded(path: Path, instead: bytes | None = None) -> tuple[Any, list[Path], list[str], Textures]:
    """A mesh file as trimesh has it.

    Args:
        path: the file.
        instead: content that is read in place of the file's own; the files that it names are those of the file.

    Returns:
        The scene of trimesh, the files that it came from, notes of what it named in vain, and how its textures lie.

    Raises:
        MissingFileError: a file without which it cannot be read does not exist.
        UnreadableFileError: it is broken, needs what is not read, or names a picture that is damaged.
    """
    import trimesh  # a third of a second
    from trimesh.resolvers import FilePathResolver

    logging.getLogger("trimesh").addHandler(logging.NullHandler())  # what it warns of is said in notes and errors
    files, missing, said, textures = [path], [], list[str](), Textures(gltf_of(path), {})
    pictures = [(f"{name} in {path}", data) for name, data in embedded_pictures(path)]
    check_requirements(path)
    if path.suffix.lower() == ".gltf" and instead is None:
        read_json(path, what="mesh file", fix="export it again")  # of text that is no JSON, trimesh takes another file

    asked: list[str] = []

    def of_materials(name: str) -> bool:  # the file that an OBJ asks for first, whatever it is called
        return name.lower().endswith(".mtl") or (path.suffix.lower() == ".obj" and name == asked[0])

    class Neighbors(FilePathResolver):
        """Files next to the mesh file; remembers which were found."""

        def get(self, name: str) -> bytes:
            name = str(name).strip()
            asked.append(name)
            place = _neighbor(path, name)
            if place is None:
                missing.append(("material file" if of_materials(name) else "texture", name))
                raise FileNotFoundError(name)
            files.append(place)
            data = place.read_bytes()
            if place.suffix.lower() in _PICTURES:
                pictures.append((str(place), data))
            if not of_materials(name):
                return data
            text, options = without_options(text_of(data))
            textures.maps.update(options)
            return text.encode()

    if path.suffix.lower() == ".ply" and instead is None and (surface := read_ply(path)) is not None:
        return trimesh.Scene({path.name: _as_trimesh(surface)}), files, [], textures
    try:
        plain = _plain_gltf(path, textures.held) if instead is None else instead
        plain = _plain_text(path) if plain is None else plain
        place = str(path.parent.resolve() / path.name)  # trimesh strikes out what ".." follows, a link, too
        what = place if plain is None else io.BytesIO(plain)
        kind = path.suffix[1:].lower()
        scene = trimesh.load_scene(what, file_type=kind, resolver=Neighbors(place), process=False)
        mended = without_materials_astray(path, scene.geometry, said) if kind == "dae" else None
        if mended is not None:
            scene = trimesh.load_scene(io.BytesIO(mended), file_type=kind, resolver=Neighbors(place), process=False)
    except Sim2RealError:
        raise
    except Exception as error:  # the readers of trimesh raise whatever their parsing trips over
        if missing and isinstance(error, FileNotFoundError):
            raise MissingFileError(path.parent / missing[-1][1], what=f"a file that {path.name} names") from error
        raise broken(path, _why(error)) from error
    for name, data in pictures:
        check_picture(data, name)
    said += [f"{path.name}: {what} is missing; its color is used instead: {name}" for what, name in dict.fromkeys(missing)]
    return scene, files, said, textures


def _as_trimesh(ply: PlyMesh) -> Any:
    import trimesh

    colors = {"vertex_colors": ply.vertex_colors, "face_colors": ply.face_colors}
    given: dict[str, Any] = {
        name: values for name, values in (colors | {"vertex_normals": ply.normals}).items() if values is not None
    }
    return trimesh.Trimesh(ply.vertices, ply.faces, process=False, **given)


def _neighbor(path: Path, name: str) -> Path | None:
    """The file that a mesh file names; names may be encoded as in URIs, or be paths on the machine where it was exported."""
    plain = (text.replace("\\", "/") for text in (name, unquote(name)))
    return next((p for text in plain for p in (path.parent / text, path.parent / Path(text).name) if p.is_file()), None)


def _why(error: Exception) -> str:
    """What trimesh tripped over, in words."""
    said = reason(error) if str(error).strip() else ""
    if isinstance(error, KeyError):
        return f"it lacks {said!r}"
    if (version := _OTHER_VERSION.search(said)) is not None:
        return f"it is of glTF {version[1]}, and glTF 2.0 is read"
    meant = next((words for kind, words in _UNSAID.items() if isinstance(error, kind)), "")
    return f"{meant} ({said})" if meant and said else meant or said or type(error).__name__


def broken(path: Path, why: str) -> UnreadableFileError:
    """The error of a mesh file that cannot be read."""
    return UnreadableFileError(path, what="mesh file", why=why, fix="check that it opens elsewhere, export it again")


def _plain_gltf(path: Path, held: dict[str, Any]) -> bytes | None:
    """A glTF file as trimesh understands it; ``None`` where the file itself is so."""
    spread = with_instances(path, held) or held
    numbered = with_numbered_materials(spread) or spread
    made = with_dense_accessors(path, numbered) or numbered
    return None if made is held else rewritten(path, made)


def _plain(data: bytes) -> bytes:
    """Text as trimesh expects it."""
    return text_of(data).encode()


def _plain_text(path: Path) -> bytes | None:
    """A file of text as trimesh expects it; ``None`` where the file itself is so."""
    if path.suffix.lower() not in (".obj", ".off", ".gltf"):
        return None
    data = path.read_bytes()
    plain = _plain(data)
    return None if plain == data else plain
