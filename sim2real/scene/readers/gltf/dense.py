"""Arrays of glTF files that trimesh would misread, written out as plain ones: sparse accessors, normalized integers, fans."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np

from .accessors import KINDS, array_of
from .document import open_document
from .primitives import FAN, TRIANGLES, faces_of

_NORMALIZED = ("POSITION", "NORMAL", "TEXCOORD_0")
_CODES = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}


def with_dense_accessors(path: Path, tree: dict[str, Any]) -> dict[str, Any] | None:
    """The JSON of a glTF file whose meshes name plain arrays and single triangles alone; ``None`` where they do already.

    Args:
        path: the file.
        tree: its JSON, or one with other materials.

    Raises:
        MissingFileError: a buffer's file does not exist.
        UnreadableFileError: an accessor reaches beyond its buffer, or holds what is not finite.
    """
    wanted, fans = _misread(tree), _fans(tree)
    if not wanted and not fans:
        return None
    document, data = open_document(path), bytearray()
    accessors, views, buffer = list(tree["accessors"]), list(tree.get("bufferViews", [])), len(tree.get("buffers", []))

    def written(values: np.ndarray) -> dict[str, int]:
        data.extend(b"\0" * (-len(data) % 4))
        views.append({"buffer": buffer, "byteOffset": len(data), "byteLength": values.nbytes})
        data.extend(values.tobytes())
        return {"bufferView": len(views) - 1, "componentType": _CODES[values.dtype.str[1:]]}

    for index in wanted:
        values = array_of(document, index, KINDS, "an array")
        values = np.ascontiguousarray(values, np.float32 if values.dtype.kind == "f" else values.dtype)
        plain = {key: value for key, value in accessors[index].items() if key in ("count", "type")}
        accessors[index] = {**plain, **written(values)}
    meshes = [dict(mesh, primitives=list(mesh["primitives"])) for mesh in tree["meshes"]] if fans else tree.get("meshes", [])
    for mesh, place in fans:
        entry = meshes[mesh]["primitives"][place]
        vertices = array_of(document, entry["attributes"]["POSITION"], ("VEC3",), f"vertices of mesh {mesh}")
        corners = faces_of(document, entry, len(vertices), f"mesh {mesh}").astype(np.uint32).ravel()
        meshes[mesh]["primitives"][place] = {**entry, "mode": TRIANGLES, "indices": len(accessors)}
        accessors.append({"count": len(corners), "type": "SCALAR", **written(corners)})
    uri = "data:application/octet-stream;base64," + base64.b64encode(data).decode()
    buffers = [*tree.get("buffers", []), {"byteLength": len(data), "uri": uri}]
    return {**tree, "meshes": meshes, "accessors": accessors, "bufferViews": views, "buffers": buffers}


def _fans(tree: dict[str, Any]) -> list[tuple[int, int]]:
    """Numbers of meshes, and of their primitives that are fans."""
    try:
        meshes = enumerate(tree.get("meshes") or [])
        return [(k, n) for k, mesh in meshes for n, one in enumerate(mesh["primitives"]) if one.get("mode") == FAN]
    except (TypeError, LookupError, AttributeError):  # trimesh will say what is wrong
        return []


def _misread(tree: dict[str, Any]) -> list[int]:
    """The accessors of primitives that are sparse, or hold places as normalized integers; in order."""
    found: set[int] = set()
    try:
        accessors = tree.get("accessors") or []
        for primitive in (primitive for mesh in tree.get("meshes") or [] for primitive in mesh["primitives"]):
            named = {**primitive["attributes"], "indices": primitive.get("indices")}
            for key, index in named.items():
                held = accessors[index] if type(index) is int and 0 <= index < len(accessors) else {}
                if "sparse" in held or (key in _NORMALIZED and held.get("normalized") is True):
                    found.add(index)
    except (TypeError, LookupError, AttributeError):  # trimesh will say what is wrong
        return []
    return sorted(found)
