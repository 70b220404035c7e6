"""Triangle meshes with normals and colors as binary PLY files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, UInt8

_END = b"end_header\n"
_VERTEX = [(name, "<f4") for name in ("x", "y", "z", "nx", "ny", "nz")] + [(name, "u1") for name in ("red", "green", "blue")]
_FACE = [("corners", "u1"), ("vertex_indices", "<i4", (3,))]


@dataclass(frozen=True, eq=False)
class ColoredMesh:
    """Triangles; ``normals`` (unit) and ``colors`` (sRGB) belong to vertices."""

    vertices: Float32[np.ndarray, "vertices 3"]
    normals: Float32[np.ndarray, "vertices 3"]
    colors: UInt8[np.ndarray, "vertices 3"]
    faces: Int32[np.ndarray, "faces 3"]


def ply_bytes(mesh: ColoredMesh) -> bytes:
    """The content of a PLY file: little-endian, with the names of types that old readers know."""
    kinds = {"<f4": "float", "u1": "uchar"}
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(mesh.vertices)}"]
    header += [f"property {kinds[kind]} {name}" for name, kind in _VERTEX]
    header += [f"element face {len(mesh.faces)}", "property list uchar int vertex_indices"]
    vertices = np.zeros(len(mesh.vertices), _VERTEX)
    columns = np.concatenate([mesh.vertices, mesh.normals], axis=1).T
    for (name, _), column in zip(_VERTEX, [*columns, *mesh.colors.T], strict=True):
        vertices[name] = column
    faces = np.zeros(len(mesh.faces), _FACE)
    faces["corners"], faces["vertex_indices"] = 3, mesh.faces
    return "".join(f"{line}\n" for line in header).encode("ascii") + _END + vertices.tobytes() + faces.tobytes()


def ply_vertices(content: bytes) -> Float32[np.ndarray, "vertices 3"]:
    """The vertices in what ``ply_bytes`` made."""
    header, _, body = content.partition(_END)
    count = int(header.split(b"element vertex ")[1].split(b"\n")[0])
    vertices = np.frombuffer(body, _VERTEX, count)
    return np.stack([vertices[name] for name in "xyz"], axis=-1)
