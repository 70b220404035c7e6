"""All parts of a scene as one indexed triangle list, the form that rasterizers and noise work on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, Int8, Int32

from .records import Mesh, Scene

_FACES_AT_ONCE = 500_000


@dataclass(frozen=True, eq=False)
class Triangles:
    """Concatenated parts. Vertices stay in their part's mesh frame; a view brings one 4x4 matrix per part.

    - ``uv`` and ``normals`` belong to face corners; ``has_uv`` says per part whether ``uv`` came with the asset.
    - ``face_part`` and ``vertex_part`` index ``Scene.parts``; ``part_instance`` gives instance ids (1, 2, ...).
    - ``hidden_side``: 0 where a face is seen from both sides; -1 where it is not seen from behind, 1 where not from its front
      (of a part that is mirrored); ``None``: every face is seen from both sides.
    """

    vertices: Float32[np.ndarray, "vertices 3"]
    faces: Int32[np.ndarray, "faces 3"]
    uv: Float32[np.ndarray, "faces 3 2"]
    normals: Float32[np.ndarray, "faces 3 3"]
    face_part: Int32[np.ndarray, "faces"]
    vertex_part: Int32[np.ndarray, "vertices"]
    part_instance: Int32[np.ndarray, "parts"]
    hidden_side: Int8[np.ndarray, "faces"] | None = None


def face_normals(vertices: Float[np.ndarray, "vertices 3"], faces: np.ndarray) -> Float[np.ndarray, "faces 3"]:
    """Unit normals of faces (right-handed winding); zero for faces without area."""
    normals = np.empty((len(faces), 3))
    for start in range(0, len(faces), _FACES_AT_ONCE):
        a, b, c = (vertices[faces[start : start + _FACES_AT_ONCE, k]].astype(np.float64) for k in range(3))
        n = np.cross(b - a, c - a)
        length = np.linalg.norm(n, axis=1, keepdims=True)
        normals[start : start + len(n)] = n / np.where(length > 0, length, 1)
    return normals


def triangles_of(scene: Scene) -> Triangles:
    """Concatenate all parts of a scene.

    Returns:
        Topology that holds for all frames; ``deformed_vertices`` gives the vertices of frames where meshes deform.
    """
    meshes = [scene.meshes[part.mesh] for part in scene.parts]
    faces = np.array([len(mesh.faces) for mesh in meshes], np.int64)
    vertices = np.array([len(mesh.vertices) for mesh in meshes], np.int64)
    first = np.cumsum(vertices) - vertices
    one_sided = any(mesh.outside_only for mesh in scene.meshes)
    return Triangles(
        vertices=_joined((mesh.vertices for mesh in meshes), vertices.tolist(), (3,), np.float32),
        faces=_joined(_shifted(meshes, first), faces.tolist(), (3,), np.int32),
        uv=_joined((mesh.uv for mesh in meshes), faces.tolist(), (3, 2), np.float32),
        normals=_joined(_corner_normals(meshes), faces.tolist(), (3, 3), np.float32),
        face_part=np.repeat(np.arange(len(meshes), dtype=np.int32), faces),
        vertex_part=np.repeat(np.arange(len(meshes), dtype=np.int32), vertices),
        part_instance=np.array([p.instance + 1 for p in scene.parts], np.int32),
        hidden_side=np.repeat(np.array(_hidden_sides(scene), np.int8), faces) if one_sided else None,
    )


def _corner_normals(meshes: list[Mesh]) -> Iterator[np.ndarray]:
    """Those of each mesh, or its faces' own, which are found once."""
    flat: dict[int, np.ndarray] = {}
    for mesh in meshes:
        if mesh.normals is None and id(mesh) not in flat:
            flat[id(mesh)] = np.repeat(face_normals(mesh.vertices, mesh.faces)[:, None], 3, axis=1)
        yield flat[id(mesh)] if mesh.normals is None else mesh.normals


def _hidden_sides(scene: Scene) -> list[int]:
    """From which side the faces of each part are not seen."""
    mirrored = [bool(np.linalg.det(part.instance_from_mesh[:3, :3]) < 0) for part in scene.parts]
    one_sided = [scene.meshes[part.mesh].outside_only for part in scene.parts]
    return [(1 if turned else -1) if single else 0 for turned, single in zip(mirrored, one_sided, strict=True)]


def _shifted(meshes: list[Mesh], first: Int[np.ndarray, "parts"]) -> Iterator[np.ndarray]:
    return (mesh.faces if not shift else mesh.faces + shift for mesh, shift in zip(meshes, first, strict=True))


def _joined(arrays: Iterable[np.ndarray | None], lengths: list[int], shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Arrays one after the other; a single one that is right already as it is. Where there is none, zeros of its length."""
    made: np.ndarray | None = None
    whole, at = sum(lengths), 0
    for array, length in zip(arrays, lengths, strict=True):
        if array is not None and length == whole and array.dtype == dtype:
            return np.ascontiguousarray(array)
        if made is None:
            made = np.zeros((whole, *shape), dtype)
        if array is not None:
            made[at : at + length] = array
        at += length
    return np.zeros((whole, *shape), dtype) if made is None else made


def parts_alone(triangles: Triangles, parts: Bool[np.ndarray, "parts"]) -> Triangles:
    """The triangles of some parts, in their order, with their own vertices; numbers of parts and instances stay.

    Args:
        triangles: of a scene.
        parts: which of them stay. Their vertices are those where ``parts[triangles.vertex_part]``.
    """
    vertices, faces = parts[triangles.vertex_part], parts[triangles.face_part]
    place = (np.cumsum(vertices) - 1).astype(np.int32)
    return Triangles(
        vertices=triangles.vertices[vertices],
        faces=place[triangles.faces[faces]].reshape(-1, 3),
        uv=triangles.uv[faces],
        normals=triangles.normals[faces],
        face_part=triangles.face_part[faces],
        vertex_part=triangles.vertex_part[vertices],
        part_instance=triangles.part_instance,
        hidden_side=None if triangles.hidden_side is None else triangles.hidden_side[faces],
    )


def deformed_vertices(scene: Scene, frame: int) -> Float32[np.ndarray, "vertices 3"] | None:
    """Mesh-frame vertices of one frame, or ``None`` where no mesh of the scene deforms."""
    meshes = [scene.meshes[p.mesh] for p in scene.parts]
    if all(m.deformed is None for m in meshes):
        return None
    return np.concatenate([m.vertices if m.deformed is None else m.deformed[frame] for m in meshes]).astype(np.float32)
