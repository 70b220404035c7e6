"""Primitives of a glTF file's meshes as trimesh has them, with what trimesh leaves out: morph targets, joints and weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from .accessors import array_of
from .document import Document

TRIANGLES, STRIP, FAN = 4, 5, 6
"""Modes of primitives."""
_DRACO = "KHR_draco_mesh_compression"


@dataclass(frozen=True, eq=False)
class Influence:
    """Which joints of its skin a vertex follows (at most ``slots``), by how much; shares add up to one."""

    joints: Int[np.ndarray, "vertices slots"]
    shares: Float[np.ndarray, "vertices slots"]


@dataclass(frozen=True, eq=False)
class Targets:
    """Morph targets of one attribute, read when a weight asks for them: recordings of cloth have one per frame.

    - ``accessors``: where each of them is; ``None``: it leaves the attribute as it is.
    """

    document: Document
    accessors: tuple[int | None, ...]
    vertices: int
    name: str

    def __len__(self) -> int:
        return len(self.accessors)

    def displacement(self, target: int) -> Float[np.ndarray, "vertices 3"] | None:
        """What a weight of one adds; ``None``: nothing.

        Raises:
            UnreadableFileError: it is of another type or length than the specification has it, or not finite.
        """
        index = self.accessors[target]
        if index is None:
            return None
        values = array_of(self.document, index, ("VEC3",), f"morph target {target} of {self.name}")
        if len(values) != self.vertices:
            why = f"{self.name} has {self.vertices} vertices, but {len(values)} in its morph target {target}"
            raise self.document.broken(why)
        return values

    def added(
        self, values: Float[np.ndarray, "vertices 3"], weights: Float[np.ndarray, "targets"]
    ) -> Float[np.ndarray, "vertices 3"]:
        """Values and what the targets with a weight add to them."""
        for target in np.flatnonzero(weights).tolist():
            displacement = self.displacement(target)
            values = values if displacement is None else values + weights[target] * displacement
        return values


@dataclass(frozen=True, eq=False)
class Primitive:
    """Triangles with one material, as the file has them.

    - ``uv``: v is up; ``colors``: linear, 0 to 1; ``material``: its number.
    - ``targets`` and ``target_normals``: what weights of one add to ``vertices`` and ``normals``.
    """

    name: str
    vertices: Float[np.ndarray, "vertices 3"]
    faces: Int[np.ndarray, "faces 3"]
    normals: Float[np.ndarray, "vertices 3"] | None = None
    uv: Float[np.ndarray, "vertices 2"] | None = None
    colors: Float[np.ndarray, "vertices channels"] | None = None
    material: int | None = None
    targets: Targets | None = None
    target_normals: Targets | None = None
    influence: Influence | None = None


def mesh_name(document: Document, mesh: int) -> str:
    """What a mesh is called."""
    return str(document.entry("meshes", mesh).get("name") or f"mesh_{mesh}")


def primitives_of(document: Document, mesh: int, notes: list[str]) -> list[Primitive]:
    """The primitives of a mesh that have faces.

    Args:
        document: the file.
        mesh: its number.
        notes: gets a sentence for points and lines.

    Raises:
        UnreadableFileError: attributes are of other types, lengths or numbers than the specification has them, or compressed.
    """
    held = document.entry("meshes", mesh).get("primitives")
    if not isinstance(held, list):
        raise document.broken(f"mesh {mesh} has no primitives")
    name, found = mesh_name(document, mesh), []
    for k, entry in enumerate(held):
        own = name if len(held) == 1 else f"{name}_{k}"
        if entry.get("mode", TRIANGLES) not in (TRIANGLES, STRIP, FAN):
            notes.append(f"{document.path.name}: the points or lines of {own} are left out")
            continue
        primitive = _primitive(document, entry, own)
        if len(primitive.faces):
            found.append(primitive)
    return found


def _primitive(document: Document, entry: dict[str, Any], name: str) -> Primitive:
    attributes = entry["attributes"]
    if _DRACO in (entry.get("extensions") or {}):
        accessor = document.entry("accessors", attributes.get("POSITION"))
        if "bufferView" not in accessor:
            raise document.broken(f"it is compressed with {_DRACO}, which is not read where things move: export it without")
    vertices = array_of(document, attributes.get("POSITION"), ("VEC3",), f"vertices of {name}").astype(np.float64)

    def per_vertex(key: str, kinds: tuple[str, ...], what: str) -> np.ndarray | None:
        if key not in attributes:
            return None
        values = array_of(document, attributes[key], kinds, f"{what} of {name}")
        if len(values) != len(vertices):
            raise document.broken(f"{name} has {len(vertices)} vertices, but {len(values)} {what}")
        return values.astype(np.float64)

    uv = per_vertex("TEXCOORD_0", ("VEC2",), "UVs")
    material = entry.get("material")
    if material is not None:
        document.entry("materials", material)
    return Primitive(
        name,
        vertices,
        faces_of(document, entry, len(vertices), name),
        normals=per_vertex("NORMAL", ("VEC3",), "normals"),
        uv=None if uv is None else uv * [1, -1] + [0, 1],
        colors=per_vertex("COLOR_0", ("VEC3", "VEC4"), "colors"),
        material=material,
        targets=_targets(document, entry, "POSITION", len(vertices), name),
        target_normals=_targets(document, entry, "NORMAL", len(vertices), name),
        influence=_influence(document, per_vertex, attributes, name),
    )


def faces_of(document: Document, entry: dict[str, Any], count: int, name: str) -> Int[np.ndarray, "faces 3"]:
    """The triangles of a primitive of so many vertices; strips and fans as single ones.

    Raises:
        UnreadableFileError: they name vertices that there are not.
    """
    mode = entry.get("mode", TRIANGLES)
    if "indices" in entry:
        index = array_of(document, entry["indices"], ("SCALAR",), f"indices of {name}")[:, 0]
        if index.dtype.kind not in "iu":
            raise document.broken(f"the indices of {name} are no integers")
        index = index.astype(np.int64)
    else:
        index = np.arange(count)
    if len(index) and not 0 <= index.min() <= index.max() < count:
        raise document.broken(f"a face of {name} names vertex {index.max()} of {count}")
    if mode == TRIANGLES:
        return index[: len(index) // 3 * 3].reshape(-1, 3)
    if len(index) < 3:
        return np.zeros((0, 3), np.int64)
    if mode == FAN:
        return np.stack([np.full(len(index) - 2, index[0]), index[1:-1], index[2:]], axis=1)
    strip = np.stack([index[:-2], index[1:-1], index[2:]], axis=1)
    strip[1::2] = strip[1::2, [1, 0, 2]]
    return strip


def _targets(document: Document, entry: dict[str, Any], key: str, count: int, name: str) -> Targets | None:
    """Displacements of one attribute, of all morph targets, each of which is looked at once."""
    held = entry.get("targets") or []
    if not held or (key != "POSITION" and not any(key in target for target in held)):
        return None
    found = Targets(document, tuple(target.get(key) for target in held), count, name)
    for target in range(len(found)):
        found.displacement(target)
    return found


def _influence(document: Document, per_vertex: Any, attributes: dict[str, Any], name: str) -> Influence | None:
    joints, shares, k = [], [], 0
    while f"JOINTS_{k}" in attributes and f"WEIGHTS_{k}" in attributes:
        joints.append(per_vertex(f"JOINTS_{k}", ("VEC4",), "joints"))
        shares.append(per_vertex(f"WEIGHTS_{k}", ("VEC4",), "weights"))
        k += 1
    if not joints:
        return None
    share = np.concatenate(shares, axis=1)
    if (share < 0).any():
        raise document.broken(f"a vertex of {name} follows a joint by less than nothing")
    total = share.sum(axis=1, keepdims=True)
    share[total[:, 0] == 0, 0] = 1  # follows its first joint, as viewers have it
    joint = np.where(share > 0, np.concatenate(joints, axis=1), 0).astype(np.int64)
    return Influence(joint, share / np.where(total > 0, total, 1))
