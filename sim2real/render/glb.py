"""Textured pieces as one GLB that other renderers read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int, UInt8

from ..scene.mesh_ops import distinct_corners
from ..scene.readers.mesh.files import Y_UP
from ..transforms import inverse_rigid

NEAREST, CLAMP = 9728, 33071
"""glTF's names: texels are not blended with their neighbors, the texture does not repeat."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A mesh with a texture.

    - ``uv`` and ``normals`` belong to face corners; ``uv`` is glTF's: (0, 0) is the upper left corner of the texture.
    - ``extras`` are kept beside the mesh in the file.
    - ``two_sided``: it is also seen from where its faces wind clockwise.
    """

    name: str
    vertices: Float[np.ndarray, "vertices 3"]
    faces: Int[np.ndarray, "faces 3"]
    uv: Float32[np.ndarray, "faces 3 2"]
    normals: Float32[np.ndarray, "faces 3 3"]
    texture: UInt8[np.ndarray, "height width 3"]
    world_from_mesh: Float[np.ndarray, "4 4"]
    extras: Mapping[str, Any] = field(default_factory=dict)
    two_sided: bool = False


def write_glb(path: Path, pieces: Sequence[Piece]) -> None:
    """Write pieces to a GLB: y up, as glTF wants it; see ``glb_of``."""
    path.write_bytes(glb_of(pieces, inverse_rigid(Y_UP)))


def glb_of(pieces: Sequence[Piece], file_from_world: Float[np.ndarray, "4 4"]) -> bytes:
    """Pieces as a GLB: faces in their order, textures without blending.

    A vertex whose faces disagree about its uv or normal is split.

    Args:
        pieces: names differ.
        file_from_world: the axes of the file; glTF's have y up.
    """
    import trimesh
    from PIL import Image
    from trimesh.exchange.gltf import export_glb
    from trimesh.visual import TextureVisuals
    from trimesh.visual.material import PBRMaterial

    scene = trimesh.Scene()
    for piece in pieces:
        corner, faces = split_corners(piece)
        position, uv, normals = corner[:, :3], corner[:, 3:5].astype(np.float64), corner[:, 5:]
        material = PBRMaterial(
            name=piece.name,
            baseColorTexture=Image.fromarray(piece.texture),
            metallicFactor=0.0,
            roughnessFactor=1.0,
            **({"doubleSided": True} if piece.two_sided else {}),
        )
        upwards = np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1)  # trimesh has v up and turns it back when it writes
        mesh = trimesh.Trimesh(
            vertices=position,
            faces=faces,
            vertex_normals=normals,
            visual=TextureVisuals(uv=upwards, material=material),
            metadata=dict(piece.extras),
            process=False,
        )
        scene.add_geometry(mesh, node_name=piece.name, geom_name=piece.name, transform=file_from_world @ piece.world_from_mesh)
    return export_glb(scene, include_normals=True, tree_postprocessor=_unblended)


def split_corners(piece: Piece) -> tuple[Float32[np.ndarray, "corners 8"], Int[np.ndarray, "faces 3"]]:
    """Vertices that differ in position, uv or normal (8 numbers each), and the faces that index them."""
    rows = [piece.vertices[piece.faces].reshape(-1, 3), piece.uv.reshape(-1, 2), piece.normals.reshape(-1, 3)]
    corner = np.concatenate(rows, axis=1).astype(np.float32)
    first, faces = distinct_corners(corner)
    return corner[first] + np.float32(0), faces  # -0 is 0


def _unblended(tree: dict[str, Any]) -> None:
    """Give all textures one sampler."""
    tree["samplers"] = [{"magFilter": NEAREST, "minFilter": NEAREST, "wrapS": CLAMP, "wrapT": CLAMP}]
    for texture in tree.get("textures", ()):
        texture["sampler"] = 0
