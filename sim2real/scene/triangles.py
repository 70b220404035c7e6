"""All parts of a scene as one indexed triangle list, the form that rasterizers and noise work on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int8, Int32

from .records import Scene


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
    a, b, c = (vertices[faces[:, k]].astype(np.float64) for k in range(3))
    n = np.cross(b - a, c - a)
    length = np.linalg.norm(n, axis=1, keepdims=True)
    return n / np.where(length > 0, length, 1)


def triangles_of(scene: Scene) -> Triangles:
    """Concatenate all parts of a scene.

    Returns:
        Topology that holds for all frames; ``deformed_vertices`` gives the vertices of frames where meshes deform.
    """
    vertices, faces, uv, normals, face_part, vertex_part, hidden = [], [], [], [], [], [], []
    offset = 0
    for k, part in enumerate(scene.parts):
        mesh = scene.meshes[part.mesh]
        count = len(mesh.faces)
        vertices.append(mesh.vertices)
        faces.append(mesh.faces + offset)
        uv.append(np.zeros((count, 3, 2)) if mesh.uv is None else mesh.uv)
        flat = mesh.normals is None
        normals.append(np.repeat(face_normals(mesh.vertices, mesh.faces)[:, None], 3, axis=1) if flat else mesh.normals)
        face_part.append(np.full(count, k))
        vertex_part.append(np.full(len(mesh.vertices), k))
        mirrored = np.linalg.det(part.instance_from_mesh[:3, :3]) < 0
        hidden.append(np.full(count, (1 if mirrored else -1) if mesh.outside_only else 0))
        offset += len(mesh.vertices)

    def stack(arrays: list, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        return np.concatenate([np.zeros(shape), *arrays]).astype(dtype)

    return Triangles(
        vertices=stack(vertices, (0, 3), np.float32),
        faces=stack(faces, (0, 3), np.int32),
        uv=stack(uv, (0, 3, 2), np.float32),
        normals=stack(normals, (0, 3, 3), np.float32),
        face_part=stack(face_part, (0,), np.int32),
        vertex_part=stack(vertex_part, (0,), np.int32),
        part_instance=np.array([p.instance + 1 for p in scene.parts], np.int32),
        hidden_side=stack(hidden, (0,), np.int8) if any(mesh.outside_only for mesh in scene.meshes) else None,
    )


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
